"""What the real opencode wrote comes out as the events that a person has read and found right."""

import pytest

from roost.model.events import Unknown
from tests.agents.goldens import check_golden
from tests.agents.opencode.transcripts import NAMES, transcript


@pytest.mark.parametrize("name", NAMES)
def test_events_of_a_transcript(name):
    check_golden(f"opencode/{name}", transcript(name).whole())


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
