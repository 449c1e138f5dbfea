"""Keeps the text logs up with the store, and never holds anything else up for them."""

from __future__ import annotations

from collections.abc import Iterable

from roost.model.blocks import Block
from roost.projection.follower import Follower
from roost.projection.text_logs import TextLogs
from roost.store.reader import StoreReader

RETRY_S = 1.0


class LogWriter:
    """Writes what was committed; sessions whose logs cannot be written now are tried again later."""

    def __init__(self, logs: TextLogs, reader: StoreReader) -> None:
        self._logs = logs
        self._reader = reader
        self._behind: dict[str, Follower] = {}
        self._retry_at = 0.0
        self.error: str | None = None
        """Why logs are behind, while they are."""

    def name(self, follower: Follower) -> None:
        """Before the session's first commit: say what its logs are called."""
        follower.logs = self._logs.named(follower.session, follower.logs)

    def write(self, follower: Follower, blocks: list[Block], now: float) -> None:
        """Write blocks that were just committed, and what is missing before them."""
        try:
            if follower.logs_whole and blocks and blocks[0].first_seq == follower.logs.seq + 1:
                self._append(follower, blocks)
            elif follower.logs.seq < follower.session.last_seq:
                self._catch_up(follower)
        except OSError as exc:
            follower.logs_whole = False
            self._behind[follower.session.session_id] = follower
            self._retry_at = now + RETRY_S
            self.error = f"text logs of agent {follower.session.agent_name}: {exc}"

    def retry(self, now: float) -> list[Follower]:
        """Try again what failed, when it is time; the sessions whose logs are whole now."""
        if not self._behind or now < self._retry_at:
            return []
        waiting, self._behind, self.error = self._behind, {}, None
        for follower in waiting.values():
            self.write(follower, [], now)
        return [follower for session_id, follower in waiting.items() if session_id not in self._behind]

    def release(self, follower: Follower) -> None:
        """The session has ended and its logs are whole."""
        self._logs.release(follower.session, follower.logs)

    def forget_agent(self, agent: str) -> None:
        """The agent is removed, and its logs with it."""
        for session_id, follower in list(self._behind.items()):
            if follower.session.agent_name == agent:
                del self._behind[session_id]

    def patience(self, now: float) -> float | None:
        """Seconds until `retry` has something to do; none when all logs are whole."""
        return max(0.0, self._retry_at - now) if self._behind else None

    def _catch_up(self, follower: Follower) -> None:
        follower.logs = self._logs.mend(follower.session, follower.logs)
        follower.logs_whole = True
        while blocks := self._reader.blocks(follower.session.session_id, follower.logs.seq):
            self._append(follower, blocks)

    def _append(self, follower: Follower, blocks: Iterable[Block]) -> None:
        for block in blocks:
            events = block.events
            if events[0].seq <= follower.logs.seq:
                events = [event for event in events if event.seq > follower.logs.seq]
            follower.logs = self._logs.append(follower.session, follower.logs, events)
