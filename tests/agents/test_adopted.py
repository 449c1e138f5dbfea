"""Agents that are only watched."""

from __future__ import annotations

import json

import pytest

from roost.agents.adopted import AdoptedDriver, AdoptedTranscript
from roost.agents.conversation import ConversationDecoder
from roost.agents.driver import Launch
from roost.errors import InvalidRequest
from roost.model.agents import AgentOptions, Definition
from roost.model.events import Turn, Unknown
from tests.agents.damage import Trial
from tests.agents.goldens import GOLDENS

NOW = 1_000_000_000
DEFINITION = Definition(command=["x"], driver="adopted", cwd="/home/dev/work")


def reader(*, opened: bool = True) -> ConversationDecoder:
    made = ConversationDecoder("s", AdoptedDriver().codec(), can_steer=False, source="transcript")
    if opened:
        made.open(["x"], DEFINITION, NOW)
    return made


@pytest.mark.parametrize("name", ["codex_rollout/screen", "claude_transcript/session"])
def test_whose_transcript_it_is_is_seen_by_its_lines(name: str) -> None:
    decoder, events = reader(), []
    for line in (GOLDENS / f"{name}.jsonl").read_bytes().splitlines():
        events += decoder.output(line + b"\n", NOW)
        saved, decoder = decoder.save(), reader(opened=False)
        decoder.load(saved)
    golden = json.loads((GOLDENS / f"{name}.json").read_text())
    assert [one.prompt for one in events if isinstance(one, Turn) and one.state == "started"] == [
        one.get("prompt") for one in golden if one["type"] == "turn" and one["state"] == "started"
    ]
    assert not [one for one in events if isinstance(one, Unknown)]


def test_a_first_line_that_is_none_decides_nothing() -> None:
    decoder = reader()
    decoder.output(b"half a line\n", NOW)
    prompt = {"type": "event_msg", "payload": {"type": "user_message", "message": "hello"}}
    (told,) = decoder.output(json.dumps(prompt).encode() + b"\n", NOW)
    assert isinstance(told, Turn)
    assert [one.state for one in decoder.finish(NOW) if isinstance(one, Turn)] == ["failed"]


def test_before_anything_came_nothing_is_lost() -> None:
    codec, other = AdoptedTranscript(), AdoptedTranscript()
    other.load(codec.save())
    assert other.finish() == []
    line = json.dumps({"type": "event_msg", "payload": {"type": "user_message", "message": "hello"}}).encode()
    assert len(other.receive(line, NOW)) == 1


def test_it_is_started_as_it_is_and_has_no_options() -> None:
    assert AdoptedDriver().launch(Launch(command=["x"], options=AgentOptions(), cwd="/")).argv == ["x"]
    with pytest.raises(InvalidRequest):
        AdoptedDriver().launch(Launch(command=["x"], options=AgentOptions(model="m"), cwd="/"))


@pytest.mark.parametrize("name", ["codex_rollout", "claude_transcript"])
def test_damaged_lines_do_no_harm(name: str) -> None:
    lines = [line for path in (GOLDENS / name).glob("*.jsonl") for line in path.read_bytes().splitlines()]
    Trial(AdoptedDriver(), ["x"], lines, 1).run(3000)
