"""The control socket of an agent, `/ws/agents/{name}`: commands in, answers and changes of state out.

With `?output=events` it also carries the agent's events, with `?output=raw` its terminal. What is wrong with the
address is refused before the connection is taken.
"""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any

from roost.core.guard import require
from roost.errors import InvalidRequest, LimitReached, RoostError
from roost.web.requests import caller
from roost.web.socket import GOING_AWAY, TRY_AGAIN_LATER, Gone, Json, Receive, Scope, Send, Socket, decode_object
from roost.web.sse import ABORT
from roost.web.stream_query import StreamQuery, read_query
from roost.web.ws_commands import Commands
from roost.web.ws_output import EventOutput, RawOutput, show_states
from roost.web.ws_typing import NumberedTyping

if TYPE_CHECKING:
    from roost.services.streams import Begun
    from roost.web.context import Context

OUTPUTS = ("events", "raw")
KINDS = "command, input, ping, auth"
MOST_CELLS = 1000


class AgentSocket:
    """`/ws/agents/{name}` as an ASGI application."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        socket = Socket(scope, receive, send)
        client = _Client(self._context, scope, socket)
        begun = await client.prepare()
        with contextlib.ExitStack() as stack, contextlib.suppress(Gone):
            if begun is not None:
                stack.enter_context(begun.reader)
            await socket.accept()
            await client.serve(begun)


def agent_socket(context: Context) -> AgentSocket:
    """The route's application."""
    return AgentSocket(context)


class _Client:
    """One client of the control socket."""

    def __init__(self, context: Context, scope: Scope, socket: Socket) -> None:
        self._context = context
        self._socket = socket
        self._name: str = scope["path_params"]["name"]
        self._caller = caller(scope)
        self._role = self._caller.role
        self._abort = scope.get("extensions", {}).get(ABORT, {}).get("call")
        self._query: StreamQuery = read_query(scope["query_string"], None, fleet=False)
        self._commands = Commands(context, scope, socket)
        self._raw: RawOutput | None = None
        self._events: EventOutput | None = None
        self._numbered: NumberedTyping | None = None

    async def prepare(self) -> Begun | None:
        """Check all that was asked for in the address.

        Raises:
            RoostError: there is no such agent, cursor or output.
        """
        self._context.agents.resolve_session(self._name)
        output = self._query.last("output")
        if output == "raw":
            self._raw = RawOutput(self._context, self._name, self._socket)
            _size(self._query)
        elif output == "events":
            self._events = EventOutput(self._context, self._name, self._socket, self._query)
            return await self._events.begin()
        elif output:
            raise InvalidRequest(f"{output[:80]!r} is not an output", hint="events or raw", parameter="output")
        return None

    async def serve(self, begun: Begun | None) -> None:
        """Until the client or the server goes."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._show_states())
                tasks.create_task(self._commands.type_inputs())
                if self._events is not None:
                    tasks.create_task(self._show_events(self._events, begun))
                if self._raw is not None:
                    tasks.create_task(self._show_raw(self._raw))
                await self._listen(tasks)
        except* Gone:
            pass

    async def _show_states(self) -> None:
        await show_states(self._context, self._name, self._socket)
        await self._socket.close(GOING_AWAY, "the server is stopping")

    async def _show_events(self, events: EventOutput, begun: Begun | None) -> None:
        try:
            await events.show(begun, self._abort)
        except RoostError as exc:
            await self._socket.send_error(exc)

    async def _show_raw(self, raw: RawOutput) -> None:
        viewer = (self._query.last("viewer") or self._caller.name)[:64]
        read_only = self._query.last("read_only") in ("1", "true") or self._role == "viewer"
        self._commands.resize = raw.resize
        try:
            await raw.show(viewer, _size(self._query), read_only=read_only)
        except RoostError as exc:
            await self._socket.send_error(exc)

    async def _listen(self, tasks: asyncio.TaskGroup) -> None:
        while True:
            message = await self._socket.receive()
            request_id: Any = None
            try:
                if isinstance(message, RoostError):
                    raise message
                if isinstance(message, bytes):
                    await self._type(message)
                    continue
                frame = decode_object(message)
                request_id = _request_id(frame)
                await self._take(frame, tasks)
            except RoostError as exc:
                await self._socket.send_error(exc, request_id)

    async def _take(self, frame: Json, tasks: asyncio.TaskGroup) -> None:
        kind = frame.get("type")
        if kind == "command":
            await self._commands.take(frame, tasks)
        elif kind == "input":
            self._number_input(frame)
        elif kind == "ping":
            await self._socket.send({"type": "pong", "request_id": _request_id(frame)})
        elif kind != "auth":
            raise InvalidRequest(f"{str(kind)[:80]!r} is not a type of frame", hint=KINDS, field="type")

    def _number_input(self, frame: Json) -> None:
        self._numbered = NumberedTyping(self._terminal_to_type_at(), self._socket, self._name, frame)

    def _terminal_to_type_at(self) -> RawOutput:
        if self._raw is None:
            raise InvalidRequest("binary frames are for output=raw only", hint="send the command send_input")
        require(self._role, "operator")
        return self._raw

    async def _type(self, data: bytes) -> None:
        raw = self._terminal_to_type_at()
        if self._numbered is None:
            self._commands.type(data, raw.type)
            return
        try:
            self._commands.type(data, self._numbered.type)
        except LimitReached:
            # Nothing may be typed behind a frame that is left out: who comes back sends them all again.
            await self._socket.close(TRY_AGAIN_LATER, "more was typed than the agent takes")


def _request_id(frame: Json) -> Any:
    found = frame.get("request_id")
    return found if isinstance(found, str | int) and len(str(found)) <= 256 else None


def _size(query: StreamQuery) -> tuple[int, int] | None:
    cols, rows = query.number("cols", most=MOST_CELLS), query.number("rows", most=MOST_CELLS)
    return (cols, rows) if cols and rows else None
