"""When the keeper dies or the machine restarts, sessions are lost, and it is said so, and why."""

import json
import os
import signal
import time
from pathlib import Path

from roost.core.recording import Frame, Kind, Reader, encode_json
from roost.testing import processes
from roost.testing.script import program
from roost.testing.server import RunningServer
from tests.faults.outcomes import events_of, lines_of, wait_lines
from tests.waiting import scaled, until

TOLD_WITHIN_S = 2.0


def test_a_killed_keeper_makes_its_sessions_lost(server: RunningServer) -> None:
    server.start_agent("a", *program(), "--prefix", "a", "--lines", "50", "--forever")
    wait_lines(server, "a", 50)
    _kill_keeper(server)
    agent = until(lambda: _if_lost(server, "a"), TOLD_WITHIN_S)
    assert agent["reason"] == "keeper ended"
    assert lines_of(server, "a") == [f"a {number}" for number in range(1, 51)]
    assert events_of(server, "a")[-1].type == "complete"


def test_a_keeper_killed_while_the_server_was_dead_is_told_at_the_next_start(server: RunningServer) -> None:
    server.start_agent("a", *program(), "--prefix", "a", "--lines", "50", "--forever")
    wait_lines(server, "a", 50)
    server.kill9()
    _kill_keeper(server)
    server.restart()
    assert until(lambda: _if_lost(server, "a"), TOLD_WITHIN_S)["reason"] == "keeper ended"
    assert len(lines_of(server, "a")) == 50


def test_it_is_never_said_that_a_lost_session_runs(server: RunningServer) -> None:
    server.start_agent("a", *program(), "--forever")
    server.kill9()
    _kill_keeper(server)
    server.restart()
    seen: set[str] = set()
    deadline = time.monotonic() + scaled(TOLD_WITHIN_S)
    while time.monotonic() < deadline and "lost" not in seen:
        seen |= {agent["state"] for agent in server.agents()}
    assert seen == {"lost"}


def test_after_a_restart_of_the_machine_sessions_are_lost_for_that_reason(server: RunningServer) -> None:
    server.start_agent("a", *program(), "--prefix", "a", "--lines", "50", "--forever")
    wait_lines(server, "a", 50)
    recording = server.data.recording(server.agent("a")["session_id"])
    server.kill9()
    _kill_keeper(server)
    pretend_another_boot(recording)
    server.restart()
    assert until(lambda: _if_lost(server, "a"), TOLD_WITHIN_S)["reason"] == "host restarted"
    assert len(lines_of(server, "a")) == 50


def test_a_lost_agent_can_be_started_again_under_a_new_keeper(server: RunningServer) -> None:
    server.start_agent("a", *program(), "--forever")
    before = server.keeper_pid
    _kill_keeper(server)
    until(lambda: _if_lost(server, "a"))
    server.start_agent("a", *program(), "--say", "again", "--exit", "0")
    until(lambda: server.agent("a")["state"] == "exited")
    assert lines_of(server, "a") == ["again"]
    assert server.keeper_pid not in (0, before)


def test_the_recording_is_whole_up_to_its_last_frame(server: RunningServer) -> None:
    server.start_agent("a", *program(), "--prefix", "a", "--rate", "2000", "--lines", "100000")
    wait_lines(server, "a", 100)
    session = server.agent("a")["session_id"]
    _kill_keeper(server)
    until(lambda: _if_lost(server, "a"))
    reader = Reader()
    items = [*reader.feed(server.data.recording(session).read_bytes()), *reader.finish()]
    assert all(isinstance(item, Frame) for item in items[:-1])
    recorded = b"".join(item.payload for item in items if isinstance(item, Frame) and item.kind == Kind.OUT)
    assert lines_of(server, "a") == recorded.decode().splitlines()


def pretend_another_boot(recording: Path) -> None:
    """Make a recording say that it was begun in another boot of this machine."""
    content = recording.read_bytes()
    header = next(item for item in Reader().feed(content) if isinstance(item, Frame))
    body = json.loads(header.payload) | {"boot_id": "00000000-0000-4000-8000-000000000000"}
    recording.write_bytes(encode_json(Kind.HEADER, header.time_ns, body) + content[header.end :])


def _kill_keeper(server: RunningServer) -> None:
    """Kill the keeper, and see that its agents are gone, which die with their terminals."""
    pid = server.keeper_pid
    everyone = {processes.process(pid), *processes.descendants(pid)}
    os.kill(pid, signal.SIGKILL)
    left = processes.wait_gone(everyone, scaled(5))
    for one in left:
        one.end()
    assert left == set()


def _if_lost(server: RunningServer, name: str) -> dict[str, object] | None:
    agent = server.agent(name)
    return agent if agent["state"] == "lost" else None
