"""uvicorn's protocols with our limits: connections, time for a request's head, and what waits for a slow client.

uvicorn keeps a connection whose request head never ends for ever, and lets any number of them in. Where a connection
is refused or given up, the client is answered in the same form as by any other error.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import WSProtocol

from roost.config import Settings

WRITE_BUFFER_HIGH = 8192
WRITE_BUFFER_LOW = 2048
UNSENT_BYTES = 131_072
"""What the kernel may hold unsent for one client, where it lets us say so."""


def make_protocols(settings: Settings) -> tuple[type[asyncio.Protocol], type[asyncio.Protocol]]:
    """The HTTP and WebSocket protocol classes for `uvicorn.Config(http=…, ws=…)`."""
    limits = settings.server

    class Http(LimitedHttp):
        max_connections = limits.max_connections
        header_timeout_s = limits.header_timeout_s

    return Http, LimitedWebSocket


class LimitedHttp(HttpToolsProtocol):
    """HTTP with a bounded number of connections and bounded time for each request's head."""

    max_connections = 2000
    header_timeout_s = 10.0

    _head_timer: asyncio.TimerHandle | None = None
    _refused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        bound_buffers(transport)
        super().connection_made(transport)
        if len(self.connections) > self.max_connections:
            self._refuse(503, "LIMIT_REACHED", "the server has as many connections as it takes")
        else:
            self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._have_head()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._refused:
            super().data_received(data)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {"roost.abort": {"call": self.transport.abort}}
        if self._head_timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._have_head()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        self._have_head()
        super().handle_websocket_upgrade()

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self.header_timeout_s, self._head_took_too_long)

    def _have_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_took_too_long(self) -> None:
        self._head_timer = None
        if self.cycle is None or self.cycle.response_complete:
            self._refuse(408, "TIMED_OUT", "the request's head did not arrive in time")

    def _refuse(self, status: int, code: str, message: str) -> None:
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self.transport.write(refusal(status, code, message))
        self.transport.close()


class LimitedWebSocket(WSProtocol):
    """WebSocket with bounded buffers."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        bound_buffers(transport)
        super().connection_made(transport)


_PHRASES = {408: "Request Timeout", 503: "Service Unavailable"}


def refusal(status: int, code: str, message: str) -> bytes:
    """A whole answer that ends the connection."""
    body = b'{"error":{"code":"%b","message":"%b","details":{},"request_id":""}}' % (code.encode(), message.encode())
    head = (
        f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nretry-after: 1\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


def bound_buffers(transport: asyncio.Transport) -> None:
    """Let little wait for a client that does not read."""
    transport.set_write_buffer_limits(high=WRITE_BUFFER_HIGH, low=WRITE_BUFFER_LOW)
    connection: Any = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if connection is not None and option is not None and connection.family != socket.AF_UNIX:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, option, UNSENT_BYTES)
