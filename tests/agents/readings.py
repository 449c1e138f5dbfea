"""Transcripts of CLIs that only talk, read to a decoder in every way that bytes can come."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from roost.agents.conversation import ConversationDecoder
from roost.model.agents import Definition
from roost.model.events import AnyEvent
from tests.agents.goldens import GOLDENS

SECOND = 1_000_000_000
MakeDecoder = Callable[[], ConversationDecoder]


class Reading:
    """One transcript, with the session that it comes from."""

    exit_code: int | None = None

    def __init__(self, path: str, make: MakeDecoder, argv: list[str], definition: Definition) -> None:
        self.data = (GOLDENS / path).read_bytes()
        self.make = make
        self.argv = argv
        self.definition = definition

    def whole(self) -> list[AnyEvent]:
        """In one piece."""
        return self.pieces([self.data])

    def cut(self, at: list[int]) -> list[AnyEvent]:
        """Cut at these places."""
        places = [0, *sorted(at), len(self.data)]
        return self.pieces([self.data[start:end] for start, end in pairwise(places)])

    def pieces(self, pieces: list[bytes]) -> list[AnyEvent]:
        """One piece after the other, all in the same second."""
        decoder = self.make()
        events = decoder.open(self.argv, self.definition, SECOND)
        for piece in pieces:
            events += decoder.output(piece, SECOND)
        return events + decoder.finish(SECOND, self.exit_code)

    def with_restarts(self) -> list[AnyEvent]:
        """Line by line, each read by a decoder that goes on from what the one before saved."""
        decoder = self.make()
        events = decoder.open(self.argv, self.definition, SECOND)
        for line in self.lines():
            decoder = restarted(decoder, self.make)
            events += decoder.output(line, SECOND)
        return events + restarted(decoder, self.make).finish(SECOND, self.exit_code)

    def lines(self) -> list[bytes]:
        """Its lines, line feeds included."""
        return self.data.splitlines(keepends=True)


def restarted(decoder: ConversationDecoder, make: MakeDecoder) -> ConversationDecoder:
    """Another decoder, which knows what this one saved."""
    other = make()
    other.load(decoder.save())
    return other
