"""Reads what an agent writes, and records it."""

from __future__ import annotations

import contextlib
import fcntl
import os
import select
from typing import TYPE_CHECKING

from roost.core.recording import FRAME_OVERHEAD, Kind, encode_frame, frame_in_place

if TYPE_CHECKING:
    from collections.abc import Callable

    from roost.keeper.keeper import Keeper
    from roost.keeper.session import Session

PTY_READ = 4096
"""The kernel hands out at most 4095 bytes of a terminal at a time."""
FULL_READ = 2048
"""A read that brings this much may have left some behind."""
PTY_FRAME = 1 << 16
PIPE_FRAME = 1 << 18
"""No more than this much of one agent goes into one frame."""
FRAMES_AT_ONCE = 4
BULK_BYTES = 1 << 14
"""Who brings this much in a round is read again soon: it would have to wait for us."""
PIPE_BYTES = 1 << 20
"""What a pipe may hold from when it brings a whole frame at once; the system's own is 64 KiB."""


class Scratch:
    """Where output that comes in bulk is read into, behind room for a frame's head: nothing of it is copied."""

    __slots__ = ("payload", "whole")

    def __init__(self) -> None:
        self.whole = memoryview(bytearray(FRAME_OVERHEAD + PIPE_FRAME))
        self.payload = self.whole[FRAME_OVERHEAD:]


class Output:
    """One descriptor from which an agent's bytes come."""

    __slots__ = ("_keeper", "_on_end", "_widened", "fd", "hung_up", "kind", "session")

    def __init__(
        self, keeper: Keeper, session: Session, fd: int, kind: Kind, *, on_end: Callable[[Output], object]
    ) -> None:
        self._keeper = keeper
        self._on_end = on_end
        self._widened = session.terminal
        self.session = session
        self.fd = fd
        self.kind = kind
        self.hung_up = False

    def ready(self, events: int) -> None:
        """The descriptor can be read, or, when it is a terminal, written."""
        if events == select.EPOLLIN:
            self.read()
            return
        if events & select.EPOLLOUT and self.session.input is not None:
            self.session.input.flush()
        if events & ~select.EPOLLOUT:
            self.read()

    def read(self) -> None:
        """Record what is there, but no more than a round's worth: others wait too."""
        try:
            data = os.read(self.fd, PTY_READ)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._on_end(self)
        elif len(data) < FULL_READ:
            self.record(data)
        else:
            self._read_on(data)

    def record(self, data: bytes) -> None:
        """One frame, one write."""
        session = self.session
        session.last_output_ns = at_ns = session.at(self._keeper.loop.now_ns)
        session.recorder.append(encode_frame(self.kind, at_ns, data))
        self._keeper.advanced(session)

    def _read_on(self, first: bytes) -> None:
        """Record `first` and all that follows at once; an error is met again by the next read."""
        session, scratch = self.session, self._keeper.scratch
        length, total = len(first), 0
        scratch.payload[:length] = first
        for _ in range(FRAMES_AT_ONCE):
            length, more = self._fill(scratch.payload, length)
            if not length:
                break
            session.last_output_ns = at_ns = session.at(self._keeper.loop.now_ns)
            session.recorder.append(frame_in_place(scratch.whole, self.kind, at_ns, length))
            total += length
            if not more or session.recorder.blocked:
                break
            length = 0
        self._keeper.advanced(session)
        if total >= BULK_BYTES:
            self._keeper.loop.keep_reading()
            if not self._widened:
                self._widen()

    def _fill(self, payload: memoryview, length: int) -> tuple[int, bool]:
        """Read behind the first `length` bytes; how many there are now, and whether there may be more to read."""
        limit = PTY_FRAME if self.session.terminal else PIPE_FRAME
        while length < limit:
            try:
                got = os.readv(self.fd, (payload[length:limit],))
            except OSError:
                return length, False
            length += got
            if got < FULL_READ:
                return length, False
        return length, True

    def _widen(self) -> None:
        """Let the pipe hold more, so that the agent need not wait for every read. The system may refuse."""
        self._widened = True
        with contextlib.suppress(OSError):
            fcntl.fcntl(self.fd, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
