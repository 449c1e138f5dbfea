"""Lines of transcripts, damaged in every way, read to a conversation in which people ask for things meanwhile."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any

from roost.agents.conversation import ConversationDecoder
from roost.agents.driver import Driver
from roost.core.recording import Input
from roost.model.agents import AgentOptions
from roost.model.events import AnyEvent, encode_events
from tests.agents.goldens import definition, make_decoder

SPAN = 300
"""Lines that one conversation is given before the next."""
VALUES: list[Any] = [
    None,
    True,
    0,
    -1,
    1 << 70,
    1.5,
    1e308,
    "",
    "x\0y",
    "\ud83d",
    "completed",
    [],
    {},
    [[[]]],
    {"a": {}},
]
DEEP = {"a": json.loads("[" * 200 + "]" * 200)}


class Trial:
    """Conversations of one driver, given lines with something wrong; whatever is wrong with us raises."""

    def __init__(self, driver: Driver, argv: list[str], lines: list[bytes], seed: int) -> None:
        self.driver = driver
        self.argv = argv
        self.lines = lines
        self.chance = random.Random(seed)
        self.turns = 0

    def run(self, count: int) -> None:
        """So many lines."""
        for _ in range(0, count, SPAN):
            decoder = make_decoder(self.driver.codec())
            self.keep(decoder, decoder.open(self.argv, definition(AgentOptions(partial=True), "/w"), 0))
            for number in range(SPAN):
                self.meddle(decoder, number)
                self.keep(decoder, decoder.output(self.line() + b"\n", number))
            again = make_decoder(self.driver.codec())
            again.load(decoder.save())
            assert again.save() == decoder.save()
            self.keep(again, again.finish(SPAN))

    def line(self) -> bytes:
        """A line as it is, or with something wrong."""
        line = self.chance.choice(self.lines)
        return self.chance.choice(WAYS)(self.chance, line).replace(b"\n", b" ")

    def meddle(self, decoder: ConversationDecoder, number: int) -> None:
        """Somebody asks for something, now and then."""
        asked = self.chance.randrange(12)
        self.turns += 1
        if asked == 0:
            self.keep(decoder, decoder.mark("prompt", {"turn_id": f"t{self.turns}", "prompt": "go"}, number))
        elif asked == 1:
            self.keep(decoder, decoder.mark("interrupt", {}, number))
        elif asked == 2:
            self.keep(decoder, decoder.mark("change", {"what": "mode", "value": "plan"}, number))
        for approval in decoder.state.approvals[:1]:
            decision = {"allow": self.chance.random() < 0.5, "choice": "once", "interrupt": asked == 3}
            data = {"approval_id": approval.approval_id, "decision": decision}
            self.keep(decoder, decoder.mark("decision", data, number))

    def keep(self, decoder: ConversationDecoder, events: list[AnyEvent] | None) -> None:
        """What was told can be stored; what is to be said is a line of JSON."""
        encode_events(events or [])
        for item in decoder.state.outgoing:
            assert item.data.count(b"\n") == 1
            assert isinstance(json.loads(item.data), dict)
            decoder.input(Input("conversation", item.number, item.data), 0)


Way = Callable[[random.Random, bytes], bytes]


def _as_it_is(chance: random.Random, line: bytes) -> bytes:
    return line


def _flip(chance: random.Random, line: bytes) -> bytes:
    data = bytearray(line or b"x")
    for _ in range(chance.randint(1, 4)):
        data[chance.randrange(len(data))] = chance.randrange(256)
    return bytes(data)


def _cut(chance: random.Random, line: bytes) -> bytes:
    start, end = sorted((chance.randint(0, len(line)), chance.randint(0, len(line))))
    return line[:start] + line[end:] if chance.random() < 0.5 else line[start:end]


def _swap(chance: random.Random, line: bytes) -> bytes:
    return _changed(chance, line, lambda holder, key: holder.__setitem__(key, chance.choice(VALUES)))


def _nest(chance: random.Random, line: bytes) -> bytes:
    return _changed(chance, line, lambda holder, key: holder.__setitem__(key, DEEP))


def _drop(chance: random.Random, line: bytes) -> bytes:
    return _changed(chance, line, lambda holder, key: holder.__delitem__(key))


def _changed(chance: random.Random, line: bytes, change: Callable[[Any, Any], None]) -> bytes:
    message = json.loads(line or b"{}")
    places = list(_places(message))
    if places:
        change(*chance.choice(places))
    return json.dumps(message).encode()


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a message, as what holds it and its key."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for key in keys:
        yield value, key
        yield from _places(value[key])


WAYS: tuple[Way, ...] = (_as_it_is, _as_it_is, _flip, _cut, _swap, _swap, _swap, _drop, _nest)
