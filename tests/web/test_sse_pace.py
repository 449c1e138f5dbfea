"""Paced clients: what comes faster than asked for is gathered, output is skipped and declared, nothing else is."""

import pytest

from tests.services.stored import Recorder
from tests.web.serving import Stream, stream_server

PATH = "/api/agents/codex-1/stream"


@pytest.fixture
def server():
    recorder = Recorder()
    recorder.begin("s1", "codex-1")
    with stream_server(recorder, buffer_size=1000, batch_ms=10) as found:
        yield found


def numbers(frames):
    return [int(frame["id"].rpartition(":")[2]) for frame in frames if "id" in frame]


def test_a_window_gathers_and_skips_nothing(server):
    with Stream(server.port, PATH + "?batch_ms=20") as stream:
        stream.frame()
        for _ in range(30):
            server.lines("s1", 10)
        server.end("s1")
        frames = stream.rest()
    assert numbers(frames) == list(range(1, 303))
    assert not [frame for frame in frames if frame["event"] == "skipped"]


def test_output_beyond_the_rate_is_skipped_and_can_be_fetched(server):
    server.lines("s1", 200)
    with Stream(server.port, PATH + "?rate=20&after=s1:0") as stream:
        _, skipped, *logs = stream.frames(22)
    assert skipped["event"] == "skipped"
    assert "id" not in skipped
    assert skipped["data"]["data"] == {"count": 180, "after": "s1:0", "until": "s1:180", "reason": "rate"}
    assert numbers(logs) == list(range(181, 201))
    with Stream(server.port, PATH + "?after=" + skipped["data"]["data"]["after"]) as stream:
        stream.frame()
        assert numbers(stream.frames(180)) == list(range(1, 181))


def test_what_is_urgent_is_never_skipped_and_order_is_kept(server):
    for state in ("idle", "waiting", "running"):
        server.do(lambda state=state: server.recorder.state("s1", state))
        server.do(lambda: server.recorder.lines("s1", 30))
    server.end("s1")
    with Stream(server.port, PATH + "?rate=10&after=s1:0") as stream:
        frames = stream.rest()
    assert [frame["event"] for frame in frames].count("state") == 4
    assert frames[-1]["event"] == "complete"
    assert numbers(frames) == sorted(numbers(frames))
    skipped = sum(frame["data"]["data"]["count"] for frame in frames if frame["event"] == "skipped")
    assert skipped + len(numbers(frames)) == 95


def test_every_event_is_sent_or_counted_while_live(server):
    with Stream(server.port, PATH + "?rate=50") as stream:
        stream.frame()
        for _ in range(40):
            server.lines("s1", 10)
        server.end("s1")
        frames = stream.rest()
    skipped = sum(frame["data"]["data"]["count"] for frame in frames if frame["event"] == "skipped")
    assert skipped + len(numbers(frames)) == 402
    assert skipped > 0


def test_the_fleet_can_be_paced(server):
    for _ in range(10):
        server.lines("s1", 20)
    with Stream(server.port, "/api/stream?rate=5") as stream:
        _, skipped, *logs = stream.frames(7)
    assert skipped["data"]["data"] == {"count": 195, "after": "3.1.0", "until": "3.10.195", "reason": "rate"}
    assert [log["id"] for log in logs] == [f"3.10.{seq}" for seq in range(196, 201)]


def test_a_paced_stream_pings_when_idle():
    recorder = Recorder()
    recorder.begin("s1", "codex-1")
    with stream_server(recorder, ping_s=0.05) as server, Stream(server.port, PATH + "?rate=5") as stream:
        stream.frame()
        assert stream.frame()["event"] == "ping"


def test_a_paced_client_is_told_of_events_that_are_gone():
    recorder = Recorder()
    recorder.begin("s1", "codex-1")
    recorder.lines("s1", 5)
    recorder.lines("s1", 5)
    del recorder.history.all_blocks[0]
    with stream_server(recorder) as server, Stream(server.port, PATH + "?batch_ms=1&after=s1:0") as stream:
        _, skipped, *logs = stream.frames(7)
    assert skipped["data"]["data"] == {"count": 5, "after": None, "until": None, "reason": "gone"}
    assert numbers(logs) == [6, 7, 8, 9, 10]


def test_a_paced_client_that_is_far_behind_catches_up_from_the_store(server):
    for _ in range(30):
        server.do(lambda: server.recorder.lines("s1", 400))
    with Stream(server.port, PATH + "?batch_ms=1&after=s1:0") as stream:
        stream.frame()
        assert numbers(stream.frames(12_000)) == list(range(1, 12_001))
