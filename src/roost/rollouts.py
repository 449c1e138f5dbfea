"""Which rollouts of Codex there are in `sessions/YYYY/MM/DD`, and where and when their conversations began.

The standard library is all it needs. The id of a conversation cannot be chosen, so a rollout is found by what its first
line says: the directory, and a time not before the agent's start. Those of sub-agents are nobody's.
"""

from __future__ import annotations

import contextlib
import functools
import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

PATTERN = "rollout-*.jsonl"
LONGEST_FIRST_LINE = 1 << 22


class Rollout(NamedTuple):
    """A file, and what its first line says; the time is wall time in nanoseconds."""

    path: Path
    cwd: str
    started_ns: int


def begun(folder: Path, cwd: str, since_ns: int, until_ns: int | None = None) -> list[Rollout]:
    """Those of conversations in `cwd` that began in this time, the oldest first."""
    found = _of(_recent(folder, since_ns), cwd)
    kept = [one for one in found if one.started_ns >= since_ns and (until_ns is None or one.started_ns < until_ns)]
    return sorted(kept, key=lambda one: one.started_ns)


def written(folder: Path, cwd: str, since_ns: int = 0) -> list[Rollout]:
    """Those of conversations in `cwd` that were written to since then, whenever they began; the newest first."""
    times: dict[Path, int] = {}
    for path in folder.glob(f"*/*/*/{PATTERN}"):
        with contextlib.suppress(FileNotFoundError):
            times[path] = path.stat().st_mtime_ns
    newest = sorted((path for path, time_ns in times.items() if time_ns >= since_ns), key=lambda path: -times[path])
    return list(_of(newest, cwd))


def _of(paths: Iterator[Path] | list[Path], cwd: str) -> Iterator[Rollout]:
    here = os.path.realpath(cwd)
    for path in paths:
        with contextlib.suppress(OSError, ValueError):
            told = _first(path)
            if told is not None and os.path.realpath(told.cwd) == here:
                yield told


def _recent(folder: Path, since_ns: int) -> Iterator[Path]:
    """Files of the days since then; a day is the local one of whoever wrote, so one more is looked into."""
    since = datetime.fromtimestamp(since_ns / 1e9, UTC) - timedelta(days=1)
    first = (f"{since.year:04}", f"{since.month:02}", f"{since.day:02}")
    for day in folder.glob("*/*/*"):
        if day.parts[-3:] >= first:
            yield from day.glob(PATTERN)


@functools.lru_cache(maxsize=4096)
def _first(path: Path) -> Rollout | None:
    """What the first line says, which never changes.

    Raises:
        ValueError: it is not whole yet.
    """
    with path.open("rb") as file:
        line = file.readline(LONGEST_FIRST_LINE)
    if not line.endswith(b"\n"):
        raise ValueError("the first line is not whole")
    told = json.loads(line)
    payload = told.get("payload") if isinstance(told, dict) and told.get("type") == "session_meta" else None
    if not isinstance(payload, dict) or isinstance(payload.get("source"), dict):
        return None
    return _told(path, payload)


def _told(path: Path, payload: dict[str, Any]) -> Rollout | None:
    cwd, began = payload.get("cwd"), payload.get("timestamp")
    if not isinstance(cwd, str) or not isinstance(began, str):
        return None
    return Rollout(path, cwd, round(datetime.fromisoformat(began).timestamp() * 1000) * 1_000_000)
