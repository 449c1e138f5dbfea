"""Following one recording: reading what is new of it and projecting that.

The store always has the session as it is and all its events, but its checkpoint may be up to `CHECKPOINT_S` older: what
was projected since then is projected again after a restart and comes out the same, because events depend on the
recording alone. Where they do not (a rest that was told because time passed, an end that nobody saw) the checkpoint is
written at once.
"""

from __future__ import annotations

import copy
import os
import re
from pathlib import Path

import msgspec
import structlog
from msgspec import Struct

from roost.core.decoding import Makers
from roost.core.projection import SessionProjection
from roost.core.recording import Reader
from roost.core.shown import ScreenSeed
from roost.model.agents import Session
from roost.model.blocks import Block
from roost.model.events import AnyEvent
from roost.projection.cutting import cut
from roost.projection.descriptors import Descriptors
from roost.projection.text_logs import LogPlace
from roost.projection.watching import Watching
from roost.store.reader import Checkpoint
from roost.store.writer import SessionWrite

SLICE_BYTES = 262_144
FIRST_BYTES = 65_536
"""Read first, for mostly there is no more. For more a place has to be mapped: 15 µs, where reading costs one."""
REREAD_BYTES = 67_108_864
"""How much of a recording is read again at most when its checkpoint is of no use."""

CHECKPOINT_S = 1.0
CHECKPOINT_BYTES = 262_144

_QUESTION = re.compile(rb"\x1b(?:\[[0-9;:?>=!$ ]*[cnpqtuxy]|\]1?[0-9]+;[^\x07\x1b]{0,16}\?|P[+$]q|_G|Z)")
"""What looks like a question to the terminal. Whoever answers looks closely; this must only miss none, and be quick."""

log = structlog.get_logger("projection")


class _Notes(Struct, array_like=True):
    """A checkpoint: the session as it was, and the state of its projection."""

    session: Session
    state: bytes


