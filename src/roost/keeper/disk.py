"""What happens when the disk is full: agents wait, nothing is lost, and the rest of the system can still speak.

The first write that finds no room gives up the ballast, a file kept for that purpose, so that the server and its store
have room to say what is wrong. The keeper itself does not write into that room: it waits until more than the ballast is
free, then writes what waited, and makes the ballast anew.
"""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Callable
from typing import TYPE_CHECKING

from roost.keeper.loop import Loop, Timer, now_ns
from roost.keeper.storage import Storage

if TYPE_CHECKING:
    from roost.keeper.recorder import Recorder

BALLAST = "ballast"
RETRY_S = 0.2
_SPACE = frozenset((errno.ENOSPC, errno.EDQUOT))
LEAST_BYTES = 1 << 16
"""What has to be free where there was no room for a ballast."""


class DiskGuard:
    """Knows whether the disk is full, and which recordings wait."""

    def __init__(
        self,
        loop: Loop,
        storage: Storage,
        directory: int,
        *,
        ballast_bytes: int,
        on_change: Callable[[bool, str], object],
        on_written: Callable[[Recorder], object],
    ) -> None:
        self._loop = loop
        self._storage = storage
        self._directory = directory
        self._ballast_bytes = ballast_bytes
        self._on_change = on_change
        self._on_written = on_written
        self._blocked: dict[Recorder, None] = {}
        self._timer: Timer | None = None
        self._needed = LEAST_BYTES
        self._out_of_space = False
        self.full = False

    @property
    def exhausted(self) -> bool:
        """Whether there is no room, so that no agent shall write; an error of one file concerns that agent only."""
        return self.full and self._out_of_space

    def blocked(self, recorder: Recorder, reason: OSError) -> None:
        """A recorder could not write; it is tried again until it can."""
        recorder.blocked_since_ns = now_ns()
        self._blocked[recorder] = None
        self.trouble(reason)

    def trouble(self, reason: OSError) -> None:
        """Something could not be written."""
        out_of_space = reason.errno in _SPACE
        if self.full and (self._out_of_space or not out_of_space):
            return
        again = self.full
        self.full, self._out_of_space = True, out_of_space
        self._needed = self._ample if out_of_space and self._drop_ballast() else LEAST_BYTES
        self._on_change(True, reason.strerror or str(reason))
        if not again:
            self._timer = self._loop.call_after(RETRY_S, self._retry)

    def give_up(self, recorder: Recorder) -> None:
        """Do not try this one again."""
        self._blocked.pop(recorder, None)

    def free_bytes(self) -> int:
        """What may still be written."""
        try:
            return self._storage.free_bytes(self._directory)
        except OSError:
            return 0

    def keep_ballast(self) -> None:
        """Make the ballast if it is not there and there is ample room."""
        wanted = self._ballast_bytes
        if not wanted or self.full or self.free_bytes() < self._ample:
            return
        with contextlib.suppress(OSError):
            os.stat(BALLAST, dir_fd=self._directory)
            return
        try:
            fd = self._storage.open(BALLAST, os.O_WRONLY | os.O_CREAT, dir_fd=self._directory)
        except OSError:
            return
        try:
            self._storage.allocate(fd, wanted)
        except OSError:
            self._drop_ballast()
        finally:
            os.close(fd)

    @property
    def _ample(self) -> int:
        """With this much free the ballast can be made, and agents have room beside it."""
        return self._ballast_bytes + self._ballast_bytes // 4

    def _drop_ballast(self) -> bool:
        try:
            os.unlink(BALLAST, dir_fd=self._directory)
        except OSError:
            return False
        return True

    def _retry(self) -> None:
        if self.free_bytes() >= self._needed:
            for recorder in list(self._blocked):
                if not recorder.retry():
                    break
                del self._blocked[recorder]
                self._on_written(recorder)
            if not self._blocked:
                self.full = False
                self.keep_ballast()
                self._on_change(False, "")
                return
        self._timer = self._loop.call_after(RETRY_S, self._retry)
