"""What came of an agent, asked from outside."""

from roost.testing.event_stream import StreamEvent, read_stream
from roost.testing.numbered import Ledger, Tally
from roost.testing.server import RunningServer
from tests.waiting import until

ENDED = ("exited", "failed", "lost")


def events_of(server: RunningServer, name: str) -> list[StreamEvent]:
    """All events of an ended agent's newest session, from the first on."""
    start = f"{server.agent(name)['session_id']}:0"
    return list(read_stream(server.address, f"/api/agents/{name}/stream", after=start))


def lines_of(server: RunningServer, name: str) -> list[str]:
    """All lines of an ended agent's newest session."""
    return [event.decoded()["data"]["line"] for event in events_of(server, name) if event.type == "log"]


def tally_of(server: RunningServer, name: str, expected: int) -> Tally:
    """How the numbered lines of an ended agent are stored; they are prefixed with its name."""
    ledger = Ledger()
    for line in lines_of(server, name):
        ledger.take(line.rstrip("."))
    return ledger.tally({name: expected})


def wait_lines(server: RunningServer, name: str, least: int, timeout_s: float = 20) -> int:
    """Wait until an agent has said that many lines; how many it has."""
    until(lambda: server.agent(name)["lines"] >= least, timeout_s, what=f"{least} lines of {name}")
    return int(server.agent(name)["lines"])


def wait_ended(server: RunningServer, name: str, timeout_s: float = 30) -> dict[str, object]:
    """Wait until an agent has ended; the agent then."""
    until(lambda: server.agent(name)["state"] in ENDED, timeout_s, what=f"the end of {name}")
    return server.agent(name)
