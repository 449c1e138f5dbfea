"""Which events a client wants, and the bytes it gets for them.

Forms are compared by what they ask for, so that clients that ask for the same share the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from roost.core.ring import Entry
from roost.core.wire import sse_frame
from roost.model.blocks import Block
from roost.model.events import AnyEvent, event_type


class Selection(NamedTuple):
    """Filters; None lets everything pass."""

    types: frozenset[str] | None = None
    agents: frozenset[str] | None = None
    labels: frozenset[tuple[str, str]] | None = None

    def wants_block(self, entry: Entry) -> bool:
        """Whether the agent of an entry is one that is wanted."""
        if self.agents is not None and entry.block.agent_name not in self.agents:
            return False
        return self.labels is None or self.labels <= entry.labels.items()


ALL = Selection()


class StreamForm:
    """Events of one session, or of all when there is an `epoch`: as Server-Sent Events, or (`text`) as JSON objects.

    `apart` keeps frames apart for clients that choose among them.
    """

    __slots__ = ("_hash", "_key", "apart", "epoch", "selection", "text")

    def __init__(
        self, selection: Selection = ALL, *, epoch: int | None = None, text: bool = False, apart: bool = False
    ) -> None:
        self.selection = selection
        self.epoch = epoch
        self.text = text
        self.apart = apart or text
        self._key = (selection, epoch, text, self.apart)
        self._hash = hash(self._key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StreamForm) and (self is other or self._key == other._key)

    def position_prefix(self, block: Block) -> str:
        """The positions of a block's events up to their number."""
        return f"{block.session_id}:" if self.epoch is None else f"{self.epoch}.{block.id}."

    def position(self, block: Block, seq: int) -> str:
        """The position of an event, or (one less) of the place before it."""
        return f"{self.position_prefix(block)}{seq}"

    def frames(self, entry: Entry, start: int) -> Iterator[tuple[int, bytes]]:
        """The wanted events of an entry from index `start` on, each with its index and bytes."""
        if not self.selection.wants_block(entry):
            return
        prefix = self.position_prefix(entry.block)
        types = self.selection.types
        events = entry.block.events
        if types is None:
            bodies = entry.bodies()
            for index in range(start, len(events)):
                yield index, self._frame(events[index], prefix, bodies[index])
            return
        for index in range(start, len(events)):
            if event_type(events[index]) in types:
                yield index, self._frame(events[index], prefix, entry.body(index))

    def _frame(self, event: AnyEvent, prefix: str, body: bytes) -> bytes:
        if self.text:
            return b'%b,"position":"%b%d"}' % (body[:-1], prefix.encode(), event.seq)
        return sse_frame(event, f"{prefix}{event.seq}", body)
