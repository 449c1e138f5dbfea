"""Paced clients: what comes faster than a client wants is gathered, and output that does not fit is skipped."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

from roost.core.flow import PARTIAL, Skip, TokenBucket, choose
from roost.core.ring import Frame
from roost.model.events import AnyEvent, Output, Thinking, event_type
from roost.services.hub import Hub
from roost.services.reader import IDLE, Reader

MOST_GATHERED = 5000
"""Events of one window; a client that is further behind gets several."""


class Pace(NamedTuple):
    """How fast a client wants events: gathered over `batch_ms`, at most `rate` a second; None sets no limit."""

    batch_ms: int | None = None
    rate: float | None = None


class Batch(NamedTuple):
    """What one window brought: frames to send, in order, and what was left out. Empty: the stream is idle."""

    frames: list[Frame]
    skip: Skip | None = None


class Pacer:
    """Takes from a reader no faster than its pace."""

    def __init__(self, hub: Hub, reader: Reader, pace: Pace) -> None:
        default_ms = hub.settings.batch_ms if pace.rate is not None else 0
        self._hub = hub
        self._reader = reader
        self._window_s = (default_ms if pace.batch_ms is None else pace.batch_ms) / 1000
        self._bucket: TokenBucket | None = None
        if pace.rate is not None:
            self._bucket = TokenBucket(pace.rate, pace.rate)
            self._window_s = max(self._window_s, 1 / pace.rate)
        self._opens_at = 0.0

    async def batches(self) -> AsyncIterator[Batch]:
        """Batches until the stream ends. The first event after a pause goes at once."""
        while (piece := await self._reader.next()) is not None:
            if piece is IDLE:
                yield Batch([])
                continue
            missing = self._reader.missing
            frames = list(piece.frames)
            await asyncio.sleep(max(0.0, self._opens_at - self._hub.now()))
            await self._gather(frames)
            self._opens_at = self._hub.now() + self._window_s
            if missing:
                yield Batch([], Skip(missing, reason="gone"))
            yield self._choose(frames)

    async def _gather(self, frames: list[Frame]) -> None:
        while len(frames) < MOST_GATHERED:
            piece = await self._reader.more()
            if piece is None:
                return
            frames.extend(piece.frames)

    def _choose(self, frames: list[Frame]) -> Batch:
        if self._bucket is None:
            return Batch(frames)
        kept = choose([_kind(frame.event) for frame in frames], self._bucket.available(self._hub.now()))
        self._bucket.spend(len(kept))
        if len(kept) == len(frames):
            return Batch(frames)
        left_out = sorted(set(range(len(frames))) - set(kept))
        position = self._reader.follow.form.position
        first, last = frames[left_out[0]], frames[left_out[-1]]
        skip = Skip(
            len(left_out),
            after=position(first.block, first.event.seq - 1),
            until=position(last.block, last.event.seq),
            reason="rate",
        )
        return Batch([frames[index] for index in kept], skip)


def _kind(event: AnyEvent) -> str:
    is_piece = (type(event) is Output or type(event) is Thinking) and event.partial
    return PARTIAL if is_piece else event_type(event)
