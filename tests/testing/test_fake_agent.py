"""A fake agent does as its command line says."""

import os
import pty
import re
import select
import signal
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.testing.fake_agent import acts
from roost.testing.script import program
from tests.waiting import scaled, until


def run(*acts: str, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([*program(), *acts], input=given, capture_output=True, check=False, timeout=scaled(20))


class AtTerminal:
    """A fake agent under a pseudo terminal of 80 by 24."""

    def __init__(self, *acts: str) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.execv(program()[0], [*program(), *acts])
        self.shown = b""

    def shows(self, text: str) -> bool:
        while select.select([self.fd], [], [], 0)[0]:
            try:
                self.shown += os.read(self.fd, 65536)
            except OSError:
                break
        return text.encode() in self.shown

    def type(self, data: bytes) -> None:
        os.write(self.fd, data)

    def close(self) -> int:
        os.close(self.fd)
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


@pytest.fixture
def at_terminal() -> Iterator:
    started: list[AtTerminal] = []

    def begin(*acts: str) -> AtTerminal:
        started.append(AtTerminal(*acts))
        return started[-1]

    yield begin
    for one in started:
        os.kill(one.pid, signal.SIGKILL)
        one.close()


def test_lines_are_numbered_on_from_act_to_act() -> None:
    assert run("--lines", "2", "--prefix", "row", "--lines", "1").stdout == b"line 1\nline 2\nrow 3\n"


def test_errors_have_numbers_of_their_own() -> None:
    done = run("--lines", "1", "--errors", "2")
    assert (done.stdout, done.stderr) == (b"line 1\n", b"line 1\nline 2\n")


def test_paced_lines_are_all_there() -> None:
    lines = run("--rate", "1000", "--burst", "7", "--width", "10", "--lines", "20").stdout.splitlines()
    assert (len(lines), lines[-1]) == (20, b"line 20...")


def test_a_flood_has_its_length() -> None:
    assert len(run("--flood", "200000").stdout) == 200000


def test_progress_returns_the_carriage() -> None:
    out = run("--progress", "2").stdout
    assert out.count(b"\r") == 3 and out.endswith(b"2/2\ndone\n")


def test_bars_move_the_cursor_up() -> None:
    assert run("--bars", "2").stdout.count(b"\x1b[3A") == 2


def test_text_is_printed_as_it_is_given() -> None:
    done = run("--say", "hé", "--partial", "a", "--raw", r"\x1b[2J\xff", "--title", "t", "--complain", "no")
    assert done.stdout == "hé\na".encode() + b"\x1b[2J\xff\x1b]2;t\x07"
    assert done.stderr == b"no\n"


def test_colours_wide_and_invalid_text() -> None:
    out = run("--colours", "--wide", "--invalid").stdout
    assert b"\x1b[38;2;10;20;30m" in out and "漢字".encode() in out and b"\xff\xfe" in out


def test_it_tells_about_itself(tmp_path: Path) -> None:
    done = subprocess.run(
        [*program(), "--show-cwd", "--show-env", "COLOUR", "--show-env", "NONE_SUCH", "--show-ids"],
        cwd=tmp_path,
        env=os.environ | {"COLOUR": "red"},
        capture_output=True,
        text=True,
        check=True,
    )
    cwd, colour, none, ids = done.stdout.splitlines()
    assert (cwd, colour, none) == (str(tmp_path), "COLOUR=red", "NONE_SUCH=(unset)")
    assert re.fullmatch(rf"pid \d+ parent {os.getpid()} group \d+ session \d+", ids)


def test_echo_counts_lines_and_ends_with_quit() -> None:
    out = run("--echo", "--prompt", "more? ", given=b"a\nb\r\nquit\nyes\n").stdout
    assert out == b"got 1: a\ngot 2: b\nmore? answered: yes\n"


def test_echo_ends_with_the_input_and_keeps_the_last_line() -> None:
    assert run("--echo", given=b"a\nb").stdout == b"got 1: a\ngot 2: b\n"


@pytest.mark.parametrize(("act", "code"), [(["--exit", "7"], 7), (["--die", "SEGV"], -signal.SIGSEGV), ([], 0)])
def test_it_exits_as_told(act: list[str], code: int) -> None:
    assert run("--say", "x", *act, "--ignore", "TERM").returncode == code


def test_it_dies_of_an_interrupt_as_programs_do() -> None:
    started = subprocess.Popen([*program(), "--say", "up", "--forever"], stdout=subprocess.PIPE)
    with started:
        assert started.stdout and started.stdout.readline() == b"up\n"
        started.send_signal(signal.SIGINT)
        assert started.wait() == -signal.SIGINT


def test_signals_are_caught_and_ignored() -> None:
    started = subprocess.Popen(
        [*program(), "--ignore", "INT,HUP", "--catch", "TERM", "--say", "up", "--forever"], stdout=subprocess.PIPE
    )
    with started:
        assert started.stdout and started.stdout.readline() == b"up\n"
        for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            started.send_signal(number)
        assert started.stdout.readline() == b"caught SIGTERM\n"
        started.kill()


def test_hold_waits_for_a_file_and_touch_makes_one(tmp_path: Path) -> None:
    go, there = tmp_path / "go", tmp_path / "there"
    started = subprocess.Popen([*program(), "--touch", str(there), "--hold", str(go), "--exit", "5"])
    until(there.exists)
    assert started.poll() is None
    go.touch()
    assert started.wait() == 5


def test_the_full_screen_reacts_to_keys_and_size_and_leaves(at_terminal) -> None:
    agent = at_terminal("--tui", "--say", "back", "--forever")
    until(lambda: agent.shows("key none"))
    agent.type(b"\x1b[A")
    until(lambda: agent.shows("key Up"))
    termios.tcsetwinsize(agent.fd, (30, 100))
    until(lambda: agent.shows("size 100x30"))
    agent.type(b"q")
    until(lambda: agent.shows("back"))
    assert agent.shown.count(b"\x1b[?1049h") == agent.shown.count(b"\x1b[?1049l") == 1


def test_queries_print_what_the_terminal_answers(at_terminal) -> None:
    agent = at_terminal("--query", "--forever")
    for query, answer, printed in (
        ("\x1b[c", b"\x1b[?62c", r"DA1: b'\x1b[?62c'"),
        ("\x1b[5n", b"\x1b[0n", r"DSR: b'\x1b[0n'"),
        ("\x1b[6n", b"\x1b[3;4R", r"CPR: b'\x1b[3;4R'"),
    ):
        until(lambda query=query: agent.shows(query))
        agent.type(answer)
        until(lambda printed=printed: agent.shows(printed))


@pytest.mark.parametrize(
    ("script", "complaint"),
    [
        (["--dance"], "--dance is not an act"),
        (["lines"], "lines is not an act"),
        (["--lines"], "--lines needs N"),
        (["--lines", "many"], "'many' is no N"),
        (["--colours=red"], "--colours takes no argument"),
        (["--die", "NONE"], "there is no signal SIGNONE"),
        (["--fork", "plain"], "--workers-in"),
        (["--workers-in", ".", "--fork", "sideways"], "give one of plain"),
    ],
)
def test_nonsense_is_refused(script: list[str], complaint: str) -> None:
    done = run(*script)
    assert done.returncode == 2
    assert complaint in done.stderr.decode()


@pytest.mark.parametrize("script", [[], ["--help"]])
def test_help_lists_every_act(script: list[str]) -> None:
    text = run(*script).stdout.decode()
    assert all(f"--{name} {act.argument}".rstrip() in text for name, act in acts().items())
