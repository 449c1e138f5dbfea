"""Writes to structured agents what their conversations say is to be written, once and in order.

What waits is in `Session.conversation.outgoing`, numbered; the keeper takes each number of a source once, also when a
server that was killed had sent it already. So this only ever has to try again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable

import structlog

from roost.errors import Conflict, DiskFull, KeeperUnavailable, LimitReached, NotFound
from roost.model.agents import ENDED, Session
from roost.model.conversations import Outgoing

log = structlog.get_logger("conversations")

AGAIN_S = 0.2
"""How long to leave an agent alone that does not take its input."""

Type = Callable[[str, int, bytes], Awaitable[None]]
"""Types the bytes of a number into a session."""


class Writing:
    """One for the server; lives on the event loop."""

    def __init__(self, type_in: Type) -> None:
        self._type = type_in
        self._waiting: dict[str, dict[int, Outgoing]] = {}
        self._written: dict[str, int] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}

    def take(self, sessions: Iterable[Session]) -> None:
        """Sessions as they are now: begin to write what is new."""
        for session in sessions:
            if session.state in ENDED:
                self._forget(session.session_id)
            elif session.conversation is not None and session.conversation.outgoing:
                self._add(session.session_id, session.conversation.outgoing)

    def again(self) -> None:
        """The keeper is back: go on with what could not be written."""
        for session_id in list(self._waiting):
            self._begin(session_id)

    async def close(self) -> None:
        """Stop; what is not written, the next server writes."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _add(self, session_id: str, outgoing: tuple[Outgoing, ...]) -> None:
        written = self._written.get(session_id, 0)
        waiting = self._waiting.setdefault(session_id, {})
        for item in outgoing:
            if item.number > written:
                waiting[item.number] = item
        self._begin(session_id)

    def _begin(self, session_id: str) -> None:
        if self._waiting.get(session_id) and session_id not in self._tasks:
            self._tasks[session_id] = asyncio.create_task(self._write_all(session_id))

    async def _write_all(self, session_id: str) -> None:
        try:
            await self._write(session_id)
        finally:
            # Here and not by a callback: what comes between the last look and a callback would wait for the next.
            if self._tasks.get(session_id) is asyncio.current_task():
                del self._tasks[session_id]

    async def _write(self, session_id: str) -> None:
        waiting = self._waiting[session_id]
        while waiting:
            item = waiting[min(waiting)]
            try:
                await self._type(session_id, item.number, item.data)
            except KeeperUnavailable:
                return
            except (LimitReached, DiskFull) as exc:
                log.warning("agent does not take its input", session_id=session_id, reason=str(exc))
                await asyncio.sleep(AGAIN_S)
                continue
            except (NotFound, Conflict) as exc:
                log.warning("agent cannot be written to", session_id=session_id, reason=str(exc))
                waiting.clear()
                return
            self._written[session_id] = item.number
            waiting.pop(item.number, None)

    def _forget(self, session_id: str) -> None:
        self._waiting.pop(session_id, None)
        self._written.pop(session_id, None)
        task = self._tasks.pop(session_id, None)
        if task is not None:
            task.cancel()
