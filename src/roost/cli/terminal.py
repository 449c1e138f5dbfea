"""The local terminal while an agent is attached: raw, and set back on every way out."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
import termios
import tty
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from types import FrameType

READ_BYTES = 65_536
FALLBACK_SIZE = (80, 24)
_ENDING = (signal.SIGTERM, signal.SIGHUP, signal.SIGINT, signal.SIGQUIT)


class Woken(NamedTuple):
    """What a wait ended with."""

    typed: bytes = b""
    input_ended: bool = False
    link_ready: bool = False


class LocalTerminal:
    """Standard input and output, and the signals that concern them. A context: leaving it sets everything back.

    Where standard input or output is no terminal, its half of the work is left out.
    """

    def __init__(self) -> None:
        self._in = sys.stdin.fileno()
        self._out = sys.stdout.fileno()
        self.is_terminal_in = os.isatty(self._in)
        self.is_terminal_out = os.isatty(self._out)
        self._saved: list[object] | None = None
        self._handlers: dict[int, object] = {}
        self._wake_reader, self._wake_writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._poll = select.poll()
        self._input_open = True
        self._listening = False
        self.resized = False
        self.ended_by: int | None = None

    def __enter__(self) -> LocalTerminal:
        sys.stdout.flush()
        self._poll.register(self._wake_reader, select.POLLIN)
        self._catch_signals()
        if self.is_terminal_in:
            self._saved = termios.tcgetattr(self._in)
            self._make_raw()
        return self

    def __exit__(self, *_: object) -> None:
        if self._saved is not None:
            with contextlib.suppress(termios.error):
                termios.tcsetattr(self._in, termios.TCSADRAIN, self._saved)  # type: ignore[arg-type]
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        signal.set_wakeup_fd(-1)
        os.close(self._wake_reader)
        os.close(self._wake_writer)

    @property
    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal that is there; 80 by 24 where there is none."""
        for descriptor in (self._out, self._in):
            with contextlib.suppress(OSError):
                columns, rows = os.get_terminal_size(descriptor)
                if columns and rows:
                    return columns, rows
        return FALLBACK_SIZE

    def write(self, data: bytes) -> None:
        """Write all of `data` to standard output."""
        view = memoryview(data)
        while view:
            try:
                view = view[os.write(self._out, view) :]
            except BlockingIOError:
                select.select([], [self._out], [])

    def wait(self, link: int | None, timeout_s: float | None, *, typed: bool = True) -> Woken:
        """Wait for something `typed`, for `link` to be readable, for a signal, or for the time to pass."""
        self._listen(typed)
        if link is not None:
            self._poll.register(link, select.POLLIN)
        try:
            ready = self._poll.poll(None if timeout_s is None else max(0.0, timeout_s) * 1000)
        finally:
            if link is not None:
                self._poll.unregister(link)
        descriptors = {descriptor for descriptor, _ in ready}
        if self._wake_reader in descriptors:
            self._drain_wakes()
        found = self._read_typed() if self._in in descriptors else b""
        return Woken(found or b"", found is None, link in descriptors)

    def _listen(self, typed: bool) -> None:
        """Whether what is typed is waited for."""
        if self._input_open and typed != self._listening:
            self._listening = typed
            if typed:
                self._poll.register(self._in, select.POLLIN)
            else:
                self._poll.unregister(self._in)

    def _read_typed(self) -> bytes | None:
        """What was typed; None at the end of input, which is then no longer waited for."""
        try:
            data = os.read(self._in, READ_BYTES)
        except OSError:
            data = b""
        if data:
            return data
        self._poll.unregister(self._in)
        self._input_open = False
        return None

    def _make_raw(self) -> None:
        tty.setraw(self._in, termios.TCSADRAIN)

    def _catch_signals(self) -> None:
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        for number in _ENDING:
            self._handlers[number] = signal.signal(number, self._end)
        self._handlers[signal.SIGWINCH] = signal.signal(signal.SIGWINCH, self._resize)
        self._handlers[signal.SIGCONT] = signal.signal(signal.SIGCONT, self._go_on)

    def _end(self, number: int, _: FrameType | None) -> None:
        self.ended_by = number

    def _resize(self, _number: int, _: FrameType | None) -> None:
        self.resized = True

    def _go_on(self, _number: int, _: FrameType | None) -> None:
        """We were halted from outside and go on: a shell may have changed the terminal meanwhile."""
        if self._saved is not None:
            self._make_raw()
        self.resized = True

    def _drain_wakes(self) -> None:
        with contextlib.suppress(BlockingIOError):
            while os.read(self._wake_reader, 4096):
                pass
