"""A keeper becomes a new image of itself, and its agents notice nothing; a broken image is refused before that."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pytest

from roost import __version__
from roost.core.recording import Damage, Kind
from roost.errors import Conflict, KeeperUnavailable
from roost.keeper.client import KeeperClient
from tests.keeper.conftest import StartKeeper
from tests.keeper.kit import RunningKeeper, refusal
from tests.waiting import until

LINES = 100
NUMBERED = f"for i in $(seq {LINES}); do echo line $i; sleep 0.005; done; exit 3"


def upgraded(keeper: RunningKeeper) -> None:
    """Upgrade, and connect anew where the connection was not the one that asked."""
    answer = keeper.call("upgrade")
    assert answer == {"pid": keeper.process.pid, "version": __version__, "from": __version__}


def assert_all_lines_once(keeper: RunningKeeper, session_id: str) -> None:
    assert keeper.ended(session_id, 60)["code"] == 3
    assert not [one for one in keeper.items(session_id) if isinstance(one, Damage)]
    assert keeper.output(session_id).splitlines() == [f"line {number}" for number in range(1, LINES + 1)]


@pytest.mark.parametrize("times", [4, pytest.param(50, marks=pytest.mark.slow)])
def test_agents_go_on_and_nothing_is_lost(start_keeper: StartKeeper, times: int) -> None:
    keeper = start_keeper()
    endless = "for i in $(seq 100000); do echo line $i; sleep 0.002; [ -e stop ] && exit 3; done"
    sessions = [keeper.shell(endless, terminal=number % 2 == 0) for number in range(6)]
    for _ in range(times):
        upgraded(keeper)
    (keeper.data / "stop").touch()
    for session_id in sessions:
        assert keeper.ended(session_id, 60)["code"] == 3
        numbers = [int(one) for one in re.findall(r"line (\d+)", keeper.output(session_id))]
        assert numbers == list(range(1, len(numbers) + 1))
        assert not [one for one in keeper.items(session_id) if isinstance(one, Damage)]
        kinds = [mark["type"] for mark in keeper.marks(session_id)]
        assert kinds == ["started"] + ["upgraded"] * times
        assert keeper.recording(session_id).stat().st_size == keeper.session(session_id)["offset"]


def test_what_was_known_is_known_after(keeper: RunningKeeper) -> None:
    ended = keeper.shell("exit 7")
    keeper.ended(ended)
    alive = keeper.shell("cat", env={"TOKEN": "x"})
    keeper.call("input", session_id=alive, source="web", seq=9, blob=b"a")
    keeper.call("resize", session_id=alive, cols=99, rows=33)
    before = [keeper.session(one) for one in (ended, alive)]
    upgraded(keeper)
    after = [keeper.session(one) for one in (ended, alive)]
    assert after[0] == before[0]
    moving = ("offset", "last_output_ns")
    assert {k: v for k, v in after[1].items() if k not in moving} == {
        k: v for k, v in before[1].items() if k not in moving
    }
    assert keeper.call("input", session_id=alive, source="web", seq=9, blob=b"a")["accepted"] is False
    assert keeper.call("input", session_id=alive, source="web", seq=10, blob=b"b\r")["accepted"] is True
    keeper.said(alive, "ab")


def test_an_exit_during_the_change_is_not_missed(keeper: RunningKeeper) -> None:
    sessions = [keeper.shell(f"sleep 0.{number}; exit {number}") for number in range(10, 40)]
    upgraded(keeper)
    assert [keeper.ended(one)["code"] for one in sessions] == list(range(10, 40))


def test_input_that_waits_is_typed_after(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("until [ -e go ]; do sleep 0.02; done; cat | wc -c", terminal=False)
    keeper.type(session_id, "x" * 900_000)
    keeper.call("close_input", session_id=session_id)
    upgraded(keeper)
    (keeper.data / "go").touch()
    keeper.ended(session_id)
    assert keeper.output(session_id).strip() == "900000"


def test_pauses_and_stops_go_on(keeper: RunningKeeper) -> None:
    paused = keeper.shell("while :; do echo tick; sleep 0.02; done")
    deaf = keeper.shell("trap '' TERM; echo up; while :; do sleep 0.02; done")
    keeper.said(deaf, "up")
    keeper.call("pause", session_id=paused)
    with keeper.connect() as other:
        other.post("stop", session_id=deaf, grace_s=1.5)
        until(lambda: keeper.session(deaf)["state"] == "stopping")
        upgraded(keeper)
    assert keeper.session(paused)["state"] == "paused"
    assert keeper.session(deaf)["state"] == "stopping"
    assert keeper.ended(deaf)["reason"] == "stopped"
    size = keeper.session(paused)["offset"]
    keeper.call("resume", session_id=paused)
    until(lambda: keeper.session(paused)["offset"] > size + 200)


def test_others_are_told_and_come_back(keeper: RunningKeeper) -> None:
    watcher = keeper.connect()
    watcher.call("watch")
    keeper.client.call("watch")
    upgraded(keeper)
    assert watcher.notices(5) == [{"notice": "goodbye", "reason": "upgrade"}]
    with pytest.raises(KeeperUnavailable):
        watcher.notices(5)
    session_id = keeper.shell("echo hi")
    until(lambda: any(session_id in one.get("sessions", {}) for one in keeper.client.notices(0.1)))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["-c", "raise SystemExit('this image is broken')"], "this image is broken"),
        (["-c", "pass"], "status 0"),
        (["-c", "import os; os.kill(os.getpid(), 9)"], "status -9"),
        (["-m", "roost.no_such_module"], "No module named"),
    ],
)
def test_a_broken_image_is_refused(keeper: RunningKeeper, arguments: list[str], reason: str) -> None:
    session_id = keeper.start("sh", "-c", NUMBERED)
    error = refusal(lambda: keeper.call("upgrade", arguments=arguments))
    assert error.code == Conflict.code
    assert reason in error.message
    assert_all_lines_once(keeper, session_id)
    assert keeper.marks(session_id) == keeper.marks(session_id)[:1]


def test_an_image_that_does_not_exist_is_refused(keeper: RunningKeeper) -> None:
    assert "cannot be run" in refusal(lambda: keeper.call("upgrade", executable="/no/python")).message
    upgraded(keeper)


def test_two_upgrades_at_once_are_one_too_many(keeper: RunningKeeper) -> None:
    with keeper.connect() as other:
        other.post("upgrade", arguments=["-c", "import time; time.sleep(1); raise SystemExit('slow')"])
        until(lambda: "under way" in refusal(lambda: keeper.call("upgrade", executable="/no/python")).message)


def test_state_of_another_format_is_not_taken_over(keeper: RunningKeeper, tmp_path: Path) -> None:
    """An image of the future, played by one that writes another format number into the state."""
    code = (
        "import json, os, sys; from roost.keeper import handover, state; state.FORMAT = 99;"
        "from roost.keeper.daemon import main; sys.exit(main(sys.argv[1:]))"
    )
    error = refusal(lambda: keeper.call("upgrade", arguments=["-c", code]))
    assert "cannot take over state of format 1" in error.message


def test_a_keeper_in_the_background_upgrades_too(tmp_path: Path) -> None:
    with KeeperClient.connect_or_start(tmp_path / "data") as client:
        try:
            assert client.call("upgrade")["pid"] == client.hello["pid"]
            held = os.listdir(f"/proc/{client.hello['pid']}/fd")
            client.call("upgrade")
            assert len(os.listdir(f"/proc/{client.hello['pid']}/fd")) == len(held)
        finally:
            client.call("shutdown", force=True)


def test_the_header_is_read_by_anyone(keeper: RunningKeeper) -> None:
    session_id = keeper.start("true")
    keeper.ended(session_id)
    header = json.loads(keeper.frames(session_id, Kind.HEADER)[0].payload)
    assert header["format"] == "roost-recording"
