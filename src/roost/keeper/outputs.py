"""Reads what an agent writes, and records it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from roost.core.recording import Kind, encode_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from roost.keeper.keeper import Keeper
    from roost.keeper.session import Session

FRAME_BYTES = 1 << 16
"""About this much of one agent is read in a round, and goes into one frame."""
FULL_READ = 2048
"""A read that brings this much may have left some behind."""
PIPE_BYTES = 1 << 20
PTY_READ = 4096
"""The kernel hands out at most 4095 bytes of a terminal at a time."""


class Output:
    """One descriptor from which an agent's bytes come."""

    __slots__ = ("_keeper", "_on_end", "_read_bytes", "fd", "kind", "paused", "session")

    def __init__(
        self, keeper: Keeper, session: Session, fd: int, kind: Kind, *, on_end: Callable[[Output], object]
    ) -> None:
        self._keeper = keeper
        self._on_end = on_end
        self._read_bytes = PTY_READ if session.terminal else FRAME_BYTES
        self.session = session
        self.fd = fd
        self.kind = kind
        self.paused = False

    def read(self) -> None:
        """Record what is there, but no more than a frame's worth: others wait too."""
        try:
            data = os.read(self.fd, self._read_bytes)
            if len(data) >= FULL_READ:
                data = self._read_on(data)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._on_end(self)
            return
        self.record(data)

    def record(self, data: bytes) -> None:
        """One frame, one write."""
        session = self.session
        at_ns = self._keeper.loop.now_ns - session.origin_ns
        session.last_output_ns = at_ns
        session.recorder.append(encode_frame(self.kind, at_ns, data))
        self._keeper.advanced(session)

    def _read_on(self, first: bytes) -> bytes:
        """All that follows at once, up to a frame's worth; an error is met again by the next read."""
        parts = [first]
        length = len(first)
        while length < FRAME_BYTES:
            try:
                data = os.read(self.fd, self._read_bytes)
            except OSError:
                break
            parts.append(data)
            length += len(data)
            if len(data) < FULL_READ:
                break
        else:
            self._keeper.loop.keep_reading()
        return b"".join(parts)
