"""OpenTelemetry's records that agents send: joined to the sessions they are about, and noted in their recordings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import msgspec
import structlog

from roost.core.otlp import Record, records
from roost.errors import RoostError
from roost.services.views import AgentRecord

MARK_RECORDS = 50
"""Records of a mark; none of them is longer than its attributes may be."""
MARK_BYTES = 262_144

log = structlog.get_logger("telemetry")

Json = dict[str, Any]
Note = Callable[[str, Json], Awaitable[None]]
"""Makes a mark on a session's recording."""


class Telemetry:
    """One for the server; lives on the event loop."""

    def __init__(self, agents: Callable[[], Iterable[AgentRecord]], note: Note) -> None:
        self._agents = agents
        self._note = note

    async def take(self, document: Json) -> int:
        """Note the records of an OTLP document; how many are of no session that we know.

        A record is of the session that its attribute `roost.session` names, or of the one whose agent calls its
        conversation what `session.id` says.
        """
        found: dict[str, list[Json]] = {}
        unknown = 0
        sessions = self._sessions()
        for record in records(document):
            session_id = _session_of(record, sessions)
            if session_id is None:
                unknown += 1
            else:
                found.setdefault(session_id, []).append(msgspec.to_builtins(record))
        for session_id, items in found.items():
            unknown += await self._write(session_id, items)
        return unknown

    def _sessions(self) -> dict[str, str]:
        """Sessions by their own ids and by their conversations'."""
        known: dict[str, str] = {}
        for agent in self._agents():
            session = agent.session
            talk = session.conversation.conversation_id if session.conversation else None
            for name in (session.session_id, session.definition.conversation_id, talk):
                if name and not agent.ended:
                    known[name] = session.session_id
        return known

    async def _write(self, session_id: str, items: list[Json]) -> int:
        for at in range(0, len(items), MARK_RECORDS):
            some = items[at : at + MARK_RECORDS]
            try:
                for run in _runs(some):
                    await self._note(session_id, {"type": "telemetry", "records": run})
            except RoostError as exc:
                log.info("records not noted", session_id=session_id, reason=str(exc))
                return len(items) - at
        return 0


def _runs(items: list[Json]) -> list[list[Json]]:
    """The items, halved until each run fits into a mark."""
    if len(items) == 1 or len(msgspec.json.encode(items)) <= MARK_BYTES:
        return [items]
    middle = len(items) // 2
    return [*_runs(items[:middle]), *_runs(items[middle:])]


def _session_of(record: Record, sessions: dict[str, str]) -> str | None:
    for name in ("roost.session", "session.id"):
        found = sessions.get(str(record.attributes.get(name, "")))
        if found is not None:
            return found
    return None
