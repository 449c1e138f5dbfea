"""The emulator of libghostty, through the C interface that pyghostty opens."""

from __future__ import annotations

import re
import weakref
from typing import Any

from pyghostty import Terminal
from pyghostty.core import check, ffi, init_sized, lib

from roost.core import screen
from roost.core.screen import ALTERNATE_MODES, MODES_OFF_BY_DEFAULT, Cursor, OnReply, Run, mode_bytes
from roost.core.styled import parse_rows, visible_width

_CELL_WIDTH, _CELL_HEIGHT = 8, 16
_FOREGROUND, _BACKGROUND = (0xD0, 0xD0, 0xD0), (0x10, 0x10, 0x10)
_SCROLLBACK_LINES = 20_000
_UNFINISHED_BYTES = 65_536
_EXTRAS = ("cursor", "style", "hyperlink", "protection", "kitty_keyboard", "charsets")
_KEYBOARD = re.compile(rb"\x1b\[=(\d+);1u")
"""Kitty's keyboard flags as the formatter sets them. A snapshot pushes them instead, so that they can be popped."""


_TAB_STOPS = re.compile(rb"\x1b\[(\d+)G\x1bH")
_BLINKING = 12
_STEADY_SHAPES = {
    lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_BLOCK: 2,
    lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_UNDERLINE: 4,
    lib.GHOSTTY_RENDER_STATE_CURSOR_VISUAL_STYLE_BAR: 6,
}
_OWN_COLOURS = ((10, "COLOR_FOREGROUND"), (11, "COLOR_BACKGROUND"), (12, "COLOR_CURSOR"))


