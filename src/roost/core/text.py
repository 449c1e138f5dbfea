"""Terminal output as clean lines of text, the way a terminal would show them.

A `Cleaner` takes bytes in whatever pieces they come and gives out `Line`s. Its result depends on the bytes, on the
times and on where `quiet` was called, never on how the bytes were cut.

Plain and coloured lines take a fast path of a few calls into C for all lines at once. Only lines in which the cursor
moves otherwise than forward go through a `Page`.

    cleaner = Cleaner(columns=80, rows=24)
    for piece in cleaner.feed(data, time_ns):
        ...
"""

from __future__ import annotations

import json
import re
from itertools import repeat
from typing import Any, NamedTuple, TypeAlias

from roost.core import ansi
from roost.core.controls import Interpreter
from roost.core.page import Page
from roost.core.width import columns as columns_of
from roost.core.width import is_simple

STATE_VERSION = 1

_SWITCH = re.compile(rb"\x1b\[\?(?:[0-9]+;)*(?:47|1047|1049)(?:;[0-9]+)*([hl])|\x1bc")


class Line(NamedTuple):
    """One line of text; `time_ns` is when the bytes that completed it came.

    `continues`: the line was longer than `max_line`, and the next `Line` goes on with it.
    """

    text: str
    time_ns: int
    continues: bool = False


class Lines(NamedTuple):
    """Lines that were completed at the same time; `continues` is about the last of them."""

    texts: list[str]
    time_ns: int
    continues: bool = False


class ScreenMode(NamedTuple):
    """The program entered or left the alternate screen. Inside it no lines come."""

    entered: bool


Piece: TypeAlias = Line | ScreenMode
Bulk: TypeAlias = Lines | ScreenMode


