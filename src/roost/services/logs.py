"""Reading an agent's clean lines out of the store.

A page costs a bounded amount of work however rare the wanted lines are: after `MOST_SCANNED` events it ends early, and
its cursor goes on from there. Times rise along a session, so a time is found by halving. A page ends between two
events: one that is told in more lines than a page may have is a page of its own.
"""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from roost.core.loglines import LineFilter, is_transcript, lines_of, parse_time
from roost.core.positions import Position, parse_position
from roost.errors import InvalidCursor, InvalidRequest, SessionNotFound
from roost.model.agents import Session
from roost.model.requests import LogsQuery
from roost.model.views import LogLine, LogPage
from roost.services.history import History

BLOCKS = 64
MOST_SCANNED = 300_000
FIRST_WINDOW = 1000
WIDEST_WINDOW = 50_000
WORTH_HALVING = 5000


class Place(NamedTuple):
    """Where reading begins, and in which session."""

    session: Session
    after_seq: int


class Logs:
    """The clean lines of all sessions. Its methods read the store and are to be called on the event loop."""

    def __init__(self, history: History) -> None:
        self._history = history

    async def page(self, current: Session, query: LogsQuery) -> LogPage:
        """The lines that the query asks for, oldest first; `current` is the agent's newest session.

        Raises:
            SessionNotFound: the agent has no such session.
            InvalidCursor: the cursor is none, or of another agent.
            InvalidRequest: a time is none, or `tail` and `cursor` are both given.
        """
        return await asyncio.to_thread(self._page, current, query)

    async def place(self, current: Session, query: LogsQuery) -> Place:
        """Where a stream of lines begins that shows what `page` would, and goes on.

        Raises: as `page`.
        """
        return await asyncio.to_thread(self._place, current, query)

    def _page(self, current: Session, query: LogsQuery) -> LogPage:
        session, after = self._begin(current, query)
        wanted = line_filter(query, session)
        if query.tail is not None:
            return _as_page(session, self._tail(session, query.tail, wanted), None)
        if after == 0 and wanted.since_ns is not None:
            after = self._before_time(session, wanted.since_ns)
        lines, last = self._forward(session, after, query.limit, wanted)
        return _as_page(session, lines, last)

    def _place(self, current: Session, query: LogsQuery) -> Place:
        session, after = self._begin(current, query)
        wanted = line_filter(query, session)
        if query.tail is not None:
            lines = self._tail(session, query.tail, wanted)
            after = lines[0].seq - 1 if lines else session.last_seq
        elif after == 0 and wanted.since_ns is not None:
            after = self._before_time(session, wanted.since_ns)
        return Place(session, after)

    def _begin(self, current: Session, query: LogsQuery) -> Place:
        if query.cursor is None:
            return Place(self._session(current, query.session or current.session_id), 0)
        if query.tail is not None:
            raise InvalidRequest("tail and cursor cannot both be given", field="tail")
        position = parse_position(query.cursor)
        try:
            session = self._session(current, position.session_id)
        except SessionNotFound as exc:
            raise InvalidCursor("the cursor is of another agent", cursor=query.cursor[:80]) from exc
        if query.session not in (None, session.session_id) or position.seq > session.last_seq:
            raise InvalidCursor("the cursor is of another session", cursor=query.cursor[:80])
        return Place(session, position.seq)

    def _session(self, current: Session, session_id: str) -> Session:
        found = self._history.session(session_id)
        if found is None and session_id == current.session_id:
            return current
        if found is None or found.agent_name != current.agent_name:
            raise SessionNotFound(
                f"agent {current.agent_name} has no session {session_id[:80]!r}", session_id=session_id[:80]
            )
        return found

    def _forward(
        self, session: Session, after: int, limit: int, wanted: LineFilter
    ) -> tuple[list[LogLine], Position | None]:
        lines: list[LogLine] = []
        session_id, begun_at = session.session_id, after
        while blocks := self._history.blocks(session_id, after, BLOCKS):
            for block in blocks:
                lines += lines_of(block, after, wanted)
                after = block.last_seq
                if len(lines) > limit:
                    end = _border(lines, limit)
                    return lines[:end], Position(session_id, lines[end - 1].seq)
            if after - begun_at > MOST_SCANNED and after < session.last_seq:
                return lines, Position(session_id, after)
        return lines, None

    def _tail(self, session: Session, count: int, wanted: LineFilter) -> list[LogLine]:
        lines: list[LogLine] = []
        high, window = session.last_seq, max(FIRST_WINDOW, 2 * count)
        while high > 0 and len(lines) < count and session.last_seq - high < MOST_SCANNED:
            low = max(0, high - window)
            lines = self._between(session.session_id, low, high, wanted) + lines
            high, window = low, min(2 * window, WIDEST_WINDOW)
        return lines[-count:] if count else []

    def _between(self, session_id: str, low: int, high: int, wanted: LineFilter) -> list[LogLine]:
        lines: list[LogLine] = []
        while low < high and (blocks := self._history.blocks(session_id, low, BLOCKS)):
            for block in blocks:
                lines += (line for line in lines_of(block, low, wanted) if line.seq <= high)
                low = block.last_seq
        return lines

    def _before_time(self, session: Session, time_ns: int) -> int:
        """A `seq` at or before the last event that is older than `time_ns`."""
        low, high = 0, session.last_seq
        while high - low > WORTH_HALVING:
            middle = (low + high) // 2
            block = self._history.blocks(session.session_id, middle, 1)[0]
            if block.events[-1].time_ns < time_ns:
                low = max(middle, block.last_seq)
            else:
                high = middle
        return low


def line_filter(query: LogsQuery, session: Session) -> LineFilter:
    """The query's filters for the lines of a session.

    Raises:
        InvalidRequest: a time is none.
    """
    since_ns, until_ns = parse_time(query.since, "since"), parse_time(query.until, "until")
    return LineFilter(since_ns, until_ns, query.stream, query.grep, is_transcript(session))


def _border(lines: list[LogLine], limit: int) -> int:
    """How many of more than `limit` lines make a page: those of whole events, but at least of one."""
    end = limit
    while end and lines[end - 1].seq == lines[limit].seq:
        end -= 1
    if end:
        return end
    return next((at for at, line in enumerate(lines) if line.seq != lines[0].seq), len(lines))


def _as_page(session: Session, lines: list[LogLine], after: Position | None) -> LogPage:
    return LogPage(
        agent_name=session.agent_name,
        session_id=session.session_id,
        lines=lines,
        next_cursor=str(after) if after else None,
    )
