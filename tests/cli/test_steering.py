"""`roost send`, `wait`, and the commands that end, halt and remove."""

import io
import json
import os

import pytest

from roost.paths import DataDirectory
from tests.cli.kit import FAKE, lines, roost, spawn
from tests.cli.test_reading import ended, start
from tests.waiting import until


def shown(name: str) -> str:
    return roost("logs", name).out


def state(name: str) -> str:
    return next(view["state"] for view in json.loads(roost("ps", "-a", "--json").out)["agents"] if view["name"] == name)


def test_text_is_typed_as_it_is(anywhere: DataDirectory):
    start("one", "--echo")
    assert roost("send", "one", "hel").code == 0
    assert roost("send", "one", "lo\n").code == 0
    until(lambda: "hello" in shown("one"))


def test_keys_are_named(anywhere: DataDirectory):
    start("one", "--catch", "INT", "--say", "ready", "--echo")
    until(lambda: "ready" in shown("one"))
    roost("send", "one", "-k", "C-c")
    until(lambda: "caught SIGINT" in shown("one"))
    roost("send", "one", "--key", "a", "--key", "b", "--key", "BSpace", "--key", "c", "--key", "Enter")
    until(lambda: "ac" in shown("one"))


def test_a_file_and_standard_input_are_typed(anywhere: DataDirectory, tmp_path, monkeypatch: pytest.MonkeyPatch):
    start("one", "--echo")
    (tmp_path / "text").write_text("from a file\n")
    roost("send", "one", "--file", str(tmp_path / "text"))
    until(lambda: "from a file" in shown("one"))
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"from input\n")))
    roost("send", "one", "-")
    until(lambda: "from input" in shown("one"))


def test_bytes_that_are_no_text_are_typed_as_they_are(anywhere: DataDirectory, tmp_path):
    roost("run", "-d", "one", "--", "sh", "-c", "stty -echo -icanon; echo ready; exec od -An -tx1 -v -w4 -N9")
    until(lambda: "ready" in shown("one"))
    (tmp_path / "bytes").write_bytes(b"\xff\xfe\x80a")
    assert roost("send", "one", "--file", str(tmp_path / "bytes")).code == 0
    assert roost("send", "one", "--enter", "--file", str(tmp_path / "bytes")).code == 0
    until(lambda: shown("one").count("ff fe 80 61") == 2)


@pytest.mark.parametrize("driver", ["terminal", "lines"])
def test_input_is_ended(anywhere: DataDirectory, driver: str):
    roost("run", "-d", "one", "--driver", driver, "--", "sh", "-c", "cat; echo over")
    assert roost("send", "one", "--eof", "last words\n").code == 0
    assert roost("wait", "one", "--timeout", "10").code == 0
    assert lines(shown("one"))[-2:] == ["last words", "over"]
    start("two", "--forever")
    assert roost("send", "two", "--eof").code == 0


def test_enter_submits_what_was_sent(anywhere: DataDirectory):
    start("one", "--echo")
    roost("send", "--enter", "one", "submitted")
    until(lambda: "1: submitted" in shown("one") or "1 submitted" in shown("one"))


def test_enter_pastes_where_the_program_asked_for_it(anywhere: DataDirectory):
    start("one", "--raw", r"\x1b[?2004h", "--say", "ready", "--echo")
    until(lambda: "ready" in shown("one"))
    roost("send", "--enter", "one", "two\nlines \x1b[201~ inside")
    until(lambda: "inside" in roost("recording", "cat", "--raw", "one").out)
    typed = _typed_into("one")
    assert typed.startswith("\x1b[200~two\rlines  inside\x1b[201~")
    until(lambda: _typed_into("one").endswith("\r"))


def _typed_into(name: str) -> str:
    from roost.core.recording import Frame, Kind, decode_input
    from roost.paths import DataDirectory as Data
    from roost.projection.inspect import read_frames

    session = json.loads(roost("ps", "-a", "--json").out)["agents"][0]["session_id"]
    root = json.loads(roost("status", "--json").out)["data"]
    from pathlib import Path

    frames = read_frames(Data(Path(root)).recording(session))
    inputs = [decode_input(each.payload) for each in frames if isinstance(each, Frame) and each.kind == Kind.IN]
    return b"".join(each.data for each in inputs).decode()


def test_on_pipes_enter_is_a_line_feed(anywhere: DataDirectory):
    start("one", "--echo", options=("--driver", "lines"))
    roost("send", "--enter", "one", "hello")
    until(lambda: "hello" in shown("one"))


@pytest.mark.parametrize(
    "arguments",
    [["one"], ["one", "text", "--key", "C-c"], ["one", "--file", "/nowhere"], ["one", "--key", "C-é"]],
    ids=" ".join,
)
def test_nothing_or_too_much_to_type_is_refused(anywhere: DataDirectory, arguments: list[str]):
    start("one", "--echo")
    assert roost("send", *arguments).code == 2


def test_sending_to_what_has_ended_is_a_conflict(anywhere: DataDirectory):
    start("one", "--exit", "0")
    ended("one")
    assert roost("send", "one", "x").code == 6


