"""The emulator of pyte, for machines that libghostty has no wheel for.

Our own tokens drive pyte's screen, because its parser raises on private sequences and prints what stands in strings
it does not know. What it cannot do is listed in `docs/explanation/cleaning.md`.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable
from typing import Any

import pyte
from pyte import modes as pyte_modes

from roost.core import ansi, screen
from roost.core.screen import (
    ALTERNATE_MODES,
    MODES_OFF_BY_DEFAULT,
    PLAIN,
    Colour,
    Cursor,
    OnReply,
    Run,
    Style,
    mode_bytes,
)
from roost.core.styled import row_bytes

_COLOURS = ("black", "red", "green", "brown", "blue", "magenta", "cyan", "white")
_NAMED = {name: at for at, name in enumerate(_COLOURS)} | {f"bright{name}": at + 8 for at, name in enumerate(_COLOURS)}
_NAMED["bfightmagenta"] = _NAMED["brightmagenta"]
_TITLE = re.compile(rb"\x1b\][02];([^\x07\x1b\x18\x1a]*)(?:\x07|\x1b\\)")
_VISIBLE, _WRAP, _ORIGIN = 25, 7, 6
_MOST_SHAPES = 6
_BYTES_A_CELL = 200


class PyteEmulator:
    """A pyte screen with history and an alternate screen."""

    name = "pyte"

    def __init__(self, size: tuple[int, int], on_reply: OnReply | None, scrollback_bytes: int) -> None:
        self._on_reply = on_reply
        self._tail = b""
        self._title = ""
        self._shape = 0
        self._private: set[int] = set()
        self._last = " "
        self._main: _Screen | None = None
        self._history: deque[list[Run]] = deque(maxlen=max(100, scrollback_bytes // (size[0] * _BYTES_A_CELL)))
        self._screen = self._new(*size)

    def _new(self, cols: int, rows: int) -> _Screen:
        made = _Screen(cols, rows)
        made.leaves = self._remember
        return made

    def _remember(self, row: list[Run]) -> None:
        if self._main is None:
            self._history.append(row)

    def close(self) -> None:
        """Nothing to free."""

    def feed(self, data: bytes) -> None:
        """Apply bytes."""
        data, self._tail = ansi.split_tail(ansi.fold_c1(self._tail + data))
        for title in _TITLE.findall(data):
            self._title = title.decode("utf-8", "replace")
        data = ansi.settle_escapes(ansi.STRINGS.sub(b"", data).translate(None, ansi.IGNORED + ansi.BELLS))
        for match in ansi.TOKEN.finditer(data.decode("utf-8", "replace")):
            kind = match.lastgroup
            if kind == "text":
                self._screen.draw(match[0])
                self._last = match[0][-1]
            elif kind == "final":
                self._sequence(match["params"], match["final"])
            elif kind == "set" and match["middle"] in ("(", ")"):
                self._screen.define_charset(match["set"], match["middle"])
            elif kind == "escape" and match["escape"] in "=>":
                self._keypad(match["escape"] == "=")
            elif kind == "escape":
                self._shape = 0 if match["escape"] == "c" else self._shape
                self._do(_ESCAPES.get(match["escape"]), [])
            elif kind == "control":
                self._do(_CONTROLS.get(match[0]), [])

    def _do(self, action: str | None, numbers: list[int]) -> None:
        if action is not None:
            getattr(self._screen, action)(*numbers)

    def _sequence(self, params: str, final: str) -> None:
        head = params.rstrip(" !\"#$%&'()*+,-./")
        key = (
            head[:1] + params[len(head) :] + final if head[:1] in ("?", "<", "=", ">") else params[len(head) :] + final
        )
        head = head.lstrip("?<=>")
        if key == "m":
            self._screen.select_graphic_rendition(*_plain_sgr(head))
            return
        numbers = [min(int(part), 9999) if part.isdigit() else 0 for part in head.split(";")]
        special = _SPECIAL.get(key)
        if special is not None:
            special(self, numbers)
        elif key in _SEQUENCES:
            name, takes = _SEQUENCES[key]
            self._do(name, numbers[:takes])

    # -- what pyte lacks -------------------------------------------------------------------------------------------

    def _reply(self, data: bytes) -> None:
        if self._on_reply is not None:
            self._on_reply(data)

    def _status(self, numbers: list[int]) -> None:
        if numbers[0] == 5:
            self._reply(b"\x1b[0n")
        elif numbers[0] == 6:
            cursor = self.cursor
            self._reply(b"\x1b[%d;%dR" % (cursor.row + 1, cursor.col + 1))

    def _report_mode(self, numbers: list[int]) -> None:
        known = numbers[0] in (*MODES_OFF_BY_DEFAULT, *ALTERNATE_MODES, _ORIGIN, _WRAP, _VISIBLE)
        state = (1 if self.has_mode(numbers[0]) else 2) if known else 0
        self._reply(b"\x1b[?%d;%d$y" % (numbers[0], state))

    def _set_shape(self, numbers: list[int]) -> None:
        self._shape = numbers[0] if numbers[0] <= _MOST_SHAPES else 0

    def _keypad(self, application: bool) -> None:
        if application:
            self._private.add(screen.KEYPAD_MODE)
        else:
            self._private.discard(screen.KEYPAD_MODE)

    def _repeat(self, numbers: list[int]) -> None:
        self._screen.draw(self._last * (numbers[0] or 1))

    def _scroll_up(self, numbers: list[int]) -> None:
        self._screen.scroll(min(numbers[0] or 1, self._screen.lines), up=True)

    def _scroll_down(self, numbers: list[int]) -> None:
        self._screen.scroll(min(numbers[0] or 1, self._screen.lines), up=False)

    def _modes_on(self, numbers: list[int]) -> None:
        for number in numbers:
            if number in ALTERNATE_MODES:
                self._enter_alternate()
            self._private.add(number)
        self._screen.set_mode(*[number for number in numbers if number in _PYTE_MODES], private=True)

    def _modes_off(self, numbers: list[int]) -> None:
        for number in numbers:
            if number in ALTERNATE_MODES and self._main is not None:
                self._screen, self._main, left = self._main, None, self._screen
                self._screen.share_modes(left)
            self._private.discard(number)
        self._screen.reset_mode(*[number for number in numbers if number in _PYTE_MODES], private=True)

    def _enter_alternate(self) -> None:
        if self._main is None:
            self._main = self._screen
            self._screen = self._new(self._main.columns, self._main.lines)
            self._screen.cursor.x, self._screen.cursor.y = self._main.cursor.x, self._main.cursor.y
            self._screen.cursor.attrs = self._main.cursor.attrs
            self._screen.share_modes(self._main)

    def _insert_mode(self, numbers: list[int]) -> None:
        self._screen.set_mode(*[number for number in numbers if number == pyte_modes.IRM])

    def _replace_mode(self, numbers: list[int]) -> None:
        self._screen.reset_mode(*[number for number in numbers if number == pyte_modes.IRM])

    def _soft_reset(self, _: list[int]) -> None:
        self._screen.set_margins()
        self._screen.select_graphic_rendition(0)
        self._screen.reset_mode(pyte_modes.IRM)
        self._screen.reset_mode(_ORIGIN, private=True)
        self._screen.set_mode(_WRAP, _VISIBLE, private=True)
        self._private -= {1}

    # -- reading ---------------------------------------------------------------------------------------------------

    def resize(self, cols: int, rows: int) -> None:
        """A new size; lines are cut, not wrapped anew."""
        for one in (self._screen, self._main):
            if one is not None:
                one.cut_below(rows)
                one.resize(rows, cols)
                one.cursor.y = min(one.cursor.y, rows - 1)
                one.cursor.x = min(one.cursor.x, cols - 1)

    def text(self) -> str:
        """The visible rows."""
        return "\n".join("".join(run.text for run in row).rstrip(" ") for row in self.cells()).rstrip("\n")

    def cells(self) -> list[list[Run]]:
        """The visible rows as runs."""
        return [self._screen.row(y) for y in range(self._screen.lines)]

    @property
    def cursor(self) -> Cursor:
        """Where the cursor stands."""
        cursor = self._screen.cursor
        return Cursor(min(cursor.x, self._screen.columns - 1), cursor.y, not cursor.hidden)

    @property
    def title(self) -> str:
        """The title that was set."""
        return self._title

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is shown."""
        return self._main is not None

    def has_mode(self, number: int) -> bool:
        """Whether a DEC private mode is set."""
        if number in (_VISIBLE, _WRAP, _ORIGIN):
            return number << 5 in self._screen.mode
        return number in self._private

    def snapshot(self, scrollback_rows: int) -> bytes:
        """Bytes that redraw everything."""
        parts = [screen.RESET, screen.tab_bytes(self._screen.tabstops, self._screen.columns)]
        above = list(self._history)[-scrollback_rows:] if scrollback_rows else []
        if self._main is not None:
            parts += [
                _draw(above, self._main),
                mode_bytes([ALTERNATE_MODES[0]], on=True),
                b"\x1b[r\x1b[0m\x1b[H\x1b[2J",
            ]
            above = []
        parts.append(_draw(above, self._screen))
        parts.append(mode_bytes([number for number in MODES_OFF_BY_DEFAULT if number in self._private], on=True))
        parts.append(mode_bytes([_WRAP], on=self.has_mode(_WRAP)) + mode_bytes([_VISIBLE], on=self.has_mode(_VISIBLE)))
        parts.append(screen.shape_bytes(self._shape))
        if self._title:
            parts.append(b"\x1b]2;" + screen.printable(self._title).encode() + b"\x07")
        return b"".join(parts) + self._tail


