"""Ingest: processor time a line from recording to committed and published, beside a row a line with sqlite3."""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.results import Result, percentile
from roost.core.recording import Kind, Reader, encode_frame, encode_json
from roost.paths import DataDirectory
from roost.projection.projector import Projector
from roost.store.database import Store, open_store

LINE_BYTES = 80
FRAME_BYTES = 4096
MOST_US = 10.0
LEAST_LINES_S = 100_000


def run(quick: bool) -> list[Result]:
    """All of them."""
    lines = 100_000 if quick else 400_000
    seconds = 2.0 if quick else 5.0
    results = [_bulk(lines)]
    results += [_live(agents, rate, seconds) for agents, rate in ((20, 1000), (100, 100), (500, 20))]
    results.append(_latency(200 if quick else 1000))
    return results


@contextmanager
def projecting() -> Iterator[tuple[DataDirectory, Store, Projector, list[int]]]:
    """A projector on an empty data directory, and the count of events that it published."""
    with tempfile.TemporaryDirectory() as folder:
        data = DataDirectory(Path(folder))
        data.create()
        published = [0]

        def publish(blocks: list, _sessions: list) -> None:
            published[0] += sum(len(block.events) for block in blocks)

        with open_store(f"sqlite:///{data.database}") as store:
            projector = Projector(data=data, store=store, publish=publish)
            projector.start()
            projector.wait_caught_up()
            try:
                yield data, store, projector, published
            finally:
                projector.stop()


def header(agent: str) -> bytes:
    """The first frames of a session."""
    fields = {"agent": agent, "started_at_ns": time.time_ns(), "terminal": True, "cols": 120, "rows": 40}
    return encode_json(Kind.HEADER, 0, fields) + encode_json(Kind.MARK, 0, {"type": "started", "pid": 1})


def output(lines: int, *, frame_bytes: int = FRAME_BYTES) -> bytes:
    """Numbered plain lines of `LINE_BYTES`, in frames."""
    text = b"".join(b"%09d " % number + b"x" * (LINE_BYTES - 12) + b"\r\n" for number in range(lines))
    pieces = (text[at : at + frame_bytes] for at in range(0, len(text), frame_bytes))
    return b"".join(encode_frame(Kind.OUT, number * 1_000_000, piece) for number, piece in enumerate(pieces))


def thread_cpu_s() -> float:
    """Processor time of the projector's thread."""
    thread = next(thread for thread in threading.enumerate() if thread.name == "projector")
    return time.clock_gettime(time.pthread_getcpuclockid(thread.ident or 0))


def _bulk(lines: int) -> Result:
    with projecting() as (data, _store, projector, published):
        recording = header("bulk") + output(lines)
        data.recording("bulk").write_bytes(recording)
        before = thread_cpu_s()
        projector.advanced({"bulk": len(recording)})
        _wait(published, lines + 2)
        cpu_us = (thread_cpu_s() - before) / lines * 1e6
    rival_us = _row_a_line(recording, lines)
    rate = 1e6 / cpu_us
    return Result(
        "bulk, one session: CPU a line (lines/s of a core)",
        f"{cpu_us:.1f} µs ({rate / 1000:.0f} k)",
        f"a row a line: {rival_us:.1f} µs",
        f"≤ {MOST_US:.0f} µs, ≥ {LEAST_LINES_S // 1000} k",
        cpu_us <= MOST_US and rate >= LEAST_LINES_S,
    )


def _row_a_line(recording: bytes, lines: int) -> float:
    """Frames to rows of one line each with one index, a thousand to a transaction."""
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(f"{folder}/rival.db", isolation_level=None)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(
            "CREATE TABLE event (id INTEGER PRIMARY KEY, session TEXT, seq INTEGER, time INTEGER, line TEXT)"
        )
        connection.execute("CREATE INDEX by_session ON event (session, seq)")
        begun = time.process_time()
        rows: list[tuple[str, int, int, str]] = []
        rest, seq = b"", 0
        for frame in Reader().feed(recording):
            *whole, rest = (rest + getattr(frame, "payload", b"")).split(b"\n")
            for line in whole:
                seq += 1
                rows.append(("bulk", seq, getattr(frame, "time_ns", 0), line.decode("utf-8", "replace")))
            if len(rows) >= 1000:
                _insert(connection, rows)
        _insert(connection, rows)
        spent = time.process_time() - begun
        connection.close()
    return spent / lines * 1e6


def _insert(connection: sqlite3.Connection, rows: list[tuple[str, int, int, str]]) -> None:
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany("INSERT INTO event (session, seq, time, line) VALUES (?, ?, ?, ?)", rows)
    connection.execute("COMMIT")
    rows.clear()


def _live(agents: int, rate: int, seconds: float) -> Result:
    """Agents that each write `rate` lines a second, a frame a line, with a notice every 2 ms as the keeper sends it."""
    with projecting() as (data, _store, projector, published):
        files = {f"s{number}": data.recording(f"s{number}").open("ab", buffering=0) for number in range(agents)}
        for name, file in files.items():
            file.write(header(name))
        projector.advanced({name: file.tell() for name, file in files.items()})
        _wait(published, 2 * agents)
        before, begun, written = thread_cpu_s(), time.monotonic(), 0
        names = list(files)
        while (elapsed := time.monotonic() - begun) < seconds:
            grown = {}
            for _ in range(min(int(elapsed * rate * agents) - written, 4000)):
                name = names[written % agents]
                line = b"%09d " % written + b"x" * (LINE_BYTES - 12) + b"\r\n"
                files[name].write(encode_frame(Kind.OUT, int(elapsed * 1e9), line))
                grown[name] = files[name].tell()
                written += 1
            projector.advanced(grown)
            time.sleep(0.002)
        _wait(published, 2 * agents + written)
        cpu_us = (thread_cpu_s() - before) / written * 1e6
        for file in files.values():
            file.close()
    return Result(f"live, {agents} sessions × {rate} lines/s: CPU a line", f"{cpu_us:.1f} µs", "", "")


def _latency(lines: int) -> Result:
    waits = []
    with projecting() as (data, _store, projector, published):
        with data.recording("one").open("ab", buffering=0) as file:
            file.write(header("one"))
            for number in range(lines):
                expected = published[0] + 1
                file.write(encode_frame(Kind.OUT, number, b"line\r\n"))
                begun = time.perf_counter()
                projector.advanced({"one": file.tell()})
                while published[0] < expected:
                    time.sleep(0.00005)
                waits.append((time.perf_counter() - begun) * 1000)
                time.sleep(0.002)
    median, slow = percentile(waits, 0.5), percentile(waits, 0.99)
    return Result("idle: notice → published, p50 / p99", f"{median:.2f} / {slow:.2f} ms", "", "≤ 3 / 15 ms", slow <= 15)


def _wait(published: list[int], events: int) -> None:
    deadline = time.monotonic() + 300
    while published[0] < events:
        if time.monotonic() > deadline:
            raise TimeoutError(f"{published[0]} of {events} events")
        time.sleep(0.001)
