"""On a full disk agents wait, nothing dies, it is said so, and all goes on once there is space."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.testing import processes
from roost.testing.script import program
from roost.testing.server import RunningServer, run_server
from tests.faults.outcomes import tally_of, wait_ended, wait_lines
from tests.faults.small_disk import fill, make_room, small_disk
from tests.waiting import scaled, until

AGENTS = ("a", "b", "c")
LINES = 4000
SAID_WITHIN_S = 1.0
RESUMES_WITHIN_S = 1.0

pytestmark = pytest.mark.root


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", 24) as made:
        yield made


@pytest.fixture
def full(disk: Path) -> Iterator[RunningServer]:
    """A server whose disk has become full while three agents were talking."""
    with run_server(disk / "data", keeper_ballast_bytes=1_000_000, health_disk_low_bytes=1_000_000) as server:
        for name in AGENTS:
            pace = ["--rate", "1000", "--burst", "50", "--width", "200"]
            server.start_agent(name, *program(), "--prefix", name, *pace, "--lines", str(LINES), "--exit", "5")
        for name in AGENTS:
            wait_lines(server, name, 100)
        fill(disk)
        until(lambda: _blocked(server) == len(AGENTS), 30, what="all agents waiting")
        yield server


def test_agents_wait_and_all_goes_on_after(full: RunningServer, disk: Path) -> None:
    before = {name: full.agent(name)["pid"] for name in AGENTS}
    assert all(full.agent(name)["state"] == "running" for name in AGENTS)
    make_room(disk)
    until(lambda: _blocked(full) == 0, RESUMES_WITHIN_S)
    _all_is_there(full)
    assert {name: full.agent(name)["pid"] for name in AGENTS} in (before, dict.fromkeys(AGENTS))


def test_health_says_so(full: RunningServer, disk: Path) -> None:
    until(lambda: "DISK_FULL" in _issues(full), SAID_WITHIN_S)
    make_room(disk)
    until(lambda: "DISK_FULL" not in _issues(full), 10)
    _all_is_there(full)


def test_a_server_starts_while_the_disk_is_full(full: RunningServer, disk: Path) -> None:
    full.kill9()
    full.restart()
    assert {agent["name"] for agent in full.agents()} == set(AGENTS)
    assert "DISK_FULL" in _issues(full)
    make_room(disk)
    _all_is_there(full)


def test_no_agent_is_started_while_the_disk_is_full(full: RunningServer, disk: Path) -> None:
    answer = full.request("POST", "/api/agents", {"name": "late", "command": program()})
    assert (answer.status, b"DISK_FULL" in answer.body) == (503, True)
    make_room(disk)
    _all_is_there(full)
    full.start_agent("late", *program(), "--exit", "0")


def test_agents_can_be_killed_while_the_disk_is_full(full: RunningServer, disk: Path) -> None:
    victim = processes.process(full.agent("a")["pid"])
    answer = full.request("POST", "/api/agents/a/kill")
    assert answer.status == 200, answer.body
    assert processes.wait_gone([victim], scaled(5)) == set()
    make_room(disk)
    assert wait_ended(full, "a")["signal"] == "SIGKILL"


def _blocked(server: RunningServer) -> int:
    with server.keeper() as keeper:
        return sum(bool(session["blocked"]) for session in keeper.call("list")["sessions"])


def _issues(server: RunningServer) -> set[str]:
    return {issue["code"] for issue in server.call("GET", "/api/health")["issues"]}


def _all_is_there(server: RunningServer) -> None:
    for name in AGENTS:
        assert wait_ended(server, name, scaled(60))["exit_code"] == 5
        numbers = tally_of(server, name, LINES)
        assert numbers.is_perfect, numbers
