"""Bytes cut into lines, however they come."""

from __future__ import annotations

MAX_LINE_BYTES = 32 << 20
"""A longer line is given as far as this, and the rest of it is left out."""


class LineCutter:
    """Gives whole lines without their line feeds; keeps what is unfinished."""

    __slots__ = ("_parts", "_size", "_skipping")

    def __init__(self, kept: bytes = b"") -> None:
        self._parts: list[bytes] = [kept] if kept else []
        self._size = len(kept)
        self._skipping = False

    def feed(self, data: bytes) -> list[bytes]:
        """The lines that end in `data`."""
        head, *rest = data.split(b"\n")
        if not rest:
            self._keep(head)
            return []
        self._keep(head)
        first = b"".join(self._parts)
        last = rest.pop()
        self._parts, self._size, self._skipping = [], 0, False
        self._keep(last)
        return [first, *rest]

    def finish(self) -> bytes:
        """What is left over."""
        left = b"".join(self._parts)
        self._parts, self._size, self._skipping = [], 0, False
        return left

    @property
    def kept(self) -> bytes:
        """The unfinished line."""
        if len(self._parts) > 1:
            self._parts = [b"".join(self._parts)]
        return self._parts[0] if self._parts else b""

    def _keep(self, data: bytes) -> None:
        if not data or self._skipping:
            return
        room = MAX_LINE_BYTES - self._size
        self._skipping = len(data) > room
        self._parts.append(data[:room])
        self._size += min(len(data), room)
