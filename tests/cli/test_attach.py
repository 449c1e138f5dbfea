"""`roost attach`: come and go, several at once, over every loss."""

import json
import os
import re
import signal
from pathlib import Path

import pytest

from roost.paths import DataDirectory
from roost.testing.server import RunningServer
from tests.cli.kit import FAKE, ROOST, Terminal, roost, spawn, terminal
from tests.waiting import scaled, until

ANSWERS = re.compile(r"DA1: b'\\x1b\[\?[\d;]+c'\s+DSR: b'\\x1b\[0n'\s+CPR: b'\\x1b\[\d+;\d+R'")
ECHO = [*FAKE, "--say", "ready", "--echo"]


def test_detach_and_come_back(anywhere: DataDirectory):
    with terminal("run", "one", "--", *ECHO) as seen:
        seen.shows("ready")
        seen.type("first\r")
        seen.shows("1")
        seen.type("\x1dd")
        assert seen.ends() == 0
        assert "roost attach one" in seen.text
        assert seen.settings == seen.before
    with terminal("attach", "one") as seen:
        seen.shows("first")
        seen.type("second\r")
        seen.shows("second")
        seen.type("quit\r")
        assert seen.ends() == 0


def test_the_screen_is_repainted_with_what_scrolled_away(anywhere: DataDirectory):
    roost("run", "-d", "one", "--size", "40x10", "--", *FAKE, "--lines", "50", "--forever")
    until(lambda: "line 50" in roost("logs", "one").out)
    with terminal("attach", "one", cols=40, rows=10) as seen:
        seen.shows("line 50")
        assert b"line 1\x1b" in seen.output or b"line 1\r" in seen.output


def test_a_full_screen_program_is_painted_again(anywhere: DataDirectory):
    roost("run", "-d", "one", "--", *FAKE, "--tui")
    with terminal("attach", "one", cols=90, rows=20) as seen:
        seen.shows("90")
        assert seen.alternate
        seen.type("x")
        seen.type("\x1dd")
        assert seen.ends() == 0
        assert not seen.alternate


def test_other_keys_detach(anywhere: DataDirectory):
    roost("run", "-d", "one", "--", *ECHO)
    with terminal("attach", "one", "--detach-keys", "C-p C-q") as seen:
        seen.shows("ready")
        seen.type("\x10\x11")
        assert seen.ends() == 0


def test_the_agents_exit_code_passes_through(anywhere: DataDirectory):
    roost("run", "-d", "one", "--", *FAKE, "--prompt", "? ", "--exit", "9")
    with terminal("attach", "one") as seen:
        seen.shows("?")
        seen.type("x\r")
        assert seen.ends() == 9


def test_two_see_the_same_and_both_may_type(anywhere: DataDirectory):
    roost("run", "-d", "one", "--", *ECHO)
    with terminal("attach", "one") as left, terminal("attach", "one") as right:
        left.shows("ready")
        right.shows("ready")
        left.type("from the left\r")
        right.shows("from the left")
        right.type("from the right\r")
        left.shows("from the right")
        left.type("\x1dd")
        assert left.ends() == 0
        right.type("still here\r")
        right.shows("still here")


def test_the_last_to_type_owns_the_size(anywhere: DataDirectory):
    roost("run", "-d", "one", "--", *FAKE, "--tui")
    with terminal("attach", "one", cols=100, rows=30) as large:
        large.shows("100")
        with terminal("attach", "one", cols=70, rows=20) as small:
            small.type("a")
            small.shows("70")
            large.type("b")
            large.shows("100")


def test_only_one_terminal_answers_what_the_program_asks(data: DataDirectory):
    roost("run", "-d", "one", "--", *FAKE, "--prompt", "go? ", "--query", "--say", "done", "--forever")
    with terminal("attach", "one") as left, terminal("attach", "one") as right:
        left.shows("go?")
        right.shows("go?")
        left.type("\r")
        # Both terminals must be looked at: either may be the one that answers, which it does when it is read.
        until(lambda: all(["done" in left.text, "done" in right.text]))
        assert ANSWERS.search(left.text), left.text


def test_read_only_types_nothing(anywhere: DataDirectory):
    roost("run", "-d", "one", "--", *ECHO)
    with terminal("attach", "one", "--read-only") as seen:
        seen.shows("ready")
        seen.type("not sent\r")
        roost("send", "one", "sent\r")
        seen.shows("sent")
        assert "not sent" not in seen.text
        seen.type("\x1dd")
        assert seen.ends() == 0


def test_when_the_server_is_killed_it_goes_on(own_server: RunningServer):
    roost("run", "-d", "one", "--", *ECHO)
    with terminal("attach", "one") as seen:
        seen.shows("ready")
        own_server.kill9()
        seen.type("after the kill\r")
        seen.shows("after the kill")
        own_server.start()
        seen.type("after the start\r")
        seen.shows("after the start")
        seen.type("quit\r")
        assert seen.ends() == 0


