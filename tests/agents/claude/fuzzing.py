"""Lines of real transcripts, damaged in every way: whatever comes, the codec tells what can be kept and goes on."""

from __future__ import annotations

import itertools
import json
import random
from collections.abc import Iterator
from typing import Any

import msgspec

from roost.agents.claude import ClaudeDriver
from roost.agents.claude_codec import ClaudeCodec
from roost.agents.driver import Decision, Item, Opening, Write
from roost.model.agents import Definition
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import Permission, encode_events
from tests.agents.claude.transcripts import STREAMING, all_lines, opened

SPAN = 200
"""Lines that one codec is given before the next."""
VALUES: list[Any] = [None, True, 0, -1, 1 << 70, 1.5, 1e308, "", "x\0y", "\ud83d", "running", [], {}, [[[]]], {"a": {}}]


def fuzz(seed: int, count: int) -> None:
    """Give codecs `count` damaged lines; whatever is wrong raises."""
    chance = random.Random(seed)
    lines = [line for run in all_lines() for line in run]
    for _ in range(0, count, SPAN):
        codec = ClaudeDriver().codec()
        codec.open(Opening(argv=STREAMING, definition=Definition(command=[])))
        decoder = opened(STREAMING)
        for number, line in enumerate(itertools.islice(damaged(chance, lines), SPAN)):
            check(codec, codec.receive(line, number))
            encode_events(decoder.output(line + b"\n", number))
        _again(codec)
        opened(STREAMING).load(decoder.save())


def damaged(chance: random.Random, lines: list[bytes]) -> Iterator[bytes]:
    """Lines without end, each with something wrong."""
    ways = (_flip, _cut, _splice, _swap, _swap, _swap, _drop, _nest)
    while True:
        line = chance.choice(lines)
        yield chance.choice(ways)(chance, line, lines).replace(b"\n", b" ")


def check(codec: ClaudeCodec, items: list[Item]) -> None:
    """What came of a line can be kept, told and, where it is a question, answered."""
    encode_events([item for item in items if isinstance(item, msgspec.Struct)])  # type: ignore[misc]
    msgspec.msgpack.encode([item for item in items if not isinstance(item, msgspec.Struct)])
    for item in items:
        if isinstance(item, Write):
            assert item.data.count(b"\n") == 1
            assert isinstance(json.loads(item.data), dict)
        elif isinstance(item, Permission):
            _answer(codec, item)


def _answer(codec: ClaudeCodec, asked: Permission) -> None:
    approval = OpenApproval(asked.approval_id, asked.tool, asked.input, asked.title, asked.choices, asked.kind, 0)
    approval = msgspec.structs.replace(approval, details=asked.details, tool_use_id=asked.tool_use_id)
    for decision in (Decision(allow=True, choice="always-1", reason="so", remember=True), Decision(allow=False)):
        check(codec, codec.answer(approval, decision))


def _again(codec: ClaudeCodec) -> None:
    """The state can be kept, and the codec still speaks."""
    kept = msgspec.msgpack.decode(msgspec.msgpack.encode(codec.save()))
    other = ClaudeCodec()
    other.load(kept)
    assert other.save() == codec.save()
    items = other.prompt(PendingTurn("turn", "x"), [])
    check(other, items)
    check(other, other.interrupt() + other.change("mode", "plan"))


def _flip(chance: random.Random, line: bytes, lines: list[bytes]) -> bytes:
    data = bytearray(line or b"x")
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def _cut(chance: random.Random, line: bytes, lines: list[bytes]) -> bytes:
    start, end = sorted((chance.randint(0, len(line)), chance.randint(0, len(line))))
    return line[:start] + line[end:] if chance.random() < 0.5 else line[start:end]


def _splice(chance: random.Random, line: bytes, lines: list[bytes]) -> bytes:
    other = chance.choice(lines)
    return line[: chance.randint(0, len(line))] + other[chance.randint(0, len(other)) :]


def _drop(chance: random.Random, line: bytes, lines: list[bytes]) -> bytes:
    return _changed(chance, line, lambda holder, key: holder.pop(key))


def _swap(chance: random.Random, line: bytes, lines: list[bytes]) -> bytes:
    value = chance.choice(VALUES)

    def put(holder: Any, key: Any) -> None:
        holder[key] = value

    return _changed(chance, line, put)


def _nest(chance: random.Random, line: bytes, lines: list[bytes]) -> bytes:
    deep = chance.choice((40, 300, 900, 5000))
    inner = b'{"a":' * deep + b"1" + b"}" * deep if chance.random() < 0.5 else b"[" * deep + b"]" * deep
    return _swap(chance, line, lines).replace(b"null", inner, 1)


def _changed(chance: random.Random, line: bytes, change: Any) -> bytes:
    """The line with something done to one place in it, at any depth."""
    try:
        told = json.loads(line)
    except ValueError:
        return line
    holder: Any = told
    while isinstance(holder, dict | list) and holder:
        key: Any = chance.choice(list(holder)) if isinstance(holder, dict) else chance.randrange(len(holder))
        below = holder[key]
        if not isinstance(below, dict | list) or not below or chance.random() < 0.4:
            change(holder, key)
            break
        holder = below
    return json.dumps(told).encode()
