"""Every transcript of the real CLI becomes the events that its golden file says, however it is read."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from roost.agents.claude import ClaudeDriver
from roost.agents.conversation import ConversationDecoder
from roost.model.agents import Definition
from roost.model.events import AnyEvent, Unknown
from tests.agents.claude.transcripts import Host, all_lines, brief, names, opened, read, written
from tests.agents.goldens import check_golden, make_decoder
from tests.agents.readings import SECOND, Reading

SMALL = 6000
"""Bytes of a transcript that is read byte by byte."""
PLAIN = {"03_hello_text": 0, "49c_err400_text": 1}
"""Transcripts of plain answers, with the exit codes."""
STRANGE: dict[str, Any] = {"zz_text": "x", "zz_list": [1, {"deep": [None]}], "zz_object": {"type": "tool_use"}}


@pytest.mark.parametrize("name", names("stdout"))
def test_what_the_cli_wrote_becomes_its_golden_events(name: str) -> None:
    argv = ["claude", "-p", "x"] if name in PLAIN else None
    check_golden(f"claude/{name}", brief(read(written(name), argv, PLAIN.get(name))))


@pytest.mark.parametrize("name", names("duplex"))
def test_what_was_said_both_ways_becomes_its_golden_events(name: str) -> None:
    host = Host(name)
    check_golden(f"claude/{name}", brief(host.play()))
    assert host.differs == []


@pytest.mark.parametrize("name", [*names("stdout"), *names("duplex")])
def test_nothing_of_a_transcript_is_unknown(name: str) -> None:
    events = Host(name).play() if name in names("duplex") else read(written(name), ["claude", "-p", "x"])
    assert [event for event in events if isinstance(event, Unknown)] == []


@pytest.mark.parametrize("name", names("stdout"))
def test_it_is_the_same_however_the_bytes_come(name: str) -> None:
    reading = _reading(name)
    whole = reading.whole()
    chance = random.Random(name)
    size = len(reading.data)
    assert reading.cut(list(range(0, size, 1 if size < SMALL else 41))) == whole
    assert reading.cut([chance.randrange(size) for _ in range(20)]) == whole


@pytest.mark.parametrize("name", names("stdout"))
def test_it_is_the_same_over_restarts_between_any_two_lines(name: str) -> None:
    reading = _reading(name)
    assert reading.with_restarts() == reading.whole()


@pytest.mark.parametrize("name", names("duplex"))
def test_a_dialogue_is_the_same_over_restarts(name: str) -> None:
    host = Host(name, restarts=True)
    assert host.play() == Host(name).play()
    assert host.differs == []


@pytest.mark.parametrize("name", names("stdout"))
def test_fields_that_nobody_knows_change_nothing(name: str) -> None:
    lines = [_with_strange_fields(line) for line in written(name).splitlines()]
    assert read(b"\n".join(lines) + b"\n") == read(written(name))


def test_lines_that_nobody_knows_are_told_as_they_were_and_change_nothing_else() -> None:
    strange = [
        b'{"type":"tool_use_summary","summary":"x"}',
        b'{"type":"system","subtype":"levitated","path":"/x"}',
        b"[SandboxDebug] not for us",
        b'{"type":"assistant"',
        b'["assistant"]',
        b'{"no_type":true}',
    ]
    for lines in all_lines():
        chance = random.Random(len(lines))
        mixed = [each for line in lines for each in (line, chance.choice(strange))]
        events = _told(mixed)
        assert [each for each in events if not _is_strange(each, strange)] == _told(lines)
        assert sum(_is_strange(each, strange) for each in events) == len(lines)


def _told(lines: list[bytes]) -> list[AnyEvent]:
    decoder = opened()
    return [event for line in lines for event in decoder.output(line + b"\n", SECOND)]


def _is_strange(event: AnyEvent, strange: list[bytes]) -> bool:
    return isinstance(event, Unknown) and event.line.encode() in strange


def _with_strange_fields(line: bytes) -> bytes:
    if not line.startswith(b"{"):
        return line
    told = json.loads(line)
    message = told.get("message")
    if isinstance(message, dict):
        content = message["content"]
        if isinstance(content, list):
            message["content"] = [STRANGE | block for block in content]
        told["message"] = STRANGE | message
    return json.dumps(STRANGE | told | {"zz_last": None}).encode()


def _reading(name: str) -> Reading:
    argv = ["claude", "-p", "x"] if name in PLAIN else ["claude", "-p", "x", "--output-format", "stream-json"]
    return Reading(f"claude/{name}.stdout.jsonl", _decoder, argv, Definition(command=[], cwd="/home/me/lab"))


def _decoder() -> ConversationDecoder:
    return make_decoder(ClaudeDriver().codec(), can_steer=True)
