"""Server-Sent Events as clients get them, over real connections."""

import http.client
import json

import httpx
import pytest
from httpx_sse import connect_sse

from roost.model.events import Error, Log
from tests.services.stored import START_NS, Recorder
from tests.waiting import scaled, until
from tests.web.serving import Stream, stream_server

PATH = "/api/agents/codex-1/stream"


@pytest.fixture
def recorder():
    found = Recorder()
    found.begin("s1", "codex-1")
    return found


@pytest.fixture
def server(recorder):
    with stream_server(recorder, buffer_size=10, ping_s=60) as found:
        yield found


def ids(frames):
    return [frame["id"] for frame in frames if "id" in frame]


def positions(first, last, session="s1"):
    return [f"{session}:{seq}" for seq in range(first, last + 1)]


def open_stream(server, query="", headers=None, path=PATH):
    return Stream(server.port, path + query, headers)


# The first frame


def test_the_first_frame_says_where_the_stream_begins(server):
    server.lines("s1", 25)
    with open_stream(server) as stream:
        assert stream.response.getheader("content-type") == "text/event-stream; charset=utf-8"
        assert stream.response.getheader("cache-control") == "no-store"
        first = stream.frame()
    assert first["event"] == "connected"
    assert "id" not in first
    assert first["data"]["agent_name"] == "codex-1"
    assert first["data"]["data"]["position"] == "s1:15"
    assert first["data"]["data"]["client_id"]
    assert first["data"]["data"]["message"]


def test_an_event_is_framed_as_documented(server):
    server.lines("s1", 1)
    with open_stream(server) as stream:
        stream.frame()
        frame = stream.frame()
    assert frame == {
        "id": "s1:1",
        "event": "log",
        "data": {
            "type": "log",
            "timestamp": "2027-01-15T08:00:00.001Z",
            "agent_name": "codex-1",
            "session_id": "s1",
            "data": {"line": "line 1", "line_num": 1, "stream": "stdout"},
        },
    }


# Where it begins


@pytest.mark.parametrize(
    ("query", "first"), [("", 16), ("?tail=3", 23), ("?tail=1000", 1), ("?after=s1:20", 21), ("?after=", 16)]
)
def test_a_stream_begins_where_it_is_asked_to(server, query, first):
    server.lines("s1", 25)
    with open_stream(server, query) as stream:
        stream.frame()
        assert ids(stream.frames(26 - first)) == positions(first, 25)


def test_tail_0_begins_with_what_is_new(server):
    server.lines("s1", 25)
    with open_stream(server, "?tail=0") as stream:
        stream.frame()
        server.lines("s1", 1)
        assert stream.frame()["id"] == "s1:26"


def test_last_event_id_wins_over_the_address(server):
    server.lines("s1", 25)
    with open_stream(server, "?after=s1:3&tail=2", {"Last-Event-ID": "s1:22"}) as stream:
        stream.frame()
        assert ids(stream.frames(3)) == positions(23, 25)


def test_history_from_disk_and_live_events_join_without_a_seam(server):
    server.lines("s1", 25)
    with open_stream(server, "?after=s1:0") as stream:
        stream.frame()
        for _ in range(20):
            server.lines("s1", 7)
        assert ids(stream.frames(165)) == positions(1, 165)


def test_a_stream_resumes_after_any_position(server):
    server.lines("s1", 25)
    seen = []
    while len(seen) < 25:
        headers = {"Last-Event-ID": seen[-1]} if seen else None
        with open_stream(server, "?after=s1:0", headers) as stream:
            stream.frame()
            seen += ids(stream.frames(min(4, 25 - len(seen))))
    assert seen == positions(1, 25)


# Where it ends


def test_a_stream_ends_after_complete(server):
    with open_stream(server) as stream:
        server.lines("s1", 2)
        server.end("s1")
        frames = stream.rest()
    assert [frame["event"] for frame in frames] == ["connected", "log", "log", "state", "complete"]
    assert frames[-1]["data"]["data"]["exit_code"] == 0