class Cleaner:
    """Bytes of one output stream to lines.

    Args:
        max_line: characters after which a line is split.
        columns, rows: the terminal's size; 0 columns for a pipe, where rows have no end and a line feed alone
            begins a new line.
    """

    def __init__(self, max_line: int = 1_048_576, *, columns: int = 0, rows: int = 0) -> None:
        self._max_line = max_line
        self._tail = b""
        self._partial = ""
        self._partial_ns = 0
        self._given_ns = 0
        self._alternate = False
        self._editing = False
        self._out: list[Bulk] = []
        self._page = Page(columns, rows, max_line)
        self._interpreter = Interpreter(self._page, line_feed_returns=not columns)

    @property
    def partial(self) -> str:
        """The line that is being written, as far as it is known (a prompt, a progress bar)."""
        return self._page.current() if self._editing else self._partial

    @property
    def alternate(self) -> bool:
        """Whether the program is in the alternate screen."""
        return self._alternate

    @property
    def editing(self) -> bool:
        """Whether the program moves the cursor about, as who paints does."""
        return self._editing

    def shown(self) -> list[str]:
        """The rows that a terminal shows outside the alternate screen, soft-wrapped ones joined, from the top."""
        return [*self._page.recent, *(self._page.lines() if self._editing else [self._partial])]

    @property
    def whole(self) -> bool:
        """Whether what was fed ends with no unfinished sequence or character."""
        return not self._tail

    def feed(self, data: bytes, time_ns: int) -> list[Piece]:
        """What became certain with these bytes."""
        return _singly(self.feed_bulk(data, time_ns))

    def quiet(self, time_ns: int) -> list[Piece]:
        """No output came for a while (300 ms of the recording's time): lines held for rewriting are given out."""
        return _singly(self.quiet_bulk(time_ns))

    def finish(self, time_ns: int) -> list[Piece]:
        """No more will come: all that is left is given out."""
        return _singly(self.finish_bulk(time_ns))

    def feed_bulk(self, data: bytes, time_ns: int) -> list[Bulk]:
        """As `feed`, with lines of one time together."""
        self._page.time_ns = time_ns
        if data.translate(None, ansi.TEXT).translate(None, ansi.COMMON):
            data = data.translate(None, ansi.IGNORED)
        data, self._tail = ansi.split_tail(ansi.fold_c1(self._tail + data if self._tail else data))
        self._take(data)
        return self._drain()

    def take_rows(self, data: bytes, first_ns: int, last_ns: int) -> list[str] | None:
        """The lines of `data`, which came from `first_ns` to `last_ns`, one for each line feed in it.

        None, and nothing is taken, unless nothing is unfinished and `data` is only whole lines, plain or coloured.
        """
        if self._partial or self._tail or self._editing or self._alternate or first_ns < self._given_ns:
            return None
        lines = self._rows(ansi.fold_c1(data)) if data.endswith(b"\n") else None
        if lines is not None:
            self._page.time_ns = self._given_ns = last_ns
            self._page.advance(lines)
        return lines

    def quiet_bulk(self, time_ns: int) -> list[Bulk]:
        """As `quiet`, with lines of one time together."""
        if self._editing:
            self._page.time_ns = time_ns
            self._page.quiet()
            self._collect()
            self._settle()
        return self._drain()

    def finish_bulk(self, time_ns: int) -> list[Bulk]:
        """As `finish`, with lines of one time together."""
        page = self._page
        page.time_ns = time_ns
        rest, self._tail = self._tail, b""
        if not rest.startswith(b"\x1b"):
            self._take(rest)
        if self._editing:
            page.finish()
            self._collect()
            page.discard()
            self._editing = False
        elif self._partial.strip(" "):
            self._give([self._partial.rstrip(" ")], self._partial_ns)
        self._partial = ""
        return self._drain()

    def resize(self, columns: int, rows: int) -> None:
        """The terminal has a new size."""
        if self._editing:
            self._page.settle_all()
            self._collect()
            self._partial = self._page.close()
            self._editing = False
        self._page.set_size(columns, rows)
        self._interpreter.line_feed_returns = not columns

    # -- from bytes to text ----------------------------------------------------------------------------------------

    def _take(self, data: bytes) -> None:
        """Bytes with no unfinished sequence at their end."""
        data = _valid(data)
        while data:
            match = self._next_switch(data)
            if match is None:
                break
            self._visible(data[: match.start()])
            self._switch()
            data = data[match.end() :]
        self._visible(data)

    def _next_switch(self, data: bytes) -> re.Match[bytes] | None:
        """The next sequence that enters the alternate screen, or leaves it where it is on."""
        if not self._alternate and b"\x1b[?" not in data:
            return None
        wanted = (b"l", None) if self._alternate else (b"h",)
        return next((match for match in _SWITCH.finditer(data) if match[1] in wanted), None)

    def _switch(self) -> None:
        self._alternate = not self._alternate
        if self._alternate and self._editing:
            self._page.quiet()
            self._collect()
            self._settle()
        self._out.append(ScreenMode(self._alternate))

    def _visible(self, data: bytes) -> None:
        """Bytes for the main screen; those for the alternate one are dropped."""
        if self._alternate or not data:
            return
        controls = data.translate(None, ansi.TEXT)
        if b"\x1b" in controls:
            keep_sets = self._editing or ansi.GRAPHICS.search(data) is not None
            data = _without(ansi.NOOP_BUT_SETS if keep_sets else ansi.NOOP, data)
        if controls.strip(b"\r\n"):
            keep_shifts = self._editing or ansi.SHIFT_OUT in controls
            data = data.translate(None, ansi.BELLS if keep_shifts else ansi.BELLS + ansi.SHIFT_IN)
            controls = data.translate(None, ansi.TEXT)
        at = self._edit(data, 0) if self._editing else 0
        if at == 0 and self._plain_rows(data, controls):
            return
        if at < len(data):
            self._mixed(data, at)

    def _plain_rows(self, data: bytes, controls: bytes) -> bool:
        """Take `data`, whose only controls besides tabs are `controls`, if it is nothing but whole lines."""
        if not self._page.columns:
            if controls.strip(b"\n"):
                return False
            self._lines(data.decode().split("\n"), b"\t" in data)
            return True
        ends = len(controls) // 2
        if controls != b"\r\n" * ends:
            return False
        lines = data.decode().split("\r\n")
        if len(lines) != ends + 1:
            return False
        self._lines(lines, b"\t" in data)
        return True

    def _rows(self, data: bytes) -> list[str] | None:
        """The lines of `data` if it is nothing but whole ones without tabs."""
        feeds, data = data.count(b"\n"), _valid(data)
        controls = data.translate(None, ansi.TEXT)
        if b"\x1b" in controls:
            data = ansi.NOOP.sub(b"", data)
            controls = data.translate(None, ansi.TEXT)
        end = "\r\n" if self._page.columns else "\n"
        # A line feed within an escape sequence ends no line.
        if controls != end.encode() * feeds or b"\t" in data:
            return None
        lines = data.decode().split(end)
        if len(lines) != feeds + 1 or max(map(len, lines)) * 2 > self._max_line:
            return None
        lines.pop()
        return [line.rstrip(" ") for line in lines]

    def _mixed(self, data: bytes, at: int) -> None:
        """Plain lines in bulk, the others one by one."""
        special = ansi.SPECIAL_ON_TERMINAL if self._page.columns else ansi.SPECIAL
        while at < len(data):
            match = special.search(data, at)
            if match is None:
                self._plain(data[at:])
                return
            begin = max(at, data.rfind(b"\n", at, match.start()) + 1)
            if begin > at:
                self._plain(data[at:begin])
            at = self._overwritten(data, begin) or self._slowly(data, begin)

    def _slowly(self, data: bytes, begin: int) -> int:
        self._open()
        return self._edit(data, begin)

    def _overwritten(self, data: bytes, begin: int) -> int:
        """Take a whole line that is only written over from its start, as progress bars are; 0 if it is another one."""
        end = data.find(b"\n", begin) + 1
        text = self._partial + data[begin:end].decode()
        columns = self._page.columns
        if not text.endswith("\r\n" if columns else "\n") or not is_simple(text):
            return 0
        shown = ""
        for written in text[:-1].split("\r"):
            match = ansi.WRITTEN_OVER.fullmatch(written)
            if match is None or len(written) >= (columns or self._max_line):
                return 0
            erased, kept, cut = match.groups()
            shown = kept if erased or cut else kept + shown[len(kept) :]
        self._partial = ""
        self._give([shown.rstrip(" ")], self._page.time_ns)
        return end

    # -- the fast path ---------------------------------------------------------------------------------------------

    def _plain(self, data: bytes) -> None:
        """Bytes in which the cursor only moves on."""
        text = data.translate(None, b"\r").decode()
        if "\x1b" in text:
            text = ansi.ERASE_END.sub("", text)
        self._lines(text.split("\n"), "\t" in text)

    def _lines(self, lines: list[str], tabs: bool) -> None:
        """Text of whole lines and, last, of one that goes on."""
        if self._partial:
            lines[0] = self._partial + lines[0]
        if tabs or max(map(len, lines)) * 2 > self._max_line:
            self._one_by_one(lines)
            return
        if lines[-1] is not self._partial:
            self._partial_ns = self._page.time_ns
        self._partial = lines.pop()
        if lines:
            self._give([line.rstrip(" ") for line in lines], self._page.time_ns)

    def _one_by_one(self, lines: list[str]) -> None:
        """Lines that may hold tabs or be too long."""
        last = len(lines) - 1
        self._partial = ""
        ready: list[str] = []
        for at, line in enumerate(lines):
            clear = self._expand(line)
            if clear is not None and max(len(clear), columns_of(clear)) <= self._max_line:
                if at == last:
                    self._partial, self._partial_ns = clear, self._page.time_ns
                else:
                    ready.append(clear.rstrip(" "))
                continue
            if ready:
                self._give(ready, self._page.time_ns)
                ready = []
            self._open()
            self._interpreter.run(line if at == last else line + "\r\n")
            self._collect()
            self._settle()
        if ready:
            self._give(ready, self._page.time_ns)

    def _expand(self, line: str) -> str | None:
        """The line without tabs, or None where counting characters does not tell the column."""
        if "\t" not in line:
            return line
        clear = line.expandtabs(8)
        columns = self._page.columns
        return clear if line.isascii() and (not columns or len(clear) < columns) else None

    def _give(self, lines: list[str], time_ns: int) -> None:
        self._page.advance(lines)
        self._given_ns = max(time_ns, self._given_ns)
        self._out.append(Lines(lines, self._given_ns))

    # -- the slow path ---------------------------------------------------------------------------------------------

    def _open(self) -> None:
        self._page.open(self._partial)
        self._interpreter.last = self._partial[-1:]
        self._partial = ""
        self._editing = True

    def _edit(self, data: bytes, at: int) -> int:
        """Apply bytes from `at` on to the page, up to the line end after which it is no longer needed."""
        while at < len(data):
            end = data.find(b"\n", at) + 1 or len(data)
            self._interpreter.run(data[at:end].decode())
            self._collect()
            at = end
            if data[end - 1] == 0x0A and self._settle():
                break
        return at

    def _settle(self) -> bool:
        """Leave the page if nothing needs it."""
        if self._page.can_close():
            self._partial = self._page.close()
            self._editing = False
        return not self._editing

    def _collect(self) -> None:
        """Take over what the page gave out."""
        given, self._page.given = self._page.given, []
        for text, changed_ns, continues in given:
            time_ns = self._given_ns = max(changed_ns, self._given_ns)
            last = self._out[-1] if self._out else None
            if isinstance(last, Lines) and last.time_ns == time_ns and not last.continues and not continues:
                last.texts.append(text)
            else:
                self._out.append(Lines([text], time_ns, continues))

    def _drain(self) -> list[Bulk]:
        out, self._out = self._out, []
        return out

    # -- checkpoints -----------------------------------------------------------------------------------------------

    def state(self) -> bytes:
        """Everything that decides what comes next, to be taken up by `restore`."""
        value = {
            "version": STATE_VERSION,
            "tail": self._tail.decode("latin-1"),
            "partial": self._partial,
            "partial_ns": self._partial_ns,
            "given_ns": self._given_ns,
            "alternate": self._alternate,
            "editing": self._editing,
            "max_line": self._max_line,
            "last": self._interpreter.last,
            "page": self._page.state(self._editing),
        }
        return json.dumps(value, separators=(",", ":")).encode()

    @classmethod
    def restore(cls, state: bytes) -> Cleaner:
        """A cleaner that goes on exactly where the one that gave `state` stood.

        Raises:
            ValueError: the state is not one of this version.
        """
        value: dict[str, Any] = json.loads(state)
        if value.get("version") != STATE_VERSION:
            raise ValueError(f"a cleaner's state of version {value.get('version')} cannot be read")
        page = value["page"]
        cleaner = cls(value["max_line"], columns=page["columns"], rows=page["height"])
        cleaner._tail = value["tail"].encode("latin-1")
        cleaner._partial = value["partial"]
        cleaner._partial_ns = value["partial_ns"]
        cleaner._given_ns = value["given_ns"]
        cleaner._alternate = value["alternate"]
        cleaner._editing = value["editing"]
        cleaner._interpreter.last = value["last"]
        cleaner._page.load(page)
        return cleaner


def _valid(data: bytes) -> bytes:
    """With U+FFFD for what is no UTF-8, so that taking sequences out cannot make characters of the rest."""
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace").encode()
    return data


def _without(noop: re.Pattern[bytes], data: bytes) -> bytes:
    """Without the sequences that change no text. Controls within sequences are looked for only if any is left."""
    stripped = noop.sub(b"", data)
    if b"\x1b" not in stripped:
        return stripped
    settled = ansi.settle_escapes(data)
    return stripped if settled is data else noop.sub(b"", settled)


def _singly(pieces: list[Bulk]) -> list[Piece]:
    found: list[Piece] = []
    for piece in pieces:
        if isinstance(piece, ScreenMode):
            found.append(piece)
            continue
        found.extend(map(Line, piece.texts, repeat(piece.time_ns)))
        if piece.continues:
            found[-1] = Line(piece.texts[-1], piece.time_ns, True)
    return found
