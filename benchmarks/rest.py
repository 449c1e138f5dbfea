"""REST reads: latency with 32 clients and processor time a request, beside a bare Starlette with the same answer."""

from __future__ import annotations

import contextlib
import os
import re
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from benchmarks.results import Result, percentile
from roost.testing.server import RunningServer, run_server

CLIENTS = 32
AGENTS = 20
TICKS = os.sysconf("SC_CLK_TCK")
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
MUST = "p50 ≤ 2 ms, p99 ≤ 10 ms"
BARE = """
import sys, msgspec, uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
agents = msgspec.json.decode(open(sys.argv[1], "rb").read())
async def answer(request):
    return Response(msgspec.json.encode(agents), media_type="application/json")
app = Starlette(routes=[Route("/api/agents", answer)])
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[2]), loop="uvloop", http="httptools", access_log=False,
    log_level="error")
"""


class Seen(NamedTuple):
    """Latencies in milliseconds, and the server's processor time a request in microseconds."""

    latencies: list[float]
    cpu_us: float
    per_s: float

    def describe(self) -> str:
        """For a table's cell."""
        p50, p99 = percentile(self.latencies, 0.5), percentile(self.latencies, 0.99)
        return f"p50 {p50:.2f} ms, p99 {p99:.2f} ms, {self.per_s:.0f}/s, {self.cpu_us:.0f} µs CPU each"

    @property
    def met(self) -> bool:
        """Whether it is as fast as it must be."""
        return percentile(self.latencies, 0.5) <= 2 and percentile(self.latencies, 0.99) <= 10


class Target(NamedTuple):
    """A server's process and what is asked of it."""

    pid: int
    port: int
    path: str
    token: str = ""


def run(quick: bool) -> list[Result]:
    """Reads of one agent, of twenty, and of health, and the bare rival."""
    seconds = 2.0 if quick else 5.0
    with run_server(server_requests_per_s=1_000_000, server_request_burst=1_000_000) as server:
        for number in range(AGENTS):
            server.start_agent(f"agent-{number}", "sleep", "1000", labels={"team": "web"})
        with bare(server) as rival:
            return [
                _compared("GET /api/agents, 20 agents", _target(server, "/api/agents"), rival, seconds),
                _alone("GET /api/agents/{name}", _target(server, "/api/agents/agent-7"), seconds),
                _alone("GET /api/health/live", _target(server, "/api/health/live"), seconds),
            ]


def _compared(what: str, target: Target, rival: Target, seconds: float) -> Result:
    load(target, CLIENTS, seconds / 4)
    load(rival, CLIENTS, seconds / 4)
    seen, beside = load(target, CLIENTS, seconds), load(rival, CLIENTS, seconds)
    return Result(f"{what}, {CLIENTS} clients", seen.describe(), f"Starlette {beside.describe()}", MUST, seen.met)


def _alone(what: str, target: Target, seconds: float) -> Result:
    seen, one = load(target, CLIENTS, seconds), load(target, 1, seconds / 2)
    alone = f"one client p50 {percentile(one.latencies, 0.5):.2f} ms"
    return Result(f"{what}, {CLIENTS} clients", seen.describe(), alone, MUST, seen.met)


def _target(server: RunningServer, path: str) -> Target:
    return Target(server.pid, server.port, path, server.token)


@contextlib.contextmanager
def bare(server: RunningServer) -> Iterator[Target]:
    """A server of a few lines that answers with what roost says of its agents now."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "agents.json"
        answer.write_bytes(server.request("GET", "/api/agents").body)
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        with subprocess.Popen([sys.executable, "-c", BARE, str(answer), str(port)]) as process:
            _wait_for(port)
            yield Target(process.pid, port, "/api/agents")
            process.terminate()


def load(target: Target, clients: int, seconds: float) -> Seen:
    """Ask over and over, each client as soon as it has its answer."""
    head = (
        f"GET {target.path} HTTP/1.1\r\nHost: 127.0.0.1:{target.port}\r\nAuthorization: Bearer {target.token}\r\n\r\n"
    )
    request = f"{head}Authorization: Bearer {target.token}\r\n\r\n".encode()
    latencies: list[float] = []
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        for _ in range(clients):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", target.port)))
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(client, selectors.EVENT_READ, _Waiting(client, request))
        began, cpu = time.perf_counter(), _cpu(target.pid)
        while time.perf_counter() - began < seconds:
            for key, _ in selector.select(1):
                key.data.take(latencies)
        took, used = time.perf_counter() - began, _cpu(target.pid) - cpu
    count = max(1, len(latencies))
    return Seen(latencies, used / count * 1e6, count / took)


class _Waiting:
    """One connection: a request under way, and what came of its answer."""

    def __init__(self, client: socket.socket, request: bytes) -> None:
        self._client = client
        self._request = request
        self._ask()

    def take(self, latencies: list[float]) -> None:
        """Read on; when the answer is whole, note how long it took and ask again."""
        data = self._client.recv(262_144)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._got += data
        head, gap, body = self._got.partition(b"\r\n\r\n")
        if not gap:
            return
        assert head.startswith(b"HTTP/1.1 200"), head
        length = LENGTH.search(head)
        assert length is not None, head
        if len(body) >= int(length[1]):
            latencies.append((time.perf_counter() - self._began) * 1000)
            self._ask()

    def _ask(self) -> None:
        self._got = b""
        self._began = time.perf_counter()
        self._client.sendall(self._request)


def _cpu(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 15
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    raise TimeoutError("the bare server does not start")
