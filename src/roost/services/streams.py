"""Where a stream begins: at a client's cursor, or some way back from the end."""

from __future__ import annotations

import asyncio
from typing import NamedTuple, Protocol

from roost.core.forms import Selection, StreamForm
from roost.core.positions import FleetPosition, Position, parse_fleet_position, parse_position
from roost.core.ring import Cursor
from roost.errors import InvalidCursor
from roost.model.agents import ENDED, Session
from roost.model.events import Complete
from roost.services.hub import Hub
from roost.services.reader import Reader

TAIL_BLOCKS = 64
MOST_TAIL_READS = 16
"""Together: how many blocks back a new client of the fleet's stream is begun at most."""


class AgentDirectory(Protocol):
    """What streams ask of the agents."""

    def resolve_session(self, name: str) -> Session: ...


class Start(NamedTuple):
    """Where a client wants to begin: after a cursor, else `tail` events before the end, else the default."""

    after: str | None = None
    tail: int | None = None


class Begun(NamedTuple):
    """A stream that begins, and the position it begins after."""

    reader: Reader
    position: str
    session_id: str | None


async def follow_agent(
    hub: Hub, agents: AgentDirectory, name: str, start: Start, wanted: StreamForm | None = None, *, counted: bool = True
) -> Begun | None:
    """The stream of an agent's session; None when the cursor is at the end of its last session.

    Raises:
        AgentNotFound: there is no such agent.
        InvalidCursor: the cursor is none, of another agent, or beyond what has happened.
    """
    newest = agents.resolve_session(name)
    if start.after is not None:
        found = await _resume(hub, newest, parse_position(start.after))
    else:
        found = await _tail(hub, newest, hub.settings.buffer_size if start.tail is None else start.tail)
    if found is None:
        return None
    session, after = found
    reader = hub.follow_session(session, after, wanted, counted=counted)
    return Begun(reader, str(Position(session.session_id, after)), session.session_id)


async def follow_fleet(hub: Hub, start: Start, selection: Selection, *, apart: bool = False) -> Begun:
    """The stream of all agents.

    Raises:
        InvalidCursor: the cursor is none, of a store that was made anew since, or beyond what has happened.
    """
    if start.after is not None:
        cursor = await _fleet_resume(hub, parse_fleet_position(start.after))
    else:
        cursor = await _fleet_tail(hub, hub.settings.buffer_size if start.tail is None else start.tail, selection)
    return Begun(hub.follow_fleet(cursor, selection, apart=apart), fleet_position(hub.epoch, cursor), None)


def fleet_position(epoch: int, cursor: Cursor) -> str:
    """A cursor of the fleet's stream as clients know it."""
    if cursor.whole:
        return str(FleetPosition(epoch, cursor.block + 1, 0))
    return str(FleetPosition(epoch, cursor.block, cursor.seq))


async def _resume(hub: Hub, newest: Session, position: Position) -> tuple[Session, int] | None:
    session = await asyncio.to_thread(hub.reads.history.session, position.session_id)
    name = newest.agent_name
    if session is None and position.session_id == newest.session_id:
        session = newest
    if session is None or session.agent_name != name:
        raise InvalidCursor(
            f"{str(position)[:80]!r} is no position of {name}: it has no such session",
            hint="connect without a cursor",
            cursor=str(position),
        )
    if position.seq > session.last_seq:
        raise InvalidCursor(
            f"{str(position)!r} is beyond the end of the session, which is at {session.last_seq}",
            cursor=str(position),
            last_seq=session.last_seq,
        )
    if await _is_over(hub, session, position.seq):
        following = await asyncio.to_thread(_session_after, hub, session)
        if following is None and newest.session_id != session.session_id and newest.started_ns >= session.started_ns:
            following = newest
        return (following, 0) if following is not None else None
    return session, position.seq


async def _tail(hub: Hub, newest: Session, events: int) -> tuple[Session, int] | None:
    stored = await asyncio.to_thread(hub.reads.history.session, newest.session_id)
    session = stored or newest
    after = max(0, session.last_seq - events)
    if await _is_over(hub, session, after):
        return None
    return session, after


async def _is_over(hub: Hub, session: Session, seq: int) -> bool:
    """Whether a client at `seq` has had the session's `complete`."""
    if session.state not in ENDED or seq < session.last_seq or seq == 0:
        return False
    last = await asyncio.to_thread(hub.reads.history.blocks, session.session_id, seq - 1, 1)
    return bool(last) and type(last[-1].events[-1]) is Complete


def _session_after(hub: Hub, session: Session) -> Session | None:
    """The agent's session that began next after `session`."""
    following: Session | None = None
    before: str | None = None
    while True:
        page = hub.reads.history.sessions(agent=session.agent_name, limit=100, before=before)
        for each in page:
            if each.session_id == session.session_id:
                return following
            following = each
        if not page:
            return None
        before = page[-1].session_id


async def _fleet_resume(hub: Hub, position: FleetPosition) -> Cursor:
    if position.epoch != hub.epoch:
        raise InvalidCursor(
            f"{str(position)!r} is of a store that was made anew since",
            hint="connect without a cursor",
            cursor=str(position),
        )
    last = await asyncio.to_thread(hub.reads.history.last_block_id)
    if position > (position.epoch, last + 1, 0):
        raise InvalidCursor(f"{str(position)!r} is beyond the end", cursor=str(position))
    return Cursor(position.block, position.seq)


async def _fleet_tail(hub: Hub, events: int, selection: Selection) -> Cursor:
    last = await asyncio.to_thread(hub.reads.history.last_block_id)
    if events == 0:
        return Cursor(last, 0, True)
    recent = hub.fleet_tail(events, selection)
    if recent is not None:
        return recent
    return await asyncio.to_thread(_stored_tail, hub, (last, events), selection)


def _stored_tail(hub: Hub, end: tuple[int, int], selection: Selection) -> Cursor:
    """Where the newest events begin in the store, looking a bounded number of blocks back."""
    last, wanted = end
    for back in range(1, MOST_TAIL_READS + 1):
        after = last - back * TAIL_BLOCKS
        blocks = hub.reads.history.fleet_blocks(max(0, after), TAIL_BLOCKS, selection.agents)
        for block in reversed([each for each in blocks if each.id <= after + TAIL_BLOCKS]):
            wanted -= len(block.events)
            if wanted <= 0:
                return Cursor(block.id, block.first_seq - 1 - wanted)
        if after <= 0:
            return Cursor(0, 0, True)
    return Cursor(max(0, last - MOST_TAIL_READS * TAIL_BLOCKS), 0, True)