class _Screen(pyte.Screen):
    """A pyte screen that tells which rows leave it."""

    leaves: Callable[[list[Run]], None] | None = None

    def index(self) -> None:
        """Down one row, scrolling at the lower margin."""
        top, bottom = self.margins or (0, self.lines - 1)
        if self.cursor.y == bottom and top == 0 and self.leaves is not None:
            self.leaves(self.row(0))
        super().index()

    def scroll(self, count: int, *, up: bool) -> None:
        """All rows between the margins up or down."""
        x, y = self.cursor.x, self.cursor.y
        top, bottom = self.margins or (0, self.lines - 1)
        self.cursor.y = bottom if up else top
        for _ in range(count):
            self.index() if up else self.reverse_index()
        self.cursor.x, self.cursor.y = x, y

    def cut_below(self, lines: int) -> None:
        """Forget rows below the cursor that will have no place on a screen of `lines` rows."""
        cut = min(self.lines - lines, self.lines - 1 - self.cursor.y)
        for _ in range(cut):
            self.lines -= 1
            self.buffer.pop(self.lines, None)

    def saved_place(self) -> bytes:
        """Saves the cursor where the program saved it last."""
        if not self.savepoints:
            return b"\x1b[H\x1b7"
        cursor = self.savepoints[-1].cursor
        return (
            b"\x1b[%d;%dH" % (cursor.y + 1, min(cursor.x, self.columns - 1) + 1) + screen_sgr(cursor.attrs) + b"\x1b7"
        )

    def share_modes(self, other: _Screen) -> None:
        """Take over what holds for both screens."""
        self.mode = set(other.mode)
        self.cursor.hidden = other.cursor.hidden
        self.tabstops = set(other.tabstops)

    def row(self, y: int) -> list[Run]:
        """One row as runs, plain blanks at its end left out."""
        runs: list[Run] = []
        line = self.buffer[y]
        for x in range(self.columns):
            char = line[x]
            style = _style(char)
            if runs and runs[-1].style == style:
                runs[-1] = Run(runs[-1].text + char.data, style)
            else:
                runs.append(Run(char.data, style))
        if runs and runs[-1].style == PLAIN:
            last = runs.pop().text.rstrip(" ")
            runs += [Run(last)] if last else []
        return runs


