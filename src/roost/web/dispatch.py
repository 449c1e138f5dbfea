"""From the route table to an ASGI application: the role, body and rate that a route asks for, then its handler."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from roost.core.addresses import Addresses
from roost.core.guard import require
from roost.errors import LimitReached, MethodNotAllowed, NotFound, RoostError
from roost.web import handshake
from roost.web.frame import encoded
from roost.web.requests import JSON_MEDIA, Call, caller, check_body, decode_body, decode_query, exchange, read_body

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from roost.web.context import Context

Least = Literal["anybody", "reporter", "viewer", "operator", "admin"]
Handler = Callable[[Call[Any, Any]], Awaitable[Any]]
Stream = Callable[["Context"], "ASGIApp"]
Errors = tuple[type[RoostError], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the route table."""

    method: str
    """An HTTP method, or `WEBSOCKET`."""
    path: str
    least: Least
    """The least role; `anybody` needs no credentials."""
    handler: Handler | None = None
    stream: Stream | None = None
    """Instead of a handler: makes the ASGI application that serves the route."""
    summary: str = ""
    body: type | None = None
    """The body's type; `bytes` for one that is taken as it is."""
    media: tuple[str, ...] = (JSON_MEDIA,)
    """Of what media types the body may be."""
    query: type | None = None
    answer: Any = None
    """The answer's type; None for an answer without a body, a media type in text for one that is not JSON."""
    status: int = 200
    errors: Errors = ()
    """Those of its own; see `openapi.error_classes` for those that any route may answer with."""


class Endpoint:
    """Serves one entry."""

    def __init__(self, entry: Entry, context: Context) -> None:
        self._entry = entry
        self._context = context
        self._stream = entry.stream(context) if entry.stream else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        entry, found = self._entry, exchange(scope)
        found.route, found.agent = entry.path, scope["path_params"].get("name")
        if entry.least != "anybody" and handshake.may_come(scope):
            shaken = await handshake.authenticate(scope, receive, send, self._context.tokens)
            if shaken is None:
                return
            receive, send = shaken
        admit(scope, entry.least, self._context, entry.media)
        if self._stream is not None:
            found.streaming = True
            await self._stream(scope, receive, send)
            return
        assert entry.handler is not None
        answer = await entry.handler(await self._call(scope, receive))
        await self._answer(answer, scope, receive, send)

    async def _call(self, scope: Scope, receive: Receive) -> Call[Any, Any]:
        entry, found = self._entry, exchange(scope)
        query = decode_query(scope["query_string"], entry.query) if entry.query else None
        body: Any = None
        if entry.body is not None:
            limit = self._context.settings.server.max_body_bytes
            raw = await read_body(receive, limit)
            body = raw if entry.body is bytes else decode_body(raw, entry.body)
        return Call(self._context, found, body, query, scope)

    async def _answer(self, answer: Any, scope: Scope, receive: Receive, send: Send) -> None:
        if callable(answer):
            await answer(scope, receive, send)
            return
        body = b"" if answer is None else msgspec.json.encode(answer)
        headers = {"Content-Length": str(len(body)), "Content-Type": "application/json"}
        status = self._entry.status
        if answer is None:
            status, headers = 204, {}
        await send({"type": "http.response.start", "status": status, "headers": encoded(headers.items())})
        await send({"type": "http.response.body", "body": body})


def admit(scope: Scope, least: str, context: Context, media: tuple[str, ...] = (JSON_MEDIA,)) -> None:
    """Check what comes after the screening: credentials, role, body type and length, rate.

    Raises:
        Unauthorized, Forbidden, UnsupportedBody, BodyTooLarge, LimitReached: in this order.
    """
    if least != "anybody":
        require(caller(scope).role, least)
    if scope["type"] == "http":
        check_body(scope, context.settings.server.max_body_bytes, media)
    wait_s = context.rates.take(_payer(scope), time.monotonic())
    if wait_s:
        raise LimitReached("too many requests", hint="try again later", retry_after_s=round(wait_s, 3))


class Methods:
    """The entries of one path, by method."""

    def __init__(self, entries: Sequence[Entry], context: Context) -> None:
        self.endpoints = {entry.method: Endpoint(entry, context) for entry in entries}
        if "GET" in self.endpoints:
            self.endpoints["HEAD"] = self.endpoints["GET"]
        self.least = "anybody" if any(entry.least == "anybody" for entry in entries) else "viewer"


class Routing:
    """The application that serves the entries. It takes a token to learn that something else is not there."""

    def __init__(self, entries: Sequence[Entry], context: Context) -> None:
        paths: dict[str, list[Entry]] = {}
        for entry in entries:
            paths.setdefault(entry.path, []).append(entry)
        self._context = context
        self._addresses = Addresses({path: Methods(group, context) for path, group in paths.items()})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        method = "WEBSOCKET" if scope["type"] == "websocket" else scope["method"]
        found = self._addresses.find(scope["path"])
        endpoint = found.value.endpoints.get(method) if found else None
        if found is None or endpoint is None:
            raise self._absent(scope, method, found.value if found else None)
        scope["path_params"] = found.parameters
        await endpoint(scope, receive, send)

    def _absent(self, scope: Scope, method: str, methods: Methods | None) -> RoostError:
        admit(scope, methods.least if methods else "viewer", self._context)
        allowed = sorted(methods.endpoints.keys() - {"WEBSOCKET"}) if methods else []
        if not allowed or method == "WEBSOCKET":
            return NotFound(f"there is nothing at {scope['path'][:200]}", path=scope["path"][:200])
        return MethodNotAllowed(f"{method[:20]} is not for this path", allowed=allowed)


def _payer(scope: Scope) -> str:
    principal = exchange(scope).principal
    if principal is not None:
        return principal.name
    client = scope.get("client")
    return f"address {client[0]}" if client else "address"
