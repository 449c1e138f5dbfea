"""The keeper's log: a file that never grows beyond its bound."""

from __future__ import annotations

import os
import time

MAX_BYTES = 1 << 20
"""At this size the log is renamed to `keeper.log.1`, over the one before."""


class Log:
    """Lines to `keeper.log`, and to standard error, which points to the same file in a daemon."""

    def __init__(self, path: str, *, echo: bool = False, max_bytes: int = MAX_BYTES) -> None:
        self._path = path
        self._echo = echo
        self._max_bytes = max_bytes
        self._fd = -1
        self._size = 0
        self._open()

    def write(self, text: str) -> None:
        """Add a line. A log that cannot be written is not worth failing for."""
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        line = f"{stamp} {os.getpid()} {_one_line(text)}\n".encode("utf-8", "backslashreplace")
        try:
            if self._size + len(line) > self._max_bytes:
                self._rotate()
            self._size += os.write(self._fd, line)
            if self._echo:
                os.write(2, line)
        except OSError:
            return

    def close(self) -> None:
        """Write no more."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def redirect_stderr(self) -> None:
        """Let the interpreter's own last words go to the log as well."""
        os.dup2(self._fd, 2)

    def _open(self) -> None:
        self._fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._size = os.fstat(self._fd).st_size

    def _rotate(self) -> None:
        os.rename(self._path, self._path + ".1")
        old = self._fd
        self._open()
        os.close(old)
        if not self._echo:
            self.redirect_stderr()


def _one_line(text: str) -> str:
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)
