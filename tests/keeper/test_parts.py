"""Parts of the keeper by themselves, where a whole keeper cannot be brought into the situation at will."""

from __future__ import annotations

import _thread
import os
import resource
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roost.errors import LimitReached
from roost.keeper import cgroup, client, procfs, state, terminal
from roost.keeper.loop import GATHER_MANY_NS, GATHER_NS, MAX_FAILURES, Chore, Loop, gather_ns
from roost.keeper.recorder import Recorder
from roost.keeper.session import MAX_SOURCES, Session
from roost.keeper.storage import Storage
from roost.keeper.syncing import Syncer
from roost.keeper.tree import Tree
from tests.waiting import until

ARGS: dict[str, Any] = {
    "session_id": "s",
    "agent": "a",
    "argv": ["x"],
    "cwd": "/",
    "terminal": True,
    "cols": 80,
    "rows": 24,
    "leftovers": "end",
}


def make_session(session_id: str = "s") -> Session:
    return Session(ARGS | {"session_id": session_id}, Recorder(Storage(), -1, lambda recorder, exc: None))


class Rounds:
    """A loop, and what it reported."""

    def __init__(self) -> None:
        self.reported: list[BaseException] = []
        self.ended = 0
        self.loop = Loop(lambda: None, self._count, self.reported.append)

    def _count(self) -> None:
        self.ended += 1

    def run_until(self, delay_s: float) -> None:
        self.loop.call_after(delay_s, self.loop.stop)
        self.loop.run()


@pytest.fixture
def rounds() -> Iterator[Rounds]:
    rounds = Rounds()
    yield rounds
    rounds.loop.close()


def test_a_handler_that_fails_is_reported_and_in_the_end_left_out(rounds: Rounds) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"x")

    def fail(events: int) -> None:
        raise ValueError("a mistake")

    rounds.loop.watch_control(reader, fail)
    rounds.run_until(0.2)
    assert [str(exc) for exc in rounds.reported] == ["a mistake"] * (MAX_FAILURES + 1)
    os.close(reader)
    os.close(writer)


