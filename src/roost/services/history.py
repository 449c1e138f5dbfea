"""What streams read from the store: in threads, and once for all readers that want the same at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Hashable
from typing import Any, NamedTuple, Protocol, TypeVar

from roost.core.forms import Selection
from roost.core.ring import Cursor, Entry
from roost.model.agents import Session
from roost.model.blocks import Block

T = TypeVar("T")


class History(Protocol):
    """The store's reader, as far as streams use it."""

    def blocks(self, session_id: str, after_seq: int, limit: int = 64) -> list[Block]: ...

    def fleet_blocks(self, after_block: int, limit: int = 64, agents: Collection[str] | None = None) -> list[Block]: ...

    def last_block_id(self) -> int: ...

    def sessions(
        self,
        *,
        agent: str | None = None,
        states: Collection[str] | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> list[Session]: ...

    def session(self, session_id: str) -> Session | None: ...


class Fetched(NamedTuple):
    """What the store had: entries, or none and the cursor up to which there is nothing that is wanted."""

    entries: list[Entry]
    cursor: Cursor | None = None
    gapless: bool = False
    """Whether numbers that are missing between the entries mean lost events."""


class Source(Protocol):
    """Where a reader's blocks come from when memory no longer has them."""

    async def fetch(self, cursor: Cursor, limit: int) -> Fetched:
        """At most `limit` of the oldest blocks that hold anything after `cursor`."""


class SharedReads:
    """Runs reads of the store in threads; who asks for what is being read already waits for the same answer."""

    def __init__(self, history: History) -> None:
        self.history = history
        self._under_way: dict[Hashable, asyncio.Task[Any]] = {}

    async def run(self, key: Hashable, read: Callable[[], T]) -> T:
        task = self._under_way.get(key)
        if task is None:
            task = self._under_way[key] = asyncio.ensure_future(asyncio.to_thread(read))
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        found: T = await asyncio.shield(task)
        return found


class SessionSource:
    """The events of one session."""

    def __init__(self, reads: SharedReads, session_id: str) -> None:
        self._reads = reads
        self._session_id = session_id

    async def fetch(self, cursor: Cursor, limit: int) -> Fetched:
        key = ("session", self._session_id, cursor.seq, limit)
        return await self._reads.run(key, lambda: self._read(cursor.seq, limit))

    def _read(self, after_seq: int, limit: int) -> Fetched:
        blocks = self._reads.history.blocks(self._session_id, after_seq, limit)
        return Fetched([Entry(block) for block in blocks], gapless=True)


class FleetSource:
    """The events of all sessions whose agents are wanted."""

    def __init__(self, reads: SharedReads, selection: Selection) -> None:
        self._reads = reads
        self._agents = selection.agents
        self._with_labels = selection.labels is not None
        self._labels: dict[str, dict[str, str]] = {}

    async def fetch(self, cursor: Cursor, limit: int) -> Fetched:
        after = cursor.block if cursor.whole else cursor.block - 1
        key = ("fleet", after, limit, self._agents, id(self) if self._with_labels else None)
        return await self._reads.run(key, lambda: self._read(after, limit))

    def _read(self, after: int, limit: int) -> Fetched:
        history = self._reads.history
        head = history.last_block_id()
        blocks = history.fleet_blocks(after, limit, self._agents)
        if not blocks:
            return Fetched([], Cursor(max(head, after), 0, True))
        return Fetched([Entry(block, self._labels_of(block.session_id)) for block in blocks])

    def _labels_of(self, session_id: str) -> dict[str, str] | None:
        if not self._with_labels:
            return None
        labels = self._labels.get(session_id)
        if labels is None:
            session = self._reads.history.session(session_id)
            labels = self._labels[session_id] = dict(session.definition.labels) if session is not None else {}
        return labels