class GhosttyEmulator:
    """A libghostty terminal. Its history is bounded in bytes and lines; images are not kept."""

    name = "ghostty"

    def __init__(self, size: tuple[int, int], on_reply: OnReply | None, scrollback_bytes: int) -> None:
        self._terminal = Terminal(*size, scrollback=_SCROLLBACK_LINES, fg=_FOREGROUND, bg=_BACKGROUND)
        self._keep: list[Any] = []
        self._set("SCROLLBACK_MAX_BYTES", "size_t", scrollback_bytes)
        self._set("KITTY_IMAGE_STORAGE_LIMIT", "uint64_t", 0)
        self._set("CONTINUATION_MAX_BYTES", "size_t", _UNFINISHED_BYTES)
        # No program can ask for this shape: where the cursor has it, none was asked for.
        self._set("DEFAULT_CURSOR_STYLE", "GhosttyTerminalCursorStyle", lib.GHOSTTY_TERMINAL_CURSOR_STYLE_BLOCK_HOLLOW)
        self.resize(*size)
        if on_reply is not None:
            self._terminal.on_reply(on_reply)
            self._answer_size()
            self._answer_version()

    def _set(self, option: str, ctype: str, value: int) -> None:
        number = getattr(lib, f"GHOSTTY_TERMINAL_OPT_{option}")
        check(lib.ghostty_terminal_set(self._handle, number, ffi.new(f"{ctype}*", value)), option)

    def _answer_size(self) -> None:
        terminal = weakref.ref(self._terminal)

        def fill(_terminal: Any, _data: Any, out: Any) -> bool:
            here = terminal()
            if here is None:  # pragma: no cover - only while it is being freed
                return False
            out.columns, out.rows = here.size
            out.cell_width, out.cell_height = _CELL_WIDTH, _CELL_HEIGHT
            return True

        self._callback("SIZE", "GhosttyTerminalSizeFn", fill)

    def _answer_version(self) -> None:
        name = ffi.new("uint8_t[]", b"roost")
        answer = ffi.new("GhosttyString*", {"ptr": name, "len": 5})
        self._keep += [name, answer]
        self._callback("XTVERSION", "GhosttyTerminalXtversionFn", lambda _terminal, _data: answer[0])

    def _callback(self, option: str, ctype: str, call: Any) -> None:
        callback = ffi.callback(ctype, call)
        self._keep.append(callback)
        check(lib.ghostty_terminal_set(self._handle, getattr(lib, f"GHOSTTY_TERMINAL_OPT_{option}"), callback), option)

    @property
    def _handle(self) -> Any:
        return self._terminal._t[0]

    def feed(self, data: bytes) -> None:
        """Write bytes to the terminal."""
        self._terminal.feed(data)

    def resize(self, cols: int, rows: int) -> None:
        """A new size, with cells as large as on a common screen."""
        self._terminal.resize(cols, rows, _CELL_WIDTH, _CELL_HEIGHT)

    def close(self) -> None:
        """Free the terminal."""
        self._terminal.close()

    def text(self) -> str:
        """The visible rows."""
        rows = str(self._terminal.text()).split("\n")
        return "\n".join(row.rstrip(" ") for row in rows).rstrip("\n")

    def cells(self) -> list[list[Run]]:
        """The visible rows as runs."""
        rows = parse_rows(self._rows(0))
        return rows + [[] for _ in range(self._terminal.size[1] - len(rows))]

    @property
    def cursor(self) -> Cursor:
        """Where the cursor stands."""
        col, row = self._terminal.cursor
        return Cursor(col, row, bool(self._terminal.get("cursor_visible", "bool")))

    @property
    def title(self) -> str:
        """The title that was set."""
        title = self._terminal.get("title", "GhosttyString")
        return ffi.buffer(title.ptr, title.len)[:].decode("utf-8", "replace") if title.len else ""

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is shown."""
        active = self._terminal.get("active_screen", "GhosttyTerminalScreen")
        return bool(active == lib.GHOSTTY_TERMINAL_SCREEN_ALTERNATE)

    def has_mode(self, number: int) -> bool:
        """Whether a DEC private mode is set."""
        return bool(self._terminal.mode(number))

    # -- snapshots -------------------------------------------------------------------------------------------------

    def snapshot(self, scrollback_rows: int) -> bytes:
        """Bytes that redraw everything."""
        parts = [screen.RESET, self._tab_stops(), self._colours()]
        if self.alternate:
            parts += [self._main_screen(scrollback_rows), self._enter_alternate()]
            scrollback_rows = 0
        parts += [self._content(scrollback_rows), self._saved_cursor(), self._ending(), self._modes()]
        parts.append(screen.shape_bytes(self._shape()))
        if self.title:
            parts.append(b"\x1b]2;" + screen.printable(self.title).encode() + b"\x07")
        return b"".join(parts) + self._unfinished()

    def _unfinished(self) -> bytes:
        """The beginning of a sequence or character whose end has not come; nothing when it is too long to keep."""
        size = ffi.new("size_t*")
        data = ffi.new("uint8_t[]", _UNFINISHED_BYTES)
        failed = lib.ghostty_terminal_continuation_buf(self._handle, data, len(data), size)
        return b"" if failed else bytes(ffi.buffer(data, size[0]))

    def _alternate_mode(self) -> int:
        """The mode by which the program entered the alternate screen."""
        return next((number for number in ALTERNATE_MODES if self.has_mode(number)), ALTERNATE_MODES[0])

    def _enter_alternate(self) -> bytes:
        return mode_bytes([self._alternate_mode()], on=True) + screen.BLANK

    def _main_screen(self, scrollback_rows: int) -> bytes:
        """The main screen as it will be when the program leaves the alternate one, drawn from a copy."""
        copy = self._copy()
        try:
            copy.feed(b"\x18" + mode_bytes([self._alternate_mode()], on=False))
            return copy._content(scrollback_rows) + copy._saved_cursor() + copy._ending()
        finally:
            copy.close()

    def _saved_cursor(self) -> bytes:
        """Saves where the program saved the cursor last, which only a copy that goes there can tell."""
        copy = self._copy()
        try:
            copy.feed(b"\x18\x1b8")
            return copy._ending() + b"\x1b7"
        finally:
            copy.close()

    def _copy(self) -> GhosttyEmulator:
        size = ffi.new("size_t*")
        lib.ghostty_snapshot_encode_buf(self._handle, ffi.NULL, 0, size)
        data = ffi.new("uint8_t[]", max(1, size[0]))
        check(lib.ghostty_snapshot_encode_buf(self._handle, data, len(data), size), "snapshot encode")
        decoder = ffi.new("GhosttySnapshotDecoder*")
        check(lib.ghostty_snapshot_decoder_new_buf(ffi.NULL, decoder, data, size[0]), "snapshot decoder")
        copy = GhosttyEmulator((1, 1), None, 0)
        try:
            handle = ffi.new("GhosttyTerminal*")
            check(lib.ghostty_snapshot_decoder_decode(decoder[0], handle), "snapshot decode")
        finally:
            lib.ghostty_snapshot_decoder_free(decoder[0])
        terminal = copy._terminal
        terminal._free()
        terminal._t = handle
        terminal._free = weakref.finalize(terminal, lib.ghostty_terminal_free, handle[0])
        return copy

    def _content(self, scrollback_rows: int) -> bytes:
        """History, scrolled away, then the visible rows, soft-wrapped ones drawn so that they wrap again."""
        above = min(scrollback_rows, self._terminal.get("scrollback_rows", "size_t"))
        cols, height = self._terminal.size
        rows = self._rows(above)
        rows += [b""] * (above + height - len(rows))
        parts = [row + b"\x1b[0m\r\n" for row in rows[:above]]
        parts += [b"\r\n" * (height - 1) if above else b""]
        flows = False
        for y, row in enumerate(rows[above:]):
            if row and not flows:
                parts.append(b"\x1b[%d;1H" % (y + 1))
            parts.append(row)
            following = rows[above + y + 1] if y + 1 < height else b""
            flows = bool(following) and visible_width(row) == cols and self._wraps(y)
        return b"".join(parts)

    def _wraps(self, at: int) -> bool:
        """Whether row `at` (negative: above the screen) goes on in the next one."""
        above = self._terminal.get("scrollback_rows", "size_t")
        row = ffi.new("GhosttyRow*")
        check(lib.ghostty_grid_ref_row(self._terminal.ref(0, above + at, "screen"), row), "row")
        wraps = ffi.new("bool*")
        check(lib.ghostty_row_get(row[0], lib.GHOSTTY_ROW_DATA_WRAP, wraps), "row wrap")
        return bool(wraps[0])

    def _modes(self) -> bytes:
        modes = [number for number in MODES_OFF_BY_DEFAULT if self.has_mode(number)]
        origin = mode_bytes([7], on=self.has_mode(7)) + mode_bytes([25], on=self.has_mode(25))
        inserting = b"\x1b[4h" if self._terminal.mode(4, ansi=True) else b""
        return mode_bytes(modes, on=True) + origin + inserting

    def _ending(self) -> bytes:
        """Margins, cursor, pen, character sets and key mode: what comes after the content."""
        cell = self._cell_selection()
        ending = self._format(cell, extras=True).removeprefix(self._format(cell))
        return _KEYBOARD.sub(b"\x1b[>\\1u", ending)

    def _tab_stops(self) -> bytes:
        found = _TAB_STOPS.findall(self._format(self._cell_selection(), tab_stops=True))
        return screen.tab_bytes((int(column) - 1 for column in found), self._terminal.size[0])

    def _shape(self) -> int:
        """The cursor's shape by its number in DECSCUSR; 0 for the default."""
        state = ffi.new("GhosttyRenderState*")
        check(lib.ghostty_render_state_new(ffi.NULL, state), "render state")
        try:
            check(lib.ghostty_render_state_update(state[0], self._handle), "render state update")
            shape = ffi.new("GhosttyRenderStateCursorVisualStyle*")
            wanted = lib.GHOSTTY_RENDER_STATE_DATA_CURSOR_VISUAL_STYLE
            check(lib.ghostty_render_state_get(state[0], wanted, shape), "cursor style")
        finally:
            lib.ghostty_render_state_free(state[0])
        steady = _STEADY_SHAPES.get(int(shape[0]), 0)
        return steady - 1 if steady and self.has_mode(_BLINKING) else steady

    def _colours(self) -> bytes:
        """Sets the colours that the program has changed."""
        now, usual = self._palette("COLOR_PALETTE"), self._palette("COLOR_PALETTE_DEFAULT")
        parts = []
        for at in range(0, len(now) if now != usual else 0, 3):
            if now[at : at + 3] != usual[at : at + 3]:
                parts.append(b"\x1b]4;%d;%b\x1b\\" % (at // 3, _rgb(now[at : at + 3])))
        for number, name in _OWN_COLOURS:
            colour = self._colour(name)
            if colour != self._colour(f"{name}_DEFAULT"):
                parts.append(b"\x1b]%d;%b\x1b\\" % (number, _rgb(colour)))
        return b"".join(parts)

    def _palette(self, name: str) -> bytes:
        colours = ffi.new("GhosttyColorRgb[256]")
        check(lib.ghostty_terminal_get(self._handle, getattr(lib, f"GHOSTTY_TERMINAL_DATA_{name}"), colours), name)
        return bytes(ffi.buffer(colours))

    def _colour(self, name: str) -> bytes:
        """Red, green and blue; nothing where no such colour is set."""
        colour = ffi.new("GhosttyColorRgb*")
        unset = lib.ghostty_terminal_get(self._handle, getattr(lib, f"GHOSTTY_TERMINAL_DATA_{name}"), colour)
        return b"" if unset else bytes(ffi.buffer(colour))

    def _cell_selection(self) -> Any:
        selection = init_sized("GhosttySelection")
        selection.start = selection.end = self._terminal.ref(0, 0)[0]
        return selection

    def _rows(self, above: int) -> list[bytes]:
        """The visible rows and `above` rows of history, as bytes with colours."""
        cols, height = self._terminal.size
        total = self._terminal.get("scrollback_rows", "size_t")
        selection = init_sized("GhosttySelection")
        selection.start = self._terminal.ref(0, total - above, "screen")[0]
        selection.end = self._terminal.ref(cols - 1, height - 1)[0]
        return self._format(selection).split(b"\r\n")

    def _format(self, selection: Any, *, extras: bool = False, tab_stops: bool = False) -> bytes:
        options = init_sized("GhosttyFormatterTerminalOptions")
        options.emit = lib.GHOSTTY_FORMATTER_FORMAT_VT
        options.selection = selection
        options.extra.scrolling_region = options.extra.keyboard = extras
        options.extra.tabstops = tab_stops
        for name in _EXTRAS:
            setattr(options.extra.screen, name, extras)
        formatter = ffi.new("GhosttyFormatter*")
        check(lib.ghostty_formatter_terminal_new(ffi.NULL, formatter, self._handle, options[0]), "formatter")
        try:
            size = ffi.new("size_t*")
            lib.ghostty_formatter_format_buf(formatter[0], ffi.NULL, 0, size)
            buffer = ffi.new("uint8_t[]", max(1, size[0]))
            check(lib.ghostty_formatter_format_buf(formatter[0], buffer, len(buffer), size), "format")
            return bytes(ffi.buffer(buffer, size[0]))
        finally:
            lib.ghostty_formatter_free(formatter[0])


def _rgb(colour: bytes) -> bytes:
    return b"rgb:%02x/%02x/%02x" % tuple(colour)
