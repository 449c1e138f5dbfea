"""Lines of JSON on standard output, and the ways in which they can be wrong."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from roost.testing.models.script import Fault

Json = dict[str, Any]
HALF_PAUSE_S = 0.05
DEATH_S = 1.0
STRANGE = {"strange_field": {"nested": [1, None, "…"]}, "strangeFlag": True}


class Output:
    """What an agent writes. Safe to use from several threads: a line is never parted by another.

    `shown` makes of each message what is written in place of it, for formats that are not a stream of messages.
    """

    def __init__(self, shown: Callable[[Json], str] | None = None) -> None:
        self._shown = shown
        self._lock = threading.RLock()
        self._is_halved = self._is_doubled = self._is_strange = False

    def send(self, message: Json) -> None:
        """Write a message as one line, with the faults that have been asked for."""
        with self._lock:
            if self._shown is not None:
                return _write_all(self._shown(message).encode())
            whole = message | STRANGE if self._is_strange else message
            line = json.dumps(whole, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
            self._write_line(line)
            if self._is_doubled:
                self._is_doubled = False
                self._write_line(line)
        return None

    def raw(self, data: bytes) -> None:
        """Write bytes as they are."""
        with self._lock:
            _write_all(data)

    def fault(self, fault: Fault, message: Json) -> None:
        """Go wrong in the way `fault` says; `message` is an example of a line, for faults that need one."""
        line = json.dumps(message).encode()
        argument = fault.argument
        if fault.kind == "garbage":
            self.raw((argument or "[SandboxDebug] this is not JSON {").encode() + b"\n")
        elif fault.kind == "unknown":
            self.send({**message, "type": argument or "never_heard_of", "payload": {"a": 1}})
        elif fault.kind == "torn":
            self.raw(line[: len(line) // 2])
            end(0)
        elif fault.kind == "crash":
            die(argument or "KILL")
        elif fault.kind == "leave":
            end(int(argument or 0))
        elif fault.kind == "stall":
            time.sleep(float(argument or 1))
        else:
            self._arm(fault.kind)

    def _arm(self, kind: str) -> None:
        self._is_halved |= kind == "half"
        self._is_doubled |= kind == "duplicate"
        self._is_strange |= kind == "fields"

    def _write_line(self, line: bytes) -> None:
        if not self._is_halved:
            return _write_all(line)
        self._is_halved = False
        _write_all(line[: len(line) // 2])
        time.sleep(HALF_PAUSE_S)
        _write_all(line[len(line) // 2 :])
        return None


def complain(text: str) -> None:
    """A line on standard error."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def end(code: int) -> None:
    """Leave at once, whatever other threads do."""
    with contextlib.suppress(OSError):
        sys.stderr.flush()
    os._exit(code)


def die(name: str) -> None:
    """Die of a signal; one that the agent catches takes its effect only when this is the main thread."""
    number = signal.Signals["SIG" + name.upper().removeprefix("SIG")]
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and number not in (signal.SIGKILL, signal.SIGSTOP):
        signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    # It may arrive at another thread, and nothing more is to be written until then.
    time.sleep(DEATH_S)


def _write_all(data: bytes) -> None:
    try:
        while data:
            data = data[os.write(1, data) :]
    except BrokenPipeError:
        end(1)
