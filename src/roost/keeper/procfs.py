"""What /proc says of processes. A process that is gone yields nothing; nothing here raises for that."""

from __future__ import annotations

import os
import signal
from typing import NamedTuple

DEAD = "ZXx"
"""States of a process that runs no more."""


class Status(NamedTuple):
    """One process. Its number and `start_ticks` together name it for ever; the number alone may be reused."""

    pid: int
    state: str
    parent: int
    group: int
    session: int
    start_ticks: int


def status(pid: int) -> Status | None:
    """The process, or None when it is gone."""
    text = read(f"/proc/{pid}/stat")
    # The name stands in brackets and may itself hold brackets and spaces: what follows the last one counts.
    fields = text[text.rfind(b")") + 2 :].split()
    if len(fields) < 20:
        return None
    return Status(pid, chr(fields[0][0]), int(fields[1]), int(fields[2]), int(fields[3]), int(fields[19]))


def children(pid: int) -> list[int]:
    """The children of all threads of a process."""
    found: list[int] = []
    try:
        threads = os.listdir(f"/proc/{pid}/task")
    except OSError:
        return found
    for thread in threads:
        found += map(int, read(f"/proc/{pid}/task/{thread}/children").split())
    return found


def has_children_files() -> bool:
    """Whether this kernel lists children; it is an option of its build."""
    return os.path.exists(f"/proc/self/task/{os.getpid()}/children")


def children_by_scan() -> dict[int, list[int]]:
    """The children of every process, found the long way."""
    found: dict[int, list[int]] = {}
    for name in os.listdir("/proc"):
        if name.isdigit() and (one := status(int(name))) is not None:
            found.setdefault(one.parent, []).append(one.pid)
    return found


def tag(pid: int) -> int:
    """The soft limit of file locks, by which a session's processes are known; 0 when it is unlimited or unknown."""
    text = read(f"/proc/{pid}/limits")
    at = text.find(b"Max file locks")
    fields = text[at : at + 60].split() if at >= 0 else []
    return int(fields[3]) if len(fields) > 3 and fields[3].isdigit() else 0


def variable(pid: int, name: bytes) -> bytes:
    """A variable of the environment with which the process was started; empty when it has none."""
    text = b"\0" + read(f"/proc/{pid}/environ")
    at = text.find(b"\0" + name + b"=")
    if at < 0:
        return b""
    return text[at + len(name) + 2 :].split(b"\0", 1)[0]


def ignores(pid: int, number: int) -> bool:
    """Whether the process ignores a signal."""
    return _has_signal(pid, b"SigIgn:", number)


def catches(pid: int, number: int) -> bool:
    """Whether the process handles a signal itself."""
    return _has_signal(pid, b"SigCgt:", number)


def _has_signal(pid: int, label: bytes, number: int) -> bool:
    text = read(f"/proc/{pid}/status")
    at = text.find(label)
    mask = text[at + len(label) :].split(None, 1)[0] if at >= 0 else b"0"
    return bool(int(mask, 16) >> (number - 1) & 1)


def send(pid: int, start_ticks: int, number: int) -> bool:
    """Signal the process of that number and start, and never another that got its number since."""
    try:
        fd = os.pidfd_open(pid)
    except OSError:
        return False
    try:
        known = status(pid)
        if known is None or known.start_ticks != start_ticks:
            return False
        signal.pidfd_send_signal(fd, number)
    except OSError:
        return False
    finally:
        os.close(fd)
    return True


def read(path: str) -> bytes:
    """A whole file of /proc; empty when it cannot be read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = [os.read(fd, 8192)]
        while len(parts[-1]) >= 2048:
            parts.append(os.read(fd, 65536))
        return b"".join(parts)
    except OSError:
        return b""
    finally:
        os.close(fd)
