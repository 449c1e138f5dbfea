"""The keeper is upgraded in place while agents talk: nothing is lost, and what does not work never takes over.

`tests/keeper/test_upgrade.py` has the keeper's own side of it.
"""

import sys

import pytest

from roost.errors import Conflict, KeeperUnavailable
from roost.testing.script import program
from roost.testing.server import RunningServer
from tests.faults.outcomes import tally_of, wait_ended, wait_lines
from tests.waiting import until

UPGRADES = 8
NAMES = ("a", "b", "c", "d")
BROKEN = {"executable": sys.executable, "arguments": ["-c", "import no_such_module"]}


def test_agents_do_not_notice(server: RunningServer) -> None:
    upgrade_under_load(server, UPGRADES, lines=3000, rate=1000)


def test_input_reaches_agents_after_an_upgrade(server: RunningServer) -> None:
    server.start_agent("echo", *program(), "--say", "ready", "--echo")
    wait_lines(server, "echo", 1)
    _upgrade(server)
    server.call("POST", "/api/agents/echo/input", {"input": "hello\nquit\n"})
    assert wait_ended(server, "echo")["exit_code"] == 0


def test_a_broken_version_is_refused_before_it_takes_over(server: RunningServer) -> None:
    server.start_agent("a", *program(), "--prefix", "a", "--rate", "500", "--lines", "500", "--exit", "4")
    wait_lines(server, "a", 10)
    pid = server.keeper_pid
    with server.keeper() as keeper, pytest.raises(Conflict, match="refused"):
        keeper.call("upgrade", **BROKEN)
    assert server.keeper_pid == pid
    assert wait_ended(server, "a")["exit_code"] == 4
    assert tally_of(server, "a", 500).is_perfect


def upgrade_under_load(server: RunningServer, upgrades: int, *, lines: int, rate: int) -> None:
    """Upgrade again and again while agents print numbered lines; fails when anything of them is lost."""
    for number, name in enumerate(NAMES):
        pace = ["--prefix", name, "--rate", str(rate), "--burst", "10"]
        driver = "lines" if number % 2 else "terminal"
        server.start_agent(name, *program(), *pace, "--lines", str(lines), "--exit", str(number), driver=driver)
    pid = server.keeper_pid
    for _ in range(upgrades):
        _upgrade(server)
        assert server.keeper_pid == pid
    for number, name in enumerate(NAMES):
        assert wait_ended(server, name, 120)["exit_code"] == number
        assert tally_of(server, name, lines).is_perfect


def _upgrade(server: RunningServer) -> None:
    with server.keeper() as keeper:
        keeper.call("upgrade")
    until(lambda: _is_back(server), 10)


def _is_back(server: RunningServer) -> bool:
    try:
        with server.keeper() as keeper:
            return bool(keeper.call("status"))
    except KeeperUnavailable:
        return False
