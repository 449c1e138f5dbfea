"""One WebSocket connection: frames in and out, and what happens to those that cannot be read.

A frame that is no JSON object, too large, or not of the kind expected is answered with an `error` and the connection
goes on. Only a client that sends such frames without end is disconnected.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import msgspec

from roost.core.flow import TokenBucket
from roost.errors import InvalidRequest, MalformedRequest, RoostError
from roost.web import problems

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Json = dict[str, Any]

TOO_LARGE = "roost.too_large"
"""In a received message of our server: how many bytes a message had that was over the limit and thrown away."""
ABUSE_ERRORS = 100
ABUSE_ERRORS_PER_S = 10.0
POLICY_VIOLATION = 1008
GOING_AWAY = 1012
TRY_AGAIN_LATER = 1013


class Gone(Exception):
    """The client is gone, or was sent away."""


class FrameTooLarge(InvalidRequest):
    """The message is larger than allowed."""

    code = "FRAME_TOO_LARGE"


class Socket:
    """Frames of one client. Any task may send."""

    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._errors = TokenBucket(ABUSE_ERRORS_PER_S, ABUSE_ERRORS)

    @property
    def request_id(self) -> str:
        found: str = self._scope["roost"].request_id
        return found

    async def accept(self) -> None:
        """Take the connection."""
        await self._receive()
        await self._put({"type": "websocket.accept"})

    async def receive(self) -> str | bytes | RoostError:
        """The next message; an error for one that was over the limit.

        Raises:
            Gone: the client went away.
        """
        message = await self._receive()
        if message["type"] != "websocket.receive":
            raise Gone
        if TOO_LARGE in message:
            return FrameTooLarge("the message is larger than allowed", limit=message[TOO_LARGE])
        text = message.get("text")
        found: str | bytes = text if text is not None else message.get("bytes") or b""
        return found

    async def send(self, frame: Json) -> None:
        """Send an object as a text frame."""
        await self.send_text(msgspec.json.encode(frame).decode())

    async def send_text(self, text: str) -> None:
        await self._put({"type": "websocket.send", "text": text})

    async def send_bytes(self, data: bytes) -> None:
        await self._put({"type": "websocket.send", "bytes": data})

    async def send_error(self, error: RoostError, request_id: Any = None, **more: Any) -> None:
        """Answer with an `error` frame.

        Raises:
            Gone: the client has caused so many errors that it was sent away.
        """
        told = problems.known(error, self.request_id)
        await self.send({"type": "error", **told.to_dict(), "request_id": request_id, **more})
        if isinstance(error, MalformedRequest | FrameTooLarge):
            await self._count_error()

    async def close(self, code: int, reason: str = "") -> None:
        """Close the connection.

        Raises:
            Gone: always.
        """
        await self._put({"type": "websocket.close", "code": code, "reason": reason})
        raise Gone

    async def _count_error(self) -> None:
        if not self._errors.available(time.monotonic()):
            await self.close(POLICY_VIOLATION, "too many malformed frames")
        self._errors.spend(1)

    async def _put(self, message: Message) -> None:
        try:
            await self._send(message)
        except (OSError, RuntimeError) as exc:
            # Our server raises OSError for a client that is gone, RuntimeError for one that was sent away meanwhile.
            raise Gone from exc


def decode_object(text: str) -> Json:
    """A frame's JSON object.

    Raises:
        MalformedRequest: it is none.
    """
    try:
        found = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as exc:
        raise MalformedRequest(f"the frame is not JSON: {exc}") from exc
    if not isinstance(found, dict):
        raise MalformedRequest("a frame is a JSON object")
    return found
