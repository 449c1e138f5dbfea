"""One session's terminal as it lives: an emulator fed from the recording, and what viewers are sent.

Everything that happens to the terminal becomes an item in one bounded log that all viewers share; a viewer is a place
in it. Who falls off its end is given a fresh snapshot instead of what it missed.
"""

from __future__ import annotations

import asyncio
import os
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from msgspec import Struct

from roost.core.queries import QueryFilter
from roost.core.recording import Damage, Frame, Kind, Reader, decode_json, decode_resize
from roost.core.screen import Screen

Json = dict[str, Any]

BACKLOG_BYTES = 1_048_576
READ_BYTES = 262_144
MERGE_BYTES = 65_536
REPLAY_BYTES = 8_388_608
"""How much of a long recording's end is fed to a new emulator; the beginning is fed too, for the modes set there."""
REPLAY_HEAD_BYTES = 262_144


class Output(Struct, frozen=True):
    """Bytes from the agent, without queries that a viewer's terminal would answer."""

    data: bytes


class Size(Struct, frozen=True):
    """The terminal's size from here on."""

    cols: int
    rows: int


class Viewer(Struct, frozen=True):
    """Who looks at a terminal; `since` is RFC 3339."""

    id: str
    name: str
    since: str


class Viewers(Struct, frozen=True):
    """Who looks, and whose size holds."""

    viewers: list[Viewer]
    owner: str | None


class Status(Struct, frozen=True):
    """The agent's state changed."""

    state: str
    reason: str | None


class Complete(Struct, frozen=True):
    """The session is over; nothing follows."""

    exit_code: int | None
    signal: str | None
    duration_ms: int


class Skipped(Struct, frozen=True):
    """Bytes that this viewer was too slow for; a snapshot follows."""

    bytes: int


class Snapshot(Struct, frozen=True):
    """Bytes that redraw the terminal from nothing."""

    data: bytes


Item = Output | Size | Viewers | Status | Complete | Skipped | Snapshot


class LiveTerminal:
    """The emulator of one session and its log of items. Lives on the event loop once `catch_up` was called there."""

    def __init__(self, session_id: str, recording: Path, on_reply: Callable[[bytes], None]) -> None:
        self.session_id = session_id
        self.is_terminal = True
        self.completed: Complete | None = None
        self._on_reply = on_reply
        self._answers = False
        self._descriptor = os.open(recording, os.O_RDONLY | os.O_CLOEXEC)
        self._reader = Reader()
        self.position = 0
        self._filter = QueryFilter()
        self._screen = Screen(80, 24, on_reply=self._reply)
        self._items: deque[Item] = deque()
        self._first = 0
        self._held_bytes = 0
        self.output_bytes = 0
        """Bytes of output that were ever shown."""
        self._changed: asyncio.Future[None] | None = None

    def close(self) -> None:
        """Give the file and the emulator's memory back."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
            self._screen.close()

    # Reading the recording

    def replay(self, answer_from: int) -> None:
        """Bring the emulator up to `answer_from`, in a thread; queries before that stay unanswered."""
        size = os.fstat(self._descriptor).st_size
        if size > REPLAY_BYTES + REPLAY_HEAD_BYTES:
            self._read_until(REPLAY_HEAD_BYTES)
            self.position = size - REPLAY_BYTES
            self._reader = Reader(self.position)
        self._read_until(min(size, answer_from))
        self._forget_items()

    def catch_up(self) -> bool:
        """Take what the recording has new, up to a bound; true when there may be more."""
        self._answers = True
        data = os.pread(self._descriptor, READ_BYTES, self.position)
        self._take(data)
        return len(data) == READ_BYTES

    def _read_until(self, end: int) -> None:
        while self.position < end:
            data = os.pread(self._descriptor, min(READ_BYTES, end - self.position), self.position)
            if not data:
                return
            self._take(data)

    def _take(self, data: bytes) -> None:
        self.position += len(data)
        for found in self._reader.feed(data):
            if isinstance(found, Damage):
                continue
            self._take_frame(found)
        self.wake()

    def _take_frame(self, frame: Frame) -> None:
        if frame.kind in (Kind.OUT, Kind.ERR):
            self._take_output(frame.payload)
        elif frame.kind == Kind.RESIZE:
            self._resize(*decode_resize(frame.payload))
        elif frame.kind == Kind.HEADER:
            header = decode_json(frame.payload)
            self.is_terminal = bool(header.get("terminal", True))
            self._resize(int(header.get("cols") or 80), int(header.get("rows") or 24))
        elif frame.kind == Kind.EXIT:
            ended = decode_json(frame.payload)
            self.completed = Complete(ended.get("code"), ended.get("signal"), frame.time_ns // 1_000_000)
            self.add(self.completed)

    def _take_output(self, data: bytes) -> None:
        if not self.is_terminal:
            data = data.replace(b"\n", b"\r\n")
        self._screen.feed(data)
        shown = self._filter.feed(data)
        if shown:
            self.add(Output(shown))

    def _resize(self, cols: int, rows: int) -> None:
        self._screen.resize(cols, rows)
        self.add(Size(cols, rows))

    def _reply(self, data: bytes) -> None:
        if self._answers and self.is_terminal and self.completed is None:
            self._on_reply(data)

    # What viewers see

    @property
    def screen(self) -> Screen:
        return self._screen

    @property
    def end(self) -> int:
        """The place behind the newest item."""
        return self._first + len(self._items)

    def add(self, item: Item) -> None:
        """Append an item, dropping the oldest beyond the bound."""
        self._items.append(item)
        self._held_bytes += _weight(item)
        if isinstance(item, Output):
            self.output_bytes += len(item.data)
        while self._held_bytes > BACKLOG_BYTES and len(self._items) > 1:
            self._held_bytes -= _weight(self._items.popleft())
            self._first += 1

    def holds(self, place: int) -> bool:
        """Whether nothing since `place` has been dropped."""
        return place >= self._first

    def next_items(self, place: int) -> tuple[list[Item], int]:
        """Items from `place` on, outputs merged to about `MERGE_BYTES`, and the place behind them."""
        items: list[Item] = []
        pieces: list[bytes] = []
        size = 0
        for index in range(place - self._first, len(self._items)):
            item = self._items[index]
            if isinstance(item, Output):
                pieces.append(item.data)
                size += len(item.data)
            else:
                _flush(pieces, items)
                items.append(item)
            place += 1
            if size >= MERGE_BYTES:
                break
        _flush(pieces, items)
        return items, place

    async def wait(self) -> None:
        """Until something was added."""
        if self._changed is None:
            self._changed = asyncio.get_running_loop().create_future()
        await asyncio.shield(self._changed)

    def wake(self) -> None:
        """Let those who wait look again."""
        if self._changed is not None and not self._changed.done():
            self._changed.set_result(None)
        self._changed = None

    def _forget_items(self) -> None:
        self._first += len(self._items)
        self._items.clear()
        self._held_bytes = 0


def _flush(pieces: list[bytes], items: list[Item]) -> None:
    if pieces:
        items.append(Output(b"".join(pieces)))
        pieces.clear()


def _weight(item: Item) -> int:
    return len(item.data) + 64 if isinstance(item, Output) else 64
