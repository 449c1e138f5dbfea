"""The one connection that writes.

A round is all that the projector has to say at once, and is written in one transaction: blocks, sessions with their
checkpoints, and index rows, or nothing of it. What fails may be tried again as it is.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct
from sqlalchemy import Connection, Engine, func, insert, select, update
from sqlalchemy.exc import OperationalError

from roost import __version__
from roost.core.wire import event_data
from roost.model.agents import Session
from roost.model.blocks import Block
from roost.model.events import AnyEvent, Log, ScreenShown, Usage, event_type
from roost.store import rows, statements
from roost.store.schema import agents, meta, sessions

_json = msgspec.json.Encoder()


class NewBlock(Struct, frozen=True, gc=False):
    """A block that has no number yet; `payload` is `events`, encoded."""

    events: list[AnyEvent]
    payload: bytes


class SessionWrite(Struct):
    """What is new of one session.

    `notes` are the projector's own, given back as they are: the checkpoint and how far the text logs are. Without
    them, those in the store stay. A session's first write must have them. `screen` belongs to the checkpoint too, but
    changes seldom.
    """

    session: Session
    blocks: list[NewBlock]
    notes: tuple[bytes, bytes] | None
    screen: bytes = b""
    settled: bool = False


class AgentChange(Struct, frozen=True):
    """An agent was started with this environment; without one, it is removed."""

    name: str
    environment: dict[str, str] | None


class Round(Struct):
    """What one transaction writes; of a session at most one write."""

    sessions: list[SessionWrite]
    agents: list[AgentChange] = []


class _Known(Struct):
    """What the writer remembers of a session: its key, and the columns that change rarely, as last written."""

    key: int
    rare: tuple[Any, ...] | None = None


class StoreWriter:
    """Writes rounds, one thread at a time. With `current` false it writes beside what readers see."""

    def __init__(self, engine: Engine, *, current: bool = True) -> None:
        self._engine = engine
        self._current = current
        self._known: dict[str, _Known] = {}
        self._insert_blocks = statements.insert_blocks(engine)
        self._insert_events = statements.insert_events(engine)
        self._insert_usage = statements.insert_usage(engine)
        self._insert_session = statements.insert_session(engine)
        self._update_session = statements.update_session(engine)
        self._update_progress = statements.update_progress(engine)
        self._update_notes = statements.update_notes(engine)
        self._update_meta = statements.update_meta(engine)
        with engine.begin() as connection:
            self._last_block = _last_block(connection)
            self._last_key = connection.scalar(select(func.max(sessions.c.session_key))) or 0

    def commit(self, round_: Round) -> list[Block]:
        """Write a round; its blocks, now numbered.

        Raises:
            sqlalchemy.exc.DBAPIError: nothing of the round was written.
        """
        batch = _Batch(self._last_block, self._last_key)
        try:
            self._write(batch, round_)
        except OperationalError:
            if not self._is_committed(batch):
                raise
        self._keep(batch, round_)
        return batch.blocks

    def _write(self, batch: _Batch, round_: Round) -> None:
        with self._engine.begin() as connection:
            for item in round_.sessions:
                self._write_session(connection, batch, item)
            self._insert_session.run(connection, batch.inserted)
            self._update_session.run(connection, batch.changed)
            self._update_progress.run(connection, batch.progress)
            self._update_notes.run(connection, batch.notes)
            self._insert_blocks.run(connection, batch.block_rows)
            self._insert_events.run(connection, batch.event_rows)
            self._insert_usage.run(connection, batch.usage_rows)
            if batch.block_rows:
                self._update_meta.run(connection, [(str(batch.last_block), "last_block")])
            for change in round_.agents:
                _change_agent(connection, change)
                if change.environment is None:
                    _hide_sessions(connection, change.name)

    def _is_committed(self, batch: _Batch) -> bool:
        """Whether a round is there although writing it failed: an error after the last step of a commit says so too."""
        if not batch.block_rows:
            return False
        try:
            with self._engine.begin() as connection:
                return _last_block(connection) == batch.last_block
        except OperationalError:
            return False

    def _write_session(self, connection: Connection, batch: _Batch, item: SessionWrite) -> None:
        session_id = item.session.session_id
        known = self._known.get(session_id) or self._find(connection, session_id)
        rare = _rare(item)
        if known is None:
            batch.last_key += 1
            known = _Known(batch.last_key)
            batch.add_new(known.key, item, current=self._current)
        else:
            batch.add_changes(known.key, item, only_progress=known.rare == rare)
        batch.known[session_id] = _Known(known.key, rare)
        for block in item.blocks:
            batch.add_block(known.key, item.session, block)

    def _find(self, connection: Connection, session_id: str) -> _Known | None:
        key = connection.scalar(
            select(sessions.c.session_key).where(
                sessions.c.session_id == session_id, sessions.c.current == self._current
            )
        )
        return None if key is None else _Known(key)

    def _keep(self, batch: _Batch, round_: Round) -> None:
        self._last_block, self._last_key = batch.last_block, batch.last_key
        self._known.update(batch.known)
        for item in round_.sessions:
            if item.settled:
                self._known.pop(item.session.session_id, None)
        for change in round_.agents:
            if change.environment is None:
                self._known.clear()


class _Batch:
    """Rows gathered over a round, and the numbers given out, which hold once the round is committed."""

    def __init__(self, last_block: int, last_key: int) -> None:
        self.last_block = last_block
        self.last_key = last_key
        self.known: dict[str, _Known] = {}
        self.blocks: list[Block] = []
        self.inserted: list[tuple[Any, ...]] = []
        self.changed: list[tuple[Any, ...]] = []
        self.progress: list[tuple[Any, ...]] = []
        self.notes: list[tuple[Any, ...]] = []
        self.block_rows: list[tuple[Any, ...]] = []
        self.event_rows: list[tuple[Any, ...]] = []
        self.usage_rows: list[tuple[Any, ...]] = []

    def add_new(self, key: int, item: SessionWrite, *, current: bool) -> None:
        checkpoint, logs = item.notes or (b"", b"")
        row = rows.session_row(item.session)
        row |= {"screen": item.screen, "settled": item.settled, "checkpoint": checkpoint, "logs": logs}
        row |= {"session_key": key, "current": current}
        self.inserted.append(tuple([row[name] for name in statements.NEW_SESSION]))

    def add_changes(self, key: int, item: SessionWrite, *, only_progress: bool) -> None:
        of = item.session
        if only_progress:
            counts = (of.lines, of.bytes, of.last_output_ns, of.last_seq, of.offset, of.damage)
            self.progress.append((*counts, key))
        else:
            row = rows.session_row(of) | {"screen": item.screen, "settled": item.settled, "key": key}
            self.changed.append(tuple([row[name] for name in statements.SESSION]))
        if item.notes is not None:
            self.notes.append((*item.notes, key))

    def add_block(self, key: int, session: Session, block: NewBlock) -> None:
        self.last_block += 1
        first, last = block.events[0], block.events[-1]
        self.block_rows.append((self.last_block, key, first.seq, last.seq, first.time_ns, last.time_ns, block.payload))
        for event in block.events:
            if type(event) is not Log:
                self.event_rows.append((key, event.seq, event_type(event), event.time_ns, _index_data(event)))
                if type(event) is Usage:
                    self.usage_rows.append((key, *[getattr(event, name) for name in statements.USAGE[1:]]))
        names = (session.session_id, session.agent_name)
        self.blocks.append(Block(self.last_block, *names, first.seq, last.seq, block.events))


def note_version(connection: Connection) -> None:
    """Note which roost wrote here last. Writes nothing when that is known, for the disk may be full."""
    if connection.scalar(select(meta.c.value).where(meta.c.name == "roost")) != __version__:
        _set_meta(connection, "roost", __version__)


def _rare(item: SessionWrite) -> tuple[Any, ...]:
    of = item.session
    ended = (of.ended_ns, of.exit_code, of.signal, item.settled, item.screen)
    return (
        of.state,
        of.reason,
        of.pid,
        of.cols,
        of.rows,
        of.started_ns,
        of.agent_name,
        of.definition,
        of.conversation,
        of.attention,
        *ended,
    )


def _index_data(event: AnyEvent) -> str:
    data = event_data(event)
    if type(event) is ScreenShown:
        del data["text"]
    return _json.encode(data).decode()


def _last_block(connection: Connection) -> int:
    return int(connection.scalar(select(meta.c.value).where(meta.c.name == "last_block")) or 0)


def _set_meta(connection: Connection, name: str, value: str) -> None:
    changed = connection.execute(update(meta).where(meta.c.name == name).values(value=value))
    if not changed.rowcount:
        connection.execute(insert(meta).values(name=name, value=value))


def _change_agent(connection: Connection, change: AgentChange) -> None:
    name = change.name
    if change.environment is None:
        values = {"environment": "{}", "removed_through": _newest_session(connection, name)}
    else:
        values = {"environment": _json.encode(change.environment).decode()}
    changed = connection.execute(update(agents).where(agents.c.name == name).values(**values))
    if not changed.rowcount:
        connection.execute(insert(agents).values(name=name, **values))


def _newest_session(connection: Connection, agent: str) -> str | None:
    query = select(sessions.c.session_id).where(sessions.c.agent_name == agent, sessions.c.current)
    newest = query.order_by(sessions.c.started_ns.desc(), sessions.c.session_id.desc()).limit(1)
    return connection.scalar(newest)


def _hide_sessions(connection: Connection, agent: str) -> None:
    hidden = (sessions.c.agent_name == agent) & sessions.c.current
    connection.execute(update(sessions).where(hidden).values(current=False))
