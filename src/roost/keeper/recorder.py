"""Appends frames to one recording, and never tears one.

A frame that could be written only in part is kept and completed later; until then the recorder is `blocked`, what comes
after waits behind it in memory, and whoever feeds it is expected to stop reading the agent.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable

from roost.errors import Conflict, DiskFull, LimitReached, RoostError, SessionNotFound
from roost.keeper.storage import Storage

MAX_WAITING = 1 << 20
"""Bytes that may wait behind a half-written frame before what is not output is refused."""
SUFFIX = ".rec"

_NO_ROOM = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.EROFS, errno.EFBIG))
_NO_DESCRIPTOR = frozenset((errno.EMFILE, errno.ENFILE))


class Recorder:
    """The open end of one recording."""

    __slots__ = ("_on_blocked", "_write", "blocked_since_ns", "fd", "offset", "waiting")

    def __init__(self, storage: Storage, fd: int, on_blocked: Callable[[Recorder, OSError], object]) -> None:
        self._write = storage.write
        self._on_blocked = on_blocked
        self.fd = fd
        self.offset = 0
        self.waiting = b""
        self.blocked_since_ns = 0

    @property
    def blocked(self) -> bool:
        """Whether something waits to be written."""
        return bool(self.waiting)

    @property
    def overfull(self) -> bool:
        """Whether so much waits that no more should be taken."""
        return len(self.waiting) > MAX_WAITING

    def append(self, frame: bytes | memoryview) -> None:
        """Write a frame, or keep a copy of what could not be written."""
        if self.waiting:
            self.waiting += frame
            return
        try:
            done = self._write(self.fd, frame)
        except OSError as exc:
            self._block(frame, exc)
            return
        self.offset += done
        if done < len(frame):
            self._block(frame[done:], OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)))

    def retry(self) -> bool:
        """Write what waits; whether all of it is written."""
        try:
            done = self._write(self.fd, self.waiting)
        except OSError:
            return False
        self.offset += done
        self.waiting = self.waiting[done:]
        return not self.waiting

    def close(self) -> None:
        """Give the descriptor back."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def _block(self, rest: bytes | memoryview, reason: OSError) -> None:
        self.waiting = bytes(rest)
        self._on_blocked(self, reason)


def file_name(session_id: str) -> str:
    """The recording's name in the directory `recordings`."""
    return session_id + SUFFIX


def create(storage: Storage, directory: int, session_id: str) -> int:
    """A descriptor of a new, empty recording.

    Raises:
        Conflict: there is one already.
        DiskFull, LimitReached, RoostError: it cannot be made.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
    try:
        return storage.open(file_name(session_id), flags, dir_fd=directory)
    except FileExistsError as exc:
        raise Conflict(f"session {session_id} has a recording already", session_id=session_id) from exc
    except OSError as exc:
        raise disk_error(exc, "the recording cannot be made") from exc


def reopen(storage: Storage, directory: int, session_id: str) -> int:
    """A descriptor of a recording that exists.

    Raises:
        SessionNotFound: there is none.
        DiskFull, LimitReached, RoostError: it cannot be opened.
    """
    try:
        return storage.open(file_name(session_id), os.O_RDWR | os.O_APPEND, dir_fd=directory)
    except FileNotFoundError as exc:
        raise SessionNotFound(f"there is no session {session_id}", session_id=session_id) from exc
    except OSError as exc:
        raise disk_error(exc, "the recording cannot be opened") from exc


def disk_error(exc: OSError, what: str) -> RoostError:
    """The error of ours that says what the operating system said."""
    reason = exc.strerror or str(exc)
    if exc.errno in _NO_ROOM:
        return DiskFull(f"{what}: {reason}", errno=errno.errorcode.get(exc.errno or 0, ""))
    if exc.errno in _NO_DESCRIPTOR:
        return LimitReached(f"{what}: {reason}", hint="raise the limit of open files (ulimit -n)")
    return RoostError(f"{what}: {reason}")
