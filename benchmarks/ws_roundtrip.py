"""WebSocket: command, done, answer, with a real agent behind; beside an echo in Go that does nothing."""

from __future__ import annotations

import json
import subprocess
import tempfile
from pathlib import Path

from benchmarks.results import Result
from benchmarks.rivals import compiled
from roost.testing.server import RunningServer, run_server

COMMANDS = {
    "ping": {"type": "ping", "request_id": 1},
    "input": {"type": "command", "command": "send_input", "data": {"input": "x\n"}, "request_id": 1},
    "signal": {"type": "command", "command": "signal", "data": {"signal": "SIGWINCH"}, "request_id": 1},
}
MOST_P50_MS, MOST_P99_MS = 2.0, 10.0


def run(quick: bool) -> list[Result]:
    """All of them."""
    load = compiled("ws_load.c")
    if load is None:
        return []
    seconds = 2 if quick else 5
    echo = _echo(load, seconds)
    results = []
    with tempfile.TemporaryDirectory() as folder:
        settings = {"server_requests_per_s": 10**6, "server_request_burst": 10**6}
        with run_server(Path(folder) / "data", **settings) as server:
            server.start_agent("worker", "sh", "-c", "stty -echo; trap : WINCH; cat > /dev/null")
            for name, frame in COMMANDS.items():
                results.append(_row(name, _ours(load, server, frame, seconds), echo))
    return results


def _row(name: str, ours: dict[str, float], echo: dict[str, float] | None) -> Result:
    return Result(
        f"WebSocket, {name}, there and back",
        f"p50 {ours['p50_ms']:.2f} ms, p99 {ours['p99_ms']:.2f} ms",
        "" if echo is None else f"Go echo p50 {echo['p50_ms']:.2f} ms, p99 {echo['p99_ms']:.2f} ms",
        f"p50 ≤ {MOST_P50_MS:g} ms, p99 ≤ {MOST_P99_MS:g} ms",
        ours["p50_ms"] <= MOST_P50_MS and ours["p99_ms"] <= MOST_P99_MS,
    )


def _ours(load: Path, server: RunningServer, frame: object, seconds: int) -> dict[str, float]:
    return _run(load, server.port, "/ws/agents/worker", f"Bearer {server.token}", frame, seconds)


def _echo(load: Path, seconds: int) -> dict[str, float] | None:
    program = compiled("ws_echo.go")
    if program is None:
        return None
    with subprocess.Popen([str(program)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            return _run(load, int(process.stdout.readline()), "/", "none", COMMANDS["input"], seconds)
        finally:
            process.kill()


def _run(load: Path, port: int, path: str, authorization: str, frame: object, seconds: int) -> dict[str, float]:
    arguments = [str(load), str(port), path, authorization, str(seconds), json.dumps(frame)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"the load client failed: {done.stderr}")
    found: dict[str, float] = json.loads(done.stdout)
    return found
