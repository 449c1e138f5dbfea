"""Server-Sent Events: `GET /api/agents/{name}/stream` and `GET /api/stream`.

Plain ASGI, because a delivery through a framework's response costs ten times as much. Errors are raised before the
answer begins, for the error handler around the routes.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from roost.core.flow import Skip
from roost.core.forms import form
from roost.core.wire import sse_message, timestamp
from roost.errors import Unavailable
from roost.services.hub import Hub
from roost.services.pacing import Pace, Pacer
from roost.services.reader import IDLE
from roost.services.streams import AgentDirectory, Begun, follow_agent, follow_fleet
from roost.web.stream_query import StreamQuery, read_query

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]

HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),
]
ABORT = "roost.abort"
"""ASGI extension of our server: cuts the connection, whatever still waits to be sent."""
CHUNKS = "roost.chunks"
"""ASGI extension of our server: writes chunks of the body without copying them for each client."""


class AgentStream:
    """The stream of one agent, named by the path parameter `name`."""

    def __init__(self, hub: Hub, agents: AgentDirectory) -> None:
        self._hub = hub
        self._agents = agents

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        name: str = scope["path_params"]["name"]
        query = _query(self._hub, scope, fleet=False)
        wanted = form(query.selection, apart=query.pace is not None)
        begun = await follow_agent(self._hub, self._agents, name, query.start, wanted)
        if begun is None:
            await send({"type": "http.response.start", "status": 204, "headers": [(b"cache-control", b"no-store")]})
            await send({"type": "http.response.body", "body": b""})
            return
        await _Client(self._hub, name, begun, scope).serve(receive, send, query.pace)


class FleetStream:
    """The stream of all agents."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        query = _query(self._hub, scope, fleet=True)
        begun = await follow_fleet(self._hub, query.start, query.selection, apart=query.pace is not None)
        await _Client(self._hub, None, begun, scope).serve(receive, send, query.pace)


def agent_stream(hub: Hub, agents: AgentDirectory) -> AgentStream:
    """`GET /api/agents/{name}/stream` as an ASGI application."""
    return AgentStream(hub, agents)


def fleet_stream(hub: Hub) -> FleetStream:
    """`GET /api/stream` as an ASGI application."""
    return FleetStream(hub)


class _Client:
    """One client of a stream, from its first frame to its last."""

    def __init__(self, hub: Hub, agent: str | None, begun: Begun, scope: Scope) -> None:
        self._hub = hub
        self._agent = agent
        self._begun = begun
        self._reader = begun.reader
        self._head_only = scope["method"] == "HEAD"
        self._writer = scope.get("extensions", {}).get(CHUNKS, {}).get("writer", lambda: None)
        self._reader.on_stall = scope.get("extensions", {}).get(ABORT, {}).get("call")

    async def serve(self, receive: Receive, send: Send, pace: Pace | None) -> None:
        reader = self._reader
        with reader:
            await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
            if self._head_only:
                await send({"type": "http.response.body", "body": b""})
                return
            await self._send(send, self._connected())
            departure = asyncio.ensure_future(_until_gone(receive))
            departure.add_done_callback(lambda _: reader.close())
            try:
                await self._pump(send, pace)
            finally:
                departure.cancel()
        await send({"type": "http.response.body", "body": b""})

    async def _pump(self, send: Send, pace: Pace | None) -> None:
        if pace is not None:
            await self._pump_paced(send, pace)
            return
        reader = self._reader
        writer = self._writer()
        while (piece := await reader.next()) is not None:
            if reader.missing:
                await self._send(send, self._message("skipped", **Skip(reader.missing).data()))
            if writer is None or piece is IDLE:
                await self._send(send, self._message("ping") if piece is IDLE else piece.data)
                continue
            reader.begins_sending()
            if writer.paused:
                await writer.drain()
            writer.write(piece.data)
            reader.blocked = False

    async def _pump_paced(self, send: Send, pace: Pace) -> None:
        async for batch in Pacer(self._hub, self._reader, pace).batches():
            parts = [frame.data for frame in batch.frames]
            if batch.skip is not None:
                parts.insert(0, self._message("skipped", **batch.skip.data()))
            await self._send(send, b"".join(parts) or self._message("ping"))

    async def _send(self, send: Send, body: bytes) -> None:
        reader = self._reader
        reader.begins_sending()
        await send({"type": "http.response.body", "body": body, "more_body": True})
        reader.blocked = False

    def _connected(self) -> bytes:
        whose = self._agent or "all agents"
        return self._message(
            "connected",
            client_id=secrets.token_hex(8),
            message=f"connected to the stream of {whose}",
            position=self._begun.position,
        )

    def _message(self, name: str, **data: Any) -> bytes:
        envelope = {
            "type": name,
            "timestamp": timestamp(time.time_ns()),
            "agent_name": self._agent,
            "session_id": self._begun.session_id,
            "data": data,
        }
        return sse_message(name, envelope)


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _query(hub: Hub, scope: Scope, *, fleet: bool) -> StreamQuery:
    if not hub.settings.enabled:
        raise Unavailable("live streams are turned off", hint="turn on the setting stream.enabled")
    last_event_id = next((value for name, value in scope["headers"] if name == b"last-event-id"), b"")
    return read_query(scope["query_string"], last_event_id.decode("utf-8", "replace") or None, fleet=fleet)
