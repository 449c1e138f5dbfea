"""A damaged recording is read as far as it is good, and what is bad is named."""

import random
from pathlib import Path

from roost.core.recording import Frame, Reader
from roost.testing.script import program
from roost.testing.server import RunningServer, end_keeper
from tests.faults.outcomes import ENDED, events_of
from tests.waiting import until

AGENTS = 24
LINES = 60


def test_one_flipped_bit_costs_one_frame_and_is_named(server: RunningServer) -> None:
    names = [f"a{number}" for number in range(AGENTS)]
    recordings = _record(server, names)
    chance = random.Random(7)
    places = {name: _flip_a_bit(recordings[name], chance) for name in names}
    _project_anew(server)
    for name in names:
        events = events_of(server, name)
        errors = [event.decoded()["data"] for event in events if event.type == "error"]
        offset, frame = places[name]
        assert [(error["details"]["offset"]) for error in errors] == [frame.offset], (name, offset)
        numbers = _numbers(events, name)
        assert numbers == sorted(set(numbers)) and set(numbers) <= set(range(1, LINES + 1))
        assert LINES - len(numbers) <= frame.payload.count(b"\n") + 1


def test_a_torn_and_a_zero_filled_end_are_named(server: RunningServer) -> None:
    recordings = _record(server, ["torn", "zeros"])
    torn, zeros = recordings["torn"], recordings["zeros"]
    torn.write_bytes(torn.read_bytes()[:-7])
    zeros.write_bytes(zeros.read_bytes() + bytes(4096))
    _project_anew(server)
    assert _numbers(events_of(server, "torn"), "torn") == list(range(1, LINES + 1))
    assert server.agent("torn")["state"] == "lost"
    assert _numbers(events_of(server, "zeros"), "zeros") == list(range(1, LINES + 1))
    assert server.agent("zeros")["exit_code"] == 0


def test_a_recording_without_its_header_harms_no_other(server: RunningServer) -> None:
    recordings = _record(server, ["bad", "good"])
    content = bytearray(recordings["bad"].read_bytes())
    content[30] ^= 1
    recordings["bad"].write_bytes(content)
    (server.data.recordings / "20200101-000000-nothing.rec").write_bytes(b"")
    (server.data.recordings / "not a session.rec").write_bytes(b"\0" * 100)
    _project_anew(server)
    until(lambda: "good" in {agent["name"] for agent in server.agents()})
    assert _numbers(events_of(server, "good"), "good") == list(range(1, LINES + 1))
    assert server.call("GET", "/api/health")["ready"]


def _record(server: RunningServer, names: list[str]) -> dict[str, Path]:
    """Recordings of ended agents in many frames; the server is dead after."""
    for name in names:
        pace = ["--rate", "400", "--burst", "5", "--prefix", name]
        server.start_agent(name, *program(), *pace, "--lines", str(LINES), driver="lines")
    until(lambda: all(agent["state"] in ENDED for agent in server.agents()), 30)
    recordings = {name: server.data.recording(server.agent(name)["session_id"]) for name in names}
    server.kill9()
    return recordings


def _project_anew(server: RunningServer) -> None:
    """Start the server with nothing but the recordings: no database, no keeper that remembers."""
    assert end_keeper(server.data) == set()
    for path in server.data.root.glob("roost.db*"):
        path.unlink()
    server.start()
    until(lambda: server.agents() and all(agent["state"] in ENDED for agent in server.agents()), 30)


def _flip_a_bit(recording: Path, chance: random.Random) -> tuple[int, Frame]:
    """Flip one bit behind the header and before the end; where, and the frame that it was in."""
    content = bytearray(recording.read_bytes())
    frames = [item for item in Reader().feed(bytes(content)) if isinstance(item, Frame)]
    frame = chance.choice(frames[1:-1])
    offset = chance.randrange(frame.offset, frame.end)
    content[offset] ^= 1 << chance.randrange(8)
    recording.write_bytes(content)
    return offset, frame


def _numbers(events: list, name: str) -> list[int]:
    lines = [event.decoded()["data"]["line"] for event in events if event.type == "log"]
    assert all(line.startswith(f"{name} ") for line in lines), lines
    return [int(line.removeprefix(f"{name} ")) for line in lines]
