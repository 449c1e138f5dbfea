"""Open files kept open: opening one costs more than most reads and writes."""

from __future__ import annotations

import os
import resource
from typing import Self

LEAST, MOST = 16, 1024


class Descriptors:
    """The files used last, at most `capacity` of them. For one thread."""

    def __init__(self, capacity: int | None = None) -> None:
        self._capacity = capacity or _share_of_limit()
        self._open: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._open)

    def get(self, path: str, flags: int, mode: int = 0o600) -> int:
        """The descriptor of a file, opened if need be. It is good until the next call.

        Raises:
            OSError: it cannot be opened.
        """
        descriptor = self._open.pop(path, -1)
        if descriptor < 0:
            descriptor = os.open(path, flags | os.O_CLOEXEC, mode)
        self._open[path] = descriptor
        if len(self._open) > self._capacity:
            self.drop(next(iter(self._open)))
        return descriptor

    def drop(self, path: str) -> None:
        """Close a file if it is open."""
        descriptor = self._open.pop(path, -1)
        if descriptor >= 0:
            os.close(descriptor)

    def close(self) -> None:
        """Close all."""
        for path in list(self._open):
            self.drop(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _share_of_limit() -> int:
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return max(LEAST, min(MOST, soft // 4))