def test_the_end_of_the_last_session_is_answered_with_204(server):
    server.lines("s1", 2)
    server.end("s1")
    with open_stream(server, headers={"Last-Event-ID": "s1:4"}) as stream:
        assert stream.status == 204
        assert stream.response.read() == b""
    with open_stream(server, "?tail=0") as stream:
        assert stream.status == 204


def test_the_end_of_a_session_goes_on_with_the_next(server):
    server.lines("s1", 2)
    server.end("s1")
    for name in ("s2", "s3"):
        server.do(lambda name=name: server.recorder.begin(name, "codex-1"))
        server.lines(name, 3)
    server.end("s2")
    with open_stream(server, headers={"Last-Event-ID": "s1:4"}) as stream:
        assert stream.frame()["data"]["data"]["position"] == "s2:0"
        assert ids(stream.rest()) == positions(1, 5, "s2")


def test_an_ended_session_is_shown_to_its_end(server):
    server.lines("s1", 30)
    server.end("s1")
    with open_stream(server, headers={"Last-Event-ID": "s1:1"}) as stream:
        assert ids(stream.rest()) == positions(2, 32)


def test_streams_end_when_the_server_stops(server):
    with open_stream(server) as stream, open_stream(server, path="/api/stream") as fleet:
        stream.frame()
        fleet.frame()
        server.do(server.hub.close)
        assert stream.rest() == []
        assert fleet.rest() == []


# What is refused


@pytest.mark.parametrize(
    ("query", "headers", "status", "code"),
    [
        ("?after=nonsense", {}, 400, "INVALID_CURSOR"),
        ("?after=s1:26", {}, 400, "INVALID_CURSOR"),
        ("?after=s9:1", {}, 400, "INVALID_CURSOR"),
        ("?after=other:1", {}, 400, "INVALID_CURSOR"),
        ("?after=s1:-1", {}, 400, "INVALID_CURSOR"),
        ("", {"Last-Event-ID": "é"}, 400, "INVALID_CURSOR"),
        ("?tail=-1", {}, 422, "INVALID_REQUEST"),
        ("?tail=many", {}, 422, "INVALID_REQUEST"),
        ("?types=logs", {}, 422, "INVALID_REQUEST"),
        ("?rate=0", {}, 422, "INVALID_REQUEST"),
        ("?rate=fast", {}, 422, "INVALID_REQUEST"),
        ("?rate=nan", {}, 422, "INVALID_REQUEST"),
        ("?batch_ms=99999999", {}, 422, "INVALID_REQUEST"),
    ],
)
def test_a_bad_request_is_answered_with_a_clear_error(server, query, headers, status, code):
    server.lines("s1", 25)
    server.do(lambda: server.recorder.begin("other", "codex-2"))
    server.lines("other", 5)
    with open_stream(server, query, headers) as stream:
        assert stream.status == status
        assert stream.error()["code"] == code
    assert server.stats().total_clients == 0


def test_an_unknown_agent_is_404(server):
    with open_stream(server, path="/api/agents/nobody/stream") as stream:
        assert stream.status == 404
        assert stream.error()["code"] == "AGENT_NOT_FOUND"


@pytest.mark.parametrize("after", ["s1:3", "2.1.1", "3.9.0", "3.8.1"])
def test_a_cursor_of_another_stream_or_store_is_refused_by_the_fleet(server, after):
    for _ in range(7):
        server.lines("s1", 1)
    with open_stream(server, f"?after={after}", path="/api/stream") as stream:
        assert stream.status == 400
        assert stream.error()["code"] == "INVALID_CURSOR"


def test_streams_can_be_turned_off(recorder):
    with stream_server(recorder, enabled=False) as server, open_stream(server) as stream:
        assert stream.status == 503


