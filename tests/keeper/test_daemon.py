"""One keeper a data directory, in the background, found by everyone it serves, and gone when nobody needs it."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from roost.core.recording import Kind
from roost.errors import AgentNotRunning, Conflict, KeeperIncompatible, KeeperUnavailable, TimedOut
from roost.keeper import daemon, procfs
from roost.keeper.client import KeeperClient
from tests.keeper.conftest import StartKeeper
from tests.keeper.kit import RunningKeeper, refusal
from tests.waiting import scaled, until

COMMAND = [sys.executable, "-P", "-m", "roost.keeper"]


def run(*arguments: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], env=os.environ | more, capture_output=True, text=True, check=False, timeout=30
    )


def gone(pid: int) -> bool:
    found = procfs.status(pid)
    return found is None or found.state in procfs.DEAD


def test_it_is_started_on_demand_and_only_once(tmp_path: Path) -> None:
    data = tmp_path / "deep" / "data"
    with pytest.raises(KeeperUnavailable):
        KeeperClient.connect(data)
    with KeeperClient.connect_or_start(data) as first, KeeperClient.connect_or_start(data) as second:
        pid = first.hello["pid"]
        assert second.hello["pid"] == pid
        status = procfs.status(pid)
        assert status is not None
        assert status.session != os.getsid(0)
        assert Path(f"/proc/{pid}/cwd").resolve() == Path("/")
        assert {Path(f"/proc/{pid}/fd/{number}").resolve() for number in (0, 1)} == {Path("/dev/null")}
        assert Path(f"/proc/{pid}/fd/2").resolve() == data / "keeper.log"
        assert stat.S_IMODE(data.stat().st_mode) == 0o700
        assert stat.S_IMODE((data / "keeper.sock").stat().st_mode) == 0o600
        assert stat.S_IMODE((data / "recordings").stat().st_mode) & 0o077 == 0
        first.call("shutdown")
        until(lambda: gone(pid))
        assert not (data / "keeper.sock").exists()


def test_nothing_open_is_carried_into_the_background(tmp_path: Path) -> None:
    marker = os.open(tmp_path / "marker", os.O_RDWR | os.O_CREAT)
    os.set_inheritable(marker, True)
    subprocess.run([*COMMAND, str(tmp_path / "data")], close_fds=False, check=True, timeout=30)
    os.close(marker)
    with KeeperClient.connect(tmp_path / "data") as client:
        directory = f"/proc/{client.hello['pid']}/fd"
        targets = {os.readlink(f"{directory}/{name}") for name in os.listdir(directory)}
        assert str(tmp_path / "marker") not in targets
        client.call("shutdown")


def test_a_second_keeper_says_so_and_goes(keeper: RunningKeeper) -> None:
    for more in ([], ["--foreground"]):
        other = run(str(keeper.data), *more)
        assert other.returncode == daemon.LOCKED
        assert "another keeper holds" in other.stderr
    assert keeper.call("status")["pid"] == keeper.process.pid


@pytest.mark.parametrize(
    "arguments",
    [[], ["a", "b"], ["--what"], ["a", "--idle-exit"], ["a", "--idle-exit", "x"], ["a", "--idle-exit", "-1"]],
)
def test_wrong_arguments_are_told(arguments: list[str]) -> None:
    result = run(*arguments)
    assert result.returncode == daemon.WRONG
    assert "usage:" in result.stderr


def test_a_data_directory_that_cannot_be_used_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for more in ([], ["--foreground"]):
        result = run(str(tmp_path / "file"), *more)
        assert result.returncode == daemon.UNUSABLE
        assert "cannot be used" in result.stderr
    with pytest.raises(KeeperUnavailable, match="cannot be used"):
        KeeperClient.connect_or_start(tmp_path / "file")


@pytest.mark.parametrize(
    "setting", [{"ROOST_KEEPER_SYNC_S": "soon"}, {"ROOST_KEEPER_FAULTS": "x"}, {"ROOST_KEEPER_BALLAST_BYTES": "-1"}]
)
def test_a_setting_that_is_wrong_is_told(tmp_path: Path, setting: dict[str, str]) -> None:
    result = run(str(tmp_path / "data"), **setting)
    assert result.returncode == daemon.UNUSABLE
    assert next(iter(setting)) in result.stderr


@pytest.mark.root
def test_a_data_directory_of_somebody_else_is_refused(tmp_path: Path) -> None:
    os.chown(tmp_path, 65534, 65534)
    assert run(str(tmp_path)).returncode == daemon.UNUSABLE
    os.chown(tmp_path, 0, 0)


def test_the_data_directory_may_have_a_long_path(start_keeper: StartKeeper, tmp_path: Path) -> None:
    keeper = start_keeper(tmp_path / ("x" * 100) / ("y" * 100))
    assert len(str(keeper.data / "keeper.sock")) > 108
    session_id = keeper.shell("pwd")
    keeper.ended(session_id)
    assert keeper.output(session_id).strip() == str(keeper.data)


def test_a_keeper_that_holds_nothing_goes(start_keeper: StartKeeper) -> None:
    keeper = start_keeper(idle_exit_s=0.3)
    session_id = keeper.start("sleep", "60")
    keeper.client.close()
    with pytest.raises(subprocess.TimeoutExpired):
        keeper.process.wait(1)
    with keeper.connect() as client:
        client.call("kill", session_id=session_id)
        with pytest.raises(subprocess.TimeoutExpired):
            keeper.process.wait(1)
    assert keeper.process.wait(scaled(10)) == 0
    assert "nothing held for a while" in keeper.log


def test_an_idle_keeper_uses_no_processor_time(keeper: RunningKeeper) -> None:
    keeper.start("sleep", "60")
    with keeper.connect() as other:
        other.call("watch")
        until(lambda: not other.notices(0.5), what="it is quiet")
    switches = "voluntary_ctxt_switches"

    def woken() -> int:
        lines = Path(f"/proc/{keeper.process.pid}/status").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if switches in line)

    seen, since = woken(), time.monotonic()

    def has_slept() -> bool:
        nonlocal seen, since
        if (now := woken()) != seen:
            seen, since = now, time.monotonic()
        return time.monotonic() - since > 0.7

    # The timer of the last sync may still fire; after it, nothing does.
    until(has_slept, what="nothing wakes it")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_asked_to_end_it_goes_when_it_holds_nothing(keeper: RunningKeeper, number: int) -> None:
    keeper.client.call("watch")
    keeper.process.send_signal(number)
    assert keeper.process.wait(scaled(10)) == 0
    assert keeper.client.notices(1) == [{"notice": "goodbye", "reason": "shutdown"}]
    assert not (keeper.data / "keeper.sock").exists()


def test_asked_to_end_it_stays_with_its_agents_unless_asked_twice(keeper: RunningKeeper) -> None:
    session_id = keeper.start("sleep", "60")
    keeper.process.send_signal(signal.SIGHUP)
    until(lambda: "SIGHUP ignored" in keeper.log)
    keeper.process.send_signal(signal.SIGTERM)
    until(lambda: "agents are running: ignored" in keeper.log)
    assert keeper.session(session_id)["state"] == "running"
    keeper.process.send_signal(signal.SIGTERM)
    assert keeper.process.wait(scaled(15)) == 0
    assert keeper.marks(session_id, Kind.EXIT)[0]["reason"] == "stopped"


def test_it_is_shut_down_with_agents_only_by_force(keeper: RunningKeeper) -> None:
    session_id = keeper.start("sleep", "60")
    assert refusal(lambda: keeper.call("shutdown")).code == Conflict.code
    assert keeper.session(session_id)["state"] == "running"
    assert keeper.call("shutdown", force=True) == {}
    assert keeper.process.wait(scaled(10)) == 0
    assert keeper.marks(session_id, Kind.EXIT)[0]["signal"] == "SIGTERM"


def test_a_killed_keeper_leaves_whole_recordings_and_makes_room_for_the_next(start_keeper: StartKeeper) -> None:
    keeper = start_keeper()
    session_id = keeper.shell("while :; do echo line; sleep 0.001; done")
    keeper.said(session_id, "line")
    pid = keeper.session(session_id)["pid"]
    keeper.process.kill()
    keeper.process.wait()
    until(lambda: gone(pid), what="the terminal's closing ends the agent")
    again = start_keeper(keeper.data)
    assert again.call("list")["sessions"] == []
    assert all(not hasattr(one, "reason") for one in again.items(session_id))
    assert again.marks(session_id, Kind.EXIT) == []


def test_only_versions_that_both_speak_are_spoken(keeper: RunningKeeper) -> None:
    error = refusal(lambda: keeper.call("hello", protocol=[7, 9]))
    assert error.code == KeeperIncompatible.code
    assert error.details["protocol"] == [1, 1]
    assert keeper.call("hello", protocol=[0, 9])["protocol"] == 1


def test_the_client_says_when_the_keeper_is_gone(keeper: RunningKeeper) -> None:
    keeper.process.kill()
    keeper.process.wait()
    with pytest.raises(KeeperUnavailable):
        keeper.call("list")
    with pytest.raises(KeeperUnavailable):
        keeper.call("list")


def test_the_client_waits_only_so_long(keeper: RunningKeeper) -> None:
    keeper.process.send_signal(signal.SIGSTOP)
    with pytest.raises(TimedOut):
        keeper.client.call("list", timeout_s=0.1)
    keeper.process.send_signal(signal.SIGCONT)
    assert refusal(lambda: keeper.call("kill", session_id="x")).code != AgentNotRunning.code


def test_a_socket_that_nobody_listens_on_is_taken_over(start_keeper: StartKeeper, tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(data / "keeper.sock"))
    assert start_keeper(data).call("status")["sessions"] == 0


def test_the_start_fails_when_the_program_cannot_be_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", "/no/python")
    with pytest.raises(KeeperUnavailable, match="cannot be started"):
        KeeperClient.connect_or_start(tmp_path / "data")
