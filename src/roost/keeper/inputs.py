"""Gives an agent its input, as fast as it takes it."""

from __future__ import annotations

import os
from collections.abc import Callable

MAX_WAITING = 1 << 20
"""Bytes that may wait to be typed."""


class InputQueue:
    """What waits to be written to one descriptor. `watch` is called with whether there is anything to wait for."""

    __slots__ = ("_watch", "closing", "fd", "waiting")

    def __init__(self, fd: int, watch: Callable[[bool], object]) -> None:
        self._watch = watch
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

    def flush(self) -> bool:
        """Write as much as goes; false when the agent takes no more."""
        try:
            while self.waiting:
                del self.waiting[: os.write(self.fd, self.waiting[:65536])]
        except BlockingIOError:
            self._watch(True)
            return True
        except OSError:
            self.waiting.clear()
            self._watch(False)
            return False
        self._watch(False)
        return not self.closing