def test_when_the_server_is_killed_it_says_so(own_server: RunningServer):
    roost("run", "-d", "one", "--", *ECHO)
    with terminal("attach", "one") as seen:
        seen.shows("ready")
        seen.process.send_signal(signal.SIGSTOP)
        own_server.kill9()
        seen.process.send_signal(signal.SIGCONT)
        seen.type("x")
        until(lambda: b"coming back" in seen.output or not seen.text.strip(), what="the loss is told")


def test_an_agent_that_has_ended_is_a_conflict(anywhere: DataDirectory):
    with terminal("run", "one", "--", "true") as seen:
        assert seen.ends() == 0
    until(lambda: json.loads(roost("ps", "-a", "--json").out)["agents"][0]["state"] == "exited")
    result = roost("attach", "one")
    assert result.code == 6
    assert "roost logs one" in result.err


def test_an_agent_is_not_attached_to_itself(anywhere: DataDirectory, monkeypatch: pytest.MonkeyPatch):
    view = json.loads(roost("run", "-d", "--json", "one", "sleep", "100").out)
    monkeypatch.setenv("ROOST_SESSION", view["session_id"])
    assert roost("attach", "one").code == 6


def test_an_unknown_agent_is_not_found_and_a_near_one_is_named(anywhere: DataDirectory):
    roost("run", "-d", "worker", "sleep", "100")
    result = roost("attach", "worke")
    assert result.code == 3
    assert "did you mean 'worker'?" in result.err


def test_coming_back_takes_as_long_as_it_takes(own_server: RunningServer):
    roost("run", "-d", "one", "--", *ECHO)
    monkey = {"ROOST_URL": own_server.url, "ROOST_TOKEN": own_server.token}
    assigned = [f"{name}={value}" for name, value in monkey.items()]
    seen = Terminal("env", *assigned, *ROOST, "attach", "one")
    try:
        seen.shows("ready")
        own_server.kill9()
        seen.shows("coming back")
        seen.type("typed meanwhile\r")
        own_server.restart()
        seen.shows("typed meanwhile")
        seen.type("\x1dd")
        assert seen.ends() == 0
    finally:
        seen.close()


def test_more_than_an_agent_takes_waits_for_it(anywhere: DataDirectory, tmp_path: Path):
    """What does not fit is left in the pipe, first typed first, and the end of it ends the agent's input."""
    typed = b"".join(b"%d\n" % number for number in range(300_000))
    (tmp_path / "typed").write_bytes(typed)
    go = tmp_path / "go"
    script = f"while ! [ -e {go} ]; do sleep 0.05; done; cat > {tmp_path}/got"
    roost("run", "-d", "one", "--driver", "lines", "--", "sh", "-c", script)
    with (tmp_path / "typed").open("rb") as file, spawn("attach", "one", stdin=file) as process:
        until(lambda: os.lseek(file.fileno(), 0, os.SEEK_CUR) > 1_000_000 or process.poll() is not None)
        go.touch()
        process.communicate(timeout=scaled(30))
        assert process.returncode == 0
    assert (tmp_path / "got").read_bytes() == typed


def test_what_is_typed_just_before_detaching_is_typed(anywhere: DataDirectory):
    roost("run", "-d", "one", "--", *ECHO)
    with terminal("attach", "one") as seen:
        seen.shows("ready")
        seen.type("last words\r\x1dd")
        assert seen.ends() == 0
        assert "did not reach" not in seen.text
    until(lambda: "got 1: last words" in roost("logs", "one").out)


def test_what_did_not_reach_the_agent_is_told(own_server: RunningServer, monkeypatch: pytest.MonkeyPatch):
    roost("run", "-d", "one", "--", *ECHO)
    monkeypatch.setenv("ROOST_URL", own_server.url)
    monkeypatch.setenv("ROOST_TOKEN", own_server.token)
    with terminal("attach", "one") as seen:
        seen.shows("ready")
        own_server.kill9()
        seen.shows("coming back")
        seen.type("lost\r")
        seen.type("\x1dd")
        assert seen.ends() == 0
        assert "the last 5 bytes that were typed did not reach one" in seen.text


def test_when_the_agent_is_gone_meanwhile_it_says_so(own_server: RunningServer):
    roost("run", "-d", "one", "--", *ECHO)
    with terminal("attach", "one") as seen:
        seen.shows("ready")
        seen.process.send_signal(signal.SIGSTOP)
        own_server.call("POST", "/api/agents/one/kill")
        own_server.call("DELETE", "/api/agents/one?purge=true")
        own_server.kill9()
        seen.process.send_signal(signal.SIGCONT)
        assert seen.ends() in (3, 137)
        assert seen.settings == seen.before


def test_halted_from_outside_it_goes_on_raw(anywhere: DataDirectory):
    roost("run", "-d", "one", "--", *ECHO)
    with terminal("attach", "one") as seen:
        seen.shows("ready")
        raw = seen.settings
        seen.process.send_signal(signal.SIGSTOP)
        seen.set_back()
        seen.process.send_signal(signal.SIGCONT)
        until(lambda: seen.settings == raw)
        seen.type("\x1dd")
        assert seen.ends() == 0
