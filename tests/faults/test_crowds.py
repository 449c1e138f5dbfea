"""Clients that do not read, do not finish, or vanish cost the server little and nobody else anything."""

import time
from pathlib import Path

import pytest

from roost.testing import processes
from roost.testing.event_stream import ResumingClient
from roost.testing.numbered import Ledger
from roost.testing.script import program
from roost.testing.server import RunningServer, run_server
from roost.testing.stall_kit import Crowd
from tests.faults.outcomes import wait_ended
from tests.waiting import scaled, until

LINES = 30_000
READERS = 5
STREAMS = 300
SILENT_STREAMS = 100
MAY_GROW_BYTES = 40_000_000
"""What 300 connections may cost at 32 KB each, the ring of recent events (32 MB, filled by any reader) included."""


@pytest.mark.slow
def test_streams_that_are_not_read_cost_a_bounded_memory(data: Path) -> None:
    with run_server(data, server_max_connections=2000) as server, Crowd() as crowd:
        server.start_agent("warm", *program(), "--prefix", "warm", "--width", "200", "--lines", str(LINES))
        wait_ended(server, "warm")
        before = processes.resident_bytes(server.pid)
        crowd.never_reading(server.address, "/api/stream", STREAMS - READERS)
        ledgers, clients = _readers(server)
        server.start_agent("talker", *program(), "--prefix", "talker", "--width", "200", "--lines", str(LINES))
        for client in clients:
            client.join(scaled(90))
        assert all(ledger.tally({"talker": LINES}).is_perfect for ledger in ledgers)
        assert processes.resident_bytes(server.pid) - before < MAY_GROW_BYTES
        _answers_soon(server)


def test_who_does_not_read_is_disconnected(data: Path, tmp_path: Path) -> None:
    go = tmp_path / "go"
    with run_server(data, stream_backlog_s=1) as server, Crowd() as crowd:
        server.start_agent("talker", *program(), "--hold", str(go), "--flood", "20000000")
        crowd.never_reading(server.address, "/api/stream", 10)
        until(lambda: _clients(server) == 10)
        go.touch()
        until(lambda: _clients(server) == 0, 60)
        _answers_soon(server)


def test_half_requests_are_hung_up_on_and_hinder_nobody(data: Path) -> None:
    with run_server(data, server_header_timeout_s=1, server_max_connections=1500) as server, Crowd() as crowd:
        crowd.slow_heads(server.address, 500)
        crowd.silent(server.address, 500)
        _answers_soon(server)
        crowd.drip()
        until(lambda: crowd.hung_up_by_server() == 1000, 30)
        _answers_soon(server)


def test_connections_beyond_the_limit_are_refused_and_those_within_served(data: Path) -> None:
    with run_server(data, server_max_connections=50, server_header_timeout_s=2) as server:
        with Crowd() as crowd:
            crowd.silent(server.address, 200)
            until(lambda: crowd.hung_up_by_server() >= 150, 20)
        until(lambda: server.request("GET", "/api/health").status == 200, 20)


def test_clients_that_vanish_are_forgotten(server: RunningServer) -> None:
    server.start_agent("talker", *program(), "--rate", "200", "--lines", "1000000")
    with Crowd() as crowd:
        crowd.never_reading(server.address, "/api/agents/talker/stream", 50)
        until(lambda: _clients(server) == 50)
        crowd.vanish()
        until(lambda: _clients(server) == 0, 20)
    _answers_soon(server)


def _readers(server: RunningServer) -> tuple[list[Ledger], list[ResumingClient]]:
    ledgers = [Ledger() for _ in range(READERS)]
    clients = []
    for ledger in ledgers:

        def take(event, ledger: Ledger = ledger) -> None:
            if event.type == "log":
                ledger.take(event.decoded()["data"]["line"].rstrip("."))

        clients.append(ResumingClient(lambda: server.address, "/api/stream?tail=0&agent=talker", take=take))
        clients[-1].start()
    until(lambda: all(client.connections for client in clients))
    return ledgers, clients


def _answers_soon(server: RunningServer) -> None:
    began = time.monotonic()
    assert server.request("GET", "/api/health").status == 200
    assert time.monotonic() - began < scaled(1)


def _clients(server: RunningServer) -> int:
    return int(server.call("GET", "/api/sse/stats")["total_clients"])