class Follower:
    """One recording being projected."""

    def __init__(self, path: Path, files: Descriptors, projection: SessionProjection, logs: LogPlace) -> None:
        self.projection = projection
        self.logs = logs
        self.logs_whole = projection.session.last_seq == 0
        """Whether the text logs end at `logs`; when not, they have to be mended first."""
        self.watching = Watching()
        self.unlogged: list[Block] = []
        """What is committed and will be in the text logs soon."""
        self.grown_at = 0.0
        """When, on the projector's clock, anything was last read."""
        self._noted: tuple[int, LogPlace] | None = None
        self._path = str(path)
        self._files = files
        self._reader = Reader(projection.session.offset)
        self._read_to = projection.session.offset
        self._note_now = True
        self._noted_at = 0.0
        self._noted_offset = 0
        self.asked_at: int | None = None
        """Where the newest bytes with a question to the terminal begin; whoever answers resets it."""
        self._seed: ScreenSeed | None = None
        self._encoded_seed = b""

    @classmethod
    def begin(
        cls, path: Path, files: Descriptors, session_id: str, *, node: str = "", makers: Makers | None = None
    ) -> Follower:
        """A recording of which nothing is projected; `node` is whose it is unless it says so itself."""
        return cls(path, files, SessionProjection(session_id, node, makers), LogPlace())

    @classmethod
    def resume(cls, path: Path, files: Descriptors, kept: Checkpoint, makers: Makers | None = None) -> Follower:
        """A recording projected as far as the store says."""
        seed = ScreenSeed.decode(kept.screen) if kept.screen else None
        logs = LogPlace.decode(kept.logs)
        try:
            notes = msgspec.msgpack.decode(kept.checkpoint, type=_Notes)
            projection = SessionProjection.restore(notes.session, notes.state, seed, makers)
        except (ValueError, msgspec.MsgspecError) as exc:
            log.warning("checkpoint unusable", session_id=kept.session.session_id, reason=str(exc))
            projection = SessionProjection(kept.session.session_id, makers=makers)
            return cls(path, files, projection, logs)._resume_from_recording(kept.session)
        made = cls(path, files, projection, logs)
        made.logs_whole = False
        made._repeat(kept.session, seed)
        return made

    def _resume_from_recording(self, known: Session) -> Follower:
        """Come to where the store is without a checkpoint: read the recording again, of a long one the end.

        A conversation is known only from its beginning.
        """
        whole = known.offset <= REREAD_BYTES or known.conversation is not None
        start = 0 if whole else known.offset - REREAD_BYTES
        self.logs_whole = False
        self._start_at(start)
        self._read_up_to(known)
        self.projection.adopt(known)
        self._start_at(known.offset)
        return self

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
        data, size = self._bytes_at(self._read_to, limit)
        if size < self._read_to:
            return self._step_back(size), 0
        if not data:
            return [], 0
        return self._project(data), len(data)

    def rest(self) -> list[AnyEvent]:
        """Nothing more came for a while: the events of what was unfinished."""
        self._note_now = True
        return self.projection.rest()

    def finish(self, reason: str) -> list[AnyEvent]:
        """Nothing more will be written: what was held back is projected, and the session is lost unless it ended."""
        self._note_now = True
        events = self.projection.feed(self._reader.finish())
        self.session.offset = self._reader.offset
        return events + self.projection.lose(reason)

    def to_write(self, events: list[AnyEvent], now: float) -> SessionWrite:
        """All that is to be committed when these events are."""
        screen = self._screen_seed()
        write = SessionWrite(
            session=copy.copy(self.session), blocks=cut(events), screen=screen, settled=self.settled, notes=None
        )
        if self._is_checkpoint_due(now):
            self._noted = (self.session.offset, self.logs)
            self._note_now, self._noted_at, self._noted_offset = False, now, self.session.offset
            notes = _Notes(self.session, self.projection.state())
            write.notes = (msgspec.msgpack.encode(notes), self.logs.encode())
        return write

    @property
    def is_noted(self) -> bool:
        """Whether the store has all that a restart would need to go on from here."""
        return self._noted == (self.session.offset, self.logs)

    def note(self) -> None:
        """Have the next write bring the checkpoint up to date."""
        self._note_now = True

    def release(self) -> None:
        """It is not followed any longer. Whoever follows it next finds what is missing in its text logs."""
        self._files.drop(self._path)
        self.unlogged = []

    def _is_checkpoint_due(self, now: float) -> bool:
        since = self.session.offset - self._noted_offset
        return self._note_now or self.settled or now - self._noted_at >= CHECKPOINT_S or since >= CHECKPOINT_BYTES

    def _screen_seed(self) -> bytes:
        seed = self.projection.screen_seed
        if seed is not self._seed:
            # The state of a projection goes with the seed from which its screen is drawn.
            self._note_now = True
            self._seed, self._encoded_seed = seed, seed.encode() if seed else b""
        return self._encoded_seed

    def _project(self, data: bytes) -> list[AnyEvent]:
        if b"\x1b" in data and _QUESTION.search(data):
            self.asked_at = self._read_to
        events = self.projection.feed(self._reader.feed(data))
        self._read_to += len(data)
        self.session.offset = self._reader.offset
        return events

    def _step_back(self, size: int) -> list[AnyEvent]:
        """The recording is shorter than what was read of it, as may be after a power cut: go on from its end."""
        self._note_now = True
        events = self.projection.shortened(size, self._read_to)
        self._start_at(size)
        return events

    def _repeat(self, known: Session, seed: ScreenSeed | None) -> None:
        """Come from the checkpoint to where the store is."""
        if seed:
            self._redraw(seed)
        self._read_up_to(known)
        if self.session != known:
            log.warning("recording changed", session_id=known.session_id, stored=known.last_seq)
            self.projection.session = known
            self._start_at(known.offset)

    def _read_up_to(self, known: Session) -> None:
        """Project up to where the store is; what is told on the way is known already."""
        try:
            while self._read_to < known.offset:
                data, _ = self._bytes_at(self._read_to, min(SLICE_BYTES, known.offset - self._read_to))
                if not data:
                    break
                self._project(data)
        except OSError as exc:
            log.warning("recording unreadable", session_id=known.session_id, reason=str(exc))
        self.asked_at = None

    def _start_at(self, offset: int) -> None:
        self._reader, self._read_to = Reader(offset), offset

    def _redraw(self, seed: ScreenSeed) -> None:
        """Draw what a full-screen program showed at the checkpoint, as far as the recording can be read."""
        reader, at, end = Reader(seed.offset), seed.offset, self.session.offset
        try:
            while at < end and (data := self._bytes_at(at, min(SLICE_BYTES, end - at))[0]):
                self.projection.redraw(reader.feed(data))
                at += len(data)
        except OSError as exc:
            log.warning("recording unreadable", session_id=self.session.session_id, reason=str(exc))

    def _bytes_at(self, offset: int, limit: int) -> tuple[bytes, int]:
        """Bytes from `offset` on, and the file's size, exact where it is below `offset`."""
        descriptor = self._files.get(self._path, os.O_RDONLY)
        data = os.pread(descriptor, min(limit, FIRST_BYTES), offset)
        if len(data) == FIRST_BYTES < limit:
            data += os.pread(descriptor, limit - FIRST_BYTES, offset + FIRST_BYTES)
        return data, offset + len(data) if data else os.fstat(descriptor).st_size
