"""Credentials in a WebSocket's first frame, for clients that can send no header.

The socket is accepted, and the client has `PATIENCE_S` to send `{"type": "auth", "token": …}`; the application behind
does not notice.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from roost.errors import Unauthorized
from roost.web.problems import close_code
from roost.web.requests import exchange, header

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send

    from roost.web.auth import Tokens

PATIENCE_S = 5.0
MOST_SIGNS = 4096


class AuthFrame(Struct, frozen=True):
    """The first frame."""

    type: Literal["auth"]
    token: Annotated[str, Meta(max_length=1024)]


def may_come(scope: Scope) -> bool:
    """Whether credentials may still come in the first frame: not where a header brought wrong ones."""
    is_unknown = scope["type"] == "websocket" and exchange(scope).principal is None
    return is_unknown and not header(scope, "authorization")


async def authenticate(scope: Scope, receive: Receive, send: Send, tokens: Tokens) -> tuple[Receive, Send] | None:
    """Accept the socket and take its first frame.

    Answers what the application is to receive from and send to; None when no valid token came, and the socket was
    closed with the reason.
    """
    await receive()
    await send({"type": "websocket.accept"})
    try:
        async with asyncio.timeout(PATIENCE_S):
            message = await receive()
    except TimeoutError:
        message = {"type": "websocket.receive"}
    if message["type"] == "websocket.disconnect":
        return None
    frame = _read(message)
    principal = tokens.find(frame.token) if frame else None
    if principal is None:
        await _send_away(Unauthorized("the first frame must hold a valid token"), scope, send)
        return None
    exchange(scope).principal = principal
    return _connected(receive), _accepted(send)


async def _send_away(error: Unauthorized, scope: Scope, send: Send) -> None:
    found = exchange(scope)
    found.code = error.code
    said = {"type": "error", **error.to_dict(), "request_id": found.request_id}
    await send({"type": "websocket.send", "text": msgspec.json.encode(said).decode()})
    await send({"type": "websocket.close", "code": close_code(error), "reason": error.code})


def _read(message: Message) -> AuthFrame | None:
    text = message.get("text") or ""
    if len(text) > MOST_SIGNS:
        return None
    try:
        return msgspec.json.decode(text, type=AuthFrame)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None


def _connected(receive: Receive) -> Receive:
    told = False

    async def after_connect() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return {"type": "websocket.connect"}

    return after_connect


def _accepted(send: Send) -> Send:
    async def after_accept(message: Message) -> None:
        if message["type"] != "websocket.accept":
            await send(message)

    return after_accept
