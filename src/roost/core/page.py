"""The part of a terminal's screen that a program still works on, as text without colours.

A `Page` holds rows only while they matter: the line being written, and, once the program moves the cursor up, the
rows it can reach. What it gives out are whole lines (soft-wrapped rows joined).

Rules of giving out:

1. A program that never moves up gets each line given out at its line feed.
2. From the first move up, rows within its reach (the furthest it moved up from the bottom) are held, and given out
   when they leave that reach, when they scroll off the screen, when as many lines as the screen is high were
   appended without another move up, on `quiet`, or at the end.
3. A row is given out again only if it changed, and never as a blank.
4. A program that addresses rows absolutely paints a screen; quiet gives out nothing of it before it scrolls again.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from roost.core.rows import Row
from roost.core.width import FILLER, columns, layout

DEFAULT_ROWS = 50
_APPENDED_ENDS_PAINTING = 3


_SCALARS = (
    "columns", "height", "max_line", "recent", "line_row", "saved", "margins", "autowrap", "inserting",
    "origin", "graphic_sets", "shifted",
)  # fmt: skip
_EDITING = (
    "top_row",
    "x",
    "y",
    "carry",
    "held_from",
    "episode",
    "painting",
    "reach",
    "appended",
    "lowest",
    "scrolled",
    "time_ns",
)


class Given(NamedTuple):
    """A line's text, the time it was last changed, and whether the next one continues it."""

    text: str
    time_ns: int
    continues: bool


class Saved(NamedTuple):
    """What saving the cursor keeps."""

    x: int
    y: int
    graphics: bool