@pytest.mark.parametrize("command", ["stop", "kill"])
def test_ending(anywhere: DataDirectory, command: str):
    start("one", "--forever")
    start("two", "--forever")
    assert roost(command, "one", "two") == (0, "one\ntwo\n", "")
    assert state("one") == state("two") == "exited"
    assert roost(command, "one").code == 6


def test_stop_gives_time_and_no_more(anywhere: DataDirectory):
    start("one", "--ignore", "TERM", "--say", "ready", "--forever")
    until(lambda: "ready" in shown("one"))
    assert roost("stop", "--grace", "0.2", "one").code == 0
    assert ended("one")["signal"] == "SIGKILL"


def test_pausing_and_resuming(anywhere: DataDirectory):
    start("one", "--forever")
    assert roost("pause", "one").code == 0
    assert state("one") == "paused"
    assert roost("resume", "--all").out == "one\n"
    assert state("one") == "running"


def test_signals(anywhere: DataDirectory):
    start("one", "--catch", "USR1,USR2", "--say", "ready", "--forever")
    until(lambda: "ready" in shown("one"))
    roost("signal", "usr1", "one")
    until(lambda: "caught SIGUSR1" in shown("one"))
    roost("signal", "SIGUSR2", "--scope", "leader", "one")
    until(lambda: "caught SIGUSR2" in shown("one"))
    assert roost("signal", "NOPE", "one").code == 2


def test_restarting_runs_the_same_again(anywhere: DataDirectory):
    roost("run", "-d", "-e", "COLOUR=red", "one", "--", *FAKE, "--show-env", "COLOUR", "--forever")
    until(lambda: "COLOUR=red" in shown("one"))
    before = json.loads(roost("ps", "--json").out)["agents"][0]["session_id"]
    assert roost("restart", "one").code == 0
    until(lambda: "COLOUR=red" in shown("one"))
    assert json.loads(roost("ps", "--json").out)["agents"][0]["session_id"] != before


def test_removing_what_has_ended(anywhere: DataDirectory):
    start("one", "--exit", "0")
    start("two", "--forever")
    ended("one")
    assert roost("rm", "two").code == 6
    assert roost("rm", "--all").out == "one\n"
    assert lines(roost("ps", "-aq").out) == ["two"]
    assert roost("rm", "--force", "two", "nobody").code == 0
    assert roost("ps", "-aq").out == ""
    assert list(anywhere.recordings.glob("*.rec")) == []


def test_what_fails_for_one_does_not_keep_it_from_others(anywhere: DataDirectory):
    start("one", "--forever")
    result = roost("stop", "--json", "nobody", "one")
    assert result.code == 3
    first, second = json.loads(result.out)["agents"]
    assert first["error"]["code"] == "AGENT_NOT_FOUND"
    assert second["state"] == "exited"


def test_names_or_all_but_not_both_and_not_none(data: DataDirectory):
    assert roost("stop").code == 2
    assert roost("stop", "--all", "one").code == 2
    assert roost("stop", "--all") == (0, "", "")


def test_waiting_gives_the_agents_code(anywhere: DataDirectory, tmp_path):
    start("one", "--hold", str(tmp_path / "go"), "--exit", "5")
    with spawn("wait", "one") as process:
        (tmp_path / "go").touch()
        assert process.wait(60) == 5
    assert roost("wait", "one").code == 5


def test_waiting_for_several_gives_the_first_that_failed(anywhere: DataDirectory):
    start("one", "--exit", "0")
    start("two", "--die", "KILL")
    start("three", "--exit", "4")
    assert roost("wait", "one", "two", "three").code == 137


def test_waiting_for_a_state(anywhere: DataDirectory):
    start("one", "--forever")
    assert roost("wait", "one", "--for", "running").code == 0
    with spawn("wait", "one", "--for", "paused") as process:
        until(lambda: os.path.exists(f"/proc/{process.pid}"))
        roost("pause", "one")
        assert process.wait(60) == 0


def test_waiting_for_output(anywhere: DataDirectory, tmp_path):
    start("one", "--say", "starting", "--hold", str(tmp_path / "go"), "--say", "listening on 80", "--forever")
    with spawn("wait", "one", "--for", "output=listening") as process:
        (tmp_path / "go").touch()
        assert process.wait(60) == 0
    assert roost("wait", "one", "--for", "output=starting").code == 0


def test_waiting_in_vain(anywhere: DataDirectory):
    start("one", "--exit", "0")
    ended("one")
    result = roost("wait", "one", "--for", "output=never")
    assert result.code == 1
    assert "ended" in result.err
    assert roost("wait", "one", "--for", "running").code == 1


def test_waiting_no_longer_than_told(anywhere: DataDirectory):
    start("one", "--forever")
    result = roost("wait", "one", "--timeout", "0.2s")
    assert result.code == 124
    assert "in time" in result.err


@pytest.mark.parametrize("arguments", [["--for", "output="], ["--for", "sleepy"], ["--timeout", "soon"]], ids=" ".join)
def test_what_cannot_be_waited_for_is_refused(data: DataDirectory, arguments: list[str]):
    assert roost("wait", "one", *arguments).code == 2
