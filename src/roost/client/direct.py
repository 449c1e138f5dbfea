"""An agent's terminal straight from the keeper and the recording, without a server.

While no server runs, the local terminal answers what the program asks its terminal. Of several that are attached this
way one does: the one that holds a lock on the recording; the others are not shown the questions.
"""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from roost.client.link import LinkLost, Update
from roost.client.modes import Modes
from roost.core.queries import QueryFilter, has_query
from roost.core.recording import Frame, Kind, Reader, decode_json, decode_resize
from roost.core.typed import END_OF_FILE, source_of
from roost.errors import (
    AgentNotRunning,
    Conflict,
    DiskFull,
    KeeperUnavailable,
    LimitReached,
    RoostError,
    SessionNotFound,
    TimedOut,
)
from roost.keeper.client import KeeperClient

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from roost.client.outbox import Outbox, Piece
    from roost.core.screen import Screen
    from roost.paths import DataDirectory

    Json = dict[str, Any]

READ_BYTES = 262_144
HEAD_BYTES = 262_144
SCROLLBACK_ROWS = 1000
REPLAY_BYTES = 8 << 20
"""How much of a long recording's end is shown to a new emulator; its head is too, for the modes set there."""


class KeeperLink:
    """An attachment through the keeper."""

    where = "keeper"

    def __init__(
        self,
        data: DataDirectory,
        session: Json,
        size: tuple[int, int],
        outbox: Outbox,
        *,
        fresh: bool,
        read_only: bool,
        server_answers: Callable[[], bool] = lambda: False,
    ) -> None:
        self._session_id: str = session["session_id"]
        self._is_terminal: bool = session["terminal"]
        self._outbox = outbox
        self._read_only = read_only
        self.waits = False
        self._wanted_size = size
        self._actual_size = (session["cols"], session["rows"])
        self._file = data.recording(self._session_id).open("rb")
        self._reader = Reader()
        self._position = 0
        self._server_answers = server_answers
        self._answers = False
        self._queries = QueryFilter()
        self._early: list[Update] = [Update("attached", info={"session_id": self._session_id})]
        self._client = KeeperClient.connect(data.root)
        try:
            self._begin(fresh)
        except BaseException:
            self.close()
            raise

    def _begin(self, fresh: bool) -> None:
        self._client.call("watch")
        if not fresh:
            painted = repaint(self._file.fileno())
            self._reader, self._position = Reader(painted.offset), painted.offset
            self._early.append(Update("snapshot", painted.data))
        self._become_answerer()
        if not self._read_only:
            self._take_size()
            self._outbox.begin(self._session_id)
        self._early += self._read_new()

    @property
    def answers(self) -> bool:
        return self._answers

    def fileno(self) -> int:
        return self._client.fileno()

    def has_early(self) -> bool:
        # A notice may have come with the answer to something typed, and the socket tells of it no more.
        return bool(self._early) or os.fstat(self._file.fileno()).st_size > self._position

    def receive(self) -> list[Update]:
        found, self._early = self._early, []
        lost = ""
        try:
            if any(notice["notice"] == "goodbye" for notice in self._client.notices()):
                lost = "the keeper is being replaced"
        except RoostError:
            lost = "the keeper went away"
        found += self._read_new()
        if lost and not found:
            raise LinkLost(lost)
        return found

    def _read_new(self) -> list[Update]:
        found: list[Update] = []
        while data := os.pread(self._file.fileno(), READ_BYTES, self._position):
            self._position += len(data)
            for item in self._reader.feed(data):
                if isinstance(item, Frame):
                    found += self._updates(item)
        return found

    def _updates(self, frame: Frame) -> list[Update]:
        if frame.kind in (Kind.OUT, Kind.ERR):
            return [Update("output", self._shown(frame.payload))]
        if frame.kind == Kind.RESIZE:
            self._actual_size = decode_resize(frame.payload)
            return [Update("size", info={"cols": self._actual_size[0], "rows": self._actual_size[1]})]
        if frame.kind == Kind.EXIT:
            ended = decode_json(frame.payload)
            return [Update("complete", info={"exit_code": ended.get("code"), "signal": ended.get("signal")})]
        return []

    def _shown(self, output: bytes) -> bytes:
        if not self._is_terminal:
            return output.replace(b"\n", b"\r\n")
        if self._answers:
            return output
        if has_query(output) and self._become_answerer():
            return self._queries.flush() + output
        return self._queries.feed(output)

    def _become_answerer(self) -> bool:
        """Whether our terminal is from now on the one that answers: no server does, and nobody else who is attached."""
        if self._read_only or self._server_answers():
            return False
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
        self._call("attach")
        self._answers = True
        return True

    def flush(self) -> None:
        self.waits = False
        while not self.waits and (piece := self._outbox.take()) is not None:
            if self._actual_size != self._wanted_size:
                self._take_size()
            self._type(piece)

    def _type(self, piece: Piece) -> None:
        try:
            if not piece.data and not self._is_terminal:
                self._call("close_input")
            else:
                source = source_of(self._outbox.client_id)
                self._call("input", blob=piece.data or END_OF_FILE, source=source, seq=piece.seq)
        except (LimitReached, DiskFull):
            self._outbox.put_back()
            self.waits = True
            return
        except Conflict:
            pass  # The agent has closed its input, as it may; what is typed at it goes nowhere.
        self._outbox.settle(piece.seq)

    def resize(self, cols: int, rows: int) -> None:
        self._wanted_size = (cols, rows)
        self._take_size()

    def _take_size(self) -> None:
        """Give the terminal our size: we came last, or typed last."""
        if self._is_terminal and not self._read_only:
            cols, rows = self._wanted_size
            self._call("resize", cols=cols, rows=rows)
            self._actual_size = self._wanted_size

    def close(self) -> None:
        self._client.close()
        self._file.close()

    def _call(self, op: str, blob: bytes = b"", **fields: Any) -> None:
        """Ask the keeper; what it refuses because the agent has just ended is no error: the end will come."""
        try:
            self._client.call(op, blob=blob, session_id=self._session_id, **fields)
        except (KeeperUnavailable, TimedOut) as error:
            raise LinkLost("the keeper went away") from error
        except (AgentNotRunning, SessionNotFound):
            pass


