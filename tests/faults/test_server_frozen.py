"""A server that stands still blocks no agent, and catches up."""

import time

from roost.testing.script import program
from roost.testing.server import RunningServer
from tests.faults.outcomes import tally_of, wait_ended, wait_lines
from tests.waiting import until

FROZEN_S = 4.0
RATE = 1000


def test_nothing_is_lost_and_nobody_waits(server: RunningServer) -> None:
    names = [f"a{number}" for number in range(5)]
    for name in names:
        pace = ["--prefix", name, "--rate", str(RATE), "--burst", "20"]
        server.start_agent(name, *program(), *pace, "--lines", "6000", "--exit", "0")
    for name in names:
        wait_lines(server, name, 1)
    with server.keeper() as keeper, server.frozen():
        began = _recorded(keeper)
        frozen_at = time.monotonic()
        until(lambda: time.monotonic() - frozen_at > FROZEN_S, FROZEN_S * 2)
        assert all(after > began[session] for session, after in _recorded(keeper).items())
    for name in names:
        assert wait_ended(server, name)["exit_code"] == 0
        assert tally_of(server, name, 6000).is_perfect


def _recorded(keeper) -> dict[str, int]:
    return {session["session_id"]: session["offset"] for session in keeper.call("list")["sessions"]}
