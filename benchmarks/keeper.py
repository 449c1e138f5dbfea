"""Keeper: processor time a line, bulk throughput and memory, beside C, Go, `script` and `cat`."""

from __future__ import annotations

import contextlib
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.results import Result
from benchmarks.rivals import compiled
from roost.keeper.client import KeeperClient

CASES = ((20, 1000), (500, 100))
TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
PIPED = 4
"""How often a pipe gets the corpus: once is over before it has well begun."""
ENVIRONMENT = {"PATH": os.environ["PATH"]}


def run(quick: bool) -> list[Result]:
    """All of them."""
    seconds, rounds = (3, 1) if quick else (6, 3)
    lines = compiled("lines.c")
    results = []
    if lines is not None:
        for agents, rate in CASES:
            results += _per_line(lines, agents, rate, seconds, rounds)
    megabytes = 60 if quick else 200
    with tempfile.TemporaryDirectory() as folder:
        corpus = _corpus(Path(folder), megabytes)
        results += _bulk_terminal(corpus, rounds)
        results += _bulk_pipe(corpus, rounds)
    return results


# Processor time a line


def _per_line(lines: Path, agents: int, rate: int, seconds: int, rounds: int) -> list[Result]:
    command = [str(lines), str(rate), str(round(seconds + _settle_s(agents) + 5))]
    found: dict[str, list[float]] = {"roost": [], "C": [], "Go": []}
    memory: list[float] = []
    for _ in range(rounds):
        cpu, base, busy = _keeper_with(agents, command, seconds)
        found["roost"].append(cpu)
        memory.append((busy - base) / agents)
        for label, source in (("C", "holder.c"), ("Go", "holder.go")):
            program = compiled(source)
            if program is not None:
                found[label].append(_rival([str(program)], agents, command, seconds))
    count = agents * rate * seconds
    per_line = {label: statistics.median(values) / count * 1e6 for label, values in found.items() if values}
    rival = ", ".join(f"{label} {value:.1f} µs" for label, value in per_line.items() if label != "roost")
    ours = per_line["roost"]
    results = [
        Result(
            f"keeper, CPU a line, {agents} agents × {rate} lines/s",
            f"{ours:.1f} µs"
            + "".join(f", {ours / per_line[name]:.2f} × {name}" for name in ("C", "Go") if name in per_line),
            rival,
            "≤ 1.5 × C, ≤ 0.5 × Go",
            ours <= 1.5 * per_line["C"] and ours <= 0.5 * per_line["Go"] if {"C", "Go"} <= set(per_line) else None,
        )
    ]
    if agents >= 100:
        each = statistics.median(memory)
        results.append(
            Result(
                f"keeper, memory, {agents} busy agents",
                f"{base / 1e6:.1f} MB + {each / 1024:.1f} KB an agent",
                "",
                "≤ 15 MB + ≤ 8 KB an agent",
                base <= 15e6 and each <= 8 * 1024,
            )
        )
    return results


def _settle_s(agents: int) -> float:
    """Until that many agents are started and all of them write: what starting costs is not what a line costs."""
    return 1.0 + agents * 0.003


def _keeper_with(agents: int, command: list[str], seconds: float) -> tuple[float, int, int]:
    """Processor seconds of the keeper for `seconds` of lines, its memory with no agents, and with all busy; bytes."""
    with _keeper() as keeper:
        pid = keeper.hello["pid"]
        base = _memory(pid)
        began = time.monotonic()
        for number in range(agents):
            _start(keeper, f"a{number}", command)
        time.sleep(max(0.0, began + _settle_s(agents) - time.monotonic()))
        cpu = _spent(pid, seconds)
        return cpu, base, _memory(pid)


def _rival(program: list[str], agents: int, command: list[str], seconds: float) -> float:
    """The same of a program that holds agents."""
    with tempfile.TemporaryDirectory() as folder:
        process = subprocess.Popen([*program, folder, str(agents), *command], stdout=subprocess.DEVNULL)
        try:
            time.sleep(_settle_s(agents))
            return _spent(process.pid, seconds)
        finally:
            process.kill()
            process.wait()


def _spent(pid: int, seconds: float) -> float:
    before = _cpu(pid)
    time.sleep(seconds)
    return _cpu(pid) - before


# Bulk


