"""What a control socket shows besides answers: changes of state, events, or the terminal itself.

Each follows the agent over its sessions: when one is over and another begins, it goes on with that.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import msgspec

from roost.core.flow import Skip
from roost.core.forms import form
from roost.core.positions import Position
from roost.core.wire import timestamp
from roost.errors import AgentNotFound, AgentNotRunning
from roost.model.events import StateChange
from roost.services.hub import Hub
from roost.services.live_terminal import Complete, Item, Output, Size, Skipped, Snapshot, Viewers
from roost.services.pacing import Pace, Pacer
from roost.services.reader import IDLE, Reader
from roost.services.streams import Begun, Start, follow_agent
from roost.web.socket import Json, Socket
from roost.web.stream_query import StreamQuery

if TYPE_CHECKING:
    from roost.services.terminals import Attachment
    from roost.web.context import Context


async def show_states(context: Context, name: str, socket: Socket) -> None:
    """A `status` frame for every change of state; returns when the server closes."""
    with context.hub.watch_states(name) as watch:
        async for session_id, change in watch:
            await socket.send({"type": "status", "agent": name, "data": _status(context, name, session_id, change)})


def _status(context: Context, name: str, session_id: str, change: StateChange) -> Json:
    known: Json = {"name": name, "session_id": session_id}
    with contextlib.suppress(AgentNotFound):
        view = context.agents.get(name)
        if view.session_id == session_id:
            known = msgspec.to_builtins(view)
    return known | {"state": change.state, "previous": change.previous, "reason": change.reason}


class EventOutput:
    """The agent's events as text frames."""

    def __init__(self, context: Context, name: str, socket: Socket, query: StreamQuery) -> None:
        self._context = context
        self._hub: Hub = context.hub
        self._name = name
        self._socket = socket
        self._pace = query.pace
        self._start = query.start
        self._form = form(query.selection, text=True)

    async def begin(self) -> Begun | None:
        """Find where to begin; None when it is at the end of the agent's last session.

        Raises:
            AgentNotFound, InvalidCursor: there is no such place.
        """
        return await self._follow(self._start)

    async def show(self, begun: Begun | None, abort: Callable[[], None] | None) -> None:
        """Send everything from there on, until the server closes."""
        position = begun.position if begun is not None else self._end()
        await self._connected(position)
        with self._hub.watch_states(self._name) as watch:
            while True:
                if begun is not None:
                    begun.reader.on_stall = abort
                    with begun.reader as reader:
                        await self._pump(reader)
                    position = str(Position(begun.session_id or "", reader.cursor.seq))
                elif await anext(watch, None) is None:
                    return
                if self._hub.closed:
                    return
                begun = await self._follow(Start(after=position))

    async def _follow(self, start: Start) -> Begun | None:
        return await follow_agent(self._hub, self._context.agents, self._name, start, self._form, counted=False)

    def _end(self) -> str:
        if self._start.after is not None:
            return self._start.after
        newest = self._context.agents.resolve_session(self._name)
        return str(Position(newest.session_id, newest.last_seq))

    async def _pump(self, reader: Reader) -> None:
        if self._pace is not None:
            await self._pump_paced(reader, self._pace)
            return
        while (piece := await reader.next()) is not None:
            reader.begins_sending()
            if reader.missing:
                await self._skipped(Skip(reader.missing))
            if piece is IDLE:
                await self._message("ping", {})
            for frame in piece.frames:
                await self._socket.send_text(frame.data.decode())
            reader.blocked = False

    async def _pump_paced(self, reader: Reader, pace: Pace) -> None:
        async for batch in Pacer(self._hub, reader, pace).batches():
            reader.begins_sending()
            if batch.skip is not None:
                await self._skipped(batch.skip)
            if batch.frames:
                events = b",".join(frame.data for frame in batch.frames)
                head = f'{{"type":"batch","agent":"{self._name}","events":['
                await self._socket.send_text(head + events.decode() + "]}")
            elif batch.skip is None:
                await self._message("ping", {})
            reader.blocked = False

    async def _connected(self, position: str) -> None:
        message = f"connected to the events of {self._name}"
        data = {"client_id": secrets.token_hex(8), "message": message, "position": position}
        await self._message("connected", data)

    async def _skipped(self, skip: Skip) -> None:
        await self._message("skipped", skip.data())

    async def _message(self, kind: str, data: Json) -> None:
        frame = {"type": kind, "agent": self._name, "timestamp": timestamp(time.time_ns()), "data": data}
        await self._socket.send(frame)


class RawOutput:
    """The agent's terminal as binary frames, and who else is at it."""

    def __init__(self, context: Context, name: str, socket: Socket) -> None:
        self._context = context
        self._name = name
        self._socket = socket
        self.attachment: Attachment | None = None
        self._tried = asyncio.Event()

    async def type(self, data: bytes) -> None:
        """Type into the terminal, once it is there.

        Raises:
            AgentNotRunning: there is none to type into.
        """
        await self._tried.wait()
        if self.attachment is None:
            raise AgentNotRunning(f"agent {self._name} is not running", name=self._name)
        await self.attachment.type(data)

    async def type_numbered(self, session_id: str, source: str, seq: int, data: bytes) -> None:
        """Type into the terminal of this session what its `source` has not typed under that number; b"" ends the input.

        Raises:
            AgentNotRunning: another session has begun, or none runs.
            Forbidden: the viewer only looks.
        """
        await self._tried.wait()
        attachment = self.attachment
        if attachment is None or attachment.session_id != session_id:
            raise AgentNotRunning(f"session {session_id} of agent {self._name} is over", name=self._name)
        await attachment.type_numbered(source, seq, data)

    async def resize(self, cols: int, rows: int) -> bool:
        """The viewer's window has this size from now on; whether the terminal was given it too."""
        await self._tried.wait()
        return self.attachment is not None and await self.attachment.resize(cols, rows)

    async def show(self, viewer: str, size: tuple[int, int] | None, *, read_only: bool) -> None:
        """Attach, show everything, and attach again when another session begins; returns when the server closes."""
        with self._context.hub.watch_states(self._name) as watch:
            while True:
                try:
                    session_id = await self._attach(viewer, size, read_only)
                finally:
                    self.attachment = None
                    self._tried.set()
                while self._context.agents.resolve_session(self._name).session_id == session_id:
                    if await anext(watch, None) is None:
                        return

    async def _attach(self, viewer: str, size: tuple[int, int] | None, read_only: bool) -> str:
        terminals = self._context.terminals
        async with terminals.attach(self._name, viewer, size, read_only=read_only) as attachment:
            self.attachment = attachment
            self._tried.set()
            return await self._show(attachment)

    async def _show(self, attachment: Attachment) -> str:
        hello = attachment.hello
        await self._message("attached", hello)
        await self._socket.send_bytes(attachment.snapshot())
        async for item in attachment:
            await self._item(item)
        session_id: str = hello["session_id"]
        return session_id

    async def _item(self, item: Item) -> None:
        if isinstance(item, Output | Snapshot):
            await self._socket.send_bytes(item.data)
        elif isinstance(item, Size):
            await self._message("size", msgspec.to_builtins(item))
        elif isinstance(item, Viewers):
            await self._message("viewers", msgspec.to_builtins(item))
        elif isinstance(item, Skipped):
            await self._message("skipped", msgspec.to_builtins(item))
        elif isinstance(item, Complete):
            await self._message("complete", msgspec.to_builtins(item))

    async def _message(self, kind: str, data: Json) -> None:
        await self._socket.send({"type": kind, "agent": self._name, "data": data})
