"""Reads what an agent writes, and records it."""

from __future__ import annotations

import os
import select
from typing import TYPE_CHECKING

from roost.core.recording import Kind, encode_frame

if TYPE_CHECKING:
    from collections.abc import Callable

    from roost.keeper.keeper import Keeper
    from roost.keeper.session import Session

FRAME_BYTES = 1 << 16
"""About this much of one agent goes into one frame."""
FULL_READ = 2048
"""A read that brings this much may have left some behind."""
FRAMES_AT_ONCE = 4
BULK_BYTES = 1 << 14
"""Who brings this much in a round is read again at once: it would have to wait for us."""
PTY_READ = 4096
"""The kernel hands out at most 4095 bytes of a terminal at a time."""


class Output:
    """One descriptor from which an agent's bytes come."""

    __slots__ = ("_keeper", "_on_end", "_read_bytes", "fd", "hung_up", "kind", "session")

    def __init__(
        self, keeper: Keeper, session: Session, fd: int, kind: Kind, *, on_end: Callable[[Output], object]
    ) -> None:
        self._keeper = keeper
        self._on_end = on_end
        self._read_bytes = PTY_READ if session.terminal else FRAME_BYTES
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
        for _ in range(FRAMES_AT_ONCE):
            try:
                data = os.read(self.fd, self._read_bytes)
            except BlockingIOError:
                return
            except OSError:
                data = b""
            if not data:
                self._on_end(self)
                return
            if len(data) >= FULL_READ:
                data = self._read_on(data)
            self.record(data)
            if len(data) < FRAME_BYTES or self.session.recorder.blocked:
                return

    def record(self, data: bytes) -> None:
        """One frame, one write."""
        session = self.session
        session.last_output_ns = at_ns = session.at(self._keeper.loop.now_ns)
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
        if length >= BULK_BYTES:
            self._keeper.loop.keep_reading()
        return b"".join(parts)
