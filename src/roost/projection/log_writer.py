"""Keeps the text logs up with the store, and never holds anything else up for them.

While many sessions write, what each of them wrote is gathered for `GATHER_S`: a file is opened, looked at and written
a few times a second, not at every round.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain

from roost.model.blocks import Block
from roost.model.events import AnyEvent
from roost.projection.follower import Follower
from roost.projection.text_logs import TextLogs
from roost.store.reader import StoreReader

RETRY_S = 1.0
GATHER_S = 0.25
MOST_GATHERED = 16
"""Blocks of a session that wait at most."""


class LogWriter:
    """Writes what was committed; sessions whose logs cannot be written now are tried again later."""

    def __init__(self, logs: TextLogs, reader: StoreReader) -> None:
        self._logs = logs
        self._reader = reader
        self._behind: dict[str, Follower] = {}
        self._gathering: dict[str, tuple[Follower, float]] = {}
        self._retry_at = 0.0
        self.error: str | None = None
        """Why logs are behind, while they are."""

    def name(self, follower: Follower) -> None:
        """Before the session's first commit: say what its logs are called."""
        follower.logs = self._logs.named(follower.session, follower.logs)

    def write(self, follower: Follower, blocks: list[Block], now: float, *, gather: bool = False) -> None:
        """Write blocks that were just committed, and what is missing before them; with `gather`, soon."""
        waiting = follower.unlogged
        seq = waiting[-1].last_seq if waiting else follower.logs.seq
        if not (follower.logs_whole and blocks and blocks[0].first_seq == seq + 1):
            self._write_out(follower, now)
            return
        if not waiting:
            self._gathering[follower.session.session_id] = (follower, now)
        waiting += blocks
        if not gather or follower.projection.ended or len(waiting) >= MOST_GATHERED:
            self._write_out(follower, now)

    def flush(self, now: float, gathered_s: float = GATHER_S) -> None:
        """Write what has been gathered for as long as this."""
        for session_id, (follower, since) in list(self._gathering.items()):
            if now - since < gathered_s:
                break
            if follower.unlogged:
                self._write_out(follower, now)
            else:
                del self._gathering[session_id]  # it is not followed any longer

    def _write_out(self, follower: Follower, now: float) -> None:
        self._gathering.pop(follower.session.session_id, None)
        waiting, follower.unlogged = follower.unlogged, []
        try:
            if waiting:
                self._append(follower, chain.from_iterable([block.events for block in waiting]))
            if follower.logs.seq < follower.session.last_seq:
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
        """Seconds until `retry` or `flush` has something to do; none when all logs are whole."""
        times = [self._retry_at] if self._behind else []
        times += [since + GATHER_S for _, since in list(self._gathering.values())[:1]]
        return max(0.0, min(times) - now) if times else None

    def _catch_up(self, follower: Follower) -> None:
        follower.logs = self._logs.mend(follower.session, follower.logs)
        follower.logs_whole = True
        while blocks := self._reader.blocks(follower.session.session_id, follower.logs.seq):
            for block in blocks:
                known = follower.logs.seq
                self._append(follower, [event for event in block.events if event.seq > known])

    def _append(self, follower: Follower, events: Iterable[AnyEvent]) -> None:
        follower.logs = self._logs.append(follower.session, follower.logs, events)
