"""A reader: everything after a cursor, from the store as long as it must, from memory as soon as it can, then live.

There is no seam: a channel's floor says from where on memory is whole, and the channel is there before the store is
asked, so whatever is committed while the store answers is in memory afterwards. There is no queue: a reader holds a
place in the channel and one piece on its way. A reader that falls off the ring's end goes on from the store.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import NamedTuple

from roost.core.flow import PIECE_BYTES
from roost.core.forms import StreamForm
from roost.core.ring import Channel, Cursor, Entry, Piece, assemble
from roost.services.history import Fetched, Source

FEWEST_BLOCKS = 2
MOST_BLOCKS = 64
FETCH_BYTES = 2 * PIECE_BYTES
"""About how much a reader takes from the store at once."""

IDLE = Piece(b"", (), 0, 0, 0, Cursor(0, 0), False)
"""Nothing came for a while: the client is to be told that the stream lives."""


class Follow(NamedTuple):
    """What a reader reads: whose events, from where on, in which form."""

    channel: Channel
    source: Source
    form: StreamForm
    cursor: Cursor
    agent: str | None
    """Whose stream it is; None for that of all agents."""
    counted: bool = True
    """Whether it is a client of `/api/sse/stats`."""


class Reader:
    """One client's way through a stream. One task calls `next`; the hub watches over the rest."""

    __slots__ = (
        "_at",
        "_channel",
        "_closed",
        "_fetched",
        "_future",
        "_index",
        "_leave",
        "_limit",
        "_loop",
        "_place",
        "blocked",
        "bytes_then",
        "cursor",
        "ended",
        "follow",
        "missing",
        "on_stall",
        "sent_at",
    )

    def __init__(self, follow: Follow, now: float, leave: Callable[[Reader], None]) -> None:
        self.follow = follow
        self._channel = follow.channel
        self._loop = asyncio.get_running_loop()
        self.cursor = follow.cursor
        self.ended = False
        self.missing = 0
        """Events right before the piece just given that nobody has any more."""
        self.on_stall: Callable[[], None] | None = None
        """Called when the client has taken nothing for too long."""
        self.sent_at = now
        self.blocked = False
        self.bytes_then = 0
        self._leave: Callable[[Reader], None] | None = leave
        self._closed = False
        self._future: asyncio.Future[bool] | None = None
        self._place: int | None = None
        self._index = 0
        self._fetched: list[Entry] = []
        self._at = 0
        self._limit = FEWEST_BLOCKS

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()
        if self._leave is not None:
            self._channel.waiting.discard(self)
            self._leave(self)
            self._leave = None

    async def next(self) -> Piece | None:
        """The next piece; `IDLE` when nothing came for a while; None when nothing more will."""
        self.missing = 0
        while not (self.ended or self._closed):
            piece = self._at_hand()
            if piece is not None:
                if piece.events or self.missing:
                    return piece
            elif not self._is_live():
                await self._fetch()
            elif await self._wait():
                return IDLE
        return None

    async def more(self) -> Piece | None:
        """The next piece if it is there already; None when it is not, or nothing more will come."""
        while not (self.ended or self._closed):
            piece = self._at_hand()
            if piece is not None:
                if piece.events:
                    return piece
            elif self._is_live():
                return None
            else:
                await self._fetch()
        return None

    # What the pump says

    def begins_sending(self) -> None:
        """A piece is being handed to the client's connection; when that is done, set `blocked` to false."""
        self.blocked = True
        self.sent_at = self._loop.time()
        self.bytes_then = self._channel.bytes_ever

    # What the hub says

    def wake(self) -> None:
        """There is more."""
        self._resolve(False)

    def wake_idle(self) -> None:
        """There was nothing for a while."""
        self._resolve(True)

    def close(self) -> None:
        """Nothing more is to be given."""
        self._closed = True
        self._resolve(False)

    @property
    def waits(self) -> bool:
        return self._future is not None

    @property
    def bytes_waiting(self) -> int:
        """About how much has come since the client took the last piece."""
        return self._channel.bytes_ever - self.bytes_then

    def release(self) -> None:
        """Give up what was read ahead; it will be read again."""
        self._fetched = []

    # Inside

    def _resolve(self, idle: bool) -> None:
        future = self._future
        if future is not None and not future.done():
            future.set_result(idle)

    def _at_hand(self) -> Piece | None:
        piece = self._from_fetched() if self._fetched else self._from_channel()
        if piece is not None:
            self.cursor = piece.cursor
            self.ended = piece.completes and self.follow.agent is not None
        return piece

    def _from_fetched(self) -> Piece:
        rest = islice(self._fetched, self._at, None)
        piece = assemble(rest, (self._at, self._index), self.follow.form, PIECE_BYTES)
        self._at, self._index = piece.place, piece.offset
        if self._at == len(self._fetched):
            self._fetched = []
        return piece

    def _is_live(self) -> bool:
        """Whether everything that is still to come will be in the channel."""
        return self._place is not None or self._channel.holds(self.cursor)

    def _from_channel(self) -> Piece | None:
        channel = self._channel
        place = self._place
        if place is None or place < channel.base:
            place = self._join()
        if place is None or place >= channel.visible:
            return None
        piece = channel.piece(place, self._index, self.follow.form, PIECE_BYTES)
        self._place, self._index = piece.place, piece.offset
        return piece

    def _join(self) -> int | None:
        """Take a place in the channel, if it has anything that this reader has not had.

        The store may be ahead of the channel: what arrives there next can be something that was had already, so a place
        at the end is not taken.
        """
        channel = self._channel
        self._place = None
        if channel.holds(self.cursor):
            place = channel.find(self.cursor)
            if place < channel.visible:
                self._place = place
                self._index = channel.order.index(channel.entries[place - channel.base].block, self.cursor)
        return self._place

    async def _wait(self) -> bool:
        self._future = self._loop.create_future()
        self._channel.waiting.add(self)
        try:
            return await self._future
        finally:
            self._future = None

    async def _fetch(self) -> None:
        channel = self._channel
        floor = channel.floor
        fetched = await self.follow.source.fetch(self.cursor, self._limit)
        self._place = None
        if fetched.entries:
            self._take(fetched)
            return
        if fetched.cursor is not None:
            self.cursor = fetched.cursor
        channel.nothing_after(self.cursor)
        if floor is not None and not channel.holds(self.cursor) and floor == channel.floor:
            self._skip_to(floor)

    def _take(self, fetched: Fetched) -> None:
        first = fetched.entries[0].block
        if fetched.gapless and first.first_seq > self.cursor.seq + 1:
            self.missing = first.first_seq - self.cursor.seq - 1
        self._fetched = fetched.entries
        self._at = 0
        self._index = self._channel.order.index(first, self.cursor)
        if self._index >= len(first.events):
            self.cursor = Cursor(first.id, first.last_seq, True)
            self._fetched = fetched.entries[1:]
            self._index = 0
        weight = sum(entry.weight for entry in fetched.entries)
        if weight < FETCH_BYTES // 2:
            self._limit = min(self._limit * 2, MOST_BLOCKS)
        elif weight > FETCH_BYTES:
            self._limit = max(self._limit // 2, FEWEST_BLOCKS)

    def _skip_to(self, floor: int) -> None:
        """The store no longer has what memory no longer has."""
        self.missing = floor - self.cursor.seq
        self.cursor = Cursor(0, floor)
