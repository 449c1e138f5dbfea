"""Processes named for good, by pid and start time: nothing is said of, or done to, a successor of the same pid."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

POLL_S = 0.01
DEAD = (b"Z", b"X")


class Process(NamedTuple):
    """A process; `start_ticks` are clock ticks since boot."""

    pid: int
    start_ticks: int

    @property
    def is_alive(self) -> bool:
        """Whether it still runs; a zombie does not."""
        found = _read(self.pid)
        return found is not None and found[0] not in DEAD and found[1] == self.start_ticks

    def end(self) -> None:
        """Kill it, if it is still the same."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)


def process(pid: int) -> Process:
    """The process that has this pid now.

    Raises:
        ProcessLookupError: there is none.
    """
    found = _read(pid)
    if found is None:
        raise ProcessLookupError(pid)
    return Process(pid, found[1])


def children(pid: int) -> list[Process]:
    """The children of a process, zombies too."""
    listed = ((one, _fields(one)) for one in _pids())
    return [Process(one, int(fields[19])) for one, fields in listed if fields and int(fields[1]) == pid]


def descendants(pid: int) -> list[Process]:
    """Children, their children, and so on."""
    found = []
    for child in children(pid):
        found += [child, *descendants(child.pid)]
    return found


def running(command: Sequence[str]) -> set[Process]:
    """Every live process with exactly this command line; forks keep that of their parent."""
    wanted = b"".join(os.fsencode(word) + b"\0" for word in command)
    found = {Process(one, ticks) for one in _pids() if _command(one) == wanted and (ticks := _start_ticks(one))}
    return {one for one in found if one.is_alive}


def resident_bytes(pid: int) -> int:
    """Memory that a process holds in RAM; 0 when it is gone."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")


def cpu_seconds(pid: int) -> float:
    """User and system time that a process has used; 0 when it is gone."""
    fields = _fields(pid)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") if fields else 0.0


def wait_gone(processes: Iterable[Process], timeout_s: float = 5.0) -> set[Process]:
    """Wait until all have ended; those that have not when time is up."""
    deadline = time.monotonic() + timeout_s
    left = {one for one in processes if one.is_alive}
    while left and time.monotonic() < deadline:
        time.sleep(POLL_S)
        left = {one for one in left if one.is_alive}
    return left


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _command(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


def _start_ticks(pid: int) -> int:
    fields = _fields(pid)
    return int(fields[19]) if fields else 0


def _read(pid: int) -> tuple[bytes, int] | None:
    """State and start ticks of a process."""
    fields = _fields(pid)
    return (fields[0], int(fields[19])) if fields else None


def _fields(pid: int) -> list[bytes]:
    """What stands behind the name in `/proc/PID/stat`: state, parent, group, session, …; empty when it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return []
    return stat[stat.rindex(b")") + 2 :].split()
