"""What every implementation of an interface must do, as checks that anyone can run on theirs.

    @pytest.mark.parametrize("check", contracts.SCREEN, ids=str)
    def test_my_screen(check):
        check(lambda cols, rows, on_reply=None: MyScreen(cols, rows, on_reply))

A check raises `AssertionError` where the implementation falls short. `SCREEN` takes a function that makes a screen,
`BACKEND` one that gives a client back end whose agents are not used by anybody else.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from roost.errors import (
    AgentNotFound,
    AgentNotRunning,
    AgentRunning,
    DirectoryUnusable,
    InvalidName,
    ProgramNotFound,
    RoostError,
)
from roost.testing.script import program

if TYPE_CHECKING:
    from roost.client.backend import Backend
    from roost.core.screen import Screen

    MakeScreen = Callable[..., Screen]

T = TypeVar("T")
TIMEOUT_S = 20.0
POLL_S = 0.01


@dataclass(frozen=True)
class Check(Generic[T]):
    """One thing that must hold; call it with the implementation."""

    name: str
    run: Callable[[T], None]

    def __call__(self, implementation: T) -> None:
        self.run(implementation)

    def __str__(self) -> str:
        return self.name


SCREEN: list[Check[MakeScreen]] = []
BACKEND: list[Check[Backend]] = []


def _screen(run: Callable[[MakeScreen], None]) -> Callable[[MakeScreen], None]:
    SCREEN.append(Check(run.__name__, run))
    return run


def _backend(run: Callable[[Backend], None]) -> Callable[[Backend], None]:
    BACKEND.append(Check(run.__name__, run))
    return run


def _until(condition: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + TIMEOUT_S
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"not within {TIMEOUT_S} s; last value {value!r}"
        time.sleep(POLL_S)


# Screens


@_screen
def text_stands_where_it_was_written(make: MakeScreen) -> None:
    screen = make(20, 4)
    screen.feed(b"one\r\ntwo\x1b[4;3Hfour")
    assert screen.text() == "one\ntwo\n\n  four"
    assert screen.cursor == (6, 3, True)


@_screen
def any_pieces_show_the_same(make: MakeScreen) -> None:
    data = "a\x1b[31mröt\x1b[0m 漢字\r\n\x1b[2Cx\x1b]2;tïtle\x07\x1b[?25l".encode()
    whole, pieces = make(20, 4), make(20, 4)
    whole.feed(data)
    for at in range(len(data)):
        pieces.feed(data[at : at + 1])
    assert (pieces.text(), pieces.cells(), pieces.cursor) == (whole.text(), whole.cells(), whole.cursor)
    assert (whole.text(), whole.title, whole.cursor.visible) == ("aröt 漢字\n  x", "tïtle", False)


@_screen
def no_bytes_do_harm(make: MakeScreen) -> None:
    screen = make(10, 3)
    screen.feed(bytes(range(256)) * 4 + b"\x1b[999999;999999H\x1b[?99999999h\x1b]2;" + b"x" * 100_000)
    screen.feed(b"\x18\x1bc\x1b[!pafter")
    assert "after" in screen.text()


@_screen
def long_lines_wrap_and_the_screen_scrolls(make: MakeScreen) -> None:
    screen = make(5, 3)
    screen.feed(b"1234567\r\nb\r\nc")
    assert screen.text() == "67\nb\nc"


@_screen
def carriage_returns_and_erasing_overwrite(make: MakeScreen) -> None:
    screen = make(20, 2)
    screen.feed(b"10 %\r20 %\r100 %\x1b[K\r\nabc\b\bX\x1b[1P")
    assert screen.text() == "100 %\naX"


@_screen
def the_alternate_screen_comes_and_goes(make: MakeScreen) -> None:
    screen = make(20, 3)
    screen.feed(b"main\x1b[?1049h\x1b[Hother")
    assert (screen.modes.alternate, screen.text()) == (True, "other")
    screen.feed(b"\x1b[?1049l")
    assert (screen.modes.alternate, screen.text()) == (False, "main")


@_screen
def modes_that_matter_to_input_are_known(make: MakeScreen) -> None:
    screen = make(20, 3)
    assert screen.modes == (False, False, False, 0)
    screen.feed(b"\x1b[?2004h\x1b[?1h\x1b[?1000h")
    assert screen.modes == (False, True, True, 1000)


@_screen
def cells_have_their_style(make: MakeScreen) -> None:
    screen = make(20, 2)
    screen.feed(b"\x1b[1;31mred\x1b[0m plain \x1b[38;2;1;2;3;4mrgb")
    first = [run for run in screen.cells()[0] if run.text.strip()]
    assert [run.text.strip() for run in first] == ["red", "plain", "rgb"]
    assert (first[0].style.bold, first[0].style.fg, first[1].style.bold) == (True, 1, False)
    assert (first[2].style.fg, first[2].style.underline) == ("#010203", 1)


@_screen
def queries_are_answered(make: MakeScreen) -> None:
    said: list[bytes] = []
    screen = make(20, 5, said.append)
    screen.feed(b"\x1b[2;3H\x1b[6n\x1b[5n\x1b[c")
    answers = b"".join(said)
    assert b"\x1b[2;3R" in answers and b"\x1b[0n" in answers
    assert re.search(rb"\x1b\[\?[\d;]+c", answers)


@_screen
def another_size_keeps_the_text(make: MakeScreen) -> None:
    screen = make(20, 5)
    screen.feed(b"hello\r\nworld")
    screen.resize(30, 8)
    assert (screen.text(), screen.size) == ("hello\nworld", (30, 8))


@_screen
def a_snapshot_draws_the_same_on_another_screen(make: MakeScreen) -> None:
    screen, other = make(24, 5), make(24, 5)
    screen.feed("\x1b[1;32mgrün\x1b[0m 漢\r\n\x1b[7mx\x1b[0m\x1b[?2004h\x1b]2;t\x07\x1b[4;7H\x1b[?25l".encode())
    other.feed(b"something else\x1b[?1000h")
    other.feed(screen.snapshot())
    assert (other.text(), other.cells(), other.cursor) == (screen.text(), screen.cells(), screen.cursor)
    assert (other.title, other.modes) == (screen.title, screen.modes)


# Client back ends


@_backend
def an_agent_is_started_and_listed(backend: Backend) -> None:
    started = backend.start(_agent("one", "--forever"))
    assert (started["name"], started["state"]) == ("one", "running")
    assert started["pid"] > 0
    assert backend.agent("one")["session_id"] == started["session_id"]
    assert "one" in {agent["name"] for agent in backend.agents()}


@_backend
def its_lines_and_its_end_are_known(backend: Backend) -> None:
    backend.start(_agent("one", "--lines", "3", "--exit", "7"))
    agent = _until(lambda: _ended(backend, "one"))
    assert (agent["state"], agent["exit_code"]) == ("failed", 7)
    assert _said(backend, "one") == ["line 1", "line 2", "line 3"]


@_backend
def events_come_in_order_and_can_be_resumed(backend: Backend) -> None:
    backend.start(_agent("one", "--lines", "5"))
    _until(lambda: _ended(backend, "one"))
    events = list(backend.events("one", "", follow=False))
    kinds = [event.body["type"] for event in events]
    assert kinds.count("log") == 5 and kinds[-1] == "complete"
    middle = events[2]
    assert list(backend.events("one", middle.position, follow=False)) == events[3:]


@_backend
def following_ends_with_the_agent(backend: Backend) -> None:
    backend.start(_agent("one", "--rate", "50", "--lines", "10"))
    lines = [event.body["data"]["line"] for event in backend.events("one", "", follow=True) if _is_log(event.body)]
    assert lines == [f"line {number}" for number in range(1, 11)]


@_backend
def what_is_typed_arrives(backend: Backend) -> None:
    backend.start(_agent("one", "--say", "ready", "--echo"))
    _until(lambda: _said(backend, "one"))
    backend.send_text("one", b"hello", enter=True)
    backend.send_keys("one", ["b", "y", "e", "Enter"])
    _until(lambda: "got 2: bye" in _said(backend, "one"))
    assert "got 1: hello" in _said(backend, "one")


@_backend
def the_screen_is_shown(backend: Backend) -> None:
    backend.start(_agent("one", "--tui"))
    shown = _until(lambda: _shown(backend, "one", "key none"))
    assert shown["alternate"]
    backend.send_keys("one", ["Up"])
    _until(lambda: _shown(backend, "one", "key Up"))


@_backend
def agents_are_halted_and_go_on(backend: Backend) -> None:
    backend.start(_agent("one", "--forever"))
    assert backend.pause("one")["state"] == "paused"
    assert backend.resume("one")["state"] == "running"


@_backend
def stop_asks_first_and_kill_does_not(backend: Backend) -> None:
    backend.start(_agent("one", "--catch", "TERM", "--say", "ready", "--forever"))
    _until(lambda: _said(backend, "one"))
    backend.stop("one", 0.2)
    backend.start(_agent("two", "--forever"))
    backend.kill("two")
    ends = [_until(lambda name=name: _ended(backend, name)) for name in ("one", "two")]  # type: ignore[misc]
    assert [end["signal"] for end in ends] == ["SIGKILL", "SIGKILL"]
    assert "caught SIGTERM" in _said(backend, "one")


@_backend
def a_signal_reaches_the_agent(backend: Backend) -> None:
    backend.start(_agent("one", "--catch", "USR1", "--say", "ready", "--forever"))
    _until(lambda: _said(backend, "one"))
    backend.signal("one", "SIGUSR1", "leader")
    _until(lambda: "caught SIGUSR1" in _said(backend, "one"))


@_backend
def an_agent_is_started_again_as_it_was(backend: Backend) -> None:
    before = backend.start(_agent("one", "--show-env", "COLOUR", "--forever", env={"COLOUR": "red"}))
    _until(lambda: _said(backend, "one"))
    after = backend.restart("one")
    assert (after["state"], after["session_id"] != before["session_id"]) == ("running", True)
    _until(lambda: _said(backend, "one") == ["COLOUR=red"])


@_backend
def an_ended_agent_can_be_forgotten(backend: Backend) -> None:
    backend.start(_agent("one", "--lines", "1"))
    _until(lambda: _ended(backend, "one"))
    backend.remove("one")
    _refuses(AgentNotFound, lambda: backend.agent("one"))


@_backend
def what_cannot_be_started_is_refused(backend: Backend) -> None:
    _refuses(InvalidName, lambda: backend.start({"name": "../up", "command": ["true"]}))
    _refuses(ProgramNotFound, lambda: backend.start({"name": "one", "command": ["no-such-program"]}))
    _refuses(DirectoryUnusable, lambda: backend.start({"name": "one", "command": ["true"], "cwd": "/no/such/place"}))
    backend.start(_agent("one", "--forever"))
    _refuses(AgentRunning, lambda: backend.start(_agent("one", "--forever")))


@_backend
def who_is_not_there_is_not_found(backend: Backend) -> None:
    _refuses(AgentNotFound, lambda: backend.agent("nobody"))
    _refuses(AgentNotFound, lambda: backend.stop("nobody", 1))
    _refuses(AgentNotFound, lambda: backend.send_text("nobody", b"x", enter=False))
    _refuses(AgentNotFound, lambda: list(backend.events("nobody", "", follow=False)))


@_backend
def who_has_ended_takes_no_input(backend: Backend) -> None:
    backend.start(_agent("one", "--lines", "1"))
    _until(lambda: _ended(backend, "one"))
    _refuses(AgentNotRunning, lambda: backend.send_text("one", b"x", enter=False))


def _agent(name: str, *acts: str, **fields: Any) -> dict[str, Any]:
    return {"name": name, "command": [*program(), *acts], **fields}


def _ended(backend: Backend, name: str) -> dict[str, Any] | None:
    agent = backend.agent(name)
    return agent if agent["state"] in ("exited", "failed", "lost") else None


def _said(backend: Backend, name: str) -> list[str]:
    from roost.client.backend import LineQuery

    return [line["line"] for line in backend.lines(name, LineQuery())]


def _is_log(body: dict[str, Any]) -> bool:
    return bool(body["type"] == "log")


def _shown(backend: Backend, name: str, text: str) -> dict[str, Any] | None:
    with suppress(RoostError):
        screen = backend.screen(name)
        return screen if any(text in row for row in screen["rows_text"]) else None
    return None


def _refuses(kind: type[RoostError], call: Callable[[], object]) -> None:
    try:
        call()
    except kind:
        return
    raise AssertionError(f"this should have been refused as {kind.__name__}")