def _draw(above: list[list[Run]], source: _Screen) -> bytes:
    rows = above + [source.row(y) for y in range(source.lines)]
    content = b"\x1b[0m\r\n".join(map(row_bytes, rows))
    margins = b"\x1b[%d;%dr" % (source.margins.top + 1, source.margins.bottom + 1) if source.margins else b""
    return content + margins + source.saved_place() + _place(source) + screen_sgr(source.cursor.attrs)


def _place(source: _Screen) -> bytes:
    """The cursor where it stands; behind the right edge by writing the last cell again."""
    x, y = source.cursor.x, source.cursor.y
    if x < source.columns:
        return b"\x1b[%d;%dH" % (y + 1, x + 1)
    at = source.columns - 1
    if not source.buffer[y][at].data:
        at -= 1
    cell = source.buffer[y][at]
    return b"\x1b[%d;%dH" % (y + 1, at + 1) + row_bytes([Run(cell.data, _style(cell))])


def screen_sgr(attrs: Any) -> bytes:
    """The sequence that sets the pen."""
    return row_bytes([Run("", _style(attrs))]).removesuffix(b"\x1b[0m")


def _style(char: Any) -> Style:
    plain = char.fg == char.bg == "default" and not (char.bold or char.italics or char.underscore or char.reverse)
    if plain and not (char.strikethrough or char.blink):
        return PLAIN
    return Style(
        fg=_colour(char.fg),
        bg=_colour(char.bg),
        bold=char.bold,
        italic=char.italics,
        underline=int(char.underscore),
        blink=char.blink,
        inverse=char.reverse,
        strike=char.strikethrough,
    )


