"""What a fake agent can print."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

from roost.testing.script import Act, Table, write, write_error

COLOURS = (
    b"\x1b[31mred\x1b[0m \x1b[1;32mbold green\x1b[0m \x1b[38;5;208morange\x1b[0m\n"
    b"\x1b[38;2;10;20;30mtrue colour\x1b[0m \x1b[4munderlined\x1b[24m \x1b[7minverse\x1b[27m\n"
)
WIDE = "wide: 漢字かな 한글 🦊👩\u200d💻🇩🇪\ncombining: e\u0301 a\u0308 नि\n".encode()
INVALID = b"invalid: \xff\xfe \xc3( \xe2\x82 \xf0\x9f\x98 \xed\xa0\x80 end\n"
BAR_WIDTH = 30

Put = Callable[[bytes], None]


class Printer:
    """Prints numbered lines; the numbers go on from one act to the next, and so do rate, burst, prefix and width."""

    def __init__(self) -> None:
        self.rate = 0.0
        self.burst = 1
        self.prefix = "line"
        self.width = 0
        self._numbers: dict[Put, int] = {write: 0, write_error: 0}

    def numbered(self, count: int, put: Put) -> None:
        """Print `count` lines, `burst` with every write, `rate` a second (0: as fast as they are taken)."""
        began = time.monotonic()
        burst = self.burst if self.rate or self.burst > 1 else 64
        for done in range(0, count, burst):
            self._keep_pace(began, done)
            put(b"".join(self._line(put) for _ in range(min(burst, count - done))))

    def _line(self, put: Put) -> bytes:
        self._numbers[put] += 1
        return f"{self.prefix} {self._numbers[put]}".ljust(self.width, ".").encode() + b"\n"

    def _keep_pace(self, began: float, done: int) -> None:
        early = began + done / self.rate - time.monotonic() if self.rate else 0
        if early > 0:
            time.sleep(early)

    def set_rate(self, value: str) -> None:
        self.rate = float(value)

    def set_burst(self, value: str) -> None:
        self.burst = max(1, int(value))

    def set_prefix(self, value: str) -> None:
        self.prefix = value

    def set_width(self, value: str) -> None:
        self.width = int(value)

    def lines(self, value: str) -> None:
        self.numbered(int(value), write)

    def error_lines(self, value: str) -> None:
        self.numbered(int(value), write_error)

    def progress(self, value: str) -> None:
        """A bar redrawn with carriage returns."""
        total = int(value)
        for done in range(total + 1):
            self._keep_pace(time.monotonic(), 1 if self.rate else 0)
            write(b"\r" + _bar("work", done, total))
        write(b"\ndone\n")

    def bars(self, value: str) -> None:
        """Three bars redrawn by moving the cursor up, as package managers do."""
        total = int(value)
        for done in range(total + 1):
            self._keep_pace(time.monotonic(), 1 if self.rate else 0)
            up = b"\x1b[3A" if done else b""
            write(up + b"".join(b"\r\x1b[2K" + _bar(name, done, total) + b"\n" for name in ("one", "two", "three")))
        write(b"done\n")

    def flood(self, value: str) -> None:
        """`value` bytes as fast as they are taken."""
        left = int(value)
        piece = (b"x" * 127 + b"\n") * 512
        while left > 0:
            write(piece[-left:] if left < len(piece) else piece)
            left -= len(piece)

    def table(self) -> Table:
        return {
            "rate": Act("N", "lines a second from here on (default: as fast as they are taken)", self.set_rate),
            "burst": Act("N", "lines with every write from here on (default 1)", self.set_burst),
            "prefix": Act("TEXT", "what stands before the number from here on (default: line)", self.set_prefix),
            "width": Act("N", "length to which numbered lines are filled with dots from here on", self.set_width),
            "lines": Act("N", "numbered lines on standard output", self.lines),
            "errors": Act("N", "numbered lines on standard error", self.error_lines),
            "flood": Act("BYTES", "that many bytes in lines of 128", self.flood),
            "progress": Act("N", "a progress bar of N steps, by carriage returns", self.progress),
            "bars": Act("N", "three progress bars of N steps, by moving the cursor up", self.bars),
            "say": Act("TEXT", "a line", _say),
            "complain": Act("TEXT", "a line on standard error", _complain),
            "partial": Act("TEXT", "text without a line end", _partial),
            "raw": Act("TEXT", r"bytes, with escapes such as \x1b[2J and \r as in Python", _raw),
            "colours": Act("", "two lines in colours and styles", lambda _: write(COLOURS)),
            "wide": Act("", "two lines of wide, combining and joined characters", lambda _: write(WIDE)),
            "invalid": Act("", "a line that is not valid UTF-8", lambda _: write(INVALID)),
            "title": Act("TEXT", "set the window's title", _title),
            "show-env": Act("NAME", "a line NAME=value of the environment", _show_env),
            "show-ids": Act("", "a line with pid, parent, group and session", _show_ids),
            "show-size": Act("", "a line with the terminal's columns and rows", _show_size),
            "show-cwd": Act("", "a line with the working directory", lambda _: write(os.fsencode(Path.cwd()) + b"\n")),
        }


def _bar(name: str, done: int, total: int) -> bytes:
    filled = BAR_WIDTH * done // total if total else BAR_WIDTH
    return f"{name} [{'#' * filled}{'-' * (BAR_WIDTH - filled)}] {done}/{total}".encode()


def _say(text: str) -> None:
    write(os.fsencode(text) + b"\n")


def _complain(text: str) -> None:
    write_error(os.fsencode(text) + b"\n")


def _partial(text: str) -> None:
    write(os.fsencode(text))


def _raw(text: str) -> None:
    write(text.encode("latin-1", "backslashreplace").decode("unicode_escape").encode("latin-1"))


def _title(text: str) -> None:
    write(b"\x1b]2;" + os.fsencode(text) + b"\x07")


def _show_env(name: str) -> None:
    write(os.fsencode(f"{name}={os.environ.get(name, '(unset)')}\n"))


def _show_ids(_: str) -> None:
    write(b"pid %d parent %d group %d session %d\n" % (os.getpid(), os.getppid(), os.getpgrp(), os.getsid(0)))


def _show_size(_: str) -> None:
    cols, rows = os.get_terminal_size(1)
    write(b"%d columns %d rows\n" % (cols, rows))
