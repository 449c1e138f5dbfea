"""Figures of process trees, from the real process table."""

from __future__ import annotations

import os
import subprocess

from roost.services.process_figures import ProcessFigures, _Process, group_by_leader, read_process_table
from tests.waiting import until


def row(parent: int, session: int = 0) -> _Process:
    return _Process(parent, session, 0.0, 0)


def test_descendants_belong_to_their_leader() -> None:
    table = {1: row(0), 10: row(1, 10), 11: row(10, 10), 12: row(11, 12), 20: row(1, 20), 30: row(1, 30)}
    assert {leader: sorted(pids) for leader, pids in group_by_leader(table, {10, 20}).items()} == {
        10: [10, 11, 12],
        20: [20],
    }


def test_who_shares_the_session_belongs_to_the_leader_though_its_parent_is_gone() -> None:
    table = {1: row(0), 10: row(1, 10), 15: row(1, 10), 16: row(15, 16)}
    assert sorted(group_by_leader(table, {10})[10]) == [10, 15, 16]


def test_a_leader_that_is_gone_has_no_tree() -> None:
    assert group_by_leader({1: row(0)}, {99}) == {}


def test_this_process_is_in_the_table() -> None:
    table = read_process_table()
    assert table[os.getpid()].parent == os.getppid()
    assert table[os.getpid()].memory_bytes > 1_000_000


def test_a_leader_that_was_never_sampled_shows_what_it_uses_itself() -> None:
    figures = ProcessFigures()
    found = figures.get(os.getpid())
    assert found is not None
    assert found.memory_bytes > 1_000_000
    assert (found.cpu_percent, found.processes) == (0.0, 1)
    assert figures.get(2**22 + 1) is None


def test_a_busy_tree_shows_processor_and_memory() -> None:
    figures = ProcessFigures()
    assert figures.stale
    with subprocess.Popen(["sh", "-c", "while :; do :; done & wait"], start_new_session=True) as process:
        try:

            def busy() -> bool:
                figures.sample([process.pid])
                found = figures.get(process.pid)
                return found is not None and found.processes == 2 and found.cpu_percent > 1

            until(busy)
            assert not figures.stale
            assert figures.get(None) is None
        finally:
            os.killpg(process.pid, 9)
