"""What real ACP agents said comes out as the events that a person has read and found right."""

import pytest

from roost.agents.acp_codec import AcpCodec
from roost.model.agents import AgentOptions
from roost.model.events import Output, Unknown
from tests.agents.acp.transcripts import NAMES, InPieces, Played
from tests.agents.goldens import check_golden, make_decoder
from tests.agents.readings import restarted


@pytest.mark.parametrize("name", NAMES)
def test_events_of_a_real_agent(name):
    check_golden(f"acp/{name}", Played(name).play())


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_a_real_agent_is_unknown(name):
    assert not [event for event in Played(name).play() if isinstance(event, Unknown)]


@pytest.mark.parametrize("name", NAMES)
def test_bytes_may_be_cut_anywhere(name):
    assert InPieces(name).play() == Played(name).play()


@pytest.mark.parametrize("name", NAMES)
def test_reading_may_stop_and_go_on_after_any_line(name):
    played = Played(name)
    for decoder in played.steps():
        played.decoder = restarted(decoder, lambda: make_decoder(AcpCodec()))
    assert played.events == Played(name).play()


@pytest.mark.parametrize("name", NAMES)
def test_what_is_not_known_changes_nothing_else(name):
    played = Played(name)
    strange = (b"not json\n", b'{"method":"_x/y"}\n', b'{"method":"session/update"}\n', b'{"id":9999,"result":{}}\n')
    for _ in played.steps():
        for line in strange:
            played.take(line, 0)
    assert [event for event in played.events if not isinstance(event, Unknown)] == Played(name).play()


@pytest.mark.parametrize("name", NAMES)
def test_fields_that_are_not_known_change_nothing(name):
    played = Played(name)
    for line in played.lines:
        line["msg"]["future"] = [{"deep": None}]
        line["msg"].get("params", {}).get("update", {})["future"] = {"a": 1}
    assert played.play() == Played(name).play()


def test_pieces_are_told_when_they_are_asked_for():
    whole = [event.text for event in Played("claude-agent-acp").play() if isinstance(event, Output)]
    events = Played("claude-agent-acp", AgentOptions(partial=True)).play()
    pieces = [event for event in events if isinstance(event, Output)]
    assert [event.text for event in pieces if not event.partial] == whole
    assert "".join(event.text for event in pieces if event.partial) == "".join(whole)


def test_what_we_say_is_what_that_client_said():
    played = Played("opencode")
    asked = [line["msg"] for line in played.lines if line["dir"] == "in" and "method" in line["msg"]]
    played.play()
    assert [(one.get("id"), one["method"]) for one in played.said if "method" in one] == [
        (one.get("id"), one["method"]) for one in asked
    ]
