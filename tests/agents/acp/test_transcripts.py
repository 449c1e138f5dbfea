"""What real ACP agents said comes out as the events that a person has read and found right."""

import pytest

from roost.model.events import Unknown
from tests.agents.acp.transcripts import NAMES, Played
from tests.agents.goldens import check_golden


@pytest.mark.parametrize("name", NAMES)
def test_events_of_a_real_agent(name):
    check_golden(f"acp/{name}", Played(name).play())


@pytest.mark.parametrize("name", NAMES)
def test_only_requests_for_files_are_not_understood(name):
    unknown = [event for event in Played(name).play() if isinstance(event, Unknown)]
    assert all('"method":"fs/' in event.line for event in unknown)
