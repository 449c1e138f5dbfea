"""Which events a client wants, and the bytes it gets for them.

`form` gives the same object to all who ask for the same, so that they share the same bytes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from roost.core.ring import Entry
from roost.core.wire import sse_frame
from roost.model.blocks import Block
from roost.model.events import AnyEvent, event_type


class Selection(NamedTuple):
    """Filters; None lets everything pass."""

    types: frozenset[str] | None = None
    agents: frozenset[str] | None = None
    labels: frozenset[tuple[str, str | None]] | None = None
    """All of them; without a value, the label alone must be there."""

    def wants_block(self, entry: Entry) -> bool:
        """Whether the agent of an entry is one that is wanted."""
        if self.agents is not None and entry.block.agent_name not in self.agents:
            return False
        return self.labels is None or all(
            entry.labels.get(key) == value if value is not None else key in entry.labels for key, value in self.labels
        )


ALL = Selection()


class StreamForm:
    """Events of one session, or of all when there is an `epoch`: as Server-Sent Events, or (`text`) as JSON objects.

    `apart` keeps frames apart for clients that choose among them. Made by `form`.
    """

    __slots__ = ("apart", "epoch", "selection", "text")

    def __init__(self, selection: Selection, epoch: int | None, text: bool, apart: bool) -> None:
        self.selection = selection
        self.epoch = epoch
        self.text = text
        self.apart = apart or text

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


@lru_cache(1024)
def form(
    selection: Selection = ALL, *, epoch: int | None = None, text: bool = False, apart: bool = False
) -> StreamForm:
    """The form of what a client asks for."""
    return StreamForm(selection, epoch, text, apart)
