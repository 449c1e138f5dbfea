"""Following one recording: reading what is new of it and projecting that."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import structlog

from roost.core.projection import SessionProjection
from roost.core.recording import Damage, Frame, Reader
from roost.core.shown import ScreenSeed
from roost.model.agents import Session
from roost.model.events import AnyEvent
from roost.projection.cutting import cut
from roost.projection.text_logs import LogPlace
from roost.store.reader import Checkpoint
from roost.store.writer import SessionWrite

SLICE_BYTES = 262_144

log = structlog.get_logger("projection")


class Follower:
    """One recording being projected. Holds no open file."""

    def __init__(self, path: Path, projection: SessionProjection, logs: LogPlace) -> None:
        self.path = path
        self.projection = projection
        self.logs = logs
        self.logs_whole = projection.session.last_seq == 0
        """Whether the text logs end at `logs`; when not, they have to be mended first."""
        self.logs_committed = logs
        self.grown_at = 0.0
        """When, on the projector's clock, anything was last read."""
        self._seed: ScreenSeed | None = None
        self._encoded_seed = b""
        self._reader = Reader(projection.session.offset)
        self._read_to = projection.session.offset

    @classmethod
    def begin(cls, path: Path, session_id: str, node: str = "") -> Follower:
        """A recording of which nothing is projected; `node` is whose it is unless it says so itself."""
        return cls(path, SessionProjection(session_id, node), LogPlace())

    @classmethod
    def resume(cls, path: Path, kept: Checkpoint) -> Follower:
        """A recording projected as far as the checkpoint says."""
        seed = ScreenSeed.decode(kept.screen) if kept.screen else None
        try:
            projection = SessionProjection.restore(kept.session, kept.checkpoint, seed)
        except ValueError as exc:
            log.warning("checkpoint unusable", session_id=kept.session.session_id, reason=str(exc))
            projection = SessionProjection.adopt(kept.session)
        if seed:
            _redraw(path, projection, seed)
        return cls(path, projection, LogPlace.decode(kept.logs))

    @property
    def session(self) -> Session:
        return self.projection.session

    @property
    def read_to(self) -> int:
        """How far the file was read, which may be further than it is projected."""
        return self._read_to

    @property
    def settled(self) -> bool:
        """Whether nothing is left to do unless the recording grows."""
        return self.projection.ended and self.logs.seq >= self.session.last_seq

    def read(self, limit: int = SLICE_BYTES) -> tuple[list[AnyEvent], int]:
        """The events of the next bytes, at most `limit` of them, and how many bytes there were.

        Raises:
            OSError: the recording cannot be read.
        """
        data, size = _read_at(self.path, self._read_to, limit)
        if size < self._read_to:
            return self._step_back(size), 0
        if not data:
            return [], 0
        events = self._project(self._reader.feed(data))
        self._read_to += len(data)
        return events, len(data)

    def finish(self, reason: str) -> list[AnyEvent]:
        """Nothing more will be written: what was held back is projected, and the session is lost unless it ended."""
        events = self._project(self._reader.finish())
        return events + self.projection.lose(reason)

    def to_write(self, events: list[AnyEvent]) -> SessionWrite:
        """All that is to be committed when these events are."""
        self.logs_committed = self.logs
        return SessionWrite(
            session=copy.copy(self.session),
            blocks=cut(events),
            checkpoint=self.projection.state(),
            screen=self._screen_seed(),
            logs=self.logs.encode(),
            settled=self.settled,
        )

    def _screen_seed(self) -> bytes:
        seed = self.projection.screen_seed
        if seed is not self._seed:
            self._seed, self._encoded_seed = seed, seed.encode() if seed else b""
        return self._encoded_seed

    def _project(self, items: list[Frame | Damage]) -> list[AnyEvent]:
        events = self.projection.feed(items)
        self.session.offset = self._reader.offset
        return events

    def _step_back(self, size: int) -> list[AnyEvent]:
        """The recording is shorter than what was read of it, as may be after a power cut: go on from its end."""
        events = self.projection.shortened(size, self._read_to)
        self._reader = Reader(size)
        self._read_to = size
        return events


def _redraw(path: Path, projection: SessionProjection, seed: ScreenSeed) -> None:
    """Draw what a full-screen program shows, as far as its recording can be read."""
    reader, at, end = Reader(seed.offset), seed.offset, projection.session.offset
    try:
        while at < end and (data := _read_at(path, at, min(SLICE_BYTES, end - at))[0]):
            projection.redraw(reader.feed(data))
            at += len(data)
    except OSError as exc:
        log.warning("screen cannot be drawn again", session_id=projection.session.session_id, reason=str(exc))


def _read_at(path: Path, offset: int, limit: int) -> tuple[bytes, int]:
    """Bytes from `offset` on, and the file's size, exact where it is below `offset`."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        data = os.pread(descriptor, limit, offset)
        return data, offset + len(data) if data else os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
