"""The projector: a thread that turns recordings into events, and the only one that writes to the store.

A round is: read what is new of a few recordings, project it, write all of it in one transaction, append to the text
logs, publish. Idle, a notice is projected at once; under load rounds are paced: they grow, and cost a line falls.

What cannot be committed (the disk is full) is kept and tried again; nothing more is read meanwhile. A recording that
cannot be read is left until later, and the others go on.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future

import structlog
from sqlalchemy.exc import OperationalError

from roost.model.agents import Session
from roost.model.blocks import Block
from roost.paths import DataDirectory
from roost.projection.committing import Committer
from roost.projection.descriptors import Descriptors
from roost.projection.follower import Follower
from roost.projection.gathering import PARKED_S, Gathered, Gatherer, OnQuery
from roost.projection.inbox import Inbox, Remembrance, Removal
from roost.projection.lag import Backlog, Lag
from roost.projection.log_writer import LogWriter
from roost.projection.text_logs import ROTATE_BYTES, TextLogs
from roost.projection.watching import OnSight
from roost.store.database import Store
from roost.store.writer import AgentChange, Round

Publish = Callable[[list[Block], list[Session]], None]

PAUSE_A_SESSION_S = 0.0002
FEW = 20
"""Sessions that have a pause twice as long each: a round costs something whatever it brings."""
LONGEST_PAUSE_S = 0.1
PURGE_PAUSE_S = 0.02
AFTER_FAILURE_S = 1.0

log = structlog.get_logger("projection")


class Projector:
    """The thread. `publish` is called on it, after the commit, with new blocks and the sessions as they are now."""

    def __init__(
        self,
        *,
        data: DataDirectory,
        store: Store,
        publish: Publish,
        rotate_bytes: int = ROTATE_BYTES,
        node: str = "",
    ) -> None:
        self._publish = publish
        self._store = store
        self._inbox = Inbox()
        self._files = Descriptors()
        self._logs = LogWriter(TextLogs(data.logs / "agents", self._files, rotate_bytes=rotate_bytes), store.reader)
        self._backlog = Backlog()
        self._gatherer = Gatherer(data, store.reader, self._backlog, self._files, node=node)
        self._committer = Committer(store.writer, self._inbox)
        self._changes: list[Removal | Remembrance] = []
        self._logs_behind: list[Follower] = []
        self._under_way: list[str] = []
        self._one_by_one = 0
        self._scanned = False
        self._purging = True
        self._caught_up = threading.Event()
        self._thread = threading.Thread(target=self._run, name="projector", daemon=True)

    # From any thread

    def tell_queries(self, told: OnQuery) -> None:
        """Before `start`: who answers what programs ask their terminals."""
        self._gatherer.on_query = told

    def tell_sights(self, told: OnSight) -> None:
        """Before `start`: who is told what terminals show."""
        self._gatherer.on_sight = told

    def start(self) -> None:
        """Begin, first with what recordings hold that is not projected yet."""
        self._thread.start()

    def stop(self, timeout_s: float | None = None) -> bool:
        """Finish the round under way and end; whether that was done in time."""
        self._inbox.stop()
        if self._thread.is_alive():
            self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def advanced(self, offsets: Mapping[str, int]) -> None:
        """These sessions' recordings have grown to these lengths."""
        self._backlog.recorded(offsets)
        self._inbox.advanced(offsets)

    def ended_unseen(self, session_id: str, reason: str) -> None:
        """No keeper holds the session: project it to the end, and if no exit stands there, it is lost."""
        self._inbox.ended_unseen(session_id, reason)

    def remember(self, agent: str, env: dict[str, str]) -> None:
        """Keep the variables that the agent was started with, so that it can be started again."""
        self._inbox.about_agent(Remembrance(agent, env))

    def remove_agent(self, agent: str) -> Future[None]:
        """Forget the agent; done when that is in the store."""
        done: Future[None] = Future()
        self._inbox.about_agent(Removal(agent, done))
        return done

    def wait_caught_up(self, timeout_s: float | None = None) -> bool:
        """Wait until all that recordings held at the start is projected; whether it is."""
        return self._caught_up.wait(timeout_s)

    @property
    def caught_up(self) -> bool:
        """Whether all that recordings held at the start is projected."""
        return self._caught_up.is_set()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def lag(self) -> Lag:
        """How far behind it is, and what is in its way."""
        missing, sessions, seconds = self._backlog.measure()
        return Lag(
            bytes=missing,
            sessions=sessions,
            seconds=seconds,
            error=self._committer.error or self._logs.error,
            disk_full=self._committer.disk_full,
            unreadable=dict(self._gatherer.errors),
        )

    # On the thread

    def _run(self) -> None:
        while not self._inbox.stopped:
            try:
                self._scan()
                while not self._inbox.stopped:
                    self._turn()
            except Exception as exc:
                log.exception("round failed")
                self._recover(exc)
        self._finish()

    def _scan(self) -> None:
        if not self._scanned:
            self._logs_behind = self._gatherer.scan(time.monotonic())
            self._scanned = True

    def _turn(self) -> None:
        self._take_mail()
        now = time.monotonic()
        self._under_way = []
        gathered = self._gatherer.gather(now, 1 if self._one_by_one else None)
        self._under_way = [item.follower.session.session_id for item in gathered]
        changes, self._changes = self._changes, []
        if gathered or changes:
            self._write(gathered, changes, now)
        self._logs.flush(now)
        self._one_by_one = max(0, self._one_by_one - 1)
        if not self._gatherer.busy:
            self._caught_up.set()
            self._mend_logs(now)
            self._purge()
            self._inbox.pause(pause_s(len(gathered)))

    def _take_mail(self) -> None:
        now = time.monotonic()
        times = [self._gatherer.patience(now), self._logs.patience(now)]
        times += [PURGE_PAUSE_S if self._purging else None, None if self.caught_up else 0.0]
        mail = self._inbox.take(min((time_s for time_s in times if time_s is not None), default=None))
        self._gatherer.take(mail)
        self._changes += mail.agents

    def _write(self, gathered: list[Gathered], changes: list[Removal | Remembrance], now: float) -> None:
        for item in gathered:
            self._logs.name(item.follower)
        writes = [item.follower.to_write(item.events, now) for item in gathered]
        blocks = self._committer.commit(Round(writes, [_agent_change(change) for change in changes]))
        if blocks is None:
            return
        self._write_logs(gathered, blocks, now)
        for item, write in zip(gathered, writes, strict=True):
            self._gatherer.committed(item.follower, settled=write.settled)
            if write.settled:
                self._logs.release(item.follower)
        if writes:
            self._publish(blocks, [write.session for write in writes])
        for change in changes:
            if isinstance(change, Removal):
                self._gatherer.forget_agent(change.agent)
                self._logs.forget_agent(change.agent)
                self._purging = True
                change.done.set_result(None)

    def _write_logs(self, gathered: list[Gathered], blocks: list[Block], now: float) -> None:
        at, busy = 0, len(gathered) > FEW
        for follower, events in gathered:
            end = at
            while end < len(blocks) and blocks[end].session_id == follower.session.session_id:
                end += 1
            if events or follower.logs.seq < follower.session.last_seq:
                self._logs.write(follower, blocks[at:end], now, gather=busy)
                self._gatherer.settle(follower)
            at = end

    def _mend_logs(self, now: float) -> None:
        """What text logs could not be written before, or were not when the server ended."""
        behind, self._logs_behind = self._logs_behind, []
        for follower in behind:
            self._logs.write(follower, [], now)
        for follower in behind + self._logs.retry(now):
            self._gatherer.settle(follower)

    def _purge(self) -> None:
        """Clear away, a little at a time, what is no longer seen. It can wait while the disk is full."""
        if self._purging:
            try:
                self._purging = self._store.purge_some()
            except OperationalError:
                self._purging = False

    def _recover(self, exc: Exception) -> None:
        """What is in memory may be ahead of the store: take up all from there, and find out which session it was."""
        culprit = self._gatherer.reading or (self._under_way[0] if len(self._under_way) == 1 else None)
        if culprit is not None:
            self._gatherer.park(culprit, f"{type(exc).__name__}: {exc}", time.monotonic() + PARKED_S)
        self._gatherer.reset()
        self._one_by_one = len(self._under_way) + 1
        self._inbox.pause(AFTER_FAILURE_S)

    def _finish(self) -> None:
        """Bring all checkpoints up to date, so that the next start has nothing to do again, and close the files."""
        self._logs.flush(time.monotonic(), 0.0)
        stale = [follower for follower in self._gatherer.followers() if not follower.is_noted]
        if stale and self._committer.error is None:
            for follower in stale:
                follower.note()
            self._committer.commit(Round([follower.to_write([], time.monotonic()) for follower in stale]))
        self._files.close()


def pause_s(sessions: int) -> float:
    """How long after a round of this many sessions the next one begins: longer rounds cost less a line."""
    return min(LONGEST_PAUSE_S, PAUSE_A_SESSION_S * (sessions + min(sessions, FEW)))


def _agent_change(change: Removal | Remembrance) -> AgentChange:
    return AgentChange(change.agent, change.environment if isinstance(change, Remembrance) else None)
