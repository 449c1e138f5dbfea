"""The hub: takes what was stored, keeps the newest of it in memory, and wakes who waits for it.

Lives on the event loop. Publishing costs the same whoever looks: events are encoded only when somebody wants them.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterable

from roost.config import StreamSettings
from roost.core.flow import PIECE_BYTES, RateMeter, is_stalled, tick_s
from roost.core.forms import Selection, StreamForm, form
from roost.core.ring import Channel, Cursor, Entry, Ring
from roost.model.agents import Session
from roost.model.blocks import Block
from roost.model.events import StateChange
from roost.model.views import StreamStats
from roost.services.history import FleetSource, History, SessionSource, SharedReads
from roost.services.reader import Follow, Reader

RELEASE_AFTER_S = 1.0
"""How long a client may be blocked before what was read ahead for it is given up."""


class Hub:
    """One for the server. Make it on the event loop, before the projection begins to publish."""

    def __init__(self, history: History, settings: StreamSettings, *, epoch: int = 0) -> None:
        self.settings = settings
        self.epoch = epoch
        self.reads = SharedReads(history)
        self.closed = False
        self._loop = asyncio.get_running_loop()
        self._ring = Ring(settings.ring_bytes)
        self._readers: set[Reader] = set()
        self._watches: dict[str, set[StateWatch]] = {}
        self._dirty: set[Channel] = set()
        self._deliveries = RateMeter()
        self._flush_timer: asyncio.TimerHandle | None = None
        self._scan_timer: asyncio.TimerHandle | None = None
        self._next_flush = 0.0

    # In

    def publish(self, blocks: list[Block], sessions: Iterable[Session]) -> None:
        """Take in blocks that were just stored, in their order, and their sessions as they now are."""
        labels = {session.session_id: session.definition.labels for session in sessions}
        for block in blocks:
            channel = self._ring.append(Entry(block, labels.get(block.session_id)))
            self._dirty.add(channel)
            if block.agent_name in self._watches:
                self._tell_watches(block)
        if blocks:
            self._dirty.add(self._ring.fleet)
            self._flush_soon()

    def close(self) -> None:
        """End every stream."""
        self.closed = True
        for reader in list(self._readers):
            reader.close()
        for watches in list(self._watches.values()):
            for watch in list(watches):
                watch.close()
        for timer in (self._flush_timer, self._scan_timer):
            if timer is not None:
                timer.cancel()
        self._flush_timer = self._scan_timer = None

    # Out

    def follow_session(
        self, session: Session, after_seq: int, wanted: StreamForm | None = None, *, counted: bool = True
    ) -> Reader:
        """A reader of everything after `after_seq` in a session, to its end."""
        source = SessionSource(self.reads, session.session_id)
        channel = self._ring.session(session.session_id)
        cursor = Cursor(0, after_seq)
        follow = Follow(channel, source, wanted or form(), cursor, session.agent_name, counted)
        return self._enter(follow, session.session_id)

    def follow_fleet(self, cursor: Cursor, selection: Selection, *, apart: bool = False) -> Reader:
        """A reader of everything after `cursor` that any agent does, without end."""
        wanted = form(selection, epoch=self.epoch, apart=apart)
        return self._enter(Follow(self._ring.fleet, FleetSource(self.reads, selection), wanted, cursor, None), None)

    def watch_states(self, agent: str) -> StateWatch:
        """Every change of state of an agent from now on, over all its sessions."""
        watch = StateWatch(agent, self._watches)
        if self.closed:
            watch.close()
        return watch

    def fleet_tail(self, events: int, selection: Selection) -> Cursor | None:
        """Where the newest `events` events of wanted agents begin; None when memory does not reach so far back."""
        for entry in reversed(self._ring.fleet.entries):
            if selection.wants_block(entry):
                events -= len(entry.block.events)
            if events <= 0:
                return Cursor(entry.block.id, entry.block.first_seq - 1 - events)
        return None

    def stats(self) -> StreamStats:
        """Who streams; clients of the fleet's stream count among all clients only."""
        counted = [reader.follow.agent for reader in self._readers if reader.follow.counted]
        agents = Counter(agent for agent in counted if agent is not None)
        return StreamStats(len(agents), len(counted), dict(sorted(agents.items())))

    @property
    def ring_bytes(self) -> int:
        """About how much memory recent events take."""
        return self._ring.weight

    def now(self) -> float:
        return self._loop.time()

    # Inside

    def _enter(self, follow: Follow, session_id: str | None) -> Reader:
        def leave(reader: Reader) -> None:
            self._readers.discard(reader)
            self._ring.leave(follow.channel, session_id)

        follow.channel.readers += 1
        reader = Reader(follow, self.now(), leave)
        self._readers.add(reader)
        if self.closed:
            reader.close()
        if self._scan_timer is None and not self.closed:
            self._scan_timer = self._loop.call_later(self._scan_every_s, self._scan)
        return reader

    def _tell_watches(self, block: Block) -> None:
        for event in block.events:
            if type(event) is StateChange:
                for watch in self._watches[block.agent_name]:
                    watch.add(block.session_id, event)

    def _flush_soon(self) -> None:
        if self._flush_timer is not None or self.closed:
            return
        delay = self._next_flush - self.now()
        if delay <= 0 or not self._readers:
            self._flush()
        else:
            self._flush_timer = self._loop.call_later(delay, self._flush)

    def _flush(self) -> None:
        self._flush_timer = None
        readers = deliveries = 0
        for channel in self._dirty:
            # All readers, not only those that wait: who is still at what came before will take this too.
            readers += channel.readers
            deliveries += channel.readers * channel.fresh_events
            channel.show()
        self._dirty.clear()
        now = self.now()
        self._deliveries.add(deliveries, now)
        self._next_flush = now + tick_s(self._deliveries.per_s, readers)

    @property
    def _scan_every_s(self) -> float:
        return min(1.0, self.settings.ping_s / 4)

    def _scan(self) -> None:
        """Tell idle readers so, and disconnect those who take nothing."""
        now = self.now()
        for reader in list(self._readers):
            since = now - reader.sent_at
            if reader.blocked:
                self._look_at_blocked(reader, since)
            elif reader.waits and since >= self.settings.ping_s:
                reader.wake_idle()
        self._scan_timer = self._loop.call_later(self._scan_every_s, self._scan) if self._readers else None

    def _look_at_blocked(self, reader: Reader, since: float) -> None:
        if since >= RELEASE_AFTER_S:
            reader.release()
        limits = self.settings
        most_bytes = limits.backlog_frames * PIECE_BYTES
        if is_stalled(since, reader.bytes_waiting, longest_s=limits.backlog_s, most_bytes=most_bytes):
            reader.close()
            if reader.on_stall is not None:
                reader.on_stall()


MOST_STATES = 1000
"""Changes of state that may wait for one watcher; the oldest are given up."""


class StateWatch:
    """The changes of state of one agent; iterate it inside `with`."""

    def __init__(self, agent: str, watches: dict[str, set[StateWatch]]) -> None:
        self._agent = agent
        self._watches = watches
        self._changes: deque[tuple[str, StateChange]] = deque(maxlen=MOST_STATES)
        self._more = asyncio.Event()
        self._closed = False
        watches.setdefault(agent, set()).add(self)

    def __enter__(self) -> StateWatch:
        return self

    def __exit__(self, *exc: object) -> None:
        watches = self._watches.get(self._agent, set())
        watches.discard(self)
        if not watches:
            self._watches.pop(self._agent, None)

    def __aiter__(self) -> StateWatch:
        return self

    async def __anext__(self) -> tuple[str, StateChange]:
        """The session's id and the change."""
        while not self._changes:
            if self._closed:
                raise StopAsyncIteration
            self._more.clear()
            await self._more.wait()
        return self._changes.popleft()

    def add(self, session_id: str, change: StateChange) -> None:
        self._changes.append((session_id, change))
        self._more.set()

    def close(self) -> None:
        self._closed = True
        self._more.set()
