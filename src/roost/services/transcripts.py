"""Reads what coding agents in their own screens keep of their conversations, and notes it in their recordings.

The lines become marks, from which the projection makes events; how far a file was read stands in the session's
conversation, so that a server that was killed goes on there.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import structlog
from msgspec import Struct

from roost.agents.own_screens import NOTED, Place, place_of
from roost.errors import RoostError
from roost.model.agents import ENDED, Session
from roost.rollouts import begun, written

POLL_S = 0.5
MARK_BYTES = 262_144
"""Lines are gathered into a mark up to this size."""
LONGEST_LINE = 400_000
"""A longer line, which no mark could hold, is left out: the CLI's own notes of whole requests are the only such."""

log = structlog.get_logger("transcripts")

Json = dict[str, Any]
Note = Callable[[str, Json], Awaitable[None]]
"""Makes a mark on a session's recording."""
Environment = Callable[[str], Mapping[str, str]]
"""An agent's environment, by the agent's name."""


class _Dated(Struct):
    timestamp: datetime | None = None


@dataclass(slots=True)
class Tap:
    """One file that is being read."""

    place: Place
    started_ns: int
    path: Path | None = None
    offset: int = 0


class Transcripts:
    """One for the server; lives on the event loop."""

    def __init__(self, note: Note, environment: Environment, *, enabled: bool) -> None:
        self._note = note
        self._environment = environment
        self._enabled = enabled
        self._taps: dict[str, Tap] = {}
        self._ending: set[str] = set()
        self._task: asyncio.Task[None] | None = None

    def take(self, sessions: Iterable[Session]) -> None:
        """Sessions as they are now."""
        if not self._enabled:
            return
        for session in sessions:
            if session.state in ENDED:
                self._taps.pop(session.session_id, None)
            elif session.definition.driver == "terminal" and session.session_id not in self._taps:
                self._open(session)
        if self._taps and self._task is None:
            self._task = asyncio.create_task(self._run())

    async def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _open(self, session: Session) -> None:
        of = session.definition
        env = self._environment(session.agent_name)
        place = place_of(of.command, of.cwd, env, of.conversation_id)
        if place is None:
            return
        tap = Tap(place, session.started_ns)
        for file, offset in session.conversation.read if session.conversation else ():
            tap.path, tap.offset = Path(place.folder, file), offset
        self._taps[session.session_id] = tap

    async def _run(self) -> None:
        while True:
            for session_id, tap in list(self._taps.items()):
                try:
                    await self._read(session_id, tap)
                except (OSError, RoostError) as exc:
                    log.info("transcript not read", session_id=session_id, reason=str(exc))
            await asyncio.sleep(POLL_S)

    async def _read(self, session_id: str, tap: Tap) -> None:
        if tap.path is None:
            found = await asyncio.to_thread(_find, tap, list(self._taps.values()))
            if found is None:
                return
            tap.path, tap.offset = found
        if tap.path.stat().st_size <= tap.offset:
            return
        file = str(tap.path.relative_to(tap.place.folder))
        for offset, lines, end in await asyncio.to_thread(_lines, tap.path, tap.offset, NOTED[tap.place.cli]):
            if lines:
                mark = {"type": "transcript", "cli": tap.place.cli, "file": file, "offset": offset}
                await self._note(session_id, mark | {"lines": lines})
            tap.offset = end


def _find(tap: Tap, taps: list[Tap]) -> tuple[Path, int] | None:
    """The file of a conversation, and where what is new of it begins; nobody gets the file of another."""
    place, started_ns, taken = tap.place, tap.started_ns, {one.path for one in taps}
    if place.cwd is not None:
        return _rollout(tap, taps, taken)
    if place.file is not None:
        path = Path(place.folder, place.file)
        return (path, 0) if path.exists() else None
    with contextlib.suppress(FileNotFoundError), os.scandir(place.folder) as entries:
        for entry in entries:
            path, stat = Path(entry.path), entry.stat()
            if path.suffix == ".jsonl" and path not in taken and stat.st_mtime_ns >= started_ns:
                return path, _first_after(path, started_ns)
    return None


def _rollout(tap: Tap, taps: list[Tap], taken: set[Path | None]) -> tuple[Path, int] | None:
    """Of several agents in a directory, a conversation is of the one that was started last before it began."""
    place, folder, cwd = tap.place, Path(tap.place.folder), tap.place.cwd or ""
    if place.resumes:
        path = next((one.path for one in written(folder, cwd, tap.started_ns) if one.path not in taken), None)
        return None if path is None else (path, _first_after(path, tap.started_ns))
    later = [one.started_ns for one in taps if one.place == place and one.started_ns > tap.started_ns]
    found = begun(folder, cwd, tap.started_ns, min(later, default=None))
    return next(((one.path, 0) for one in found if one.path not in taken), None)


def _first_after(path: Path, started_ns: int) -> int:
    """Where the lines begin that were written since then; a conversation that is gone on with has older ones."""
    offset = 0
    with path.open("rb") as file:
        for line in file:
            with contextlib.suppress(msgspec.DecodeError, ValueError):
                told = msgspec.json.decode(line, type=_Dated)
                if told.timestamp is not None and told.timestamp.timestamp() * 1e9 >= started_ns:
                    return offset
            offset += len(line)
    return offset


def _lines(path: Path, offset: int, noted: tuple[bytes, ...]) -> list[tuple[int, list[str], int]]:
    """Whole lines from `offset` on, in runs that fit into a mark: where each begins, its lines, where it ends."""
    runs: list[tuple[int, list[str], int]] = []
    with path.open("rb") as file:
        file.seek(offset)
        begin, size = offset, 0
        lines: list[str] = []
        for line in file:
            if not line.endswith(b"\n"):
                break
            wanted = len(line) <= LONGEST_LINE and any(sign in line for sign in noted)
            if not wanted or size + len(line) > MARK_BYTES:
                runs.append((begin, lines, offset))
                begin, lines, size = offset, [], 0
            offset += len(line)
            if wanted:
                lines.append(line[:-1].decode("utf-8", "replace"))
                size += len(line)
            else:
                begin = offset
        runs.append((begin, lines, offset))
    return runs
