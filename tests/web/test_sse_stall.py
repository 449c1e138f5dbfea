"""Clients that do not read: they are disconnected, cost little, and slow nobody."""

import socket
from pathlib import Path

import pytest

from tests.services.stored import Recorder
from tests.waiting import until
from tests.web.serving import Stream, raw_connection, stream_server

PATH = "/api/agents/codex-1/stream"


@pytest.fixture
def recorder():
    found = Recorder()
    found.begin("s1", "codex-1")
    return found


def never_reads(server, path=PATH + "?after=s1:0"):
    connection = raw_connection(server.port, receive_buffer=4096)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return connection


def is_cut(connection):
    """Whether the server has cut the connection, whatever is still to be read."""
    connection.settimeout(5)
    try:
        while connection.recv(1 << 20):
            pass
    except ConnectionResetError:
        return True
    except TimeoutError:
        return False
    return True


def test_a_client_that_does_not_read_is_cut_when_too_much_waits(recorder):
    with stream_server(recorder, backlog_frames=4, ping_s=0.2) as server, Stream(server.port, PATH) as healthy:
        stuck = never_reads(server)
        until(lambda: server.stats().total_clients == 2)
        healthy.frame()
        sent = 0
        while server.stats().total_clients == 2:
            server.lines("s1", 20, text="x" * 2000)
            sent += 20
            assert len([frame for frame in healthy.frames(20) if frame["event"] == "log"]) >= 19
            assert sent < 100_000, "never disconnected"
        assert is_cut(stuck)
        stuck.close()
        server.lines("s1", 1)
        assert next(frame for frame in iter(healthy.frame, None) if frame.get("id") == f"s1:{sent + 1}")


def test_a_client_that_does_not_read_is_cut_after_a_while(recorder):
    for _ in range(300):
        recorder.lines("s1", 10, text="x" * 2000)
    with stream_server(recorder, backlog_s=1, ping_s=0.2) as server:
        stuck = never_reads(server)
        until(lambda: server.stats().total_clients == 1)
        until(lambda: server.stats().total_clients == 0)
        until(lambda: not is_held(server, stuck))
        assert is_cut(stuck)
        stuck.close()


def is_held(server, connection):
    """Whether the kernel still keeps the server's end of a connection, with what was not sent."""
    ends = (f":{server.port:04X}", f":{connection.getsockname()[1]:04X}")
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return any(row[1].endswith(ends[0]) and row[2].endswith(ends[1]) for row in rows)


def test_a_paced_client_that_does_not_read_is_cut_too(recorder):
    for _ in range(300):
        recorder.lines("s1", 10, text="x" * 2000)
    with stream_server(recorder, backlog_s=1, ping_s=0.2) as server:
        stuck = never_reads(server, PATH + "?after=s1:0&batch_ms=1")
        until(lambda: server.stats().total_clients == 1)
        until(lambda: server.stats().total_clients == 0)
        assert is_cut(stuck)
        stuck.close()


def test_a_slow_client_gets_everything_though_it_falls_off_the_ring(recorder):
    with stream_server(recorder, ring_bytes=100_000, buffer_size=0) as server, Stream(server.port, PATH) as slow:
        slow.frame()
        for _ in range(60):
            server.lines("s1", 50, text="x" * 1000)
        server.end("s1")
        ids = [frame["id"] for frame in slow.rest() if "id" in frame]
    assert ids == [f"s1:{seq}" for seq in range(1, 3003)]


def test_a_hundred_that_never_read_slow_nobody(recorder):
    with stream_server(recorder, buffer_size=0) as server:
        stuck = [never_reads(server) for _ in range(100)]
        with Stream(server.port, PATH) as healthy:
            healthy.frame()
            until(lambda: server.stats().total_clients == 101)
            for _ in range(50):
                server.lines("s1", 20, text="x" * 500)
            assert [frame["id"] for frame in healthy.frames(1000)] == [f"s1:{seq}" for seq in range(1, 1001)]
        for connection in stuck:
            connection.close()
        until(lambda: server.stats().total_clients == 0)


def test_a_client_that_goes_while_the_server_writes_is_forgotten(recorder):
    for _ in range(300):
        recorder.lines("s1", 10, text="x" * 2000)
    with stream_server(recorder) as server:
        connection = never_reads(server)
        until(lambda: server.stats().total_clients == 1)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
        connection.close()
        until(lambda: server.stats().total_clients == 0)
