"""Gives an agent its input, as fast as it takes it."""

from __future__ import annotations

import os
from collections.abc import Callable

PIECE_BYTES = 1 << 16
MAX_WAITING = 1 << 20
"""Bytes that may wait to be typed."""


class InputQueue:
    """What waits to be written to one descriptor.

    `watch` is called with whether there is anything to wait for, `on_end` when all has been written that ever will be.
    """

    __slots__ = ("_on_end", "_watch", "closing", "fd", "waiting")

    def __init__(self, fd: int, watch: Callable[[bool], object], on_end: Callable[[], object]) -> None:
        self._watch = watch
        self._on_end = on_end
        self.fd = fd
        self.waiting = bytearray()
        self.closing = False

    @property
    def closed(self) -> bool:
        """Whether the agent takes no more."""
        return self.fd < 0

    def has_room(self, length: int) -> bool:
        """Whether `length` bytes more may wait."""
        return len(self.waiting) + length <= MAX_WAITING

    def put(self, data: bytes) -> None:
        """Write, or keep for later."""
        waited = bool(self.waiting)
        self.waiting += data
        if not waited:
            self.flush()

    def flush(self) -> None:
        """Write as much as goes. What an agent that takes no more was to get is lost, as it would be in a shell."""
        ended = False
        try:
            while self.waiting:
                del self.waiting[: os.write(self.fd, self.waiting[:PIECE_BYTES])]
        except BlockingIOError:
            self._watch(True)
            return
        except OSError:
            self.waiting.clear()
            ended = True
        self._watch(False)
        if ended or self.closing:
            self._on_end()
