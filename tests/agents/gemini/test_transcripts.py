"""What the real Gemini CLI wrote comes out as the events that a person has read and found right."""

import pytest

from roost.model.events import Output, Unknown
from tests.agents.gemini.transcripts import NAMES, transcript
from tests.agents.goldens import AgentOptions, check_golden


@pytest.mark.parametrize("name", NAMES)
def test_events_of_a_transcript(name):
    check_golden(f"gemini/{name}", transcript(name).whole())


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_transcript_is_unknown(name):
    assert not [event for event in transcript(name).whole() if isinstance(event, Unknown)]


@pytest.mark.parametrize("name", NAMES)
def test_bytes_may_be_cut_anywhere(name):
    reading = transcript(name)
    assert reading.cut(list(range(len(reading.data)))) == reading.whole()


@pytest.mark.parametrize("name", NAMES)
def test_reading_may_stop_and_go_on_after_any_line(name):
    assert transcript(name).with_restarts() == transcript(name).whole()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_known_changes_nothing_else(name):
    reading = transcript(name)
    strange = [b'{"type":"weather","is":"fine"}\n', b"not json\n", b'["type"]\n', b'{"type":["init"]}\n', b"\xff\x00\n"]
    mixed = [piece for line in reading.lines() for piece in (*strange, line)]
    events = reading.pieces(mixed)
    assert [event for event in events if not isinstance(event, Unknown)] == reading.whole()
    assert len([event for event in events if isinstance(event, Unknown)]) == 5 * len(reading.lines())


def test_pieces_are_told_when_they_are_asked_for():
    events = transcript("01_hello", AgentOptions(partial=True)).whole()
    said = [event for event in events if isinstance(event, Output)]
    assert [(event.text, event.partial) for event in said] == [
        ("Hello from the fake mode", True),
        ("l. Nothing else to do.", True),
        ("Hello from the fake model. Nothing else to do.", False),
    ]
    assert {event.message_id for event in said} == {"message-1"}
