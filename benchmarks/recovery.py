"""Recovery: from the start of a server after `kill -9` to its first good answer, with many agents alive."""

from __future__ import annotations

import statistics
import time

from benchmarks.results import Result
from roost.testing.server import run_server

AGENTS = 500
COMMAND = ["sh", "-c", "while :; do echo still here; sleep 10; done"]


def run(quick: bool) -> list[Result]:
    """Kill it several times."""
    rounds = 3 if quick else 7
    ready = []
    with run_server(server_requests_per_s=10_000, server_request_burst=10_000) as server:
        for number in range(AGENTS):
            server.call("POST", "/api/agents", {"name": f"a{number}", "command": COMMAND})
        for _ in range(rounds):
            server.kill9()
            began = time.perf_counter()
            server.restart()
            known = server.call("GET", "/api/agents?limit=1000&state=running")["total"]
            ready.append(time.perf_counter() - began)
            if known != AGENTS:
                raise RuntimeError(f"after a restart {known} of {AGENTS} agents run")
    median, worst = statistics.median(ready), max(ready)
    return [
        Result(
            f"server ready after `kill -9`, {AGENTS} agents",
            f"median {median:.2f} s, worst {worst:.2f} s of {rounds}, interpreter start included",
            "",
            "≤ 1 s",
            median <= 1,
        )
    ]