class Painted(NamedTuple):
    """What paints a terminal as it stood when the recording was `offset` bytes long."""

    data: bytes
    offset: int


def repaint(descriptor: int) -> Painted:
    """The terminal of a recording as it stands."""
    screen, offset = replay(descriptor)
    try:
        return Painted(screen.snapshot(SCROLLBACK_ROWS), offset)
    finally:
        screen.close()


def replay(descriptor: int) -> tuple[Screen, int]:
    """An emulator fed with a recording, and how much of it was read."""
    from roost.core.screen import Screen

    screen = Screen(80, 24)
    size = os.fstat(descriptor).st_size
    cut = size - REPLAY_BYTES
    if cut <= HEAD_BYTES:
        return screen, _feed(screen, descriptor, 0, size)
    _feed(screen, descriptor, 0, HEAD_BYTES)
    return screen, _feed(screen, descriptor, cut, size)


def _feed(screen: Screen, descriptor: int, start: int, end: int) -> int:
    reader = Reader(start)
    terminal = True
    position = start
    while position < end and (data := os.pread(descriptor, min(READ_BYTES, end - position), position)):
        position += len(data)
        for item in reader.feed(data):
            if isinstance(item, Frame):
                terminal = _show(screen, item, terminal)
    return reader.offset


def _show(screen: Screen, frame: Frame, terminal: bool) -> bool:
    """Show one frame; says whether the agent has a terminal."""
    if frame.kind in (Kind.OUT, Kind.ERR):
        screen.feed(frame.payload if terminal else frame.payload.replace(b"\n", b"\r\n"))
    elif frame.kind == Kind.RESIZE:
        screen.resize(*decode_resize(frame.payload))
    elif frame.kind == Kind.HEADER:
        header = decode_json(frame.payload)
        screen.resize(int(header.get("cols") or 80), int(header.get("rows") or 24))
        return bool(header.get("terminal", True))
    return terminal


def modes_of(recording: Path) -> Modes:
    """The modes that a program has set in its terminal."""
    modes = Modes()
    reader = Reader()
    with recording.open("rb") as file:
        while data := file.read(READ_BYTES):
            for item in reader.feed(data):
                if isinstance(item, Frame) and item.kind == Kind.OUT:
                    modes.feed(item.payload)
    return modes


def screen_of(recording: Path, view: Json) -> Json:
    """The screen of a recording, in the form in which the server shows it, cells left out."""
    with recording.open("rb") as file:
        screen, _ = replay(file.fileno())
    try:
        rows = screen.text().split("\n")
        return {
            "agent_name": view["name"],
            "session_id": view["session_id"],
            "cols": view["cols"],
            "rows": view["rows"],
            "title": screen.title,
            "cursor_col": screen.cursor.col,
            "cursor_row": screen.cursor.row,
            "cursor_visible": screen.cursor.visible,
            "alternate": screen.modes.alternate,
            "rows_text": rows,
        }
    finally:
        screen.close()
