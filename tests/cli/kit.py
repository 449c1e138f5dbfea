"""Running the command line in tests: in this process where that is enough, in a real terminal where it is not."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from roost.cli import main
from roost.core.screen import Screen
from tests.waiting import scaled, until

ROOST = [sys.executable, "-c", "import sys; from roost.cli import main; sys.exit(main())"]
FAKE = [sys.executable, "-m", "roost.testing.fake_agent"]


class Result(NamedTuple):
    code: int
    out: str
    err: str


def roost(*arguments: str) -> Result:
    """One command in this process."""
    out, err = (io.TextIOWrapper(io.BytesIO(), "utf-8", "surrogateescape", newline="") for _ in range(2))
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
        out.flush()
        err.flush()
    return Result(code, _written(out), _written(err))


def spawn(*arguments: str, **options: object) -> subprocess.Popen[str]:
    """One command in a process of its own, with pipes."""
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen([*ROOST, *arguments], **(pipes | options))  # type: ignore[call-overload,no-any-return]


class Terminal:
    """A command in a terminal of its own; `screen` is what a person sees there."""

    def __init__(self, *argv: str, cols: int = 80, rows: int = 24, cwd: Path | None = None) -> None:
        self._master, slave = pty.openpty()
        self.slave_name = os.ttyname(slave)
        self.before = termios.tcgetattr(slave)
        self._emulator = Screen(cols, rows, self._answer)
        self._closed = False
        self.output = b""
        _set_size(slave, cols, rows)
        self.process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_own_terminal,  # noqa: PLW1509 - no threads here, and no other way to give a controlling terminal
            cwd=cwd,
        )
        self._slave = slave

    @property
    def text(self) -> str:
        """The screen as it stands."""
        while self._read(0):
            pass
        return self._emulator.text()

    @property
    def alternate(self) -> bool:
        return self._emulator.modes.alternate

    @property
    def settings(self) -> list[object]:
        """How the terminal is set, such as raw."""
        return termios.tcgetattr(self._slave)

    def type(self, text: str | bytes) -> None:
        os.write(self._master, text.encode() if isinstance(text, str) else text)

    def shows(self, text: str, timeout_s: float = 15) -> str:
        """Wait until the screen shows it."""
        return until(lambda: self.text if text in self.text else "", timeout_s, what=f"{text!r} in {self.text!r}")

    def resize(self, cols: int, rows: int) -> None:
        self._emulator.resize(cols, rows)
        _set_size(self._master, cols, rows)
        self.process.send_signal(signal.SIGWINCH)

    def ends(self, timeout_s: float = 15) -> int:
        """Wait for the command to end; its exit code."""
        until(lambda: self.text is not None and self.process.poll() is not None, timeout_s, what="the command ends")
        _ = self.text
        return int(self.process.wait())

    def set_back(self) -> None:
        """Set the terminal as a shell would when its job is halted."""
        termios.tcsetattr(self._slave, termios.TCSANOW, self.before)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(scaled(10))
        self._emulator.close()
        os.close(self._master)
        os.close(self._slave)

    def _read(self, timeout_s: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], timeout_s)
        if not ready:
            return False
        data = os.read(self._master, 65_536)
        self.output += data
        self._emulator.feed(data)
        return bool(data)

    def _answer(self, data: bytes) -> None:
        os.write(self._master, data)


@contextlib.contextmanager
def terminal(*arguments: str, cols: int = 80, rows: int = 24, cwd: Path | None = None) -> Iterator[Terminal]:
    """`roost` with these arguments in a terminal."""
    one = Terminal(*ROOST, *arguments, cols=cols, rows=rows, cwd=cwd)
    try:
        yield one
    finally:
        one.close()


def lines(text: str) -> list[str]:
    return text.splitlines()


def read_line(process: subprocess.Popen[str], timeout_s: float = 15) -> str:
    """The next line that a command prints."""
    assert process.stdout is not None
    line = b""
    deadline = time.monotonic() + scaled(timeout_s)
    while time.monotonic() < deadline:
        if select.select([process.stdout], [], [], 0.1)[0]:
            # Byte by byte: what a buffer took beyond the line would be lost to `communicate`.
            line += os.read(process.stdout.fileno(), 1)
        if line.endswith(b"\n"):
            return line.decode()
    raise AssertionError(f"no line came, only {line!r}")


def _written(stream: io.TextIOWrapper) -> str:
    buffer = stream.buffer
    assert isinstance(buffer, io.BytesIO)
    return buffer.getvalue().decode("utf-8", "surrogateescape")


def _set_size(descriptor: int, cols: int, rows: int) -> None:
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
