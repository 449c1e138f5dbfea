"""How many columns a character takes in a terminal."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

FILLER = "\0"
"""Stands in the second cell of a wide character, so that an index into a row's text is a column."""

_WIDE = frozenset("WF")
_MARKS = frozenset(("Mn", "Me", "Cf"))
_ALWAYS_NARROW_BELOW = 0x300
_RANGES = (
    (0x0600, 0x0605, 1), (0x06DD, 0x06DD, 1), (0x070F, 0x070F, 1), (0x0890, 0x0891, 1), (0x08E2, 0x08E2, 1),
    (0x115F, 0x11FF, 0), (0x2028, 0x2029, 0), (0x2630, 0x2637, 2), (0x268A, 0x268F, 2), (0x2E3A, 0x2E3B, 2),
    (0x3164, 0x3164, 0), (0x4DC0, 0x4DFF, 2), (0xD7B0, 0xD7FF, 0), (0xFFA0, 0xFFA0, 0), (0xFFF9, 0xFFFB, 1),
    (0x110BD, 0x110BD, 1), (0x110CD, 0x110CD, 1), (0x1D300, 0x1D376, 2), (0x1F1E6, 0x1F1FF, 2),
)  # fmt: skip
"""Where terminals and the tables of Python's Unicode version do not say the same."""
_UNASSIGNED_WIDE = ((0x1F300, 0x1F64F), (0x1F680, 0x1F6FF), (0x1F900, 0x1FAFF), (0x20000, 0x3FFFD))


@lru_cache(maxsize=4096)
def width(char: str) -> int:
    """0 for what joins the character before it, 2 for wide ones, else 1."""
    code = ord(char)
    if code < _ALWAYS_NARROW_BELOW:
        return 1
    for first, last, known in _RANGES:
        if first <= code <= last:
            return known
    category = unicodedata.category(char)
    if category == "Cn":
        return 2 if any(first <= code <= last for first, last in _UNASSIGNED_WIDE) else 1
    if category in _MARKS:
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
