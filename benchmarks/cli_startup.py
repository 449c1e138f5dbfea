"""How long the command line takes to start: `roost --version` and `roost ps`, beside Python itself.

    python benchmarks/cli_startup.py [--runs 20] [--json]

Wall time of whole processes, the commands taking turns so that neighbours disturb all of them alike; the best and the
middle of the runs are shown, because a machine that is shared makes single runs slow and none fast. `ps` is measured
with nothing running, over a keeper, and over a server.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from roost.testing.server import run_server

AGENTS = 20
LIMITS_MS = {"roost --version": 80, "roost ps": 150}
PYTHON = [sys.executable, "-c", "pass"]
ROOST = [sys.executable, "-c", "import sys; from roost.cli import main; sys.exit(main())"]


def main() -> int:
    """Measure and print; 1 where a limit is not kept."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    rows = measure_all(options.runs)
    if options.json:
        print(json.dumps(rows, indent=2))
    else:
        print_table(rows)
    return 0 if all(row["best_ms"] <= row["limit_ms"] for row in rows if row["limit_ms"]) else 1


def measure_all(runs: int) -> list[dict[str, float | str | None]]:
    """Every command, in turns."""
    with tempfile.TemporaryDirectory(prefix="roost-startup-") as empty, run_server() as server:
        for number in range(AGENTS):
            server.start_agent(f"agent-{number}", "sleep", "600")
        served = {"ROOST_DATA": str(server.data.root)}
        nothing = {"ROOST_DATA": str(Path(empty) / "data")}
        commands = [
            ("python -c pass", PYTHON, nothing, None),
            ("python -c 'import argparse, json'", [sys.executable, "-c", "import argparse, json"], nothing, None),
            ("roost --version", [*ROOST, "--version"], nothing, LIMITS_MS["roost --version"]),
            ("roost ps, nothing there", [*ROOST, "ps"], nothing, LIMITS_MS["roost ps"]),
            (f"roost ps, server, {AGENTS} agents", [*ROOST, "ps"], served, LIMITS_MS["roost ps"]),
        ]
        rows = _measure(commands, runs)
        server.kill9()
        over_keeper = (f"roost ps, keeper, {AGENTS} agents", [*ROOST, "ps"], served, LIMITS_MS["roost ps"])
        return rows + _measure([over_keeper], runs)


def _measure(
    commands: list[tuple[str, list[str], dict[str, str], int | None]], runs: int
) -> list[dict[str, float | str | None]]:
    times: dict[str, list[float]] = {name: [] for name, *_ in commands}
    for _ in range(runs + 1):
        for name, argv, environment, _ in commands:
            times[name].append(_time(argv, environment))
    return [
        {
            "command": name,
            "best_ms": round(min(times[name][1:]) * 1000, 1),
            "median_ms": round(statistics.median(times[name][1:]) * 1000, 1),
            "limit_ms": limit,
        }
        for name, _, _, limit in commands
    ]


def _time(argv: list[str], environment: dict[str, str]) -> float:
    begun = time.perf_counter()
    subprocess.run(argv, env=os.environ | environment, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - begun


def print_table(rows: list[dict[str, float | str | None]]) -> None:
    """Best, middle and limit, in milliseconds."""
    width = max(len(str(row["command"])) for row in rows)
    print(f"{'command'.ljust(width)}  {'best':>7}  {'median':>7}  {'limit':>6}")
    for row in rows:
        limit = f"{row['limit_ms']} ms" if row["limit_ms"] else "-"
        print(f"{str(row['command']).ljust(width)}  {row['best_ms']:>7}  {row['median_ms']:>7}  {limit:>6}")


if __name__ == "__main__":
    sys.exit(main())
