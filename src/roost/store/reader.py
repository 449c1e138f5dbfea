"""What others read of the store. Every method may be called from any thread."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, NamedTuple

from sqlalchemy import Engine, Select, and_, func, or_, select

from roost.model.agents import Session
from roost.model.blocks import Block
from roost.store.rows import to_block, to_session
from roost.store.schema import agents, blocks, events, meta, sessions


class IndexedEvent(NamedTuple):
    """An event that is not a log line; `data` is its `data` object, a screen's without the text."""

    session_id: str
    agent_name: str
    seq: int
    type: str
    time_ns: int
    data: dict[str, Any]


class Checkpoint(NamedTuple):
    """Where the projector stands in a session, with its own notes."""

    session: Session
    checkpoint: bytes
    screen: bytes
    logs: bytes
    settled: bool


class StoreReader:
    """Reads over connections that cannot write.

    A session that does not exist has no blocks; asking for them is no error.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def blocks(self, session_id: str, after_seq: int, limit: int = 64) -> list[Block]:
        """Blocks that hold anything after `after_seq`, oldest first; the first may begin before."""
        query = _blocks().where(sessions.c.session_id == session_id, blocks.c.last_seq > after_seq)
        return self._blocks(query.order_by(blocks.c.last_seq).limit(limit))

    def last_blocks(self, session_id: str, events: int) -> list[Block]:
        """The newest blocks that together hold at least `events` events, oldest first."""
        newest = (
            select(sessions.c.last_seq).where(sessions.c.session_id == session_id, sessions.c.current).scalar_subquery()
        )
        query = _blocks().where(sessions.c.session_id == session_id, blocks.c.last_seq > newest - events)
        return self._blocks(query.order_by(blocks.c.last_seq))

    def fleet_blocks(self, after_block: int, limit: int = 64, agents: Collection[str] | None = None) -> list[Block]:
        """Blocks of all sessions after the block `after_block`, in the order in which they were stored."""
        query = _blocks().where(blocks.c.block_id > after_block)
        if agents is not None:
            query = query.where(sessions.c.agent_name.in_(agents))
        return self._blocks(query.order_by(blocks.c.block_id).limit(limit))

    def last_block_id(self) -> int:
        """The highest block number given so far; 0 before the first."""
        return self.number("last_block")

    def number(self, name: str) -> int:
        """A number from the table `meta`; 0 when it is not there."""
        with self._engine.connect() as connection:
            return int(connection.scalar(select(meta.c.value).where(meta.c.name == name)) or 0)

    def sessions(
        self,
        *,
        agent: str | None = None,
        states: Collection[str] | None = None,
        limit: int = 100,
        before: str | None = None,
    ) -> list[Session]:
        """Sessions, newest first; `before` is the last session of the page before."""
        query = select(sessions).where(sessions.c.current)
        if agent is not None:
            query = query.where(sessions.c.agent_name == agent)
        if states is not None:
            query = query.where(sessions.c.state.in_(states))
        if before is not None:
            query = query.where(_older_than(before))
        return self._sessions(query.order_by(sessions.c.started_ns.desc(), sessions.c.session_id.desc()).limit(limit))

    def session(self, session_id: str) -> Session | None:
        """One session."""
        found = self._sessions(select(sessions).where(sessions.c.session_id == session_id, sessions.c.current))
        return found[0] if found else None

    def latest_sessions(self) -> list[Session]:
        """The newest session of every agent that is not removed, by name.

        An agent comes back when a session begins that is newer than those it had when it was removed.
        """
        place = func.row_number().over(
            partition_by=sessions.c.agent_name,
            order_by=(sessions.c.started_ns.desc(), sessions.c.session_id.desc()),
        )
        ranked = select(sessions.c.session_key, place.label("place")).where(sessions.c.current).subquery()
        query = (
            select(sessions)
            .join(ranked, ranked.c.session_key == sessions.c.session_key)
            .outerjoin(agents, agents.c.name == sessions.c.agent_name)
            .where(ranked.c.place == 1)
            .where(or_(agents.c.removed_through.is_(None), agents.c.removed_through != sessions.c.session_id))
            .order_by(sessions.c.agent_name)
        )
        return self._sessions(query)

    def agent_environments(self) -> dict[str, dict[str, str]]:
        """The variables' values that a restart needs. Never to be shown or exported."""
        with self._engine.connect() as connection:
            return {
                name: json.loads(text) for name, text in connection.execute(select(agents.c.name, agents.c.environment))
            }

    def events(
        self, session_id: str, *, types: Collection[str] | None = None, after_seq: int = 0, limit: int = 100
    ) -> list[IndexedEvent]:
        """Events of a session that are not log lines, oldest first."""
        columns = (sessions.c.session_id, sessions.c.agent_name, events.c.seq, events.c.type, events.c.time_ns)
        query = (
            select(*columns, events.c.data)
            .join(sessions, sessions.c.session_key == events.c.session_key)
            .where(sessions.c.session_id == session_id, sessions.c.current, events.c.seq > after_seq)
        )
        if types is not None:
            query = query.where(events.c.type.in_(types))
        with self._engine.connect() as connection:
            found = connection.execute(query.order_by(events.c.seq).limit(limit)).all()
        return [IndexedEvent(*row[:5], json.loads(row[5])) for row in found]

    def checkpoint(self, session_id: str) -> Checkpoint | None:
        """For the projector: where it stands in a session."""
        found = self._checkpoints(select(sessions).where(sessions.c.session_id == session_id, sessions.c.current))
        return found[0] if found else None

    def unsettled(self) -> list[Checkpoint]:
        """For the projector: the sessions that it is not done with, oldest first."""
        query = select(sessions).where(sessions.c.current, sessions.c.settled.is_(False))
        return self._checkpoints(query.order_by(sessions.c.session_key))

    def offsets(self) -> dict[str, int]:
        """How far each session's recording is projected, in bytes."""
        query = select(sessions.c.session_id, sessions.c.read_offset).where(sessions.c.current)
        with self._engine.connect() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def _checkpoints(self, query: Select[Any]) -> list[Checkpoint]:
        with self._engine.connect() as connection:
            found = connection.execute(query).all()
        return [Checkpoint(to_session(row), row.checkpoint, row.screen, row.logs, row.settled) for row in found]

    def _sessions(self, query: Select[Any]) -> list[Session]:
        with self._engine.connect() as connection:
            return [to_session(row) for row in connection.execute(query)]

    def _blocks(self, query: Select[Any]) -> list[Block]:
        with self._engine.connect() as connection:
            found = connection.execute(query).all()
        return [to_block(row) for row in found]


def _blocks() -> Select[Any]:
    columns = (blocks.c.block_id, sessions.c.session_id, sessions.c.agent_name)
    return (
        select(*columns, blocks.c.first_seq, blocks.c.last_seq, blocks.c.payload)
        .join(sessions, sessions.c.session_key == blocks.c.session_key)
        .where(sessions.c.current)
    )


def _older_than(session_id: str) -> Any:
    started = (
        select(sessions.c.started_ns).where(sessions.c.session_id == session_id, sessions.c.current).scalar_subquery()
    )
    return or_(
        sessions.c.started_ns < started,
        and_(sessions.c.started_ns == started, sessions.c.session_id < session_id),
    )
