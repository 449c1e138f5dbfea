"""SSE fan-out: processor time a delivery, latency and memory a client, beside Go with a queue a client."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.results import Result
from benchmarks.rivals import compiled

CASES = ((1000, 100, 2.0, 20.0), (100, 1000, 8.0, 50.0))
"""Events a second, clients, µs a delivery at most, p99 in ms at most."""
MOST_KB = 32
PATH = "/api/agents/worker-1/stream?tail=0"
NEVER_READ = 100
FILL_S = 3
"""Until the ring is full, at a thousand events a second."""
PAGE = os.sysconf("SC_PAGE_SIZE")


def run(quick: bool) -> list[Result]:
    """All of them."""
    seconds, rounds = (4, 1) if quick else (6, 3)
    results = []
    load = compiled("sse_load.c")
    if load is not None:
        for rate, clients, most_us, most_ms in CASES:
            ours = _median([_measure(load, _ours(rate), clients, seconds) for _ in range(rounds)])
            rival = _go(load, rate, clients, seconds)
            results += _rows(f"{rate} events/s × {clients} clients", ours, rival, (most_us, most_ms))
    results.append(_never_reading(30 if not quick else 8))
    return results


def _rows(case: str, ours: dict[str, float], rival: dict[str, float] | None, most: tuple[float, float]) -> list[Result]:
    most_us, most_ms = most
    beside = "" if rival is None else f"Go {rival['us']:.1f} µs"
    beside_ms = "" if rival is None else f"Go p50 {rival['p50_ms']:.1f} ms, p99 {rival['p99_ms']:.1f} ms"
    beside_kb = "" if rival is None else f"Go {rival['kb_per_client']:.0f} KB"
    return [
        Result(
            f"SSE, CPU a delivery, {case}", f"{ours['us']:.2f} µs", beside, f"≤ {most_us:g} µs", ours["us"] <= most_us
        ),
        Result(
            f"SSE, source to client, {case}",
            f"p50 {ours['p50_ms']:.1f} ms, p99 {ours['p99_ms']:.1f} ms, {ours['share']:.1%} delivered",
            beside_ms,
            f"p99 ≤ {most_ms:g} ms",
            ours["p99_ms"] <= most_ms,
        ),
        Result(
            f"SSE, memory a client, {case}",
            f"{ours['kb_per_client']:.0f} KB",
            beside_kb,
            f"≤ {MOST_KB} KB",
            ours["kb_per_client"] <= MOST_KB,
        ),
    ]


def _ours(rate: int) -> list[str]:
    return [sys.executable, "-m", "benchmarks._stream_server", str(rate)]


def _go(load: Path, rate: int, clients: int, seconds: int) -> dict[str, float] | None:
    program = compiled("sse_fanout.go")
    return None if program is None else _measure(load, [str(program), str(rate)], clients, seconds)


def _measure(load: Path, command: list[str], clients: int, seconds: int) -> dict[str, float]:
    with _server(command) as (pid, port):
        time.sleep(FILL_S)
        arguments = [str(load), str(port), PATH, str(clients), str(seconds), str(pid)]
        done = subprocess.run(arguments, capture_output=True, check=True)
    found: dict[str, float] = json.loads(done.stdout)
    found["us"] = found["cpu_s"] / seconds / max(1.0, found["events_per_s"]) * 1e6
    found["share"] = found["events_per_s"] / (float(command[-1]) * clients)
    return found


def _median(rounds: list[dict[str, float]]) -> dict[str, float]:
    return {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}


def _never_reading(seconds: int) -> Result:
    """Memory while a hundred clients take nothing and plenty comes."""
    with _server(_ours(2000)) as (pid, port), contextlib.ExitStack() as stack:
        time.sleep(FILL_S)
        before = _memory(pid)
        for _ in range(NEVER_READ):
            client = stack.enter_context(socket.create_connection(("127.0.0.1", port)))
            client.sendall(f"GET {PATH} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n".encode())
        time.sleep(seconds / 2)
        half = _memory(pid)
        time.sleep(seconds / 2)
        growth = (_memory(pid) - half) / NEVER_READ / 1024
        each = (_memory(pid) - before) / NEVER_READ / 1024
    return Result(
        f"SSE, memory a client that never reads, 2000 events/s for {seconds} s",
        f"{each:.0f} KB, {growth:+.0f} KB in the second half",
        "",
        f"≤ {MOST_KB} KB, flat",
        each <= MOST_KB and growth <= MOST_KB / 4,
    )


@contextlib.contextmanager
def _server(command: list[str]) -> Iterator[tuple[int, int]]:
    process: Any = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process.pid, int(process.stdout.readline())
    finally:
        process.kill()
        process.communicate()


def _memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * PAGE