def test_a_timer_that_fails_is_reported_and_the_next_fires(rounds: Rounds) -> None:
    fired: list[int] = []
    rounds.loop.call_after(0.01, lambda: 1 // 0)
    rounds.loop.call_after(0.02, lambda: fired.append(1))
    rounds.loop.call_after(0.015, lambda: fired.append(2)).cancel()
    rounds.run_until(0.05)
    assert fired == [1]
    assert [type(exc) for exc in rounds.reported] == [ZeroDivisionError]


def test_a_long_chore_leaves_time_for_others(rounds: Rounds) -> None:
    steps: list[float] = []

    def chore() -> Chore:
        for _ in range(20):
            steps.append(time.monotonic())
            time.sleep(0.002)
            yield 0

    rounds.loop.spawn(chore())
    rounds.run_until(0.3)
    assert len(steps) == 20
    assert rounds.ended >= 4


def test_output_is_read_at_once_when_it_is_quiet_and_gathered_when_it_is_not(rounds: Rounds) -> None:
    reader, writer = os.pipe()
    os.set_blocking(reader, False)
    seen: list[bytes] = []

    def write_on(left: int) -> None:
        os.write(writer, b"x")
        if left:
            rounds.loop.call_after(0.0005, lambda: write_on(left - 1))

    rounds.loop.watch_output(reader, lambda events: seen.append(os.read(reader, 100)))
    write_on(30)
    rounds.run_until(0.3)
    assert b"".join(seen) == b"x" * 31
    assert seen[0] == b"x"
    assert len(seen) < 20
    rounds.loop.forget(reader)
    rounds.loop.forget(reader)
    os.close(reader)
    os.close(writer)


def test_the_more_agents_write_the_longer_is_gathered() -> None:
    times = [gather_ns(outputs) for outputs in (1, 8, 20, 100, 500)]
    assert times == sorted(times)
    assert (times[0], times[1]) == (GATHER_NS, GATHER_NS)
    assert GATHER_MANY_NS < times[3] < times[4] <= 4 * GATHER_MANY_NS


def test_a_sync_for_which_there_is_no_thread_is_tried_again(
    rounds: Rounds, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_thread(*_: object) -> int:
        raise RuntimeError("can't start new thread")

    fd = os.open(tmp_path, os.O_RDONLY)
    syncer = Syncer(rounds.loop, Storage(), fd, interval_s=0.01)
    problems: list[str] = []
    done: list[bool] = []
    syncer.on_problem = problems.append
    syncer.wake = lambda: done.append(True)
    with monkeypatch.context() as patch:
        patch.setattr(_thread, "start_new_thread", no_thread)
        syncer.now()
        rounds.loop.call_after(0.02, lambda: None)
        rounds.run_until(0.05)
    assert problems
    assert set(problems) == {"can't start new thread"}
    rounds.loop._stopped = False
    rounds.run_until(0.2)
    until(lambda: done)
    os.close(fd)


def test_without_descriptors_there_is_no_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    held = []
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (256, limits[1]))
    try:
        with pytest.raises(OSError, match="Too many"):
            while True:
                held.append(os.dup(0))
        with pytest.raises(LimitReached, match="no terminal"):
            terminal.open_terminal(80, 24)
        assert procfs.read("/proc/self/stat") == b""
        assert procfs.children(os.getpid()) == []
    finally:
        for fd in held:
            os.close(fd)
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_a_terminal_that_nobody_opened_has_no_foreground() -> None:
    master, _ = terminal.open_terminal(80, 24)
    assert terminal.foreground_group(master) == 0
    assert terminal.end_of_file_character(master) == b"\x04"
    os.close(master)


@pytest.mark.parametrize("listed", [True, False])
def test_a_tree_is_found_with_and_without_the_kernels_lists(listed: bool) -> None:
    code = "import subprocess, sys; subprocess.run(['sleep', '60'])"
    with subprocess.Popen([sys.executable, "-S", "-c", code], start_new_session=True) as leader:
        session, other = make_session(), make_session("other")
        session.pid = leader.pid
        tree = Tree({"s": session, "other": other}, {leader.pid: session})
        tree._listed = listed
        found = until(lambda: len(members := list(tree.members(session))) == 2 and members)
        assert found[0].pid == leader.pid
        assert found[1].parent == leader.pid
        assert session.sids == {leader.pid}
        assert list(tree.members(other)) == []
        for one in found:
            procfs.send(one.pid, one.start_ticks, 9)


def test_a_child_of_the_keeper_that_nothing_names_is_nobodys() -> None:
    with subprocess.Popen(["sleep", "60"], env={}) as stranger:
        session = make_session()
        tree = Tree({"s": session}, {})
        assert list(tree.members(session)) == []
        named = subprocess.Popen(["sleep", "60"], env={"ROOST_SESSION": "s"})
        until(lambda: [one.pid for one in tree.members(session)] == [named.pid])
        tree.forget(named.pid)
        for one in (stranger, named):
            one.kill()
            one.wait()


def test_what_proc_does_not_say_is_not_believed() -> None:
    assert procfs.status(1 << 22) is None
    assert procfs.tag(os.getpid()) == 0
    assert procfs.tag(1 << 22) == 0
    assert procfs.variable(1 << 22, b"X") == b""
    assert not procfs.ignores(1 << 22, 15)
    assert not procfs.send(1 << 22, 0, 15)


def test_old_sources_of_input_are_forgotten_first() -> None:
    session = make_session()
    for number in range(MAX_SOURCES + 1):
        assert session.accept(f"source-{number}", 1)
    assert not session.accept("source-1", 1)
    assert session.accept("source-0", 1)
    assert len(session.sources) == MAX_SOURCES


def test_a_packed_session_is_unpacked_as_it_was() -> None:
    session = make_session()
    session.pid, session.tag, session.sids = 7, 1 << 55, {7, 8}
    session.stopped_before = {(9, 100)}
    session.recorder.waiting = b"half a frame"
    packed = state.pack_session(session)
    again = state.unpack_session(packed | {"from the future": 1}, Recorder(Storage(), -1, lambda recorder, exc: None))
    assert again.describe() == session.describe()
    assert (again.tag, again.sids, again.stopped_before) == (1 << 55, {7, 8}, {(9, 100)})
    assert again.recorder.waiting == b"half a frame"
    del packed["code"]
    assert state.unpack_session(packed, again.recorder).code is None


def test_groups_that_cannot_be_made_are_done_without(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    groups = cgroup.Cgroups(str(tmp_path / "file" / "none"))
    assert groups.make("s") is None
    assert groups.at("s") is None
    assert groups.clear() == []
    groups.remove()
    lost = cgroup.Cgroup(str(tmp_path / "none" / "s"))
    assert not (lost.kill() or lost.freeze() or lost.thaw() or lost.frozen or lost.remove())
    assert lost.limit({"memory_bytes": 1}) == set()
    assert lost.members() == set()


def test_limits_are_written_to_the_group(tmp_path: Path) -> None:
    for name in ("memory.max", "pids.max"):
        (tmp_path / name).touch()
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner" / "cgroup.procs").write_text("5\n6\n")
    group = cgroup.Cgroup(str(tmp_path))
    assert group.limit({"memory_bytes": 5000, "processes": 9, "nofile": 3}) == {"memory_bytes", "processes"}
    assert (tmp_path / "pids.max").read_text() == "9"
    assert group.members() == {5, 6}


def test_the_client_can_be_waited_for(keeper: Any) -> None:
    poller = select.poll()
    poller.register(keeper.client, select.POLLIN)
    keeper.client.call("watch")
    assert poller.poll(0) == []
    keeper.start("true")
    # Starting may have read the notice along with its answer.
    assert keeper.client.notices() or poller.poll(5000)
    assert client.SOCKET_NAME == "keeper.sock"
