"""End to end: from an agent's write to a client's hand, through terminal, keeper, projection, store and stream."""

from __future__ import annotations

import json
import os
import re
import selectors
import socket
import time
from pathlib import Path
from typing import NamedTuple

from benchmarks.results import Result, percentile
from benchmarks.rivals import compiled
from roost.testing.server import RunningServer, run_server

STAMP = re.compile(rb'"line":"(\d{10,}) ')
TICKS = os.sysconf("SC_CLK_TCK")
AGENTS, RATE, VIEWERS = 100, 100, 50


class Seen(NamedTuple):
    """What clients saw: latencies in milliseconds, and how many events."""

    latencies: list[float]
    events: int


def run(quick: bool) -> list[Result]:
    """Idle, and under load."""
    lines = compiled("lines.c")
    if lines is None:
        return [Result("agent → client", "not run", "there is no C compiler here", "p50 ≤ 3 ms, p99 ≤ 15 ms")]
    seconds = 4 if quick else 10
    return [_idle(lines, seconds), *_loaded(lines, seconds)]


def _idle(lines: Path, seconds: int) -> Result:
    with run_server() as server:
        _start(server, "solo", [str(lines), "20", str(seconds)])
        seen = _watch(server, ["solo"], seconds + 1)
    p50, p99 = percentile(seen.latencies, 0.5), percentile(seen.latencies, 0.99)
    return Result(
        "agent → client, idle machine",
        f"p50 {p50:.1f} ms, p99 {p99:.1f} ms",
        f"{seen.events} lines",
        "p50 ≤ 3 ms, p99 ≤ 15 ms",
        p50 <= 3 and p99 <= 15,
    )


def _loaded(lines: Path, seconds: int) -> list[Result]:
    with run_server(server_requests_per_s=10_000, server_request_burst=10_000) as server:
        names = [f"a{number}" for number in range(AGENTS)]
        for name in names:
            _start(server, name, [str(lines), str(RATE), str(seconds + 6)])
        keeper = server.keeper_pid
        time.sleep(2)
        began, cpu, keeper_cpu = time.perf_counter(), _cpu(server.pid), _cpu(keeper)
        seen = _watch(server, names[:VIEWERS], seconds)
        elapsed = time.perf_counter() - began
        used, keeper_used = _cpu(server.pid) - cpu, _cpu(keeper) - keeper_cpu
        memory = _memory(server.pid)
    p50, p99 = percentile(seen.latencies, 0.5), percentile(seen.latencies, 0.99)
    rate = AGENTS * RATE
    return [
        Result(
            f"agent → client, {AGENTS} agents × {RATE} lines/s, {VIEWERS} viewers",
            f"p50 {p50:.0f} ms, p99 {p99:.0f} ms",
            f"{seen.events / elapsed:.0f} events/s delivered",
            "p99 ≤ 100 ms",
            p99 <= 100,
        ),
        Result(
            f"whole node, {AGENTS} agents, {rate} lines/s, {VIEWERS} viewers",
            f"server {100 * used / elapsed:.0f} % of a core, {memory / 1e6:.0f} MB; "
            f"keeper {100 * keeper_used / elapsed:.0f} %; {1e6 * (used + keeper_used) / elapsed / rate:.1f} µs a line",
            "",
            "server ≤ 250 MB, one core",
            used / elapsed <= 1 and memory <= 250e6,
        ),
    ]


def _start(server: RunningServer, name: str, command: list[str]) -> None:
    server.call("POST", "/api/agents", {"name": name, "command": command})


def _watch(server: RunningServer, names: list[str], seconds: float) -> Seen:
    """Follow each agent's stream on a socket of its own."""
    selector = selectors.DefaultSelector()
    for name in names:
        selector.register(_follow(server, name), selectors.EVENT_READ)
    latencies: list[float] = []
    events = 0
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and selector.get_map():
        for key, _ in selector.select(0.1):
            connection = key.fileobj
            assert isinstance(connection, socket.socket)
            data = connection.recv(262_144)
            now = time.monotonic_ns()
            if not data:
                selector.unregister(connection)
                connection.close()
                continue
            stamps = STAMP.findall(data)
            events += len(stamps)
            latencies += [(now - int(stamp)) / 1e6 for stamp in stamps]
    for key in list(selector.get_map().values()):
        assert isinstance(key.fileobj, socket.socket)
        key.fileobj.close()
    selector.close()
    return Seen(latencies, events)


def _follow(server: RunningServer, name: str) -> socket.socket:
    host, port = server.url.removeprefix("http://").split(":")
    connection = socket.create_connection((host, int(port)))
    head = f"GET /api/agents/{name}/stream?tail=0 HTTP/1.1\r\nHost: {host}:{port}\r\n"
    head += f"Authorization: Bearer {server.token}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def _cpu(pid: int) -> float:
    text = Path(f"/proc/{pid}/stat").read_bytes()
    fields = text[text.rfind(b")") + 2 :].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _memory(pid: int) -> int:
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+)", text)[0]) * 1024


if __name__ == "__main__":
    print(json.dumps([result._asdict() for result in run(quick=True)], indent=1))