def test_head_answers_the_head_alone(server):
    with Stream(server.port, PATH, method="HEAD") as stream:
        assert stream.status == 200
        assert stream.response.read() == b""
    assert server.stats().total_clients == 0


# Filters


def test_types_are_filtered_and_the_stream_still_ends(server):
    server.lines("s1", 5)
    with open_stream(server, "?types=state,complete") as stream:
        server.lines("s1", 5)
        server.end("s1")
        assert [frame["event"] for frame in stream.rest()] == ["connected", "state", "complete"]


def test_the_fleet_is_filtered_by_agent_type_and_label(server):
    server.do(lambda: server.recorder.begin("s2", "codex-2", {"team": "x"}))
    server.do(lambda: server.recorder.begin("s3", "codex-3", {"team": "x", "env": "p"}))
    with (
        open_stream(server, "?agent=codex-1&agent=codex-3", path="/api/stream") as by_agent,
        open_stream(server, "?label=team=x", path="/api/stream") as by_label,
        open_stream(server, "?label=team=x&label=env", path="/api/stream") as by_both,
        open_stream(server, "?type=state&type=complete", path="/api/stream") as by_type,
    ):
        for stream in (by_agent, by_label, by_both, by_type):
            stream.frame()
        for session in ("s1", "s2", "s3"):
            server.lines(session, 1)
        server.end("s3")
        assert [frame["data"]["session_id"] for frame in by_agent.frames(4)] == ["s1", "s3", "s3", "s3"]
        assert [frame["data"]["session_id"] for frame in by_label.frames(4)] == ["s2", "s3", "s3", "s3"]
        assert [frame["data"]["session_id"] for frame in by_both.frames(3)] == ["s3", "s3", "s3"]
        assert [frame["event"] for frame in by_type.frames(2)] == ["state", "complete"]


@pytest.mark.parametrize("query", ["?label==y", "?agent=.hidden", "?agent=a/b"])
def test_bad_filters_are_refused(server, query):
    with open_stream(server, query, path="/api/stream") as stream:
        assert stream.status == 422


# The fleet


def test_the_fleet_begins_some_way_back_and_goes_on(server):
    for _ in range(6):
        server.lines("s1", 3)
    with open_stream(server, path="/api/stream") as stream:
        assert stream.frame()["data"]["data"]["position"] == "3.3.8"
        assert ids(stream.frames(10))[0] == "3.3.9"
        server.lines("s1", 1)
        assert stream.frame()["id"] == "3.7.19"


def test_the_fleet_begins_some_way_back_in_the_store(recorder):
    for _ in range(100):
        recorder.lines("s1", 3)
    recorder.unpublished.clear()
    with stream_server(recorder, buffer_size=200) as server:
        with open_stream(server, path="/api/stream") as stream:
            assert stream.frame()["data"]["data"]["position"] == "3.34.100"
            assert len(ids(stream.frames(200))) == 200
        with open_stream(server, "?tail=5000", path="/api/stream") as stream:
            assert stream.frame()["data"]["data"]["position"] == "3.1.0"
        with open_stream(server, "?agent=nobody", path="/api/stream") as stream:
            assert stream.frame()["data"]["data"]["position"] == "3.1.0"


def test_the_fleet_resumes_exactly(server):
    for _ in range(6):
        server.lines("s1", 3)
    for after, first in (("3.3.8", 9), ("3.3.9", 10), ("3.4.0", 10), ("3.1.0", 1)):
        with open_stream(server, headers={"Last-Event-ID": after}, path="/api/stream") as stream:
            stream.frame()
            assert stream.frame()["data"]["data"]["line_num"] == first


def test_the_fleet_with_tail_0_shows_what_is_new(server):
    server.lines("s1", 3)
    with open_stream(server, "?tail=0", path="/api/stream") as stream:
        position = stream.frame()["data"]["data"]["position"]
        server.lines("s1", 1)
        assert stream.frame()["id"] == "3.2.4"
    with open_stream(server, headers={"Last-Event-ID": position}, path="/api/stream") as stream:
        stream.frame()
        assert stream.frame()["id"] == "3.2.4"


