"""Coding agents that run on this machine and were not started by roost."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from roost.agents.own_screens import Place, place_of
from roost.rollouts import written

KEEPER_SIGN = b"ROOST_SESSION="


class Candidate(NamedTuple):
    """An agent that can be adopted: its process, directory, and the transcript that it writes."""

    pid: int
    cli: str
    cwd: str
    file: Path


def candidates(proc: Path = Path("/proc")) -> list[Candidate]:
    """All of this user's, by pid; those whose transcript cannot be found are left out."""
    pids = sorted(int(entry.name) for entry in proc.iterdir() if entry.name.isdigit())
    found: list[Candidate] = []
    for pid in pids:
        one = candidate(pid, proc, taken={other.file for other in found})
        found += [one] if one is not None else []
    return found


def candidate(pid: int, proc: Path = Path("/proc"), taken: Collection[Path] = ()) -> Candidate | None:
    """The agent that a process is, if it is one; files that are `taken` are another's."""
    folder = proc / str(pid)
    try:
        command = [os.fsdecode(word) for word in (folder / "cmdline").read_bytes().split(b"\0")[:-1]]
        environ = (folder / "environ").read_bytes().split(b"\0")
        cwd = str((folder / "cwd").readlink())
    except OSError:
        return None
    env = dict(os.fsdecode(item).partition("=")[::2] for item in environ)
    place = place_of(command, cwd, env, None)
    if place is None or any(item.startswith(KEEPER_SIGN) for item in environ):
        return None
    file = _open_file(folder, place) or _newest(place, taken)
    return None if file is None else Candidate(pid, place.cli, cwd, file)


def _open_file(process: Path, place: Place) -> Path | None:
    """The rollout that Codex has open, where no server of its own writes it."""
    if place.cwd is None:
        return None
    for entry in _entries(process / "fd"):
        with contextlib.suppress(OSError):
            path = entry.readlink()
            if path.is_relative_to(place.folder) and path.suffix == ".jsonl":
                return path
    return None


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _newest(place: Place, taken: Collection[Path]) -> Path | None:
    folder = Path(place.folder)
    if place.cwd is not None:
        return next((one.path for one in written(folder, place.cwd) if one.path not in taken), None)
    files = [path for path in folder.glob("*.jsonl") if path.is_file() and path not in taken]
    return max(files, key=lambda path: path.stat().st_mtime_ns) if files else None
