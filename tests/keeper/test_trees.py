"""The whole tree of a session is stopped, killed, paused and counted, and nobody else's process is touched."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.core.recording import Kind
from roost.errors import Conflict
from roost.keeper import cgroup, procfs, tree
from roost.testing.tree_kit import KINDS, Decoys, ProcessTree
from tests.keeper.conftest import StartKeeper
from tests.keeper.kit import RunningKeeper, refusal
from tests.waiting import scaled, until

ENDED_S = {"walk": 3.0, "cgroup": 1.0}


def cgroups_are_ours() -> bool:
    with tempfile.TemporaryDirectory() as directory:
        fd = os.open(directory, os.O_RDONLY)
        found = cgroup.find(fd)
        os.close(fd)
    if found is not None:
        found.remove()
    return found is not None


needs_cgroup = pytest.mark.skipif(not cgroups_are_ours(), reason="no cgroup v2 that may be written to")


@pytest.fixture(params=["walk", pytest.param("cgroup", marks=needs_cgroup)])
def way(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def keeper(start_keeper: StartKeeper, way: str) -> RunningKeeper:
    return start_keeper(cgroup=way == "cgroup")


@pytest.fixture
def decoys(tmp_path: Path, keeper: RunningKeeper) -> Iterator[Decoys]:
    """Others that run the same program, and say of themselves that they are of the same agent and session."""
    with Decoys(tmp_path / "decoys", env={"ROOST_SESSION": "s-a1", "ROOST_AGENT": "a1"}) as decoys:
        yield decoys
        assert decoys.survivors() == decoys.members()


def grow(keeper: RunningKeeper, kind: str, directory: Path) -> tuple[ProcessTree, str]:
    one = ProcessTree(kind, directory)
    session_id = keeper.start(*one.command)
    one.wait_ready()
    return one, session_id


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_kill_leaves_nobody(keeper: RunningKeeper, decoys: Decoys, kind: str, tmp_path: Path, way: str) -> None:
    family, session_id = grow(keeper, kind, tmp_path / "tree")
    neighbour = keeper.start(*ProcessTree("daemon", tmp_path / "neighbour").command)
    until(lambda: len(ProcessTree("daemon", tmp_path / "neighbour").members()) == 4)
    began = time.monotonic()
    result = keeper.call("kill", session_id=session_id)
    assert time.monotonic() - began < scaled(ENDED_S[way])
    assert family.survivors() == set()
    assert (result["reason"], result["signal"], result["code"]) == ("killed", "SIGKILL", None)
    assert keeper.session(session_id)["processes"] == 0
    assert keeper.session(neighbour)["processes"] == 4
    assert keeper.marks(session_id, Kind.SIGNAL) == [{"signal": "SIGKILL", "scope": "tree", "by": ""}]


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_stop_asks_and_then_makes_sure(keeper: RunningKeeper, decoys: Decoys, kind: str, tmp_path: Path) -> None:
    family, session_id = grow(keeper, kind, tmp_path / "tree")
    result = keeper.call("stop", session_id=session_id, grace_s=0.5, by="test")
    assert result["reason"] == "stopped"
    assert family.survivors() == set()
    assert keeper.marks(session_id)[-1] == {"type": "stopping", "by": "test", "grace_s": 0.5}
    signals = [mark["signal"] for mark in keeper.marks(session_id, Kind.SIGNAL)]
    assert signals in (["SIGTERM"], ["SIGTERM", "SIGKILL"])
    assert ("SIGKILL" in signals) or kind != "deaf to signals"


@pytest.mark.parametrize("kind", ["plain", "job control", "own session", "daemon", "daemon without environment"])
def test_pause_holds_everybody_and_resume_lets_them_go_on(
    keeper: RunningKeeper, decoys: Decoys, kind: str, tmp_path: Path
) -> None:
    family, session_id = grow(keeper, kind, tmp_path / "tree")
    size = len(family.members())
    assert keeper.call("pause", session_id=session_id, by="me")["processes"] == size
    assert keeper.session(session_id)["state"] == "paused"
    assert family.progressed(0.1) == set()
    assert decoys.progressed(0.1) == decoys.members()
    assert keeper.call("resume", session_id=session_id)["processes"] == size
    until(lambda: family.progressed(0.1) == family.members())
    assert keeper.session(session_id)["state"] == "running"
    assert [mark["type"] for mark in keeper.marks(session_id)] == ["started", "paused", "resumed"]


def test_a_paused_tree_can_be_stopped(keeper: RunningKeeper, tmp_path: Path) -> None:
    family, session_id = grow(keeper, "own session", tmp_path / "tree")
    keeper.call("pause", session_id=session_id)
    keeper.call("pause", session_id=session_id)
    assert keeper.call("stop", session_id=session_id)["signal"] == "SIGTERM"
    assert family.survivors() == set()


def test_a_tree_that_is_being_stopped_cannot_be_paused(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("trap '' TERM; echo up; while :; do sleep 0.05; done")
    keeper.said(session_id, "up")
    with keeper.connect() as other:
        other.post("stop", session_id=session_id, grace_s=60)
        until(lambda: keeper.session(session_id)["state"] == "stopping")
        assert refusal(lambda: keeper.call("pause", session_id=session_id)).code == Conflict.code
        assert keeper.call("kill", session_id=session_id)["reason"] == "killed"


def test_what_was_stopped_before_the_pause_stays_so(start_keeper: StartKeeper, tmp_path: Path) -> None:
    keeper = start_keeper()
    family, session_id = grow(keeper, "own session", tmp_path / "tree")
    sleeper = next(one for one in family.members() if one.pid != keeper.session(session_id)["pid"])
    os.kill(sleeper.pid, signal.SIGSTOP)
    until(lambda: (found := procfs.status(sleeper.pid)) and found.state == "T")
    keeper.call("pause", session_id=session_id)
    keeper.call("resume", session_id=session_id)
    until(lambda: family.progressed(0.1) == family.members() - {sleeper})


def test_an_interactive_shell_is_stopped_at_once_though_it_ignores_the_request(keeper: RunningKeeper) -> None:
    session_id = keeper.start("bash", "--norc", "-i", env={"PS1": "ready> "})
    keeper.said(session_id, "ready>")
    keeper.call("stop", session_id=session_id, grace_s=60)
    assert [mark["signal"] for mark in keeper.marks(session_id, Kind.SIGNAL)] == ["SIGTERM"]


def test_what_outlives_its_leader_is_ended(keeper: RunningKeeper, tmp_path: Path) -> None:
    family = ProcessTree("daemon without environment", tmp_path / "tree")
    command = " ".join(f"'{word}'" for word in family.command)
    session_id = keeper.start("bash", "-c", f"{command} & read x", terminal=True)
    until(lambda: len(family.members()) == 4)
    keeper.type(session_id, "\r")
    keeper.ended(session_id)
    assert family.wait_gone() == set()
    until(lambda: keeper.session(session_id)["processes"] == 0)
    assert keeper.session(session_id)["reason"] == "exited"


def test_what_outlives_its_leader_may_be_kept(keeper: RunningKeeper, tmp_path: Path) -> None:
    family = ProcessTree("own session", tmp_path / "tree")
    command = " ".join(f"'{word}'" for word in family.command)
    session_id = keeper.start("bash", "-c", f"setsid {command} & read x", leftovers="keep")
    until(lambda: len(family.members()) == 4)
    keeper.type(session_id, "\r")
    keeper.ended(session_id)
    assert keeper.session(session_id)["processes"] == 4
    assert family.progressed(0.1) == family.members()
    assert keeper.call("signal", session_id=session_id, signal="CONT")["processes"] == 4
    assert keeper.call("stop", session_id=session_id)["reason"] == "exited"
    assert family.survivors() == set()


def test_the_output_of_others_is_read_a_little_longer_than_the_leader_lives(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("(trap '' HUP; while :; do echo still; sleep 0.02; done) & echo gone", terminal=False)
    keeper.ended(session_id)
    frames = keeper.frames(session_id)
    assert [one.kind for one in frames][-1] == Kind.EXIT
    assert "still" in keeper.output(session_id)
    until(lambda: keeper.session(session_id)["processes"] == 0)


@needs_cgroup
def test_groups_are_taken_away_with_their_sessions(start_keeper: StartKeeper) -> None:
    keeper = start_keeper(cgroup=True)
    path = Path(keeper.call("status")["cgroup"])
    session_id = keeper.start("sleep", "60")
    until(lambda: (path / session_id / "cgroup.procs").read_text().split())
    keeper.call("kill", session_id=session_id)
    assert not (path / session_id).exists()
    keeper.call("shutdown")
    keeper.process.wait(scaled(10))
    assert not path.exists()


@needs_cgroup
def test_groups_of_a_killed_keeper_are_emptied_by_the_next(start_keeper: StartKeeper, tmp_path: Path) -> None:
    keeper = start_keeper(cgroup=True)
    family, _ = grow(keeper, "deaf to signals", tmp_path / "tree")
    keeper.process.kill()
    keeper.process.wait()
    assert family.survivors()
    start_keeper(keeper.data, cgroup=True)
    assert family.wait_gone() == set()
    assert "ended what a former keeper left of session s-a1" in keeper.log


@needs_cgroup
def test_empty_groups_of_keepers_that_are_gone_are_taken_away(start_keeper: StartKeeper, tmp_path: Path) -> None:
    gone = start_keeper(tmp_path / "gone", cgroup=True)
    left, copied = Path(gone.call("status")["cgroup"]), tmp_path / "copy"
    gone.process.kill()
    gone.process.wait()
    copied.mkdir()
    (copied / "keeper.cgroup").write_bytes((gone.data / "keeper.cgroup").read_bytes())
    keeper = start_keeper(copied, cgroup=True)
    path = Path(keeper.call("status")["cgroup"])
    assert path != left
    assert not left.exists()
    path.rmdir()
    session_id = keeper.start("sleep", "60")
    until(lambda: (path / session_id / "cgroup.procs").read_text().split())


def test_a_tree_is_still_known_after_an_upgrade(keeper: RunningKeeper, tmp_path: Path) -> None:
    family, session_id = grow(keeper, "daemon without environment", tmp_path / "tree")
    keeper.call("upgrade")
    assert keeper.session(session_id)["processes"] == len(family.members())
    keeper.call("kill", session_id=session_id)
    assert family.survivors() == set()


def test_a_number_that_was_reused_is_not_hit(keeper: RunningKeeper) -> None:
    session_id = keeper.start("sleep", "60")
    found = procfs.status(keeper.session(session_id)["pid"])
    assert found is not None
    assert not tree.send(found._replace(start_ticks=found.start_ticks - 1), signal.SIGKILL)
    assert tree.send(found, signal.SIGKILL)
    keeper.ended(session_id)
    until(lambda: not tree.send(found, signal.SIGKILL))


def test_children_are_found_without_the_kernels_lists() -> None:
    me = os.getpid()
    assert set(procfs.children(os.getppid())) <= set(procfs.children_by_scan()[os.getppid()])
    assert me in procfs.children_by_scan()[os.getppid()]


ENDLESS = """
import os, signal, sys, time
for number in (signal.SIGCHLD, signal.SIGHUP, signal.SIGTERM):
    signal.signal(number, signal.SIG_IGN)
end = time.monotonic() + 40
for _ in range(10):
    if os.fork() == 0:
        while time.monotonic() < end:
            if os.fork():
                os._exit(0)
            os.setsid()
        os._exit(0)
print("blows", flush=True)
time.sleep(40)
"""


def test_a_storm_that_never_ends_by_itself_is_ended(keeper: RunningKeeper, way: str) -> None:
    session_id = keeper.start("python3", "-S", "-c", ENDLESS, "endless-storm")
    keeper.said(session_id, "blows")
    began = time.monotonic()
    keeper.call("kill", session_id=session_id)
    assert time.monotonic() - began < scaled(3)
    assert not [pid for pid in os.listdir("/proc") if b"endless-storm" in procfs.read(f"/proc/{pid}/cmdline")]