class Page:
    """Rows of a screen that is `columns` wide (0: endless, a pipe) and `height` rows high.

    `x`, `y` is the cursor on the screen; `rows[0]` stands at screen row `top_row`, and the lines above it are in
    `recent`, whole and already given out.
    """

    def __init__(self, columns: int, height: int, max_line: int) -> None:
        self.max_line = max_line
        self.time_ns = 0
        self.given: list[Given] = []
        self.recent: list[str] = []
        self.line_row = 0
        self.saved: Saved | None = None
        self.set_size(columns, height)
        self.reset_modes()
        self._begin([Row()], 0, 0)

    def set_size(self, columns: int, height: int) -> None:
        """A new size; rows that are held keep their cells."""
        self.columns = max(columns, 2) if columns else 0
        self.height = height or DEFAULT_ROWS
        self.line_row = min(self.line_row, self.height - 1)
        self.margins = (0, self.height - 1)

    def reset_modes(self) -> None:
        """Modes as a terminal has them when it is switched on."""
        self.margins = (0, self.height - 1)
        self.autowrap = True
        self.inserting = False
        self.origin = False
        self.graphic_sets = [False, False]
        self.shifted = 0

    # -- between lines ---------------------------------------------------------------------------------------------

    def open(self, partial: str) -> None:
        """Take over the line `partial`, whose end is where the cursor stands."""
        rows = self._wrap(partial)
        for row in rows:
            row.time_ns = self.time_ns
        self._begin(rows, self.line_row, len(rows) - 1)
        self.x = len(rows[-1].text)
        while self.y >= self.height:
            self.y -= 1
            if self.top_row > 0:
                self.top_row -= 1
            else:
                self._leave_above()

    def _begin(self, rows: list[Row], top_row: int, index: int) -> None:
        self.rows = rows
        self.top_row = top_row
        self.x, self.y = 0, top_row + index
        self.carry = ""
        self.held_from = 0
        self.episode = self.painting = False
        self.reach = self.appended = self.scrolled = self.lowest = 0

    def can_close(self) -> bool:
        """Whether nothing is held and the cursor stands at the end of the last line."""
        if self.episode or self.carry:
            return False
        row = self.rows[-1]
        return (
            self.index == len(self.rows) - 1
            and self.x >= row.used
            and (self.x == 0 or row.used > 0)
            and self.margins == (0, self.height - 1)
            and self.autowrap
            and not (self.inserting or self.origin or self.shifted or self.graphic_sets[0])
        )

    def close(self) -> str:
        """Forget the rows; what stands above is kept as recent lines. Returns the unfinished line."""
        begin = self._line_start(self.index)
        last = self.rows[-1]
        last.text = last.text[: last.used].ljust(self.x)
        partial = self.carry + self._text(begin, len(self.rows))
        self.carry = ""
        lines = [self._text(a, b).rstrip(" ") for a, b in self._lines(0, begin)]
        self.line_row = self.top_row + begin
        self.remember(lines)
        return partial

    def discard(self) -> None:
        """Forget everything, as after the end."""
        self.recent.clear()
        self._begin([Row()], 0, 0)

    def current(self) -> str:
        """The line the cursor stands in, as far as the screen shows it."""
        begin = self._line_start(self.index)
        after = self.index + 1
        while after < len(self.rows) and self.rows[after - 1].wrapped:
            after += 1
        return self._text(begin, after).rstrip(" ")

    def lines(self) -> list[str]:
        """What the rows hold, as lines."""
        return [self._text(*line).rstrip(" ") for line in self._lines(0, len(self.rows))]

    def settle_all(self) -> None:
        """Give out everything held but the last line, so that the page can be closed."""
        self._trim()
        self.y = self.top_row + len(self.rows) - 1
        self._end_episode()

    def remember(self, lines: list[str]) -> None:
        """These lines were given out and may still be on the screen."""
        self.recent = (self.recent + lines)[-self.height :] if lines else self.recent

    def advance(self, lines: list[str]) -> None:
        """Lines went by, whole, without this page: keep what the screen still shows."""
        row, last = self.line_row, self.height - 1
        if row < last:
            for line in lines[: last - row]:
                row += self.rows_of(line)
        self.line_row = min(row, last)
        keep = lines[-self.height :]
        if self.columns and max(map(len, keep)) * 2 > self.columns * self.height:
            keep = [self._end_of(line) for line in keep]
        self.recent = keep if len(keep) == self.height else (self.recent + keep)[-self.height :]

    def _end_of(self, line: str) -> str:
        """As much of a line as a screen can show."""
        rows = self._wrap(line)[-self.height :]
        return "".join(map(self._padded, rows, rows[1:])) + rows[-1].rendered()

    def rows_of(self, line: str) -> int:
        """How many rows a line takes."""
        if not self.columns or len(line) * 2 <= self.columns:
            return 1
        return max(1, -(-columns(line) // self.columns))

    # -- lines out -------------------------------------------------------------------------------------------------

    def line_feed(self) -> None:
        """The cursor goes down one row and the line it leaves is complete."""
        self._trim()
        if not self.episode:
            self._release(self.index + 1)
            self.move_down_or_scroll()
            return
        fresh = self.index == len(self.rows) - 1
        self.move_down_or_scroll()
        self.appended += fresh
        bottom = len(self.rows) - 1
        if self.appended > max(self.height, self.reach):
            self._end_episode()
        elif not self.painting:
            self._release(bottom - self.reach)

    def quiet(self) -> None:
        """No output came for a while: give out what is held, but not the line that is being written."""
        settled = not self.painting or self.scrolled or self.appended >= _APPENDED_ENDS_PAINTING
        if self.episode and settled:
            self._end_episode()

    def finish(self) -> None:
        """No more will come: everything is given out."""
        self._trim()
        last = self.rows[-1]
        goes_on = self.rows[-2].wrapped if len(self.rows) > 1 else bool(self.carry)
        empty = not last.used and not goes_on
        self._release(len(self.rows) - empty)

    def relax(self) -> None:
        """The cursor came back: if it stands on the last row and nothing above changed, nothing needs to be held."""
        self._trim()
        at = self.index
        if at != len(self.rows) - 1:
            return
        begin = self._line_start(min(self.held_from, at))
        if all(self._is_given(*line) for line in self._lines(begin, self._line_start(at))):
            self.episode = self.painting = False
            self.held_from = self._line_start(at)
            self.reach = self.appended = self.scrolled = self.lowest = 0

    def _is_given(self, first: int, after: int) -> bool:
        text = self._text(first, after).rstrip(" ")
        given = self.rows[first].given
        return given is not None and text in ("", given) and not (first == 0 and self.carry)

    def _end_episode(self) -> None:
        self._trim()
        at_bottom = self.index == len(self.rows) - 1
        self._release(self.index if at_bottom else len(self.rows))
        self.episode = not at_bottom
        self.painting = False
        self.reach = self.appended = self.scrolled = self.lowest = 0

    def _release(self, end: int) -> None:
        """Give out what changed in the rows before `end`."""
        while end > 0 and end < len(self.rows) and self.rows[end - 1].wrapped:
            end -= 1
        begin = self._line_start(min(self.held_from, len(self.rows) - 1))
        for first, after in self._lines(begin, end):
            self._give_line(first, after)
        self.held_from = max(self.held_from, end)

    def _give_line(self, first: int, after: int) -> None:
        head = self.rows[first]
        text = self._text(first, after).rstrip(" ")
        if first == 0 and self.carry:
            self._give(self.carry + text, head.time_ns)
            self.carry = ""
        elif not self._is_given(first, after):
            self._give(text, max(row.time_ns for row in self.rows[first:after]))
        else:
            return
        head.given = text

    def _give(self, text: str, time_ns: int) -> None:
        while len(text) > self.max_line:
            self.given.append(Given(text[: self.max_line], time_ns, True))
            text = text[self.max_line :]
        self.given.append(Given(text, time_ns, False))

    def _lines(self, begin: int, end: int) -> list[tuple[int, int]]:
        """Rows from `begin` to `end` as lines: index of the first row, index behind the last."""
        found = []
        first = begin
        for at in range(begin, end):
            if not self.rows[at].wrapped or at == end - 1:
                found.append((first, at + 1))
                first = at + 1
        return found

    def _line_start(self, index: int) -> int:
        while index > 0 and self.rows[index - 1].wrapped:
            index -= 1
        return index

    def _text(self, first: int, after: int) -> str:
        if after - first == 1:
            return self.rows[first].rendered()
        rows = self.rows[first:after]
        return "".join(map(self._padded, rows, rows[1:])) + rows[-1].rendered()

    def _padded(self, row: Row, following: Row) -> str:
        """A wrapped row's text up to the edge; before a wide character the last cell stays unused."""
        edge = self.columns - following.text.startswith(FILLER, 1)
        return row.rendered() + " " * (edge - len(row.text))

    def _trim(self) -> None:
        """Forget blank rows below the cursor."""
        rows = self.rows
        while len(rows) - 1 > self.index and not rows[-1].used:
            rows.pop()

    # -- erasing ---------------------------------------------------------------------------------------------------

    def erase_below(self) -> None:
        """Every row below the cursor becomes blank."""
        for row in self.rows[self.index + 1 :]:
            self._blank(row)

    def erase_above(self) -> None:
        """Every row above the cursor becomes blank."""
        self.held_from = 0
        self.recent.clear()
        for row in self.rows[: self.index]:
            self._blank(row)

    def clear(self) -> None:
        """Every row becomes blank; the cursor stays where it is."""
        self.recent.clear()
        self.carry = ""
        self.rows = [Row(time_ns=self.time_ns)]
        self.top_row = self.y
        self.held_from = 0
        self.episode = self.painting = False
        self.reach = self.appended = self.scrolled = self.lowest = 0

    def _blank(self, row: Row) -> None:
        row.text, row.marks, row.wrapped, row.time_ns = "", {}, False, self.time_ns

    def cut_line(self) -> None:
        """On an endless row: give out the first `max_line` cells as the beginning of the line."""
        row = self.here()
        head = row.split(self.max_line)
        self.given.append(Given(head.rendered(), self.time_ns, True))
        self.x = max(0, self.x - self.max_line)

    # -- rows ------------------------------------------------------------------------------------------------------

    @property
    def index(self) -> int:
        """Index of the cursor's row."""
        return self.y - self.top_row

    def here(self) -> Row:
        """The cursor's row."""
        return self.rows[self.y - self.top_row]

    def changed(self) -> Row:
        """The cursor's row, noted as changed now."""
        at = self.y - self.top_row
        row = self.rows[at]
        row.time_ns = self.time_ns
        if at < self.held_from:
            self.held_from = at
        return row

    def reveal(self, y: int, given: str | None = "") -> None:
        """Have screen row `y` among the rows. Rows that were only passed over are no lines while they stay blank."""
        while self.top_row > y:
            self._take_recent()
        while self.top_row + len(self.rows) <= y:
            self.rows.append(Row(given=given, time_ns=self.time_ns))

    def _take_recent(self) -> None:
        lines = self._wrap(self.recent.pop()) if self.recent else [Row()]
        fitting = lines[-self.top_row :]
        fitting[0].given = "".join(row.rendered() for row in fitting)
        self.rows[:0] = fitting
        self.top_row -= len(fitting)
        self.held_from += len(fitting)

    def _wrap(self, text: str) -> list[Row]:
        """A line as rows."""
        row = Row()
        rows = [row]
        cells, marks = layout(text)
        at = 0
        while self.columns and len(cells) - at > self.columns:
            end = at + self.columns
            end -= cells[end] == FILLER
            row.text, row.wrapped = cells[at:end], True
            row.marks = {key - at: value for key, value in marks.items() if at <= key < end}
            at = end
            row = Row()
            rows.append(row)
        row.text = cells[at:]
        row.marks = {key - at: value for key, value in marks.items() if key >= at or key < 0 == at}
        return rows

    # -- movement --------------------------------------------------------------------------------------------------

    def move_to_row(self, y: int, *, absolute: bool = False) -> None:
        """The cursor goes to screen row `y`, its column stays; `absolute` tells painting from stepping up."""
        bottom = self.top_row + len(self.rows) - 1
        self.lowest = max(bottom, self.lowest if self.episode else 0)
        self._trim()
        went_up = y < self.y
        self.reveal(y)
        self.y = y
        if absolute and any(row.used for row in self.rows):
            self.painting = self.episode = True
            self.scrolled = self.appended = 0
        if went_up:
            self.episode = True
            self.appended = 0
            self.held_from = min(self.held_from, self.index)
            self.reach = max(self.reach, self.lowest - y)

    def move_down_or_scroll(self) -> None:
        """Index: down one row, scrolling at the lower margin."""
        top, bottom = self.margins
        if self.y == bottom:
            self.scroll_up(top, bottom)
        elif self.y < self.height - 1:
            self.y += 1
        self.reveal(self.y, None)

    def move_up_or_scroll(self) -> None:
        """Reverse index: up one row, scrolling at the upper margin."""
        top, bottom = self.margins
        if self.y == top:
            self.reveal(top)
            self.insert_rows(top, bottom)
        elif self.y > 0:
            self.move_to_row(self.y - 1)

    def scroll_up(self, top: int, bottom: int) -> None:
        """The rows between the margins move up by one; what leaves the top of the screen is history."""
        if top > 0:
            self.delete_rows(top, bottom)
            return
        self.scrolled += 1
        self.lowest -= 1
        if bottom == self.height - 1 and self.top_row > 0:
            self.top_row -= 1
            return
        self.reveal(0)
        self.reveal(bottom)
        self._leave_above()
        self.rows.insert(bottom, Row(time_ns=self.time_ns))

    def _leave_above(self) -> None:
        """The first row, which stands at the top of the screen, goes into history."""
        head = self.rows[0]
        if head.wrapped and len(self.rows) > 1:
            self._carry_over(head)
        else:
            self._release(1)
        del self.rows[0]
        self.held_from = max(0, self.held_from - 1)

    def _carry_over(self, head: Row) -> None:
        """Keep the head of a soft-wrapped line until its end is known, unless it was given out as it is."""
        after = next((i for i, row in enumerate(self.rows, 1) if not row.wrapped), len(self.rows))
        if not self.carry and head.given is not None and head.given == self._text(0, after).rstrip(" "):
            self.rows[1].given = self._text(1, after).rstrip(" ")
            return
        self.carry += self._padded(head, self.rows[1])
        self.held_from = 0
        if len(self.carry) > self.max_line:
            self.given.append(Given(self.carry[: self.max_line], self.time_ns, True))
            self.carry = self.carry[self.max_line :]

    def delete_rows(self, at: int, bottom: int) -> None:
        """Screen row `at` goes, the rows down to `bottom` move up."""
        self._shift_rows(at, bottom, at, bottom)

    def insert_rows(self, at: int, bottom: int) -> None:
        """A blank row comes in at screen row `at`, the rows down to `bottom` move down."""
        self._shift_rows(at, bottom, bottom, at)

    def _shift_rows(self, at: int, bottom: int, gone: int, fresh: int) -> None:
        self.reveal(at)
        self.reveal(bottom)
        at -= self.top_row
        self.held_from = min(self.held_from, at)
        self.episode = True
        if at > 0:
            self.rows[at - 1].wrapped = False
        del self.rows[gone - self.top_row]
        self.rows.insert(fresh - self.top_row, Row(time_ns=self.time_ns))

    # -- checkpoints -----------------------------------------------------------------------------------------------

    def state(self, with_rows: bool) -> dict[str, Any]:
        """Everything as plain values; the rows only while they are in use."""
        value = {name: getattr(self, name) for name in _SCALARS}
        if with_rows:
            value |= {name: getattr(self, name) for name in _EDITING}
            value["rows"] = [row.state() for row in self.rows]
        return value

    def load(self, value: dict[str, Any]) -> None:
        """Take over a state."""
        for name in (*_SCALARS, *_EDITING):
            if name in value:
                setattr(self, name, value[name])
        self.margins = (value["margins"][0], value["margins"][1])
        self.saved = Saved(*value["saved"]) if value["saved"] else None
        if "rows" in value:
            self.rows = [Row.restore(row) for row in value["rows"]]
