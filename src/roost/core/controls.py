"""What controls and control sequences do to a `Page`.

Only what moves the cursor or changes text is here; everything else is passed over.
"""

from __future__ import annotations

from collections.abc import Callable

from roost.core.ansi import TOKEN
from roost.core.page import Page, Saved
from roost.core.width import FILLER, layout

TAB = 8
_GRAPHICS = str.maketrans("`abcdefghijklmnopqrstuvwxyz{|}~", "◆▒␉␌␍␊°±␤␋┘┐┌└┼⎺⎻─⎼⎽├┤┴┬│≤≥π≠£·")
_LARGE = 1 << 20


class Interpreter:
    """Applies text with controls to a page, one token at a time.

    `line_feed_returns`: a line feed also goes to the first column (a pipe, where no terminal driver adds the CR).
    """

    def __init__(self, page: Page, *, line_feed_returns: bool) -> None:
        self.page = page
        self.line_feed_returns = line_feed_returns
        self.last = ""
        """The character that REP repeats: the last one written in this line."""

    def run(self, text: str) -> None:
        """Apply all of `text`."""
        for match in TOKEN.finditer(text):
            kind = match.lastgroup
            if kind == "text":
                self.write(match[0])
            elif kind == "control":
                self.control(match[0])
            elif kind == "final":
                self._sequence(match["params"], match["final"])
            elif kind == "escape":
                self._escape(match["escape"])
            else:
                self._designate(match["middle"], match["set"])

    # -- text ------------------------------------------------------------------------------------------------------

    def write(self, text: str) -> None:
        """Characters at the cursor, wrapping at the right edge."""
        page = self.page
        if page.graphic_sets[page.shifted]:
            text = text.translate(_GRAPHICS)
        self.last = text[-1]
        cells, marks = layout(text)
        if -1 in marks:
            page.changed().mark(page.x - 1, marks.pop(-1))
        at = 0
        while at < len(cells):
            room = self._room(cells, at)
            row = page.changed()
            if page.inserting and page.columns:
                row.insert(page.x, room, page.columns)
            row.put(page.x, cells[at : at + room])
            for key in [key for key in marks if key < at + room]:
                row.mark(page.x + key - at, marks.pop(key))
            page.x += room
            at += room
        if not page.columns:
            self._cut_endless()

    def _room(self, cells: str, at: int) -> int:
        """How many cells fit at the cursor, after wrapping when none does."""
        page = self.page
        left = len(cells) - at
        if not page.columns:
            return left
        wide = at + 1 < len(cells) and cells[at + 1] == FILLER
        if page.x + wide >= page.columns:
            if page.autowrap:
                page.changed().wrapped = True
                page.move_down_or_scroll()
                page.x = 0
            else:
                page.x = page.columns - 1 - wide
        room = min(left, page.columns - page.x)
        if room < left and cells[at + room] == FILLER:
            room -= 1
        return room

    def _cut_endless(self) -> None:
        page = self.page
        row = page.here()
        while len(row.text) > page.max_line:
            page.cut_line()

    # -- controls --------------------------------------------------------------------------------------------------

    def control(self, control: str) -> None:
        """One C0 control; the others do nothing."""
        page = self.page
        if control == "\n":
            if self.line_feed_returns:
                page.x = 0
            self.last = ""
            page.line_feed()
        elif control == "\r":
            page.x = 0
        elif control == "\b":
            self._to_column(self._x() - 1)
        elif control == "\t":
            self.last = " "
            self._to_column((self._x() // TAB + 1) * TAB)
        elif control in "\v\f":
            page.line_feed()
        elif control in "\x0e\x0f":
            page.shifted = int(control == "\x0e")

    def _escape(self, final: str) -> None:
        page = self.page
        if final == "7":
            self._save()
        elif final == "8":
            self._restore()
        elif final == "D":
            page.line_feed()
        elif final == "E":
            page.x = 0
            page.line_feed()
        elif final == "M":
            page.move_up_or_scroll()
        elif final == "c":
            page.reset_modes()
            page.x = page.y = 0
            page.clear()
            page.saved = None

    def _designate(self, middle: str, final: str) -> None:
        if middle in ("(", ")"):
            self.page.graphic_sets[middle == ")"] = final == "0"

    # -- control sequences -----------------------------------------------------------------------------------------

    def _sequence(self, params: str, final: str) -> None:
        head = params.rstrip(" !\"#$%&'()*+,-./")
        middle = params[len(head) :]
        action = _ACTIONS.get(head[:1] + final if head[:1] in ("?", "<", "=", ">") else middle + final)
        if action is not None:
            action(self, _numbers(head.lstrip("?<=>")))

    def _x(self) -> int:
        """The cursor's column; a pending wrap counts as the last one."""
        page = self.page
        return min(page.x, page.columns - 1) if page.columns else page.x

    def _to_column(self, x: int) -> None:
        page = self.page
        limit = page.columns - 1 if page.columns else page.max_line
        page.x = max(0, min(x, limit))

    def _to_row(self, y: int, *, absolute: bool) -> None:
        page = self.page
        top, bottom = page.margins if page.origin else (0, page.height - 1)
        self._to_column(self._x())
        page.move_to_row(max(top, min(y + (top if absolute else 0), bottom)), absolute=absolute)

    def _up(self, count: int) -> None:
        page = self.page
        top = page.margins[0] if page.y >= page.margins[0] else 0
        self._to_row(max(top, page.y - count), absolute=False)

    def _down(self, count: int) -> None:
        page = self.page
        bottom = page.margins[1] if page.y <= page.margins[1] else page.height - 1
        self._to_row(min(bottom, page.y + count), absolute=False)

    def _next_line(self, n: list[int]) -> None:
        self._down(_at(n, 0))
        self._to_column(0)

    def _previous_line(self, n: list[int]) -> None:
        self._up(_at(n, 0))
        self._to_column(0)

    def _position(self, n: list[int]) -> None:
        self._to_row(_at(n, 0) - 1, absolute=True)
        self._to_column(_at(n, 1) - 1)

    def _erase_line(self, n: list[int]) -> None:
        page = self.page
        what = n[0]
        row = page.changed()
        if what == 0:
            row.erase(page.x, _LARGE)
        elif what == 1:
            row.erase(0, self._x() + 1)
        elif what == 2:
            row.erase(0, _LARGE)
        if what in (0, 2) and not (what == 0 and page.columns and page.x >= page.columns):
            row.wrapped = False

    def _erase_display(self, n: list[int]) -> None:
        page = self.page
        what = n[0]
        if what == 0:
            self._erase_line([0])
            page.erase_below()
        elif what == 1:
            page.erase_above()
            self._erase_line([1])
        elif what == 2:
            page.clear()

    def _erase_cells(self, n: list[int]) -> None:
        self.page.changed().erase(self._x(), self._x() + _at(n, 0))

    def _insert_cells(self, n: list[int]) -> None:
        page = self.page
        page.changed().insert(self._x(), min(_at(n, 0), page.columns or page.max_line), page.columns or page.max_line)

    def _insert_rows(self, n: list[int]) -> None:
        self._rows(n, self.page.insert_rows)

    def _delete_rows(self, n: list[int]) -> None:
        self._rows(n, self.page.delete_rows)

    def _rows(self, n: list[int], change: Callable[[int, int], None]) -> None:
        page = self.page
        top, bottom = page.margins
        if top <= page.y <= bottom:
            for _ in range(min(_at(n, 0), page.height)):
                change(page.y, bottom)
            page.x = 0

    def _scroll(self, n: list[int], change: Callable[[int, int], None]) -> None:
        page = self.page
        for _ in range(min(_at(n, 0), page.height)):
            change(*page.margins)
            page.reveal(page.y)

    def _set_margins(self, n: list[int]) -> None:
        page = self.page
        top = _at(n, 0) - 1
        bottom = min((n[1] if len(n) > 1 else 0) or page.height, page.height) - 1
        if top < bottom:
            page.margins = (top, bottom)
            self._position([0])

    def _mode(self, n: list[int], *, on: bool) -> None:
        if 4 in n:
            self.page.inserting = on

    def _private_mode(self, n: list[int], *, on: bool) -> None:
        if 7 in n:
            self.page.autowrap = on
        if 6 in n:
            self.page.origin = on
            self._position([0])
        if 1048 in n:
            self._save() if on else self._restore()

    def _save(self) -> None:
        page = self.page
        page.saved = Saved(page.x, page.y, page.graphic_sets[0])

    def _restore(self) -> None:
        page = self.page
        saved = page.saved or Saved(0, 0, False)
        page.move_to_row(min(saved.y, page.height - 1))
        page.x = saved.x
        page.graphic_sets[0] = saved.graphics
        page.relax()

    def _repeat(self, n: list[int]) -> None:
        if self.last:
            self.write(self.last * min(_at(n, 0), self.page.columns * self.page.height or TAB * TAB))

    def _soft_reset(self, _: list[int]) -> None:
        self.page.reset_modes()


def _numbers(params: str) -> list[int]:
    """Parameters as numbers; what is missing or malformed is 0."""
    return [min(int(part), _LARGE) if part.isdigit() else 0 for part in params.replace(":", ";").split(";")]


def _at(n: list[int], index: int) -> int:
    """A count or place, which is 1 when it is missing or 0."""
    return (n[index] if index < len(n) else 0) or 1


_ACTIONS: dict[str, Callable[[Interpreter, list[int]], None]] = {
    "A": lambda i, n: i._up(_at(n, 0)),
    "B": lambda i, n: i._down(_at(n, 0)),
    "e": lambda i, n: i._down(_at(n, 0)),
    "C": lambda i, n: i._to_column(i._x() + _at(n, 0)),
    "a": lambda i, n: i._to_column(i._x() + _at(n, 0)),
    "D": lambda i, n: i._to_column(i._x() - _at(n, 0)),
    "E": Interpreter._next_line,
    "F": Interpreter._previous_line,
    "G": lambda i, n: i._to_column(_at(n, 0) - 1),
    "`": lambda i, n: i._to_column(_at(n, 0) - 1),
    "I": lambda i, n: i._to_column((i._x() // TAB + _at(n, 0)) * TAB),
    "Z": lambda i, n: i._to_column(((i._x() + TAB - 1) // TAB - _at(n, 0)) * TAB),
    "d": lambda i, n: i._to_row(_at(n, 0) - 1, absolute=True),
    "H": Interpreter._position,
    "f": Interpreter._position,
    "J": Interpreter._erase_display,
    "?J": Interpreter._erase_display,
    "K": Interpreter._erase_line,
    "?K": Interpreter._erase_line,
    "X": Interpreter._erase_cells,
    "@": Interpreter._insert_cells,
    "P": lambda i, n: i.page.changed().delete(i._x(), _at(n, 0)),
    "L": Interpreter._insert_rows,
    "M": Interpreter._delete_rows,
    "S": lambda i, n: i._scroll(n, i.page.scroll_up),
    "T": lambda i, n: i._scroll(n, i.page.insert_rows),
    "b": Interpreter._repeat,
    "r": Interpreter._set_margins,
    "h": lambda i, n: i._mode(n, on=True),
    "l": lambda i, n: i._mode(n, on=False),
    "?h": lambda i, n: i._private_mode(n, on=True),
    "?l": lambda i, n: i._private_mode(n, on=False),
    "s": lambda i, n: i._save(),
    "u": lambda i, n: i._restore(),
    "!p": Interpreter._soft_reset,
}
