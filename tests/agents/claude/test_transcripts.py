"""Every transcript of the real CLI becomes the events that its golden file says, however it is read."""

from __future__ import annotations

import pytest

from roost.model.events import Unknown
from tests.agents.claude.transcripts import Host, brief, names, read, written
from tests.agents.goldens import check_golden

PLAIN = {"03_hello_text", "49c_err400_text"}


@pytest.mark.parametrize("name", names("stdout"))
def test_what_the_cli_wrote_becomes_its_golden_events(name: str) -> None:
    argv = ["claude", "-p", "x"] if name in PLAIN else None
    check_golden(f"claude/{name}", brief(read(written(name), argv)))


@pytest.mark.parametrize("name", names("duplex"))
def test_what_was_said_both_ways_becomes_its_golden_events(name: str) -> None:
    host = Host(name)
    check_golden(f"claude/{name}", brief(host.play()))
    assert host.differs == []


@pytest.mark.parametrize("name", [*names("stdout"), *names("duplex")])
def test_nothing_of_a_transcript_is_unknown(name: str) -> None:
    events = Host(name).play() if name in names("duplex") else read(written(name), ["claude", "-p", "x"])
    assert [event for event in events if isinstance(event, Unknown)] == []
