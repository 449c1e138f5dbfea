"""Waiting in the main thread: for lines of standard input, and for other threads to end.

A signal may arrive at any thread, and only the main one runs its handler, which it does not while it is blocked. So the
main thread wakes up now and then.
"""

from __future__ import annotations

import os
import select
import threading
from collections.abc import Iterator

WAKE_S = 0.05


def input_lines() -> Iterator[bytes]:
    """Lines of standard input without their ends, blank ones left out, as they come, until the end of input."""
    pending = b""
    while piece := _read():
        *whole, pending = (pending + piece).split(b"\n")
        yield from (line for line in whole if line.strip())
    if pending.strip():
        yield pending


def wait_for(thread: threading.Thread) -> None:
    """Wait until a thread has ended."""
    while thread.is_alive():
        thread.join(WAKE_S)


def _read() -> bytes:
    while not select.select([0], [], [], WAKE_S)[0]:
        continue
    return os.read(0, 65536)
