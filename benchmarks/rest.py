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
PACE_PER_S = 1000
"""Requests a second of all clients together, where latency is what counts. Unpaced, it is clients × time each."""
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

    def latency(self) -> str:
        """For a table's cell."""
        return f"p50 {percentile(self.latencies, 0.5):.2f} ms, p99 {percentile(self.latencies, 0.99):.2f} ms"

    def cost(self) -> str:
        """For a table's cell."""
        return f"{self.cpu_us:.0f} µs, {self.per_s:.0f}/s"

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
    """Reads of twenty agents, of one, and of health, beside the bare rival."""
    seconds = 2.0 if quick else 5.0
    with run_server(server_requests_per_s=1_000_000, server_request_burst=1_000_000) as server:
        for number in range(AGENTS):
            server.start_agent(f"agent-{number}", "sleep", "1000", labels={"team": "web"})
        with bare(server) as rival:
            targets = {path: _target(server, path) for path in PATHS}
            for target in (rival, *targets.values()):
                load(target, CLIENTS, seconds / 4)
            paced = [_paced(path, target, rival, seconds) for path, target in targets.items()]
            beside = load(rival, CLIENTS, seconds)
            return paced + [_cost(path, load(targets[path], CLIENTS, seconds), beside) for path in PATHS]


PATHS = ("/api/agents", "/api/agents/agent-7", "/api/health/live")


def _paced(path: str, target: Target, rival: Target, seconds: float) -> Result:
    seen = load(target, CLIENTS, seconds, PACE_PER_S)
    beside = load(rival, CLIENTS, seconds, PACE_PER_S)
    what = f"GET {path}, {CLIENTS} clients, {PACE_PER_S} requests/s"
    return Result(what, seen.latency(), f"bare Starlette {beside.latency()}", MUST, seen.met)


def _cost(path: str, seen: Seen, beside: Seen) -> Result:
    what = f"GET {path}, {CLIENTS} clients as fast as they can: CPU a request"
    return Result(what, seen.cost(), f"bare Starlette with 20 agents {beside.cost()}", "no limit set")


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
            try:
                _wait_for(port)
                yield Target(process.pid, port, "/api/agents")
            finally:
                process.kill()


def load(target: Target, clients: int, seconds: float, per_s: float = 0) -> Seen:
    """Ask over and over, each client as soon as it has its answer, or all together `per_s` times a second."""
    lines = (f"GET {target.path} HTTP/1.1", f"Host: 127.0.0.1:{target.port}", f"Authorization: Bearer {target.token}")
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    latencies: list[float] = []
    with contextlib.ExitStack() as stack, selectors.DefaultSelector() as selector:
        waiting = []
        for number in range(clients):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", target.port)))
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            waiting.append(_Client(client, request, clients / per_s if per_s else 0, number / clients))
            selector.register(client, selectors.EVENT_READ, waiting[-1])
        began, cpu = time.perf_counter(), _cpu(target.pid)
        while (now := time.perf_counter()) - began < seconds:
            for each in waiting:
                each.ask_if_due(now)
            for key, _ in selector.select(min(each.due for each in waiting) - now if per_s else 1):
                key.data.take(latencies)
        took, used = time.perf_counter() - began, _cpu(target.pid) - cpu
    count = max(1, len(latencies))
    return Seen(latencies, used / count * 1e6, count / took)


class _Client:
    """One connection: asks every `every_s` seconds, or as soon as it has its answer."""

    def __init__(self, client: socket.socket, request: bytes, every_s: float, phase: float) -> None:
        self._client = client
        self._request = request
        self._every_s = every_s
        self._got = b""
        self._asked = 0.0
        self._idle = True
        self.due = time.perf_counter() + every_s * phase

    def ask_if_due(self, now: float) -> None:
        """Ask, if it is time to and the answer to the last question is here."""
        if self._idle and now >= self.due:
            self._got, self._idle = b"", False
            self._asked = max(self.due, now - self._every_s) if self._every_s else now
            self.due = max(self.due + self._every_s, now) if self._every_s else now
            self._client.sendall(self._request)

    def take(self, latencies: list[float]) -> None:
        """Read on; when the answer is whole, note how long it took from when it was due to be asked."""
        data = self._client.recv(262_144)
        if not data:
            raise ConnectionError("the server closed the connection")
        self._got += data
        head, gap, body = self._got.partition(b"\r\n\r\n")
        if not gap:
            return
        length = LENGTH.search(head)
        if not head.startswith(b"HTTP/1.1 200") or length is None:
            raise ValueError(f"not an answer: {self._got[:300]!r}")
        if len(body) >= int(length[1]):
            latencies.append((time.perf_counter() - self._asked) * 1000)
            self._idle = True


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
