"""What agents' process trees use: one pass over the process table for all of them, remembered for a moment."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

KEEP_S = 2.0
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Figures(NamedTuple):
    """Use of one process tree; `cpu_percent` is of one core since the sample before, 0 at the first.

    Until the first sample, only the leader counts.
    """

    cpu_percent: float
    memory_bytes: int
    processes: int


class _Process(NamedTuple):
    parent: int
    session: int
    cpu_s: float
    memory_bytes: int


class ProcessFigures:
    """Samples trees by the pid of their leader. Use from one thread at a time."""

    def __init__(self) -> None:
        self._at = 0.0
        self._known: dict[int, Figures] = {}
        self._cpu: dict[int, float] = {}

    def get(self, leader: int | None) -> Figures | None:
        """The figures of the last sample; of a leader that was in none, what it uses itself. None when it is gone."""
        if leader is None:
            return None
        found = self._known.get(leader)
        if found is None:
            process = _read_process(str(leader))
            if process is not None:
                self._known[leader] = found = Figures(0.0, process.memory_bytes, 1)
        return found

    @property
    def stale(self) -> bool:
        """Whether a sample is due."""
        return time.monotonic() - self._at > KEEP_S

    def sample(self, leaders: Iterable[int]) -> None:
        """Look at the process table once."""
        now = time.monotonic()
        elapsed = now - self._at
        table = read_process_table()
        trees = group_by_leader(table, set(leaders))
        before, self._cpu = self._cpu, {}
        known = {}
        for leader, members in trees.items():
            cpu = sum(table[pid].cpu_s for pid in members)
            self._cpu[leader] = cpu
            used = max(0.0, cpu - before[leader]) if leader in before else 0.0
            known[leader] = Figures(
                round(100 * used / elapsed, 1) if elapsed > 0 else 0.0,
                sum(table[pid].memory_bytes for pid in members),
                len(members),
            )
        self._known = known
        self._at = now


def group_by_leader(table: dict[int, _Process], leaders: set[int]) -> dict[int, list[int]]:
    """Processes by the leader they descend from, or whose session they share."""
    owners: dict[int, int | None] = {}
    for pid in table:
        chain = []
        current: int | None = pid
        while current is not None and current not in owners:
            chain.append(current)
            owner, current = _step_up(table, leaders, current)
            owners[chain[-1]] = owner
        found = owners[chain[-1]] if current is None else owners[current]
        for member in chain:
            owners[member] = found
    trees: dict[int, list[int]] = {leader: [] for leader in leaders if leader in table}
    for pid, owner in owners.items():
        if owner is not None and owner in trees:
            trees[owner].append(pid)
    return trees


def _step_up(table: dict[int, _Process], leaders: set[int], pid: int) -> tuple[int | None, int | None]:
    """Whose `pid` is, or which process to ask next."""
    if pid in leaders:
        return pid, None
    process = table.get(pid)
    if process is None:
        return None, None
    if process.session in leaders:
        return process.session, None
    return None, process.parent or None


def read_process_table() -> dict[int, _Process]:
    """Every process by pid, as `/proc/PID/stat` says; those that vanish meanwhile are left out."""
    table = {}
    for entry in os.listdir("/proc"):  # noqa: PTH208 -- hundreds of times a minute, and names are all we need
        if entry.isdigit():
            process = _read_process(entry)
            if process is not None:
                table[int(entry)] = process
    return table


def _read_process(pid: str) -> _Process | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return None
    # The name, in parentheses, may hold spaces and parentheses itself: count from the last one.
    fields = text[text.rfind(b")") + 2 :].split()
    if len(fields) < 22:
        return None
    cpu_s = (int(fields[11]) + int(fields[12])) / _TICKS
    return _Process(int(fields[1]), int(fields[3]), cpu_s, int(fields[21]) * _PAGE)
