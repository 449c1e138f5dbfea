"""Lines and events straight from recordings, decoded as the server's projector does: same events, same positions."""

from __future__ import annotations

import os
import time
from collections import deque
from typing import TYPE_CHECKING, Any

import msgspec

from roost.agents.registry import makers
from roost.client.backend import Event, LineQuery
from roost.client.lines import told_lines
from roost.core.advice import explain
from roost.core.loglines import is_transcript
from roost.core.positions import Position, parse_position
from roost.core.projection import REST_NS, SessionProjection
from roost.core.recording import Reader
from roost.core.wire import envelope
from roost.errors import KeeperUnavailable, SessionNotFound
from roost.keeper.client import KeeperClient

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from roost.client.keeper import KeeperBackend
    from roost.model.events import AnyEvent
    from roost.paths import DataDirectory

    Json = dict[str, Any]

READ_BYTES = 262_144


class Tail:
    """The events of one session as its recording grows. Close it."""

    def __init__(self, data: DataDirectory, session_id: str) -> None:
        path = data.recording(session_id)
        try:
            self._descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError as exc:
            raise SessionNotFound(f"there is no recording of session {session_id}", session_id=session_id) from exc
        self._position = 0
        self._reader = Reader()
        self._projection = SessionProjection(session_id, makers=makers())
        self._quiet_since = time.monotonic_ns()

    @property
    def ended(self) -> bool:
        """Whether all has been told."""
        return self._projection.ended

    @property
    def transcript(self) -> bool:
        """Whether the session's lines are the transcript of a coding agent."""
        return is_transcript(self._projection.session)

    def read(self) -> list[AnyEvent]:
        """The events that are new; at most one piece of the recording is read."""
        data = os.pread(self._descriptor, READ_BYTES, self._position)
        self._position += len(data)
        if data:
            self._quiet_since = time.monotonic_ns()
            return self._projection.feed(self._reader.feed(data))
        if self._projection.unfinished and time.monotonic_ns() - self._quiet_since >= REST_NS:
            return self._projection.rest()
        return []

    def at_end(self) -> bool:
        """Whether the recording has nothing new now."""
        return os.fstat(self._descriptor).st_size <= self._position

    def lose(self, reason: str) -> list[AnyEvent]:
        """No more will come, and nobody saw the session's end."""
        return self._projection.feed(self._reader.finish()) + self._projection.lose(reason)

    def rest(self) -> list[AnyEvent]:
        """No more is wanted: what is unfinished is told if it has been so for long enough to count."""
        age_ns = time.time_ns() - os.fstat(self._descriptor).st_mtime_ns
        return self._projection.rest() if age_ns >= REST_NS else []

    def wrap(self, events: Iterable[AnyEvent]) -> Iterator[Event]:
        """Events as clients see them."""
        session = self._projection.session
        for event in events:
            position = Position(session.session_id, event.seq)
            yield Event(str(position), envelope(session.agent_name, session.session_id, event))

    def explained(self) -> Json:
        """What the agent is about, as REST shows it."""
        found: Json = msgspec.to_builtins(explain(self._projection.session))
        return found

    def close(self) -> None:
        os.close(self._descriptor)


def events_of(backend: KeeperBackend, name: str, after: str, *, follow: bool) -> Iterator[Event]:
    """Events of an agent's newest session, or of the session that `after` names."""
    position = parse_position(after) if after else Position(backend.agent(name)["session_id"], 0)
    tail = Tail(backend.data, position.session_id)
    try:
        for events in _pieces(backend, tail, position.session_id, follow=follow):
            yield from tail.wrap(event for event in events if event.seq > position.seq)
    finally:
        tail.close()


def attention_of(backend: KeeperBackend, name: str) -> Json:
    """What an agent is about, as far as its recording says: without a server nobody looks at its terminal."""
    view = backend.agent(name)
    tail = Tail(backend.data, view["session_id"])
    try:
        for _ in _pieces(backend, tail, view["session_id"], follow=False):
            pass
        return tail.explained()
    finally:
        tail.close()


def _pieces(backend: KeeperBackend, tail: Tail, session_id: str, *, follow: bool) -> Iterator[list[AnyEvent]]:
    watch = _watch(backend.data) if follow else None
    try:
        while not tail.ended:
            events = tail.read()
            if events:
                yield events
            if tail.ended or not tail.at_end():
                continue
            if not _is_held(backend, session_id):
                yield tail.read() + (tail.lose("keeper ended") if tail.at_end() else [])
                continue
            if not follow:
                yield tail.rest()
                return
            watch = _wait(backend.data, watch)
    finally:
        if watch is not None:
            watch.close()


def _is_held(backend: KeeperBackend, session_id: str) -> bool:
    """Whether the keeper may still write to the recording."""
    return any(held["session_id"] == session_id for held in backend.held())


def _watch(data: DataDirectory) -> KeeperClient | None:
    """A connection that is told when recordings grow; None where no keeper runs."""
    try:
        client = KeeperClient.connect(data.root)
    except KeeperUnavailable:
        return None
    client.call("watch")
    return client


def _wait(data: DataDirectory, watch: KeeperClient | None) -> KeeperClient | None:
    """Wait until a recording grew, or long enough for output to count as at rest."""
    if watch is None:
        time.sleep(REST_NS / 1e9)
        return _watch(data)
    try:
        watch.notices(REST_NS / 1e9 + 0.01)
    except KeeperUnavailable:
        watch.close()
        return None
    return watch


def lines_of(backend: KeeperBackend, name: str, query: LineQuery) -> Iterator[Json]:
    """The clean lines of an agent's newest session, as REST shows them."""
    view = backend.agent(name)
    tail = Tail(backend.data, view["session_id"])
    try:
        found = _lines(backend, tail, view, query)
        yield from found if query.tail is None else deque(found, maxlen=query.tail)
    finally:
        tail.close()


def _lines(backend: KeeperBackend, tail: Tail, view: Json, query: LineQuery) -> Iterator[Json]:
    for events in _pieces(backend, tail, view["session_id"], follow=False):
        for event, (_, body) in zip(events, tail.wrap(events), strict=True):
            yield from ({"seq": event.seq} | line for line in told_lines(body, query, transcript=tail.transcript))


def fleet_events_of(backend: KeeperBackend, after: str, *, follow: bool) -> Iterator[Event]:
    """Events of all agents: what is there, by time; with `follow`, what comes from now on.

    Positions are those of each agent's own stream; without a server there is no order over all agents to resume in.
    """
    if not follow:
        found = [event for view in backend.agents() for event in events_of(backend, view["name"], "", follow=False)]
        yield from sorted(found, key=lambda event: str(event.body["timestamp"]))
        return
    yield from _follow_fleet(backend)


def _follow_fleet(backend: KeeperBackend) -> Iterator[Event]:
    tails: dict[str, Tail] = {}
    first = True
    watch = _watch(backend.data)
    while True:
        for held in backend.held():
            if held["session_id"] not in tails:
                tails[held["session_id"]] = tail = Tail(backend.data, held["session_id"])
                while first and not tail.at_end():
                    tail.read()
        first = False
        for tail in tails.values():
            while not tail.ended and (events := tail.read()):
                yield from tail.wrap(events)
        watch = _wait(backend.data, watch)
