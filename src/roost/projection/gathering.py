"""Which recordings are read next, and what they bring: the reading half of a round."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import structlog

from roost.core.projection import REST_NS
from roost.model.events import AnyEvent
from roost.model.ids import ID
from roost.paths import RECORDING_SUFFIX, DataDirectory
from roost.projection.descriptors import Descriptors
from roost.projection.follower import SLICE_BYTES, Follower
from roost.projection.inbox import Mail
from roost.projection.lag import Backlog
from roost.projection.makers import makers_for
from roost.projection.watching import OnSight
from roost.store.reader import StoreReader

ROUND_BYTES = 1_048_576
"""Bytes read in a round, so that no session waits long for the others."""

SESSION_COST_BYTES = 2048
"""What a session counts at least: its rows cost as much as projecting this many bytes."""

REST_S = REST_NS / 1e9 + 0.1
"""Silence after which output counts as at rest: the keeper may be a little late in writing what it read."""

RETRY_S = 1.0
PARKED_S = 60.0
IDLE_S = 600.0

log = structlog.get_logger("projection")

OnQuery = Callable[[str, int, int], None]
"""Told, on the projector's thread, that a program asked its terminal something between two offsets of its recording."""


class Gathered(NamedTuple):
    """A session with something to write, and its new events."""

    follower: Follower
    events: list[AnyEvent]


