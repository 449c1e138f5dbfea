"""What files held when they were last looked at, so that a change can be told in lines."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from roost.agents.line_diff import count_changed

MOST_BYTES = 262_144
"""Size of a file whose content is kept; lines of larger ones are not counted."""
MOST_KEPT = 16_777_216
MOST_FOLDERS = 5000
MOST_FILES = 20_000
IGNORED = frozenset(
    {
        *("__pycache__", ".git", ".hg", ".svn", ".tox", ".venv", "venv", ".idea", "node_modules", "target", "dist"),
        *(".mypy_cache", ".pytest_cache", ".ruff_cache", ".hypothesis", ".gradle", ".next", ".cache"),
    }
)
"""Folders that are full of what programs make for themselves."""
Json = dict[str, Any]


class TooLarge(Exception):
    """There are too many folders to watch."""


class FileContents:
    """The text files of one folder. Reads disks: for a thread."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._texts: dict[str, str] = {}
        self._known: set[str] = set()
        self._kept = 0

    def learn(self) -> None:
        """Look at everything there is.

        Raises:
            TooLarge: that would take too long.
        """
        for count, path in enumerate(_files(self._root)):
            if count >= MOST_FILES:
                raise TooLarge
            self._known.add(path)
            if self._kept < MOST_KEPT:
                self._read(path)

    def change(self, path: str, *, deleted: bool) -> Json | None:
        """The `file_changed` mark of a change at `path`; None where nothing is different."""
        known, before = path in self._known, self._texts.pop(path, None)
        self._kept -= len(before or "")
        if deleted or not os.path.lexists(path):
            self._known.discard(path)
            removed = None if before is None else len(before.splitlines())
            return {"type": "file_changed", "path": path, "change": "deleted", "removed": removed} if known else None
        size = _size(path)
        if size is None:
            return None
        self._known.add(path)
        after = self._read(path)
        if known and before is not None and before == after:
            return None
        mark = {"type": "file_changed", "path": path, "change": "modified" if known else "created", "bytes": size}
        return mark | self._lines(before if known else "", after)

    def _lines(self, before: str | None, after: str | None) -> Json:
        if before is None or after is None:
            return {}
        added, removed = count_changed(before, after)
        return {"added": added, "removed": removed}

    def _read(self, path: str) -> str | None:
        try:
            if (_size(path) or 0) > MOST_BYTES:
                return None
            text = Path(path).read_text()
        except (OSError, UnicodeDecodeError):
            return None
        self._texts[path] = text
        self._kept += len(text)
        return text


def _size(path: str) -> int | None:
    """Bytes of a plain file; none for folders, links and what is gone."""
    try:
        found = Path(path).lstat()
    except OSError:
        return None
    return found.st_size if (found.st_mode & 0o170000) == 0o100000 else None


def _files(root: Path) -> Iterator[str]:
    for count, (folder, folders, files) in enumerate(os.walk(root)):
        if count >= MOST_FOLDERS:
            raise TooLarge
        folders[:] = [name for name in folders if name not in IGNORED]
        for name in files:
            yield f"{folder}/{name}"
