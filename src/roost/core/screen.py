"""A terminal's screen as an emulator keeps it, for snapshots, for re-attaching and for answering queries.

`Screen` is what the rest of roost knows. Behind it stands an `Emulator`: libghostty where its wheel is (fast, exact),
else pyte. Both are imported only when a screen is made.

    screen = Screen(80, 24, on_reply=replies.append)
    screen.feed(data)
    print(screen.text())
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol, TypeAlias

Colour: TypeAlias = "int | str | None"
"""A palette index, "#rrggbb", or None for the default."""

OnReply: TypeAlias = Callable[[bytes], None]

MAX_COLUMNS = 4096
MAX_ROWS = 4096
SCROLLBACK_BYTES = 2_000_000

MODES_OFF_BY_DEFAULT = (1, 5, 9, 45, 66, 1000, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 2004, 2031, 2048)
"""DEC private modes that a snapshot carries over, beside those that it treats one by one (6, 7, 25, 47, 1047, 1049).

Alternate scrolling (1007) is left out: terminals differ in whether it is on by default, so none can be set back."""

KEYPAD_MODE = 66
MOUSE_MODES = (9, 1000, 1002, 1003)
ALTERNATE_MODES = (1049, 1047, 47)


class Cursor(NamedTuple):
    """Where the cursor stands, from 0."""

    col: int
    row: int
    visible: bool


class Modes(NamedTuple):
    """Modes that decide how input is sent and how the screen is shown. `mouse` is 0 or the tracking mode's number."""

    alternate: bool
    bracketed_paste: bool
    application_cursor: bool
    mouse: int


class Style(NamedTuple):
    """How text looks. `underline`: 0 none, 1 single, 2 double, 3 curly, 4 dotted, 5 dashed."""

    fg: Colour = None
    bg: Colour = None
    bold: bool = False
    faint: bool = False
    italic: bool = False
    underline: int = 0
    blink: bool = False
    inverse: bool = False
    invisible: bool = False
    strike: bool = False


PLAIN = Style()


class Run(NamedTuple):
    """Text of one style within a row."""

    text: str
    style: Style = PLAIN


class Emulator(Protocol):
    """What an emulator must be able to do. Times, bounds and bad input are `Screen`'s business."""

    name: str

    def feed(self, data: bytes) -> None: ...
    def resize(self, cols: int, rows: int) -> None: ...
    def text(self) -> str: ...
    def cells(self) -> list[list[Run]]: ...
    def snapshot(self, scrollback_rows: int) -> bytes: ...
    def has_mode(self, number: int) -> bool: ...
    def close(self) -> None: ...
    @property
    def cursor(self) -> Cursor: ...
    @property
    def title(self) -> str: ...
    @property
    def alternate(self) -> bool: ...


class Screen:
    """One terminal screen of `cols` × `rows` cells.

    Args:
        on_reply: is called with what the terminal answers to queries, while `feed` runs.
        scrollback_bytes: memory bound of the rows above the screen.
        emulator: "ghostty" or "pyte"; by default the best there is.
    """

    def __init__(
        self,
        cols: int,
        rows: int,
        on_reply: OnReply | None = None,
        *,
        scrollback_bytes: int = SCROLLBACK_BYTES,
        emulator: str = "",
    ) -> None:
        self.size = _bounded(cols, rows)
        self._emulator = open_emulator(emulator, self.size, on_reply, max(scrollback_bytes, 100_000))

    @property
    def emulator(self) -> str:
        """Name of the emulator behind."""
        return self._emulator.name

    def feed(self, data: bytes) -> None:
        """Show what the program wrote. Any bytes will do."""
        self._emulator.feed(data)

    def resize(self, cols: int, rows: int) -> None:
        """Another size; the main screen's lines are wrapped anew where the emulator can."""
        self.size = _bounded(cols, rows)
        self._emulator.resize(*self.size)

    def text(self) -> str:
        """The visible rows without blanks at their ends, and without the empty rows at the end."""
        return self._emulator.text()

    def cells(self) -> list[list[Run]]:
        """Every visible row as runs of one style, blanks of default style at its end left out."""
        return self._emulator.cells()

    def snapshot(self, scrollback_rows: int = 0) -> bytes:
        """Bytes after which a terminal of this size shows what this one shows.

        Cursor and its shape, tab stops, title, and the modes that matter to input come with it, and the colours that
        the program gave the palette where the emulator knows them. While the alternate screen is on, the main one comes
        before it, so leaving works too. `scrollback_rows` of history are written first.
        """
        return self._emulator.snapshot(max(0, scrollback_rows))

    @property
    def cursor(self) -> Cursor:
        """Where the cursor stands."""
        return self._emulator.cursor

    @property
    def title(self) -> str:
        """The title the program set."""
        return self._emulator.title

    @property
    def modes(self) -> Modes:
        """The modes that matter to who types."""
        has = self._emulator.has_mode
        mouse = next((number for number in reversed(MOUSE_MODES) if has(number)), 0)
        return Modes(self._emulator.alternate, has(2004), has(1), mouse)

    def close(self) -> None:
        """Free the emulator's memory now; the screen is of no use after."""
        self._emulator.close()


