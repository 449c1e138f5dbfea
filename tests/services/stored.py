"""A store in memory, for streams: the newest truth that a hub is told of later, or at once."""

from __future__ import annotations

import threading

from roost.model.agents import Definition, Session
from roost.model.blocks import Block
from roost.model.events import AnyEvent, Complete, Log, StateChange

START_NS = 1_800_000_000_000_000_000


class MemoryHistory:
    """What `roost.store.StoreReader` offers to streams, over plain lists; may be read from threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.all_blocks: list[Block] = []
        self.by_session: dict[str, Session] = {}
        self.reads = 0

    def blocks(self, session_id, after_seq, limit=64):
        with self._lock:
            self.reads += 1
            found = [b for b in self.all_blocks if b.session_id == session_id and b.last_seq > after_seq]
            return found[:limit]

    def fleet_blocks(self, after_block, limit=64, agents=None):
        with self._lock:
            self.reads += 1
            found = [b for b in self.all_blocks if b.id > after_block and (agents is None or b.agent_name in agents)]
            return found[:limit]

    def last_block_id(self):
        with self._lock:
            return self.all_blocks[-1].id if self.all_blocks else 0

    def session(self, session_id):
        with self._lock:
            return self.by_session.get(session_id)

    def sessions(self, *, agent=None, states=None, limit=100, before=None):
        with self._lock:
            found = sorted(self.by_session.values(), key=lambda s: (s.started_ns, s.session_id), reverse=True)
            found = [s for s in found if agent in (None, s.agent_name)]
            if before is not None:
                older = self.by_session[before]
                found = [s for s in found if (s.started_ns, s.session_id) < (older.started_ns, older.session_id)]
            return found[:limit]


class Recorder:
    """Stores events as the projection would; `publish` hands them to a hub when the test says so."""

    def __init__(self, history: MemoryHistory | None = None) -> None:
        self.history = history or MemoryHistory()
        self.unpublished: list[Block] = []
        self.blocks_ever = 0

    def begin(self, session_id="s1", agent="codex-1", labels=None) -> Session:
        started = START_NS + len(self.history.by_session) * 1_000_000_000
        session = Session(
            session_id=session_id,
            agent_name=agent,
            state="running",
            started_ns=started,
            definition=Definition(command=["x"], labels=labels or {}),
        )
        self.history.by_session[session_id] = session
        return session

    def store(self, session_id: str, make) -> Block:
        """Store one block of the events that `make(first_seq)` gives."""
        session = self.history.by_session[session_id]
        events: list[AnyEvent] = make(session.last_seq + 1)
        self.blocks_ever += 1
        block = Block(
            self.blocks_ever,
            session_id,
            session.agent_name,
            events[0].seq,
            events[-1].seq,
            events,
        )
        with self.history._lock:
            self.history.all_blocks.append(block)
            session.last_seq = block.last_seq
        self.unpublished.append(block)
        return block

    def lines(self, session_id: str, count: int, text="line") -> Block:
        return self.store(
            session_id,
            lambda seq: [Log(n, START_NS + n * 1_000_000, f"{text} {n}", n) for n in range(seq, seq + count)],
        )

    def state(self, session_id: str, state: str, previous: str | None = None) -> Block:
        self.history.by_session[session_id].state = state
        return self.store(session_id, lambda seq: [StateChange(seq, START_NS + seq, state, previous)])

    def end(self, session_id: str) -> Block:
        self.history.by_session[session_id].state = "exited"
        return self.store(
            session_id,
            lambda seq: [
                StateChange(seq, START_NS, "exited", "running"),
                Complete(seq + 1, START_NS, 0, None, 1000),
            ],
        )

    def publish(self, hub, count: int | None = None) -> None:
        """Tell the hub of blocks that it does not know yet, oldest first."""
        count = len(self.unpublished) if count is None else count
        told, self.unpublished = self.unpublished[:count], self.unpublished[count:]
        for block in told:
            hub.publish([block], [self.history.by_session[block.session_id]])
