"""Watches the directories of structured agents, and notes in their recordings which files change.

One thread watches all of them. What it finds are marks, from which the projection makes `file_change` events.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import structlog

from roost.errors import RoostError
from roost.model.agents import ENDED, STRUCTURED, Session
from roost.services.file_contents import IGNORED, FileContents, TooLarge

SETTLE_MS = 200
"""Over how long changes are gathered."""
MOST_CHANGES = 200
"""Changes of one directory that are told one by one; of more, only how many."""

log = structlog.get_logger("files")

Json = dict[str, Any]
Note = Callable[[str, Json], Awaitable[None]]
"""Makes a mark on a session's recording."""


class FileWatch:
    """One for the server; lives on the event loop, with a thread of its own while there is something to watch."""

    def __init__(self, note: Note, *, enabled: bool) -> None:
        self._note = note
        self._enabled = enabled
        self._roots: dict[str, Path] = {}
        self._contents: dict[Path, FileContents] = {}
        self._refused: set[Path] = set()
        self._task: asyncio.Task[None] | None = None
        self._stop = threading.Event()
        self._changed = asyncio.Event()

    def take(self, sessions: Iterable[Session]) -> None:
        """Sessions as they are now."""
        if not self._enabled:
            return
        before = set(self._roots.values())
        for session in sessions:
            if session.state in ENDED:
                self._roots.pop(session.session_id, None)
            elif session.definition.driver in STRUCTURED and session.session_id not in self._roots:
                self._roots[session.session_id] = Path(session.definition.cwd)
        if set(self._roots.values()) != before:
            self._begin_again()

    async def close(self) -> None:
        """Stop watching."""
        self._stop.set()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def _begin_again(self) -> None:
        self._stop.set()
        self._changed.set()
        if self._task is None:
            self._task = asyncio.create_task(self._run())

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            self._stop = threading.Event()
            roots = await asyncio.to_thread(self._learn, set(self._roots.values()))
            if roots and not self._changed.is_set():
                await self._watch(roots, self._stop)

    def _learn(self, wanted: set[Path]) -> list[Path]:
        for root in [root for root in self._contents if root not in wanted]:
            del self._contents[root]
        for root in wanted - self._contents.keys() - self._refused:
            contents = FileContents(root)
            try:
                if root in (Path("/"), Path.home()):
                    raise TooLarge
                contents.learn()
            except TooLarge:
                log.info("directory not watched: it is too large", cwd=str(root))
                self._refused.add(root)
                continue
            self._contents[root] = contents
        return [root for root in self._contents if root.is_dir()]

    async def _watch(self, roots: list[Path], stop: threading.Event) -> None:
        """Watch until the roots are others."""
        loop = asyncio.get_running_loop()
        found: asyncio.Queue[set[tuple[int, str]] | None] = asyncio.Queue()

        def tell(changes: set[tuple[int, str]] | None) -> None:
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(found.put_nowait, changes)

        threading.Thread(target=_watch_files, args=(roots, stop, tell), name="file-watch", daemon=True).start()
        try:
            while (changes := await found.get()) is not None:
                for root in roots:
                    await self._tell(root, changes)
        finally:
            stop.set()

    async def _tell(self, root: Path, changes: set[tuple[int, str]]) -> None:
        inside = sorted((path, kind) for kind, path in changes if Path(path).is_relative_to(root))
        contents = self._contents.get(root)
        if not inside or contents is None:
            return
        marks = await asyncio.to_thread(_marks, contents, inside)
        for session_id in [name for name, where in self._roots.items() if where == root]:
            for mark in marks:
                try:
                    await self._note(session_id, mark)
                except RoostError as exc:
                    log.info("change not noted", session_id=session_id, reason=str(exc))
                    break


def _marks(contents: FileContents, changes: list[tuple[str, int]]) -> list[Json]:
    from watchfiles import Change

    told = changes[:MOST_CHANGES]
    marks = [mark for path, kind in told if (mark := contents.change(path, deleted=kind == Change.deleted))]
    if len(changes) > MOST_CHANGES:
        marks.append({"type": "files_changed", "count": len(changes) - MOST_CHANGES})
    return marks


def _watch_files(roots: list[Path], stop: threading.Event, tell: Callable[[Any], None]) -> None:
    # Loaded here, for it brings a library of its own that most servers never need.
    from watchfiles import DefaultFilter, watch

    try:
        for changes in watch(
            *roots,
            watch_filter=DefaultFilter(ignore_dirs=sorted(IGNORED)),
            debounce=SETTLE_MS,
            stop_event=stop,
            rust_timeout=1000,
            ignore_permission_denied=True,
            raise_interrupt=False,
        ):
            tell(changes)
    except (OSError, RuntimeError) as exc:
        log.warning("directories are not watched", reason=str(exc))
        stop.wait()
    finally:
        tell(None)