def open_emulator(name: str, size: tuple[int, int], on_reply: OnReply | None, scrollback_bytes: int) -> Emulator:
    """The emulator called `name`, or the best there is.

    Raises:
        ImportError: it is not installed.
    """
    if name != "pyte":
        try:
            from roost.core.screen_ghostty import GhosttyEmulator

            return GhosttyEmulator(size, on_reply, scrollback_bytes)
        except (ImportError, OSError):
            if name:
                raise
    from roost.core.screen_pyte import PyteEmulator

    return PyteEmulator(size, on_reply, scrollback_bytes)


def _bounded(cols: int, rows: int) -> tuple[int, int]:
    return max(1, min(cols, MAX_COLUMNS)), max(1, min(rows, MAX_ROWS))


def mode_bytes(numbers: Iterable[int], on: bool) -> bytes:
    """The sequence that sets or resets DEC private modes; empty for none.

    The application keypad goes by its older name, which every terminal knows.
    """
    keypad = b""
    listed = []
    for number in numbers:
        if number == KEYPAD_MODE:
            keypad = b"\x1b=" if on else b"\x1b>"
        else:
            listed.append(b"%d" % number)
    return (b"\x1b[?%b%b" % (b";".join(listed), b"h" if on else b"l") if listed else b"") + keypad


TAB_WIDTH = 8


def tab_bytes(columns: Iterable[int], cols: int) -> bytes:
    """The sequence that sets tab stops (from 0) and goes home; empty where they are the usual ones."""
    stops = [column for column in sorted(columns) if 0 < column < cols]
    if stops == list(range(TAB_WIDTH, cols, TAB_WIDTH)):
        return b""
    return b"\x1b[3g" + b"".join(b"\x1b[%dG\x1bH" % (column + 1) for column in stops) + b"\x1b[H"


def shape_bytes(number: int) -> bytes:
    """The sequence that gives the cursor a shape (DECSCUSR); empty for 0, the shape that it has by default."""
    return b"\x1b[%d q" % number if number else b""


def printable(text: str) -> str:
    """Text without controls, so that it can stand inside a sequence."""
    return "".join(char for char in text if char >= " " and not "\x7f" <= char <= "\x9f")


BLANK = b"\x1b[r\x1b[0m\x1b[H\x1b[2J"
"""Clears the screen whatever the margins and the pen."""

RESET = (
    b"\x1b[!p"
    + mode_bytes(reversed(ALTERNATE_MODES), on=False)
    + mode_bytes((6, *MODES_OFF_BY_DEFAULT), on=False)
    + b"\x1b[?7h\x1b[4l\x1b(B\x0f\x1b[0 q\x1b[?5W"
    + BLANK
)
"""Puts a terminal in the state from which a snapshot draws. The client's own history is left alone."""
