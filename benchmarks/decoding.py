"""Claude Code's lines to typed events: processor time a line, beside plain JSON decoding of the same lines."""

from __future__ import annotations

import time
from collections.abc import Callable

import msgspec
from tests.agents.claude.transcripts import STREAMING, all_lines, opened

from benchmarks.results import Result
from roost.agents.claude import ClaudeDriver
from roost.agents.driver import Opening
from roost.model.agents import Definition

MOST_US_A_LINE = 8.0
NOW = 1_795_000_000_000_000_000
Runs = list[list[bytes]]


def run(quick: bool) -> list[Result]:
    """Every transcript, each in a session of its own; the best of several rounds, for the neighbours' sake."""
    runs = all_lines()
    lines, size = sum(map(len, runs)), sum(len(line) for run in runs for line in run)
    plain = codec = whole = float("inf")
    for _ in range(20 if quick else 100):
        plain = min(plain, _timed(lambda: _plain(runs)))
        codec = min(codec, _timed(_receivers(runs)))
        whole = min(whole, _timed(_decoders(runs)))
    plain, codec, whole = (seconds / lines * 1e6 for seconds in (plain, codec, whole))
    return [
        Result(
            f"stream-json line → typed events, {lines} lines of {size // lines} bytes",
            f"{codec:.1f} µs, {codec / plain:.1f} ×; {whole:.1f} µs with turns, approvals and usage kept",
            f"msgspec.json.decode {plain:.1f} µs",
            f"≤ {MOST_US_A_LINE:.0f} µs",
            codec <= MOST_US_A_LINE,
        )
    ]


def _plain(runs: Runs) -> None:
    decode = msgspec.json.Decoder().decode
    for run in runs:
        for line in run:
            try:
                decode(line)
            except msgspec.DecodeError:
                pass


def _receivers(runs: Runs) -> Callable[[], None]:
    """What feeds a codec for each transcript; opening it does not count."""
    sessions = []
    for run in runs:
        codec = ClaudeDriver().codec()
        codec.open(Opening(argv=STREAMING, definition=Definition(command=[])))
        sessions.append((codec.receive, run))

    def feed() -> None:
        for receive, run in sessions:
            for line in run:
                receive(line, NOW)

    return feed


def _decoders(runs: Runs) -> Callable[[], None]:
    sessions = [(opened(STREAMING).output, [line + b"\n" for line in run]) for run in runs]

    def feed() -> None:
        for output, run in sessions:
            for line in run:
                output(line, NOW)

    return feed


def _timed(work: Callable[[], None]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
