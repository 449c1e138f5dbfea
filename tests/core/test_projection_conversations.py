"""Structured sessions in the projection: who understands them is asked, saved, and asked again."""

from __future__ import annotations

import pytest

from roost.agents.registry import makers
from roost.core.projection import SessionProjection
from roost.core.recording import Kind, Reader, encode_frame
from roost.model.events import AnyEvent, Conversation, FileChange, Mark, Turn
from tests.projection.tape import Tape

STREAMING = ["claude", "--input-format=stream-json", "--output-format=stream-json"]


def structured() -> Tape:
    definition = {"command": ["claude"], "driver": "claude"}
    return Tape("demo", terminal=False, argv=STREAMING, definition=definition).started()


def in_terminal() -> Tape:
    return Tape("demo", definition={"command": ["claude"]}).started()


def project(tape: Tape) -> tuple[SessionProjection, list[AnyEvent]]:
    projection = SessionProjection("s1", makers=makers())
    return projection, projection.feed(list(Reader().feed(tape.data)))


def test_a_conversation_needs_somebody_who_understands_it() -> None:
    projection, _ = project(structured())
    with pytest.raises(ValueError, match="nobody here speaks as claude does"):
        SessionProjection.restore(projection.session, projection.state())


def test_input_that_is_cut_off_is_passed_over() -> None:
    tape = structured()
    tape.data += encode_frame(Kind.IN, 0, b"\x09x")
    projection, events = project(tape)
    assert projection.session.conversation is not None
    assert not [event for event in events if isinstance(event, Conversation)]


def test_what_a_watcher_saw_is_told_and_goes_on_after_a_restart() -> None:
    tape = structured().mark("file_changed", path="a.txt", change="created")
    projection, events = project(tape)
    assert [event.path for event in events if isinstance(event, FileChange)] == ["a.txt"]
    again = SessionProjection.restore(projection.session, projection.state(), makers=makers())
    assert again.state() == projection.state()


def test_notes_of_an_agent_in_its_own_screen_are_its_conversation_to_the_end() -> None:
    line = '{"type":"user","sessionId":"c1","message":{"content":"hello"}}'
    tape = in_terminal().mark("transcript", cli="claude", file="s.jsonl", offset=0, lines=[line])
    projection, _ = project(tape)
    assert projection.session.conversation is not None
    assert projection.session.conversation.conversation_id == "c1"
    _, events = project(tape.exit(0))
    assert [event.state for event in events if isinstance(event, Turn)] == ["started", "failed"]


def test_what_a_hook_says_it_waits_for_is_what_it_is_about() -> None:
    asked = {"hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": {"command": "ls"}}
    projection, events = project(in_terminal().mark("hook", **asked))
    assert projection.session.attention is not None
    assert (projection.session.attention.kind, projection.session.attention.source) == ("waits", "hook")
    assert [event.name for event in events if isinstance(event, Mark)] == ["attention"]
    assert projection.session.state == "waiting"


def test_without_anybody_who_understands_marks_are_marks() -> None:
    projection = SessionProjection("s1")
    tape = in_terminal().mark("file_changed", path="a.txt", change="created")
    events = projection.feed(list(Reader().feed(tape.data)))
    assert [event.name for event in events if isinstance(event, Mark)] == ["file_changed"]
