"""What a fake agent can do with what is typed: echo, prompts, a full-screen program, terminal queries."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import termios
import time
import tty
from collections.abc import Iterator
from types import FrameType

from roost.testing.script import Act, Table, write

QUERIES = {"DA1": b"\x1b[c", "DSR": b"\x1b[5n", "CPR": b"\x1b[6n"}
QUERY_TIMEOUT_S = 30.0
KEY_NAMES = {
    b"\x1b[A": "Up",
    b"\x1b[B": "Down",
    b"\x1b[C": "Right",
    b"\x1b[D": "Left",
    b"\r": "Enter",
    b"\x1b": "Escape",
}


class Lines:
    """Standard input, a line at a time, read without a buffer that could hold back what belongs to the next act."""

    def __init__(self) -> None:
        self._pending = b""

    def next(self) -> bytes | None:
        """The next line without its end; None at the end of input."""
        while b"\n" not in self._pending:
            piece = os.read(0, 65536)
            if not piece:
                line, self._pending = self._pending, b""
                return line or None
            self._pending += piece
        line, _, self._pending = self._pending.partition(b"\n")
        return line.removesuffix(b"\r")

    def echo(self, _: str) -> None:
        """Print each line of input with its number, until the end of input or a line `quit`."""
        count = 0
        while (line := self.next()) is not None and line != b"quit":
            count += 1
            write(b"got %d: %b\n" % (count, line))

    def prompt(self, text: str) -> None:
        """Ask, and print what was answered."""
        write(os.fsencode(text))
        write(b"answered: %b\n" % (self.next() or b""))


@contextlib.contextmanager
def raw_terminal() -> Iterator[None]:
    """The terminal without echo and line editing; does nothing when standard input is none."""
    if not os.isatty(0):
        yield
        return
    saved = termios.tcgetattr(0)
    tty.setraw(0, termios.TCSANOW)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSANOW, saved)


def query_terminal(_: str) -> None:
    """Ask the terminal what it is, how it is and where its cursor stands; print each answer as Python would."""
    for name, query in QUERIES.items():
        with raw_terminal():
            write(query)
            answer = _read_answer(QUERY_TIMEOUT_S)
        write(f"{name}: {answer!r}\n".encode())


def _read_answer(timeout_s: float) -> bytes:
    deadline = time.monotonic() + timeout_s
    answer = b""
    while not answer[-1:].isalpha() and (left := deadline - time.monotonic()) > 0:
        if select.select([0], [], [], left)[0]:
            answer += os.read(0, 1024)
    return answer


class FullScreen:
    """A full-screen program: shows its size, the last key and how often it has drawn; `q` ends it."""

    def __init__(self) -> None:
        self._key = "none"
        self._drawn = 0

    def run(self, _: str) -> None:
        wake_read, wake_write = os.pipe()
        os.set_blocking(wake_write, False)
        previous = signal.signal(signal.SIGWINCH, lambda *_: None)
        signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
        try:
            with raw_terminal():
                write(b"\x1b[?1049h\x1b[?25l\x1b]2;fake full screen\x07")
                self._serve(wake_read)
                write(b"\x1b[?25h\x1b[?1049l")
        finally:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGWINCH, previous)
            os.close(wake_read)
            os.close(wake_write)
        write(b"left the full screen after key %b\n" % self._key.encode())

    def _serve(self, wake: int) -> None:
        while self._key != "q":
            self._draw()
            ready = select.select([0, wake], [], [])[0]
            if wake in ready:
                os.read(wake, 1024)
            if 0 in ready:
                self._key = _key_name(os.read(0, 1024))

    def _draw(self) -> None:
        self._drawn += 1
        cols, rows = os.get_terminal_size(1)
        body = [f"size {cols}x{rows}", f"key {self._key}", f"drawn {self._drawn}"]
        screen = [b"\x1b[2J\x1b[H\x1b[7m%b\x1b[0m" % "FAKE".center(cols).encode()]
        screen += [b"\x1b[%d;3H%b" % (row, line.encode()) for row, line in enumerate(body, 3)]
        screen.append(b"\x1b[%d;1Hq leaves" % rows)
        write(b"".join(screen))


def _key_name(data: bytes) -> str:
    if not data:
        return "q"
    return KEY_NAMES.get(data) or data[-1:].decode("latin-1")


def _on_signal(number: int, _: FrameType | None) -> None:
    write(f"caught {signal.Signals(number).name}\n".encode())


def signals_named(text: str) -> list[signal.Signals]:
    """Signals from `INT,TERM` or `SIGINT`.

    Raises:
        ValueError: there is no such signal.
    """
    names = ["SIG" + name.strip().upper().removeprefix("SIG") for name in text.split(",")]
    try:
        return [signal.Signals[name] for name in names]
    except KeyError as exc:
        raise ValueError(f"there is no signal {exc.args[0]}") from None


def _ignore(text: str) -> None:
    for number in signals_named(text):
        signal.signal(number, signal.SIG_IGN)


def _catch(text: str) -> None:
    for number in signals_named(text):
        signal.signal(number, _on_signal)


def table() -> Table:
    """The acts of this module."""
    lines = Lines()
    return {
        "echo": Act("", "print every line of input with its number, until end of file or `quit`", lines.echo),
        "prompt": Act("TEXT", "ask, wait for a line, print it", lines.prompt),
        "tui": Act("", "a full-screen program that shows size and keys; `q` leaves it", FullScreen().run),
        "query": Act("", "ask the terminal DA1, DSR and CPR and print the answers", query_terminal),
        "ignore": Act("SIGNALS", "ignore signals from here on, such as INT,TERM,HUP", _ignore),
        "catch": Act("SIGNALS", "print `caught SIGTERM` instead of dying of it from here on", _catch),
    }