# Idleness, counts, loss


def test_an_idle_stream_pings(recorder):
    with stream_server(recorder, ping_s=0.05) as server, open_stream(server) as stream:
        stream.frame()
        ping = stream.frame()
        assert ping["event"] == "ping"
        assert "id" not in ping
        server.lines("s1", 1)
        assert next(frame for frame in iter(stream.frame, None) if frame["event"] != "ping")["id"] == "s1:1"


def test_clients_are_counted_by_agent_and_forgotten_when_they_leave(server):
    server.do(lambda: server.recorder.begin("s2", "codex-2"))
    streams = [open_stream(server), open_stream(server), open_stream(server, path="/api/agents/codex-2/stream")]
    streams.append(open_stream(server, path="/api/stream"))
    for stream in streams:
        stream.frame()
    stats = server.stats()
    assert (stats.total_agents, stats.total_clients, stats.agents) == (2, 4, {"codex-1": 2, "codex-2": 1})
    for stream in streams:
        stream.__exit__()
    until(lambda: server.stats().total_clients == 0)


def test_events_that_nobody_has_any_more_are_declared(recorder):
    recorder.lines("s1", 5)
    recorder.lines("s1", 5)
    del recorder.history.all_blocks[0]
    with stream_server(recorder) as server, open_stream(server, "?after=s1:2") as stream:
        stream.frame()
        skipped, event = stream.frames(2)
    assert skipped["event"] == "skipped"
    assert skipped["data"]["data"] == {"count": 3, "after": None, "until": None, "reason": "gone"}
    assert event["id"] == "s1:6"


# The format


NASTY = [
    "a\nb",
    "a\r\nb\rc",
    "\ufeffBOM",
    "nul \x00",
    "\u2028 \u2029 \x85",
    "ünïcode 🦉",
    "data: x",
    ": comment",
    "",
    " ",
]


def test_no_text_can_break_a_frame(server):
    server.do(
        lambda: server.recorder.store(
            "s1", lambda seq: [Log(seq + n, START_NS, text, seq + n) for n, text in enumerate(NASTY)]
        )
    )
    error = "a\n\nid: 9\n\n"
    server.do(lambda: server.recorder.store("s1", lambda seq: [Error(seq, START_NS, "X", error, {"\r": "\n"})]))
    server.do(lambda: server.recorder.publish(server.hub))
    server.end("s1")
    with httpx.Client() as client, connect_sse(client, "GET", server.address + PATH + "?tail=100") as source:
        events = list(source.iter_sse())
    assert [json.loads(event.data)["data"]["line"] for event in events[1 : 1 + len(NASTY)]] == NASTY
    assert [event.id for event in events[1:]] == positions(1, len(NASTY) + 3)
    assert json.loads(events[len(NASTY) + 1].data)["data"]["message"] == error


def test_httpx_sse_reads_a_whole_session(server):
    server.lines("s1", 2000)
    server.end("s1")
    with httpx.Client() as client, connect_sse(client, "GET", server.address + PATH + "?after=s1:0") as source:
        assert [event.id for event in source.iter_sse() if event.event != "connected"] == positions(1, 2002)


def test_a_large_line_arrives_whole(server):
    server.lines("s1", 1, text="x" * 1_000_000)
    with open_stream(server) as stream:
        stream.frame()
        assert len(stream.frame()["data"]["data"]["line"]) == 1_000_002


def test_http_1_0_clients_are_served(server):
    server.lines("s1", 3)
    server.end("s1")
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=scaled(10))
    connection._http_vsn, connection._http_vsn_str = 10, "HTTP/1.0"
    connection.request("GET", PATH)
    body = connection.getresponse().read()
    connection.close()
    assert body.count(b"id: ") == 5
