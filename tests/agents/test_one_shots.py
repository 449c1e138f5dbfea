"""What the real Gemini CLI and opencode wrote for one prompt comes out as the events that were found right."""

from __future__ import annotations

import pytest

from roost.model.events import Output, Unknown
from tests.agents.gemini import transcripts as gemini
from tests.agents.goldens import AgentOptions, check_golden
from tests.agents.opencode import transcripts as opencode
from tests.agents.readings import Reading

SAMPLES = [("gemini", name) for name in gemini.NAMES] + [("opencode", name) for name in opencode.NAMES]
READ = {"gemini": gemini.transcript, "opencode": opencode.transcript}
STRANGE = [b'{"type":"weather","is":"fine"}\n', b"not json\n", b'["type"]\n', b'{"type":["init"]}\n', b"\xff\x00\n"]


@pytest.fixture(params=SAMPLES, ids="/".join)
def sample(request: pytest.FixtureRequest) -> tuple[str, Reading]:
    cli, name = request.param
    return f"{cli}/{name}", READ[cli](name)


def test_events_of_a_transcript(sample):
    check_golden(sample[0], sample[1].whole())


def test_nothing_of_a_transcript_is_unknown(sample):
    assert not [event for event in sample[1].whole() if isinstance(event, Unknown)]


def test_bytes_may_be_cut_anywhere(sample):
    reading = sample[1]
    assert reading.cut(list(range(len(reading.data)))) == reading.whole()


def test_reading_may_stop_and_go_on_after_any_line(sample):
    assert sample[1].with_restarts() == sample[1].whole()


def test_what_is_not_known_changes_nothing_else(sample):
    reading = sample[1]
    mixed = [piece for line in reading.lines() for piece in (*STRANGE, line)]
    events = reading.pieces(mixed)
    assert [event for event in events if not isinstance(event, Unknown)] == reading.whole()
    assert len([event for event in events if isinstance(event, Unknown)]) == len(STRANGE) * len(reading.lines())


def test_pieces_are_told_when_they_are_asked_for():
    events = gemini.transcript("01_hello", AgentOptions(partial=True)).whole()
    said = [event for event in events if isinstance(event, Output)]
    assert [(event.text, event.partial) for event in said] == [
        ("Hello from the fake mode", True),
        ("l. Nothing else to do.", True),
        ("Hello from the fake model. Nothing else to do.", False),
    ]
    assert {event.message_id for event in said} == {"message-1"}
