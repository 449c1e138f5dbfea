"""Terminals: who looks at which, whose size holds, and who answers what programs ask their terminal.

Programs ask their terminal for its kind, cursor position, colours and more. One authority answers: the emulator here.
Viewers are never sent such queries, and what their terminals might answer nevertheless is not typed.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any

import structlog

from roost.core.queries import ReplyFilter
from roost.core.screen import Screen
from roost.core.typed import END_OF_FILE
from roost.core.wire import timestamp
from roost.errors import Forbidden, RoostError, SessionNotFound
from roost.model.agents import Session
from roost.model.views import Run, ScreenView
from roost.paths import DataDirectory
from roost.services.agents import Agents
from roost.services.keeper_link import KeeperLink
from roost.services.live_terminal import (
    Complete,
    Item,
    LiveTerminal,
    Skipped,
    Snapshot,
    Status,
    Viewer,
    Viewers,
)

log = structlog.get_logger("terminals")
Json = dict[str, Any]

MAX_UNWATCHED = 64
"""Emulators kept although nobody looks, for the next who does and for programs that ask again."""


class Terminals:
    """The live terminals of this node. Lives on the event loop."""

    def __init__(self, data: DataDirectory, agents: Agents, link: KeeperLink) -> None:
        self._data = data
        self._agents = agents
        self._link = link
        self._live: dict[str, LiveTerminal] = {}
        self._rooms: dict[str, _Room] = {}
        self._building: dict[str, asyncio.Task[LiveTerminal]] = {}
        self._known: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._source = f"terminal-{secrets.token_hex(8)}"
        self._replies = 0
        self._closing = False

    def warm_up(self) -> None:
        """Load the emulator in the background, so that the first program that asks something does not wait for it."""
        self._spawn(asyncio.to_thread(_load_emulator))

    # What the keeper and the projection say

    def known(self, offsets: Mapping[str, int]) -> None:
        """These recordings were there before: what their programs asked then is not answered now."""
        for session_id, offset in offsets.items():
            self._known.setdefault(session_id, offset)

    def asked(self, session_id: str, start: int, end: int) -> None:
        """A program asked its terminal something between two offsets of its recording."""
        known = self._known.get(session_id, 0)
        if end > known and session_id not in self._live and session_id not in self._building:
            self._spawn(self._ensure_quietly(session_id, max(start, known)))

    def advanced(self, offsets: Mapping[str, int]) -> None:
        """These recordings grew."""
        for session_id in offsets.keys() & self._live.keys():
            self._follow(self._live[session_id])

    def take(self, sessions: list[Session]) -> None:
        """Tell viewers of changed states; forget what ended."""
        for session in sessions:
            room = self._rooms.get(session.session_id)
            if room is not None and room.state != session.state:
                room.state = session.state
                room.live.add(Status(session.state, session.reason))
                room.live.wake()
            if session.ended_ns is not None:
                self._known.pop(session.session_id, None)
                self._trim()

    async def close(self) -> None:
        """End every attachment."""
        self._closing = True
        for live in list(self._live.values()):
            live.wake()
        for task in [*self._building.values(), *self._tasks]:
            task.cancel()
        await asyncio.gather(*self._building.values(), *self._tasks, return_exceptions=True)
        for live in self._live.values():
            live.close()
        self._live.clear()

    # For people

    @contextlib.asynccontextmanager
    async def attach(
        self, name: str, viewer_name: str, size: tuple[int, int] | None = None, *, read_only: bool = False
    ) -> AsyncIterator[Attachment]:
        """Look at an agent's terminal, and type into it unless `read_only`."""
        session = self._agents.resolve_session(name)
        live = await self._live_of(session)
        room = self._rooms.setdefault(session.session_id, _Room(live, session.state))
        viewer = Viewer(secrets.token_hex(4), viewer_name, timestamp(time.time_ns()))
        attachment = Attachment(self, room, session, viewer, read_only)
        room.enter(attachment)
        self._count_viewers(session, room)
        try:
            if size is not None:
                await attachment.resize(*size)
            yield attachment
        finally:
            room.leave(attachment)
            self._count_viewers(session, room)
            if not room.attachments:
                self._rooms.pop(session.session_id, None)
                self._trim()

    async def screen(self, name: str) -> ScreenView:
        """The terminal as it stands."""
        session = self._agents.resolve_session(name)
        live = await self._live_of(session)
        view = screen_view(session, live)
        self._trim()
        return view

    async def bracketed_paste(self, name: str) -> bool:
        """Whether the program asked for pasted text to be marked as such."""
        session = self._agents.resolve_session(name)
        live = await self._live_of(session)
        return live.screen.modes.bracketed_paste

    async def application_cursor(self, name: str) -> bool:
        """Whether the program asked for application cursor keys."""
        session = self._agents.resolve_session(name)
        live = await self._live_of(session)
        return live.screen.modes.application_cursor

    @property
    def live_count(self) -> int:
        return len(self._live)

    @property
    def closing(self) -> bool:
        return self._closing

    async def type(self, session: Session, source: str, seq: int, data: bytes) -> None:
        await self._agents.send_input(session.agent_name, data, source=source, seq=seq, session_id=session.session_id)

    async def close_input(self, session: Session, by: str) -> None:
        await self._agents.close_input(session.agent_name, by=by, session_id=session.session_id)

    async def apply_size(self, session: Session, cols: int, rows: int, by: str) -> None:
        await self._agents.resize(session.agent_name, cols, rows, by=by)

    # Inside

    async def _live_of(self, session: Session) -> LiveTerminal:
        """For somebody who looks. What the projection has not come to yet, nobody has been asked to answer."""
        return await self._ensure(session.session_id, max(session.offset, self._known.get(session.session_id, 0)))

    async def _ensure(self, session_id: str, answer_from: int) -> LiveTerminal:
        live = self._live.get(session_id)
        if live is not None:
            live.catch_up()
            return live
        task = self._building.get(session_id)
        if task is None:
            task = asyncio.create_task(self._build(session_id, answer_from))
            self._building[session_id] = task
        return await asyncio.shield(task)

    async def _build(self, session_id: str, answer_from: int) -> LiveTerminal:
        try:
            live = await asyncio.to_thread(self._open_and_replay, session_id, answer_from)
            self._live[session_id] = live
            while live.catch_up():  # noqa: ASYNC110 -- yields, it waits for nothing
                await asyncio.sleep(0)  # let others run between two pieces of a long recording
            return live
        finally:
            self._building.pop(session_id, None)

    def _open_and_replay(self, session_id: str, answer_from: int) -> LiveTerminal:
        loop_reply = self._reply_later(session_id)
        try:
            live = LiveTerminal(session_id, self._data.recording(session_id), loop_reply)
        except FileNotFoundError:
            raise SessionNotFound(f"the recording of session {session_id} is gone", session_id=session_id) from None
        live.replay(answer_from)
        return live

    def _follow(self, live: LiveTerminal) -> None:
        if live.catch_up():
            asyncio.get_running_loop().call_soon(self._follow_again, live.session_id)

    def _follow_again(self, session_id: str) -> None:
        live = self._live.get(session_id)
        if live is not None:
            self._follow(live)

    async def _ensure_quietly(self, session_id: str, answer_from: int) -> None:
        with contextlib.suppress(RoostError):
            await self._ensure(session_id, answer_from)

    def _reply_later(self, session_id: str) -> Any:
        def reply(data: bytes) -> None:
            self._replies += 1
            self._spawn(self._reply(session_id, self._replies, data))

        return reply

    async def _reply(self, session_id: str, seq: int, data: bytes) -> None:
        try:
            await self._link.call("input", data, session_id=session_id, source=self._source, seq=seq, reply=True)
        except RoostError as exc:
            log.debug("terminal reply not taken", session_id=session_id, error=str(exc))

    def _spawn(self, work: Any) -> None:
        task: asyncio.Task[None] = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _count_viewers(self, session: Session, room: _Room) -> None:
        with contextlib.suppress(RoostError):
            self._agents.record(session.agent_name).viewers = len(room.attachments)

    def _trim(self) -> None:
        unwatched = [live for live in self._live.values() if live.session_id not in self._rooms]
        for live in [live for live in unwatched if live.completed is not None] + unwatched[:-MAX_UNWATCHED]:
            if self._live.pop(live.session_id, None) is not None:
                self._known[live.session_id] = live.position
                live.close()


