"""The title that a program gives its terminal (OSC 0 and 2), found in its output."""

from __future__ import annotations

import re

MAX_TITLE = 1024
_KEPT = 4096
"""Bytes of an unfinished sequence that are kept; a longer one is no title."""

_TITLE = re.compile(rb"\x1b\][02];([^\x07\x1b\x18\x1a]*)(?:\x07|\x1b\\)")
_UNFINISHED = re.compile(rb"\x1b(?:\](?:[02](?:;[^\x07\x1b\x18\x1a]*\x1b?)?)?)?\Z")


class TitleWatch:
    """The newest title in a stream of output that comes in any pieces."""

    __slots__ = ("_tail", "text")

    def __init__(self) -> None:
        self.text = ""
        self._tail = b""

    def feed(self, data: bytes) -> None:
        """The program wrote this."""
        if self._tail or b"\x1b]" in data or data[-1:] == b"\x1b":
            self._take(self._tail + data)

    def _take(self, data: bytes) -> None:
        found = None
        for found in _TITLE.finditer(data):  # noqa: B007 -- the last one counts
            pass
        if found is not None:
            self.text = found[1].decode("utf-8", "replace").strip()[:MAX_TITLE]
        # Only the end is looked at: a search for what ends there would begin at each escape before it.
        unfinished = _UNFINISHED.search(data, max(found.end() if found else 0, len(data) - _KEPT))
        self._tail = unfinished[0] if unfinished else b""
