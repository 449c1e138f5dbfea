"""Rebuild: all projections made again from recordings, in lines a second."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from benchmarks.ingest import header, output
from benchmarks.results import Result
from roost.core.recording import Kind, encode_json
from roost.paths import DataDirectory
from roost.projection.rebuild import reproject

LEAST_LINES_S = 80_000
SESSIONS = 10


def run(quick: bool) -> list[Result]:
    """All of it: rows, blocks, text logs."""
    lines = 10_000 if quick else 50_000
    with tempfile.TemporaryDirectory() as folder:
        data = DataDirectory(Path(folder))
        data.create()
        ending = encode_json(Kind.EXIT, 10**12, {"code": 0, "reason": "exited"})
        for number in range(SESSIONS):
            data.recording(f"s{number}").write_bytes(header(f"a{number}") + output(lines) + ending)
        begun, cpu = time.monotonic(), time.process_time()
        report = reproject(data)
        wall_s, cpu_s = time.monotonic() - begun, time.process_time() - cpu
    rate = report.lines / wall_s
    shown = f"{rate / 1000:.0f} k lines/s, {cpu_s / report.lines * 1e6:.1f} µs CPU a line"
    return [
        Result(f"rebuild of {report.lines} lines", shown, "", f"≥ {LEAST_LINES_S // 1000} k", rate >= LEAST_LINES_S)
    ]