def _load_emulator() -> None:
    Screen(1, 1).close()


class _Room:
    """Everybody at one terminal."""

    def __init__(self, live: LiveTerminal, state: str) -> None:
        self.live = live
        self.state = state
        self.owner: Attachment | None = None
        self.attachments: list[Attachment] = []

    def enter(self, attachment: Attachment) -> None:
        self.attachments.append(attachment)
        if self.owner is None and not attachment.read_only:
            self.owner = attachment
        self._tell()

    def leave(self, attachment: Attachment) -> None:
        self.attachments.remove(attachment)
        if self.owner is attachment:
            self.owner = None
        self._tell()

    def own(self, attachment: Attachment) -> bool:
        """Make `attachment` the owner; false when it was already."""
        if self.owner is attachment:
            return False
        self.owner = attachment
        self._tell()
        return True

    def describe(self) -> Viewers:
        return Viewers([each.viewer for each in self.attachments], self.owner.viewer.id if self.owner else None)

    def _tell(self) -> None:
        self.live.add(self.describe())
        self.live.wake()


class Attachment:
    """One viewer at a terminal: iterate to see, `type` to write."""

    def __init__(self, terminals: Terminals, room: _Room, session: Session, viewer: Viewer, read_only: bool) -> None:
        self._terminals = terminals
        self._room = room
        self._session = session
        self._replies = ReplyFilter()
        self._size: tuple[int, int] | None = None
        self._typed = 0
        self.viewer = viewer
        self.read_only = read_only
        self._place = room.live.end
        self._seen_bytes = room.live.output_bytes
        self._ended = False

    @property
    def session_id(self) -> str:
        return self._session.session_id

    @property
    def hello(self) -> Json:
        """What the viewer is told first."""
        cols, rows = self._room.live.screen.size
        present = self._room.describe()
        return {
            "session_id": self._session.session_id,
            "cols": cols,
            "rows": rows,
            "viewers": [{"id": each.id, "name": each.name, "since": each.since} for each in present.viewers],
            "you": self.viewer.id,
            "owner": present.owner,
            "state": self._room.state,
            "terminal": self._room.live.is_terminal,
        }

    def snapshot(self, scrollback_rows: int = 1000) -> bytes:
        """Bytes that redraw the terminal as it is now; what follows begins right behind them."""
        self._place = self._room.live.end
        self._seen_bytes = self._room.live.output_bytes
        return self._room.live.screen.snapshot(scrollback_rows=scrollback_rows)

    async def __aiter__(self) -> AsyncIterator[Item]:
        """What happens from the snapshot on; ends behind `Complete`, or when the server closes."""
        live = self._room.live
        if live.completed is not None:
            yield live.completed
            return
        while not self._terminals.closing:
            if not live.holds(self._place):
                yield Skipped(live.output_bytes - self._seen_bytes)
                yield Snapshot(self.snapshot())
                continue
            items, self._place = live.next_items(self._place)
            self._seen_bytes = live.output_bytes
            for item in items:
                yield item
                if isinstance(item, Complete):
                    return
            if not items:
                await live.wait()

    async def type(self, data: bytes) -> None:
        """Type `data`; whoever types last owns the size."""
        keys = self._replies.feed(data)
        if not keys or self.read_only:
            return
        await self._own_size()
        self._typed += 1
        await self._terminals.type(self._session, f"viewer-{self.viewer.id}", self._typed, keys)

    async def type_numbered(self, source: str, seq: int, data: bytes) -> None:
        """Type what `source` has not typed under this number before, as it is; b"" is the end of input.

        Replies are not looked for: what is held back at the end of one piece would be lost with the server.

        Raises:
            Forbidden: this viewer only looks.
        """
        if self.read_only:
            raise Forbidden("this viewer is attached read-only", name=self._session.agent_name)
        await self._own_size()
        if data or self._room.live.is_terminal:
            await self._terminals.type(self._session, source, seq, data or END_OF_FILE)
        else:
            await self._terminals.close_input(self._session, self.viewer.name)

    async def _own_size(self) -> None:
        # Who is attached through the keeper sets the size without us; then what we own is not what we set.
        if (self._room.own(self) or self._room.live.screen.size != self._size) and self._size is not None:
            await self._apply()

    async def resize(self, cols: int, rows: int) -> bool:
        """This viewer's window has this size; it becomes the terminal's while the viewer owns it, which is answered."""
        self._size = (cols, rows)
        return self._room.owner is self and not self.read_only and await self._apply()

    async def _apply(self) -> bool:
        assert self._size is not None
        if self._room.live.completed is not None or not self._room.live.is_terminal:
            return False
        await self._terminals.apply_size(self._session, *self._size, by=self.viewer.id)
        return True


def screen_view(session: Session, live: LiveTerminal) -> ScreenView:
    """The screen of a live terminal as REST shows it."""
    screen = live.screen
    cols, rows = screen.size
    cursor, modes = screen.cursor, screen.modes
    return ScreenView(
        agent_name=session.agent_name,
        session_id=session.session_id,
        cols=cols,
        rows=rows,
        title=screen.title,
        cursor_col=cursor.col,
        cursor_row=cursor.row,
        cursor_visible=cursor.visible,
        alternate=modes.alternate,
        rows_text=screen.text().split("\n"),
        cells=[[Run(run.text, *run.style) for run in row] for row in screen.cells()],
    )