def _colour(name: str) -> Colour:
    if name == "default":
        return None
    return _NAMED.get(name, f"#{name}")


def _plain_sgr(params: str) -> list[int]:
    """Colour parameters with semicolons only, and without an empty colour space."""
    found: list[int] = []
    for part in params.split(";"):
        pieces = part.split(":")
        if pieces[0] == "4" and len(pieces) > 1:
            found.append(0 if pieces[1] == "0" else 4)
            continue
        if len(pieces) == 6:
            del pieces[2]
        found += [int(piece) if piece.isdigit() else 0 for piece in pieces]
    return _basic_colours(found)


def _basic_colours(numbers: list[int]) -> list[int]:
    """The sixteen basic colours by their own parameters: of an index pyte would keep only what it looks like."""
    found: list[int] = []
    at = 0
    while at < len(numbers):
        what, *of = numbers[at : at + 3]
        is_basic = what in (38, 48) and len(of) == 2 and of[0] == 5 and of[1] < 16
        taken = 3 if is_basic else 5 if what in (38, 48) and of[:1] == [2] else 1
        found += [what - 8 + of[1] % 8 + (60 if of[1] > 7 else 0)] if is_basic else numbers[at : at + taken]
        at += taken
    return found


_PYTE_MODES = frozenset((_VISIBLE, _WRAP, _ORIGIN, 5))
_CONTROLS = {
    "\b": "backspace", "\t": "tab", "\n": "index", "\v": "index", "\f": "index", "\r": "carriage_return",
    "\x0e": "shift_out", "\x0f": "shift_in",
}  # fmt: skip
_ESCAPES = {
    "c": "reset", "D": "index", "E": "linefeed", "M": "reverse_index", "H": "set_tab_stop", "7": "save_cursor",
    "8": "restore_cursor",
}  # fmt: skip
_SEQUENCES = {
    "@": ("insert_characters", 1), "A": ("cursor_up", 1), "B": ("cursor_down", 1), "C": ("cursor_forward", 1),
    "D": ("cursor_back", 1), "E": ("cursor_down1", 1), "F": ("cursor_up1", 1), "G": ("cursor_to_column", 1),
    "`": ("cursor_to_column", 1), "H": ("cursor_position", 2), "f": ("cursor_position", 2),
    "J": ("erase_in_display", 1), "?J": ("erase_in_display", 1), "K": ("erase_in_line", 1), "?K": ("erase_in_line", 1),
    "L": ("insert_lines", 1), "M": ("delete_lines", 1), "P": ("delete_characters", 1), "X": ("erase_characters", 1),
    "a": ("cursor_forward", 1), "d": ("cursor_to_line", 1), "e": ("cursor_down", 1), "g": ("clear_tab_stop", 1),
    "r": ("set_margins", 2), "s": ("save_cursor", 0), "u": ("restore_cursor", 0),
}  # fmt: skip
_SPECIAL: dict[str, Callable[[PyteEmulator, list[int]], None]] = {
    "c": lambda self, n: self._reply(b"\x1b[?62;22c"),
    " q": PyteEmulator._set_shape,
    ">c": lambda self, n: self._reply(b"\x1b[>1;0;0c"),
    "n": PyteEmulator._status,
    "?$p": PyteEmulator._report_mode,
    ">q": lambda self, n: self._reply(b"\x1bP>|roost\x1b\\"),
    "b": PyteEmulator._repeat,
    "S": PyteEmulator._scroll_up,
    "T": PyteEmulator._scroll_down,
    "h": PyteEmulator._insert_mode,
    "l": PyteEmulator._replace_mode,
    "?h": PyteEmulator._modes_on,
    "?l": PyteEmulator._modes_off,
    "!p": PyteEmulator._soft_reset,
}
