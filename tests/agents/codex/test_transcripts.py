"""Every transcript of the real codex becomes the events that its golden file says, however it is read."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator

import pytest

from roost.agents.codex import CodexDriver
from roost.model.events import AnyEvent, Unknown
from tests.agents.codex.transcripts import SECOND, Client, names, opened, read, written
from tests.agents.goldens import check_golden, make_decoder

EVERYTHING = [*names("stdout"), *names("duplex")]
PLAIN_TEXT = "03_text_mode"
STRANGE = [
    b"",
    b"{",
    b"[1]",
    b"null",
    b"not JSON at all",
    b'{"type":"from.tomorrow","item":{"type":"tea"}}',
    b'{"type":"item.completed","item":{"type":"tea"}}',
    b'{"type":"item.updated","item":{"type":"tea"}}',
    b'{"method":"from/tomorrow","params":{}}',
    b'{"method":"item/started","params":{"item":{"type":"tea"}}}',
    b'{"id":9999,"result":{}}',
    b'{"a":"\xff"}',
]


@pytest.mark.parametrize("name", names("stdout"))
def test_what_exec_wrote_becomes_its_golden_events(name: str) -> None:
    check_golden(f"codex/{name}", read(name, written(name)))


@pytest.mark.parametrize("name", names("duplex"))
def test_what_was_said_both_ways_becomes_its_golden_events(name: str) -> None:
    client = Client(name)
    check_golden(f"codex/{name}", client.play())
    assert client.differs == []


@pytest.mark.parametrize("name", EVERYTHING)
def test_nothing_of_a_transcript_is_unknown(name: str) -> None:
    events = Client(name).play() if name in names("duplex") else read(name, written(name))
    lines = [event.line for event in events if isinstance(event, Unknown)]
    not_asked_by_us = [line for line in lines if line.startswith(('{"id": 101', '{"error"'))]
    assert lines == (not_asked_by_us if name != PLAIN_TEXT else [written(name).decode().rstrip()])


@pytest.mark.parametrize("name", ["10_exec_tool", "53_gpt55_mcp", "61_app_server_resume"])
@pytest.mark.parametrize("size", [1, 7, 1000])
def test_pieces_of_any_size_say_the_same(name: str, size: int) -> None:
    data = written(name)
    assert read(name, data, size) == read(name, data)


@pytest.mark.parametrize("name", names("duplex"))
def test_a_decoder_goes_on_from_what_another_saved(name: str) -> None:
    client = Client(name)
    for decoder in client.steps():
        client.decoder = make_decoder(CodexDriver().codec(), can_steer=True)
        client.decoder.load(decoder.save())
    assert client.events == Client(name).play()
    assert client.differs == []


@pytest.mark.parametrize("name", names("stdout"))
def test_a_decoder_of_exec_goes_on_from_what_another_saved(name: str) -> None:
    decoder, events = opened(name), []
    for line in written(name).splitlines(keepends=True):
        events += decoder.output(line, SECOND)
        saved, decoder = decoder.save(), make_decoder(CodexDriver().codec(), can_steer=True)
        decoder.load(saved)
    assert events + decoder.finish(SECOND) == read(name, written(name))


@pytest.mark.parametrize("name", ["10_exec_tool", "51_gpt55_patch", "63_sub_agents", "61_app_server_resume"])
def test_strange_lines_in_between_change_nothing_else(name: str) -> None:
    lines = written(name).splitlines()
    mixed = b"".join(line + b"\n" + STRANGE[at % len(STRANGE)] + b"\n" for at, line in enumerate(lines))
    told = read(name, mixed)
    assert _without_unknown(told) == _without_unknown(read(name, written(name)))
    assert len([event for event in told if isinstance(event, Unknown)]) >= len(lines) * 3 // 4


@pytest.mark.parametrize("name", ["54_gpt55_tools", "51_gpt55_patch", "61_app_server_resume", "65_fork"])
def test_strange_fields_change_nothing(name: str) -> None:
    lines = [json.loads(line) for line in written(name).splitlines()]
    more = b"".join(json.dumps(_with_more(line)).encode() + b"\n" for line in lines)
    assert _without_unknown(read(name, more)) == _without_unknown(read(name, written(name)))


def test_damaged_lines_are_borne() -> None:
    chance = random.Random(3)
    lines = [line for name in EVERYTHING for line in written(name).splitlines()]
    for name in ("01_hello", "60_app_server"):
        decoder = opened(name)
        for damaged in _damaged(lines, chance):
            decoder.output(damaged + b"\n", SECOND)
        decoder.load(decoder.save())
        decoder.finish(SECOND)


def _damaged(lines: list[bytes], chance: random.Random) -> Iterator[bytes]:
    """Lines with values changed, bytes changed, and ends cut off."""
    for _ in range(4000):
        line = chance.choice(lines)
        kind = chance.random()
        if kind < 0.6:
            yield json.dumps(_shuffled(json.loads(line), chance)).encode() if line.startswith(b"{") else line
        elif kind < 0.8:
            at = chance.randrange(len(line))
            yield line[:at] + bytes([chance.randrange(256)]) + line[at + 1 :]
        else:
            yield line[: chance.randrange(len(line))]


WRONG: list[object] = [None, True, -1, 2**70, "", "\0", "\ud800", [], {}, [[]], {"a": {"b": [1]}}, 1.5]


def _shuffled(value: object, chance: random.Random) -> object:
    if chance.random() < 0.06:
        return chance.choice(WRONG)
    if isinstance(value, dict):
        return {key: _shuffled(one, chance) for key, one in value.items()}
    if isinstance(value, list):
        return [_shuffled(one, chance) for one in value]
    return value


def _with_more(value: object) -> object:
    if isinstance(value, dict):
        return {**{key: _with_more(one) for key, one in value.items()}, "fromTomorrow": {"type": "tea"}}
    if isinstance(value, list):
        return [_with_more(one) for one in value]
    return value


def _without_unknown(events: list[AnyEvent]) -> list[AnyEvent]:
    return [event for event in events if not isinstance(event, Unknown)]
