"""Stop, kill and pause reach everybody an agent begot, however far they ran, and nobody else: through the server.

`tests/keeper/test_trees.py` tries every way of it on the keeper alone.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.testing.server import RunningServer, run_server
from roost.testing.tree_kit import KINDS, Decoys, ProcessTree
from tests.waiting import scaled, until

GONE_WITHIN_S = 3.0


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server for all tests of this file."""
    with run_server(tmp_path_factory.mktemp("trees") / "data") as server:
        yield server


@pytest.fixture
def tree(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[ProcessTree]:
    made = ProcessTree(request.param, tmp_path / "tree")
    yield made
    made.end()


@pytest.fixture
def decoys(tmp_path: Path) -> Iterator[Decoys]:
    with Decoys(tmp_path / "decoys", env={"ROOST_AGENT": "tree"}) as made:
        yield made


@pytest.mark.parametrize("tree", KINDS, indirect=True)
def test_stop_leaves_nobody_and_touches_nobody_else(shared: RunningServer, tree: ProcessTree, decoys: Decoys) -> None:
    shared.start_agent("tree", *tree.command)
    tree.wait_ready(scaled(20))
    agent = shared.call("DELETE", "/api/agents/tree?grace_s=0.5")
    assert tree.wait_gone(scaled(GONE_WITHIN_S)) == set()
    assert agent["state"] in ("exited", "failed")
    assert not tree.storm_grew()
    until(lambda: decoys.progressed() == decoys.members())


@pytest.mark.parametrize("tree", ["own session", "deaf to signals"], indirect=True)
def test_kill_leaves_nobody_and_touches_nobody_else(shared: RunningServer, tree: ProcessTree, decoys: Decoys) -> None:
    shared.start_agent("tree", *tree.command)
    tree.wait_ready(scaled(20))
    shared.call("POST", "/api/agents/tree/kill")
    assert tree.wait_gone(scaled(GONE_WITHIN_S)) == set()
    assert not tree.storm_grew()
    until(lambda: decoys.progressed() == decoys.members())


@pytest.mark.parametrize("tree", ["job control", "daemon"], indirect=True)
def test_pause_halts_everybody_and_resume_lets_all_go_on(
    shared: RunningServer, tree: ProcessTree, decoys: Decoys
) -> None:
    shared.start_agent("tree", *tree.command)
    everyone = tree.wait_ready(scaled(20))
    assert shared.call("POST", "/api/agents/tree/pause")["state"] == "paused"
    assert tree.progressed() == set()
    until(lambda: decoys.progressed() == decoys.members())
    assert shared.call("POST", "/api/agents/tree/resume")["state"] == "running"
    until(lambda: tree.progressed() == everyone)
    shared.call("POST", "/api/agents/tree/kill")


@pytest.mark.parametrize("tree", ["fork storm"], indirect=True)
def test_pause_halts_a_storm(shared: RunningServer, tree: ProcessTree) -> None:
    shared.start_agent("tree", *tree.command)
    tree.wait_ready(scaled(20))
    shared.call("POST", "/api/agents/tree/pause")
    assert not tree.storm_grew()
    assert tree.progressed() == set()
    shared.call("POST", "/api/agents/tree/kill")
    assert tree.wait_gone(scaled(GONE_WITHIN_S)) == set()


@pytest.mark.parametrize("tree", ["own session"], indirect=True)
def test_a_paused_tree_can_be_stopped(shared: RunningServer, tree: ProcessTree) -> None:
    shared.start_agent("tree", *tree.command)
    tree.wait_ready(scaled(20))
    shared.call("POST", "/api/agents/tree/pause")
    shared.call("DELETE", "/api/agents/tree?grace_s=0.5")
    assert tree.wait_gone(scaled(GONE_WITHIN_S)) == set()


@pytest.mark.parametrize("tree", ["daemon"], indirect=True)
def test_stop_reaches_everybody_after_the_server_was_killed(
    shared: RunningServer, tree: ProcessTree, decoys: Decoys
) -> None:
    shared.start_agent("tree", *tree.command)
    tree.wait_ready(scaled(20))
    shared.kill9()
    shared.restart()
    shared.call("DELETE", "/api/agents/tree?grace_s=0.5")
    assert tree.wait_gone(scaled(GONE_WITHIN_S)) == set()
    assert decoys.survivors() == decoys.members()
