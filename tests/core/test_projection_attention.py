"""What a projection shows to who watches a session, and what it makes of what they noted."""

from __future__ import annotations

from typing import Any

import pytest

from roost.agents.registry import makers
from roost.core.attention import to_mark
from roost.core.projection import SessionProjection
from roost.core.recording import Reader
from roost.model.attention import Attention
from roost.model.events import AnyEvent, Mark, Notice, StateChange
from tests.projection.tape import STARTED_NS, Tape

NOTED = Attention(
    kind="waits", wants="question", since_ns=STARTED_NS, evidence=("asks",), source="screen", summary="Go?"
)


def projected(tape: Tape) -> tuple[SessionProjection, list[AnyEvent]]:
    projection = SessionProjection("s1")
    return projection, projection.feed(Reader().feed(tape.data))


def noted(tape: Tape, **fields: Any) -> Tape:
    mark = to_mark(Attention(**fields)) if fields else to_mark(NOTED)
    return tape.mark(mark.pop("type"), **mark)


def test_what_was_noted_is_the_sessions_and_tells_its_state() -> None:
    projection, events = projected(noted(Tape().started()))
    assert projection.session.attention == NOTED
    assert [type(event) for event in events[-2:]] == [Mark, StateChange]
    assert events[-1] == StateChange(4, STARTED_NS, "waiting", "running", "Go?")


@pytest.mark.parametrize(("kind", "state"), [("idle", "idle"), ("works", "running"), ("stuck", "running")])
def test_a_session_is_as_busy_as_was_noted(kind: str, state: str) -> None:
    projection, _ = projected(noted(noted(Tape().started()), kind=kind))
    assert (projection.session.state, projection.session.reason) == (state, None)


def test_another_question_is_told_and_the_same_one_is_not() -> None:
    tape = noted(noted(noted(Tape().started())), kind="waits", wants="plan", summary="And now?")
    _, events = projected(tape)
    told = [event.reason for event in events if isinstance(event, StateChange) and event.state == "waiting"]
    assert told == ["Go?", "And now?"]


def test_a_session_that_was_paused_waits_again_when_it_goes_on() -> None:
    tape = noted(Tape().started()).mark("paused", by="ann")
    assert projected(tape)[0].session.state == "paused"
    assert projected(tape.mark("resumed", by="ann"))[0].session.state == "waiting"


def test_what_is_noted_of_a_paused_session_leaves_it_paused() -> None:
    projection, _ = projected(noted(Tape().started().mark("paused", by="ann")))
    assert (projection.session.state, projection.session.attention) == ("paused", NOTED)


def test_a_mark_of_nonsense_is_told_and_changes_nothing() -> None:
    projection, events = projected(noted(Tape().started()).mark("attention", kind="sleeps"))
    assert projection.session.attention == NOTED
    assert events[-1] == Mark(5, STARTED_NS, "attention", {"kind": "sleeps"})


def test_what_was_noted_outlives_a_restart() -> None:
    projection, _ = projected(noted(Tape().started()))
    again = SessionProjection.restore(projection.session, projection.state())
    assert again.session.attention == NOTED


# What is shown


def test_outside_the_alternate_screen_the_lines_and_the_one_being_written_are_seen() -> None:
    tape = Tape().started().out(b"\x1b]0;here\x07one\r\ntwo\r\n").out(b"Sure? [y/N] ")
    sight = projected(tape)[0].sight()
    assert sight is not None
    assert (sight.title, sight.rows, sight.line) == ("here", ("one", "two", "Sure? [y/N] "), "Sure? [y/N] ")


def test_what_is_painted_inline_is_seen_as_it_stands() -> None:
    projection, _ = projected(Tape().started().out(b"one\r\ntwo\r\n\x1b[1A\x1b[2Kthree\r\nfour"))
    sight = projection.sight()
    assert sight is not None
    assert (projection.painting, sight.rows) == (True, ("one", "three", "four"))


def test_in_the_alternate_screen_the_emulator_is_seen() -> None:
    projection, _ = projected(Tape().started().out(b"\x1b[?1049h\x1b]2;full\x07\x1b[3;5Hdeep\x1b[1;1Htop: "))
    sight = projection.sight()
    assert sight is not None
    assert projection.painting
    assert (sight.title, sight.rows, sight.line) == ("full", ("top:", "", "    deep"), "top:")


def test_a_cursor_below_all_text_stands_in_an_empty_line() -> None:
    sight = projected(Tape().started().out(b"\x1b[?1049htop\x1b[9;1H"))[0].sight()
    assert sight is not None
    assert sight.line == ""


def test_titles_within_plain_lines_are_seen() -> None:
    projection, _ = projected(Tape().started().out(b"a\r\n").out(b"\x1b]0;one\x07b\r\n").out(b"c\r\n"))
    assert projection.title == "one"


def test_nothing_is_seen_of_who_said_nothing() -> None:
    projection, _ = projected(Tape().started())
    assert projection.sight() is None
    assert not projection.painting


def test_what_an_agent_tells_of_itself_is_noted_by_its_observer() -> None:
    projection = SessionProjection("s1", makers=makers())
    asks = {"hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": {"command": "ls"}}
    tape = Tape().started().mark("hook", cli="claude", **asks)
    events = projection.feed(Reader().feed(tape.data))
    assert [type(event) for event in events[-3:]] == [StateChange, Notice, Mark]
    assert (projection.session.state, projection.session.reason) == ("waiting", "Running ls")
    told = projection.feed(Reader().feed(tape.mark("hook", cli="claude", hook_event_name="Stop").data))
    assert [event.state for event in told if isinstance(event, StateChange)][-1] == "idle"
