"""The commands of an agent's control socket: the same handlers as over REST, called with a frame's `data`."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta, Struct

from roost.core.guard import require
from roost.errors import InvalidRequest, LimitReached, RoostError
from roost.model.requests import ApproveFrame, InputBody, PromptBody, ResizeBody, SignalBody, StopQuery
from roost.web import agents as rest
from roost.web import conversations, problems
from roost.web.frame import audit
from roost.web.requests import Call, Exchange, caller, exchange
from roost.web.socket import Gone, Json, Scope, Socket

if TYPE_CHECKING:
    from roost.web.context import Context

MOST_AT_ONCE = 32
MOST_INPUT_BYTES = 4_194_304
"""Input that may wait for an agent that does not take it."""
RequestId = Annotated[str, Meta(max_length=256)] | int | None


class CommandFrame(Struct, frozen=True, kw_only=True):
    """`{"type": "command", "command", "agent"?, "data"?, "request_id"?}`."""

    command: str
    agent: str | None = None
    data: dict[str, Any] | None = None
    request_id: RequestId = None


class Command(NamedTuple):
    """A command: the REST handler that does it, and the type of its `data` (as body or as query)."""

    handler: Callable[[Any], Awaitable[Any]]
    body: type | None = None
    query: type | None = None


COMMANDS: dict[str, Command] = {
    "pause": Command(rest.pause),
    "resume": Command(rest.resume),
    "kill": Command(rest.kill),
    "stop": Command(rest.stop, query=StopQuery),
    "send_input": Command(rest.send_input, body=InputBody),
    "close_input": Command(rest.close_input),
    "resize": Command(rest.resize, body=ResizeBody),
    "signal": Command(rest.signal, body=SignalBody),
    "prompt": Command(conversations.prompt_at_once, body=PromptBody),
    "interrupt": Command(conversations.interrupt),
    "approve": Command(conversations.approve, body=ApproveFrame),
}
IN_ORDER = ("send_input", "close_input")

Resize = Callable[[int, int], Awaitable[bool]]
Type = Callable[[bytes], Awaitable[None]]


class Commands:
    """Runs the commands of one connection: side by side, but input one after the other."""

    def __init__(self, context: Context, scope: Scope, socket: Socket) -> None:
        self._context = context
        self._scope = scope
        self._socket = socket
        self._exchange: Exchange = exchange(scope)
        self._name: str = scope["path_params"]["name"]
        self._running = 0
        self._inputs: asyncio.Queue[tuple[int, Callable[[], Awaitable[None]]]] = asyncio.Queue()
        self._input_bytes = 0
        self.resize: Resize | None = None
        """Set while a terminal is attached: the viewer's own window has another size."""

    async def take(self, frame: Json, tasks: asyncio.TaskGroup) -> None:
        """Begin to do what a `command` frame asks for.

        Raises:
            InvalidRequest, Forbidden, LimitReached: it is not even begun.
        """
        try:
            asked = msgspec.convert(frame, CommandFrame)
        except msgspec.ValidationError as exc:
            raise InvalidRequest(f"the command cannot be read: {exc}") from exc
        self._check(asked)
        if asked.command in IN_ORDER:
            self._queue(len(str(asked.data)), lambda: self._run(asked))
            return
        if self._running >= MOST_AT_ONCE:
            raise LimitReached("too many commands at once", hint="wait for their answers", limit=MOST_AT_ONCE)
        self._running += 1
        tasks.create_task(self._run_apart(asked))

    def type(self, data: bytes, typed: Type) -> None:
        """Type bytes into the attached terminal, behind all input before.

        Raises:
            LimitReached: the agent does not take its input.
        """

        async def run() -> None:
            try:
                await typed(data)
            except RoostError as exc:
                await self._socket.send_error(exc)

        self._queue(len(data), run)

    async def type_inputs(self) -> None:
        """Hand on input, in order, for as long as the connection lasts."""
        while True:
            size, run = await self._inputs.get()
            await run()
            self._input_bytes -= size

    def _check(self, asked: CommandFrame) -> None:
        require(caller(self._scope).role, "operator")
        if asked.agent not in (None, self._name):
            raise InvalidRequest(f"this socket is for the agent {self._name}", field="agent")
        if asked.command not in COMMANDS:
            known = ", ".join(COMMANDS)
            raise InvalidRequest(f"{asked.command[:80]!r} is not a command", hint=f"there are {known}", field="command")

    def _queue(self, size: int, run: Callable[[], Awaitable[None]]) -> None:
        if self._input_bytes + size > MOST_INPUT_BYTES:
            raise LimitReached("the agent does not take its input", hint="try again later", limit=MOST_INPUT_BYTES)
        self._input_bytes += size
        self._inputs.put_nowait((size, run))

    async def _run_apart(self, asked: CommandFrame) -> None:
        try:
            await self._run(asked)
        finally:
            self._running -= 1

    async def _run(self, asked: CommandFrame) -> None:
        found = replace(self._exchange, agent=self._name)
        try:
            data = await self._do(asked, found)
        except Gone:
            raise
        except Exception as exc:  # noqa: BLE001 - the top of a command: `known` logs what was not foreseen
            error = problems.known(exc, found.request_id)
            audit(found, f"WEBSOCKET {asked.command}", code=error.code)
            await self._socket.send_error(error, asked.request_id, command=asked.command)
            return
        audit(found, f"WEBSOCKET {asked.command}")
        await self._socket.send(
            {
                "type": "response",
                "command": asked.command,
                "success": True,
                "data": data,
                "request_id": asked.request_id,
            }
        )

    async def _do(self, asked: CommandFrame, found: Exchange) -> Any:
        command = COMMANDS[asked.command]
        body = _convert(asked.data, command.body)
        if asked.command == "resize" and self.resize is not None:
            if await self.resize(body.cols, body.rows):
                return await self._context.agents.resized(self._name, body.cols, body.rows)
            return self._context.agents.get(self._name)
        query = _convert(asked.data, command.query)
        return await command.handler(Call(self._context, found, body, query, self._scope))


def _convert(data: Json | None, kind: type | None) -> Any:
    if kind is None:
        return None
    try:
        return msgspec.convert(data or {}, kind)
    except msgspec.ValidationError as exc:
        raise InvalidRequest(f"the command's data cannot be read: {exc}", field="data") from exc
