"""How many columns a character takes in a terminal."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

FILLER = "\0"
"""Stands in the second cell of a wide character, so that an index into a row's text is a column."""

_WIDE = frozenset("WF")
_MARKS = frozenset(("Mn", "Me", "Cf"))
_ALWAYS_NARROW_BELOW = 0x300
_JAMO_VOWELS = range(0x1160, 0x1200)


@lru_cache(maxsize=4096)
def width(char: str) -> int:
    """0 for what joins the character before it, 2 for wide ones, else 1."""
    code = ord(char)
    if code < _ALWAYS_NARROW_BELOW:
        return 1
    if unicodedata.category(char) in _MARKS or code in _JAMO_VOWELS:
        return 0
    return 2 if unicodedata.east_asian_width(char) in _WIDE else 1


def is_simple(text: str) -> bool:
    """Whether every character takes one column."""
    return text.isascii() or all(width(char) == 1 for char in set(text))


def columns(text: str) -> int:
    """How many columns the text takes on one endless row."""
    return len(text) if text.isascii() else sum(map(width, text))


def layout(text: str) -> tuple[str, dict[int, str]]:
    """Cells of `text`, one character a column with fillers, and the joining marks by the cell they join.

    A mark before the first cell is kept under -1.
    """
    if is_simple(text):
        return text, {}
    cells: list[str] = []
    marks: dict[int, str] = {}
    for char in text:
        wide = width(char)
        if wide:
            cells.append(char)
            if wide > 1:
                cells.append(FILLER)
        else:
            base = len(cells) - 1
            if base > 0 and cells[base] == FILLER:
                base -= 1
            marks[base] = marks.get(base, "") + char
    return "".join(cells), marks
