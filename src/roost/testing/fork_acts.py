"""How a fake agent has children that are hard to find: in other groups, in other sessions, without a parent.

Every such child is a *worker*: it announces itself in a directory by a file `PID-STARTTICKS` in which it counts, so
that anyone can tell who it was, whether it lives and whether it makes progress. The program's start ticks make a pid
that was given out again recognisable. A worker ends by itself after `WORKER_LIFE_S`.
"""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

from roost.testing.processes import process
from roost.testing.script import Act, Table, program

WORKER_LIFE_S = 300.0
TICK_S = 0.005
STORM_LIFE_S = 60.0
STORM_MEMBER_S = 0.05
KINDS = ("plain", "job", "setsid", "daemon", "clean-daemon")


def work(directory: str, life_s: float = WORKER_LIFE_S) -> None:
    """Announce this process in `directory`, then count there until its life is over."""
    pid = os.getpid()
    fd = os.open(Path(directory) / f"{pid}-{process(pid).start_ticks}", os.O_WRONLY | os.O_CREAT, 0o600)
    deadline = time.monotonic() + life_s
    count = 0
    while time.monotonic() < deadline:
        count += 1
        os.pwrite(fd, b"%d" % count, 0)
        time.sleep(TICK_S)


class Family:
    """The children of a fake agent; `directory` is where they announce themselves."""

    def __init__(self) -> None:
        self.directory = ""
        self.count = 3

    def set_directory(self, value: str) -> None:
        Path(value).mkdir(parents=True, exist_ok=True)
        self.directory = value

    def set_count(self, value: str) -> None:
        self.count = int(value)

    def fork(self, kind: str) -> None:
        """Have `count` children of a kind."""
        if kind not in KINDS:
            raise ValueError(f"give one of {', '.join(KINDS)}")
        self._need_directory()
        for _ in range(self.count):
            self._fork_one(kind)

    def _need_directory(self) -> None:
        if not self.directory:
            raise ValueError("give --workers-in DIRECTORY first")

    def _fork_one(self, kind: str) -> None:
        child = os.fork()
        if child:
            if kind.endswith("daemon"):
                os.waitpid(child, 0)
            return
        _become(kind)
        if kind == "clean-daemon":
            os.execve(sys.executable, [*program(), "--work", self.directory], {})
        work(self.directory)
        os._exit(0)

    def storm(self, value: str) -> None:
        """Fork `value` processes in all, each in its own session, each of which forks the next and soon ends."""
        self._need_directory()
        total = int(value)
        if os.fork():
            return
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        _storm(os.open(Path(self.directory) / "storm", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), total)

    def work_here(self, value: str) -> None:
        """Be a worker oneself."""
        self.set_directory(value)
        work(value)

    def table(self) -> Table:
        return {
            "workers-in": Act("DIRECTORY", "where children announce themselves and count", self.set_directory),
            "children": Act("N", "how many children --fork has from here on (default 3)", self.set_count),
            "fork": Act("KIND", f"have children: {', '.join(KINDS)}", self.fork),
            "storm": Act("N", "fork N processes in all, each a session of its own and soon gone", self.storm),
            "work": Act("DIRECTORY", "announce oneself there and count, as children do", self.work_here),
        }


def _become(kind: str) -> None:
    """Turn a forked child into one of `kind`."""
    if kind == "job":
        os.setpgid(0, 0)
    elif kind == "setsid":
        os.setsid()
    elif kind.endswith("daemon"):
        os.setsid()
        if os.fork():
            os._exit(0)


def _storm(counter: int, total: int) -> None:
    """One member after the other, counted by the length of a file, within a bounded time."""
    deadline = time.monotonic() + STORM_LIFE_S
    while os.fstat(counter).st_size < total and time.monotonic() < deadline:
        os.write(counter, b".")
        if os.fork():
            time.sleep(STORM_MEMBER_S)
            break
        os.setsid()
    os._exit(0)