class Gatherer:
    """All sessions being followed, and the queue of those that have grown."""

    def __init__(
        self, data: DataDirectory, reader: StoreReader, backlog: Backlog, files: Descriptors, node: str
    ) -> None:
        self._files = files
        self._data = data
        self._node = node
        self._makers = makers_for(data.root)
        self._reader = reader
        self._backlog = backlog
        self._followers: dict[str, Follower] = {}
        self._queue: dict[str, None] = {}
        self._ended_unseen: dict[str, str] = {}
        self._rests: dict[str, float] = {}
        self._settling: dict[str, Follower] = {}
        self._parked: dict[str, float] = {}
        self._sweep_at = 0.0
        self.on_query: OnQuery | None = None
        self.on_sight: OnSight | None = None
        self.reading: str | None = None
        """The session that is being read; it stays when that fails."""
        self.errors: dict[str, str] = {}
        """Why a session's recording cannot be projected now."""

    @property
    def busy(self) -> bool:
        """Whether there is something to do at once."""
        return bool(self._queue or self._settling)

    def scan(self, now: float) -> list[Follower]:
        """Take up all that is not projected to its end, and look at it; the sessions whose text logs may be behind."""
        for kept in self._reader.unsettled():
            self._follow(Follower.resume(self._path(kept.session.session_id), self._files, kept, self._makers), now)
        offsets = self._reader.offsets()
        lengths = {name: size for name, size in self._recordings().items() if size > offsets.get(name, 0)}
        self._backlog.recorded(lengths)
        self._queue.update(dict.fromkeys(self._followers))
        self._queue.update(dict.fromkeys(sorted(lengths)))
        return [follower for follower in self._followers.values() if follower.logs.seq < follower.session.last_seq]

    def take(self, mail: Mail) -> None:
        """Put what others told us into the queue."""
        for name in mail.offsets:
            if name in self._parked or not ID.match(name):
                self._backlog.drop(name)
            else:
                self._queue[name] = None
        for name, reason in mail.ended_unseen.items():
            self._ended_unseen[name] = reason
            self._parked.pop(name, None)
            self._queue[name] = None

    def gather(self, now: float, at_most: int | None = None) -> list[Gathered]:
        """Read what is new of the sessions in the queue, each once and no more than fits in a round."""
        self._wake(now)
        found = {name: Gathered(follower, []) for name, follower in self._settling.items()}
        self._settling.clear()
        budget = ROUND_BYTES
        for name in list(self._queue)[:at_most]:
            if budget <= 0:
                break
            del self._queue[name]
            self.reading = name
            events, taken = self._read(name, now)
            self.reading = None
            budget -= max(taken, SESSION_COST_BYTES)
            follower = self._followers.get(name)
            if follower is None:
                continue
            if follower.session.last_seq and (events or taken):
                found[name] = Gathered(follower, events)
            else:
                self._pass_over(follower)
        return list(found.values())

    def committed(self, follower: Follower, *, settled: bool) -> None:
        """The session's round is in the store; as settled, it is not followed any longer."""
        name = follower.session.session_id
        self._backlog.projected(name, follower.read_to)
        if settled:
            self._drop(name)

    def settle(self, follower: Follower) -> None:
        """The session's text logs are written; if it has ended, that is to be noted in the store."""
        if follower.settled:
            self._settling[follower.session.session_id] = follower

    def patience(self, now: float) -> float | None:
        """Seconds until there is something to do even if nobody says anything; none when there never is."""
        if self.busy:
            return 0.0
        times = [*list(self._rests.values())[:1], *self._parked.values()]
        return max(0.0, min(times) - now) if times else None

    def reset(self) -> None:
        """Forget what is in memory and take it up again from the store."""
        self._queue = dict.fromkeys([*self._queue, *self._followers])
        for name in list(self._followers):
            self._drop(name)
        self._rests.clear()
        self._settling.clear()

    def park(self, name: str, reason: str, until: float) -> None:
        """Leave a session alone for a while."""
        if self.errors.get(name) != reason:
            log.error("recording cannot be projected", session_id=name, reason=reason)
        self.errors[name] = reason
        self._parked[name] = until
        self._queue.pop(name, None)
        self._drop(name)
        self._backlog.drop(name)

    def forget_agent(self, agent: str) -> None:
        """The agent is removed, and its sessions with it."""
        for name, follower in list(self._followers.items()):
            if follower.session.agent_name == agent:
                self._drop(name)
                for waiting in (self._queue, self._settling, self._ended_unseen):
                    waiting.pop(name, None)

    def followers(self) -> list[Follower]:
        """All sessions in memory."""
        return list(self._followers.values())

    def _wake(self, now: float) -> None:
        for times in (self._rests, self._parked):
            for name in [name for name, at in times.items() if at <= now]:
                self._queue[name] = None
                if times is self._parked:
                    del self._parked[name]
        if now >= self._sweep_at:
            self._sweep_at = now + PARKED_S
            self._drop_idle(now)

    def _read(self, name: str, now: float) -> tuple[list[AnyEvent], int]:
        try:
            follower = self._followers.get(name) or self._load(name, now)
            events, taken = follower.read()
        except OSError as exc:
            return self._do_without(name, exc, now), 0
        self.errors.pop(name, None)
        self._tell_asked(follower)
        if taken == SLICE_BYTES:
            self._queue[name] = None
        elif name in self._ended_unseen:
            events += follower.finish(self._ended_unseen.pop(name))
        elif taken == 0 and self._rests.get(name, now + 1) <= now:
            events += follower.rest()
        self._note_rest(follower, now, grown=taken > 0)
        if taken < SLICE_BYTES:
            self._look(follower, now)
        return events, taken

    def _look(self, follower: Follower, now: float) -> None:
        looked = follower.watching.look(follower.projection, now) if self.on_sight is not None else None
        if looked is not None and self.on_sight is not None:
            self.on_sight(follower.session, *looked)

    def _tell_asked(self, follower: Follower) -> None:
        if follower.asked_at is not None and self.on_query is not None:
            self.on_query(follower.session.session_id, follower.asked_at, follower.read_to)
        follower.asked_at = None

    def _note_rest(self, follower: Follower, now: float, *, grown: bool) -> None:
        name = follower.session.session_id
        if grown:
            follower.grown_at = now
        if grown or not follower.projection.unfinished:
            self._rests.pop(name, None)
        if follower.projection.unfinished:
            self._rests.setdefault(name, now + REST_S)

    def _do_without(self, name: str, exc: OSError, now: float) -> list[AnyEvent]:
        """The recording is gone or cannot be read: where nobody holds the session, that is its end."""
        follower = self._followers.get(name)
        gone = isinstance(exc, FileNotFoundError)
        if follower is not None and follower.session.last_seq and name in self._ended_unseen:
            self._backlog.drop(name)
            how = "is gone" if gone else f"cannot be read: {exc.strerror}"
            return follower.finish(f"{self._ended_unseen.pop(name)}; the recording {how}")
        if gone:
            self._ended_unseen.pop(name, None)
            self._drop(name)
            self._backlog.drop(name)
        else:
            self.park(name, str(exc), now + RETRY_S)
        return []

    def _pass_over(self, follower: Follower) -> None:
        """There was nothing new."""
        name = follower.session.session_id
        self._backlog.projected(name, follower.read_to)
        if follower.settled and name not in self._settling:
            self._drop(name)

    def _load(self, name: str, now: float) -> Follower:
        kept = self._reader.checkpoint(name)
        path = self._path(name)
        if kept is None:
            follower = Follower.begin(path, self._files, name, node=self._node, makers=self._makers)
        else:
            follower = Follower.resume(path, self._files, kept, self._makers)
            if follower.projection.ended and not kept.settled:
                self._settling[name] = follower
        self._follow(follower, now)
        return follower

    def _follow(self, follower: Follower, now: float) -> None:
        self._followers[follower.session.session_id] = follower
        self._note_rest(follower, now, grown=True)

    def _drop_idle(self, now: float) -> None:
        for name, follower in list(self._followers.items()):
            if name in self._rests or name in self._queue or now - follower.grown_at <= IDLE_S:
                continue
            if not follower.logs_whole or not follower.is_noted:
                # Once all about it is in the store, the next sweep drops it.
                follower.note()
                self._settling[name] = follower
            else:
                self._drop(name)

    def _drop(self, name: str) -> None:
        self._rests.pop(name, None)
        follower = self._followers.pop(name, None)
        if follower is not None:
            follower.release()

    def _path(self, name: str) -> Path:
        return self._data.recording(name)

    def _recordings(self) -> dict[str, int]:
        """Every recording's length, by session."""
        found = {}
        try:
            with os.scandir(self._data.recordings) as entries:
                for entry in entries:
                    name = entry.name.removesuffix(RECORDING_SUFFIX)
                    if name != entry.name and ID.match(name):
                        found[name] = entry.stat().st_size
        except FileNotFoundError:
            return {}
        return found
