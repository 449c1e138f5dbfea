"""One row of a terminal's screen, as text without colours."""

from __future__ import annotations

from typing import Any

from roost.core.width import FILLER


class Row:
    """Cells of one row; an index into `text` is a column.

    `wrapped`: the line goes on in the next row. `given`: what was given out for the line that begins here.
    `time_ns`: when it last changed.
    """

    __slots__ = ("given", "marks", "text", "time_ns", "wrapped")

    def __init__(self, text: str = "", *, given: str | None = None, time_ns: int = 0) -> None:
        self.text = text
        self.marks: dict[int, str] = {}
        self.wrapped = False
        self.given = given
        self.time_ns = time_ns

    @property
    def used(self) -> int:
        """Cells up to the last one that is not blank."""
        return max(len(self.text.rstrip(" ")), max(self.marks, default=-1) + 1)

    def put(self, at: int, cells: str) -> None:
        """Write cells over what stands at column `at`."""
        end = at + len(cells)
        text = self.text
        if at >= len(text):
            self.text = text.ljust(at) + cells
            return
        self._open(at, end)
        text = self.text
        self.text = text[:at] + cells + text[end:]

    def mark(self, at: int, marks: str) -> None:
        """Join `marks` to the character in the cell `at`."""
        if 0 < at < len(self.text) and self.text[at] == FILLER:
            at -= 1
        self.text = self.text.ljust(at + 1)
        self.marks[at] = self.marks.get(at, "") + marks

    def erase(self, at: int, end: int) -> None:
        """Make the cells from `at` up to `end` blank."""
        if at >= len(self.text):
            return
        self._open(at, end)
        text = self.text
        self.text = text[:at] if end >= len(text) else text[:at] + " " * (end - at) + text[end:]

    def insert(self, at: int, count: int, columns: int) -> None:
        """Push the cells from `at` on to the right by `count`; what leaves the row is gone (`columns` 0: endless)."""
        if at >= len(self.text):
            return
        self._open(at, at)
        self._shift_marks(at, count)
        text = self.text[:at] + " " * count + self.text[at:]
        self.text = text[:columns] if columns else text
        if columns and len(text) > columns:
            cut = columns - (text[columns] == FILLER)
            self.text = text[:cut].ljust(columns)
            self.marks = {key: value for key, value in self.marks.items() if key < cut}

    def delete(self, at: int, count: int) -> None:
        """Take `count` cells out at `at`; the rest moves left."""
        if at >= len(self.text):
            return
        self._open(at, at + count)
        self._shift_marks(at + count, -count)
        self.text = self.text[:at] + self.text[at + count :]

    def split(self, at: int) -> Row:
        """Keep the cells from `at` on; the ones before it are returned as another row."""
        head = Row(self.text[:at])
        head.marks = {key: value for key, value in self.marks.items() if key < at}
        self.text = self.text[at:]
        self.marks = {key - at: value for key, value in self.marks.items() if key >= at}
        return head

    def rendered(self) -> str:
        """The row's text, marks joined and fillers gone."""
        if not self.marks:
            return self.text.replace(FILLER, "") if FILLER in self.text else self.text
        cells = [self.marks.get(-1, "")]
        for at, char in enumerate(self.text):
            if char != FILLER:
                cells.append(char + self.marks.get(at, ""))
        return "".join(cells)

    def state(self) -> list[Any]:
        """The row as plain values."""
        return [self.text, list(self.marks.items()), self.wrapped, self.given, self.time_ns]

    @classmethod
    def restore(cls, value: list[Any]) -> Row:
        """The row that `state` described."""
        row = cls(value[0], given=value[3], time_ns=value[4])
        row.marks = {int(key): mark for key, mark in value[1]}
        row.wrapped = value[2]
        return row

    def _open(self, at: int, end: int) -> None:
        """Blank the halves that would be left of wide characters cut at `at` and `end`; forget marks between."""
        text = self.text
        for cut in (at, end):
            if 0 < cut < len(text) and text[cut] == FILLER:
                text = text[: cut - 1] + "  " + text[cut + 1 :]
                self.marks.pop(cut - 1, None)
        self.text = text
        if self.marks:
            self.marks = {key: value for key, value in self.marks.items() if not at <= key < end}

    def _shift_marks(self, at: int, by: int) -> None:
        if self.marks:
            self.marks = {key + by if key >= at else key: value for key, value in self.marks.items()}
