"""The tree kit makes the trees that it says, and tells truly who lives."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.testing.processes import children, descendants, process
from roost.testing.tree_kit import KINDS, Decoys, ProcessTree
from tests.waiting import until


class Started:
    """A tree whose agent runs as a child of this test."""

    def __init__(self, tree: ProcessTree) -> None:
        self.tree = tree
        self.agent = subprocess.Popen(tree.command, start_new_session=True)
        tree.wait_ready()

    def others(self) -> set[int]:
        return {member.pid for member in self.tree.members()} - {self.agent.pid}


@pytest.fixture
def start(tmp_path: Path) -> Iterator:
    started: list[Started] = []

    def begin(kind: str) -> Started:
        started.append(Started(ProcessTree(kind, tmp_path / "tree")))
        return started[-1]

    yield begin
    for one in started:
        one.agent.kill()
        one.agent.wait()
        one.tree.end()
        assert one.tree.wait_gone() == set()


@pytest.mark.parametrize("kind", KINDS)
def test_every_member_works(start, kind: str) -> None:
    tree = start(kind).tree
    assert tree.survivors() >= tree.members()
    until(lambda: tree.progressed() == tree.members())


def test_plain_children_share_the_agents_group(start) -> None:
    started = start("plain")
    assert {os.getpgid(pid) for pid in started.others()} == {started.agent.pid}


def test_job_control_children_have_groups_of_their_own_in_the_agents_session(start) -> None:
    started = start("job control")
    assert all(os.getpgid(pid) == pid for pid in started.others())
    assert {os.getsid(pid) for pid in started.others()} == {started.agent.pid}


def test_children_in_their_own_session_lead_it(start) -> None:
    assert all(os.getsid(pid) == pid for pid in start("own session").others())


@pytest.mark.parametrize("kind", ["daemon", "daemon without environment"])
def test_daemons_are_not_children_of_the_agent(start, kind: str) -> None:
    started = start(kind)
    assert len(started.others()) == 3
    assert descendants(started.agent.pid) == []


def test_daemons_without_environment_have_none(start) -> None:
    for pid in start("daemon without environment").others():
        assert Path(f"/proc/{pid}/environ").read_bytes() == b""


def test_the_deaf_survive_polite_signals(start) -> None:
    started = start("deaf to signals")
    os.killpg(started.agent.pid, signal.SIGTERM)
    assert started.tree.progressed() == started.tree.members()


def test_a_storm_grows_and_is_bounded(start) -> None:
    tree = start("fork storm").tree
    until(lambda: (tree.directory / "storm").stat().st_size >= 400, 30)
    until(lambda: not tree.storm_grew())


def test_killing_the_group_leaves_those_who_left_it(start) -> None:
    started = start("own session")
    os.killpg(started.agent.pid, signal.SIGKILL)
    started.agent.wait()
    assert {member.pid for member in started.tree.survivors()} == started.others()


def test_stopped_processes_make_no_progress(start) -> None:
    started = start("plain")
    os.killpg(started.agent.pid, signal.SIGSTOP)
    until(lambda: started.tree.progressed() == set())
    os.killpg(started.agent.pid, signal.SIGCONT)
    until(lambda: started.tree.progressed() == started.tree.members())


def test_decoys_live_until_they_are_left(tmp_path: Path) -> None:
    with Decoys(tmp_path / "decoys") as decoys:
        assert len(decoys.survivors()) == 3
        until(lambda: decoys.progressed() == decoys.members())
    assert decoys.survivors() == set()


def test_a_zombie_is_not_alive() -> None:
    child = subprocess.Popen(["true"])
    me = process(child.pid)
    until(lambda: not me.is_alive)
    assert me in children(os.getpid())
    child.wait()


def test_a_pid_that_was_given_out_again_is_another_process() -> None:
    me = process(os.getpid())
    assert me.is_alive
    assert not me._replace(start_ticks=me.start_ticks - 1).is_alive