def _bulk_terminal(corpus: Path, rounds: int) -> list[Result]:
    if shutil.which("script") is None:
        return [
            Result("keeper, bulk from a terminal", "not run", "there is no `script` here", "≥ 0.8 × its throughput")
        ]
    ours, rivals = [], []
    for _ in range(rounds):
        ours.append(_bulk(["cat", str(corpus)], terminal=True))
        with tempfile.TemporaryDirectory() as folder:
            rivals.append(_timed(["script", "-qec", f"cat {corpus}", f"{folder}/typescript"]))
    size = corpus.stat().st_size
    return [_bulk_result("keeper, bulk from a terminal", "`script`", size, ours, rivals, throughput=0.8, cpu=1.3)]


def _bulk_pipe(corpus: Path, rounds: int) -> list[Result]:
    ours, rivals, files = [], [], [str(corpus)] * PIPED
    for _ in range(rounds):
        ours.append(_bulk(["cat", *files], terminal=False))
        with tempfile.TemporaryDirectory() as folder:
            rivals.append(_timed(["sh", "-c", f"cat {' '.join(files)} | cat > {folder}/out"]))
    size = PIPED * corpus.stat().st_size
    return [_bulk_result("keeper, bulk from a pipe", "`cat > file`", size, ours, rivals, throughput=0.6, cpu=None)]


def _bulk_result(
    what: str,
    name: str,
    size: int,
    ours: list[tuple[float, float]],
    rivals: list[tuple[float, float]],
    *,
    throughput: float,
    cpu: float | None,
) -> Result:
    wall, used = (statistics.median(column) for column in zip(*ours, strict=True))
    rival_wall, rival_used = (statistics.median(column) for column in zip(*rivals, strict=True))
    speed, processor = rival_wall / wall, used / rival_used
    must = f"≥ {throughput} × its throughput" + (f", ≤ {cpu} × its CPU" if cpu else "")
    return Result(
        what,
        f"{size / 1e6 / wall:.0f} MB/s, {speed:.2f} × the throughput, {processor:.2f} × the CPU",
        f"{name} {size / 1e6 / rival_wall:.0f} MB/s",
        must,
        speed >= throughput and (cpu is None or processor <= cpu),
    )


def _bulk(command: list[str], *, terminal: bool) -> tuple[float, float]:
    """Wall and processor seconds, of keeper and producer, for all that a command writes."""
    with _keeper() as keeper:
        pid = keeper.hello["pid"]
        cpu, began = _cpu(pid) + _cpu_children(pid), time.perf_counter()
        _start(keeper, "bulk", command, terminal=terminal)
        _wait_ended(keeper)
        return time.perf_counter() - began, _cpu(pid) + _cpu_children(pid) - cpu


def _timed(command: list[str]) -> tuple[float, float]:
    before, began = os.times(), time.perf_counter()
    with open(os.devnull, "w") as nowhere:
        subprocess.run(command, stdin=subprocess.DEVNULL, stdout=nowhere, check=True)
    wall, after = time.perf_counter() - began, os.times()
    return wall, after.children_user + after.children_system - before.children_user - before.children_system


# Pieces


@contextlib.contextmanager
def _keeper() -> Iterator[KeeperClient]:
    with tempfile.TemporaryDirectory() as folder:
        keeper = KeeperClient.connect_or_start(folder)
        try:
            yield keeper
        finally:
            with contextlib.suppress(Exception):
                keeper.call("shutdown", force=True)
            keeper.close()


def _start(keeper: KeeperClient, name: str, argv: list[str], *, terminal: bool = True) -> dict[str, Any]:
    return keeper.call(
        "start", session_id=name, agent=name, argv=argv, cwd="/", env=ENVIRONMENT, terminal=terminal, cols=80, rows=24
    )


def _wait_ended(keeper: KeeperClient) -> None:
    """Wait by polling slowly, so that asking costs the keeper next to nothing."""
    while any(session["state"] != "exited" for session in keeper.call("list")["sessions"]):
        time.sleep(0.25 if len(keeper.call("list")["sessions"]) > 1 else 0.01)


def _corpus(folder: Path, megabytes: int) -> Path:
    path = folder / "corpus.log"
    line = b"\x1b[32mINFO\x1b[0m 2026-11-21T06:00:00Z worker[7] compiled module number %07d in 12.3 ms\n"
    with path.open("wb") as file:
        for block in range(megabytes * 10):
            file.write(b"".join(line % (block * 1200 + number) for number in range(1200)))
    return path


def _stat(pid: int) -> list[bytes]:
    text = Path(f"/proc/{pid}/stat").read_bytes()
    return text[text.rfind(b")") + 2 :].split()


def _cpu(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS


def _cpu_children(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[13]) + int(fields[14])) / TICKS


def _memory(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    return 0
