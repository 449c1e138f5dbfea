"""Coding agents that run on this machine and were not started by roost."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

from roost.agents.own_screens import place_of

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
    return [found for pid in pids if (found := candidate(pid, proc)) is not None]


def candidate(pid: int, proc: Path = Path("/proc")) -> Candidate | None:
    """The agent that a process is, if it is one."""
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
    file = _newest(Path(place.folder))
    return None if file is None else Candidate(pid, place.cli, cwd, file)


def _newest(folder: Path) -> Path | None:
    files = [path for path in folder.glob("*.jsonl") if path.is_file()]
    return max(files, key=lambda path: path.stat().st_mtime_ns) if files else None
