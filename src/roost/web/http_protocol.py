"""uvicorn's protocols with our limits: connections, time for a request, and what waits for a slow client.

uvicorn keeps a connection whose request never ends for ever, and lets any number of them in. Where a connection
is refused or given up, the client is answered in the same form as by any other error.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import socket
import struct
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.wsproto_impl import FrameTooLargeError, WSProtocol
from wsproto import events

from roost.config import Settings
from roost.web.socket import TOO_LARGE
from roost.web.sse import ABORT, CHUNKS

WRITE_BUFFER_HIGH = 8192
WRITE_BUFFER_LOW = 2048
MOST_THROWN_AWAY = 64
"""How many times the limit one message may be before the connection is cut."""
MOST_HEAD_BYTES = 65_536
"""How much may come before a request's head is whole."""
UNSENT_BYTES = 131_072
"""What the kernel may hold unsent for one client, where it lets us say so."""
NO_LINGER = struct.pack("ii", 1, 0)


def make_protocols(settings: Settings) -> tuple[type[asyncio.Protocol], type[asyncio.Protocol]]:
    """The HTTP and WebSocket protocol classes for `uvicorn.Config(http=…, ws=…)`."""
    limits = settings.server

    class Http(LimitedHttp):
        max_connections = limits.max_connections
        header_timeout_s = limits.header_timeout_s
        body_timeout_s = limits.body_timeout_s

    return Http, LimitedWebSocket


class LimitedHttp(HttpToolsProtocol):
    """HTTP with a bounded number of connections and bounded time for each request's head and body."""

    max_connections = 2000
    header_timeout_s = 10.0
    body_timeout_s = 30.0

    _head_timer: asyncio.TimerHandle | None = None
    _body_timer: asyncio.TimerHandle | None = None
    _head_bytes = 0
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
        self._have_body()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refused:
            return
        super().data_received(data)
        if self._head_timer is not None:
            self._head_bytes += len(data)
            if self._head_bytes > MOST_HEAD_BYTES:
                self._refuse(431, "BODY_TOO_LARGE", "the request's head is too large")

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {
            ABORT: {"call": functools.partial(cut, self.transport)},
            CHUNKS: {"writer": self._chunk_writer},
        }
        if self._head_timer is None:
            self._expect_head()

    def on_headers_complete(self) -> None:
        self._have_head()
        self._have_body()
        self._body_timer = self.loop.call_later(self.body_timeout_s, self._body_took_too_long)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._have_body()
        super().on_message_complete()

    def handle_websocket_upgrade(self) -> None:
        self._have_head()
        self._have_body()
        super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:
        self._refuse(400, "MALFORMED_REQUEST", "the request is not HTTP")

    def _chunk_writer(self) -> ChunkWriter | None:
        cycle = self.cycle
        return ChunkWriter(self.transport, self.flow) if cycle.chunked_encoding and not cycle.disconnected else None

    def _expect_head(self) -> None:
        self._head_timer = self.loop.call_later(self.header_timeout_s, self._head_took_too_long)

    def _have_head(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None
            self._head_bytes = 0

    def _head_took_too_long(self) -> None:
        self._head_timer = None
        if self.cycle is None or self.cycle.response_complete:
            self._refuse(408, "TIMED_OUT", "the request's head did not arrive in time")

    def _have_body(self) -> None:
        if self._body_timer is not None:
            self._body_timer.cancel()
            self._body_timer = None

    def _body_took_too_long(self) -> None:
        self._body_timer = None
        if self.cycle.response_started:
            cut(self.transport)  # Answered without it; what still drips in is nothing that anybody waits for.
        else:
            self._refuse(408, "TIMED_OUT", "the request's body did not arrive in time")

    def _refuse(self, status: int, code: str, message: str) -> None:
        if self._refused or self.transport.is_closing():
            return
        self._refused = True
        self.transport.write(refusal(status, code, message))
        self.transport.close()


class ChunkWriter:
    """Writes parts of a chunked body as they are: clients that are sent the same share the same bytes."""

    __slots__ = ("_flow", "_transport", "drain")

    def __init__(self, transport: asyncio.Transport, flow: FlowControl) -> None:
        self._transport = transport
        self._flow = flow
        self.drain = flow.drain

    @property
    def paused(self) -> bool:
        """Whether `drain` is to be awaited first."""
        return self._flow.write_paused

    def write(self, data: bytes) -> None:
        """Send one chunk; nothing where the client is gone."""
        if not self._transport.is_closing():
            self._transport.writelines((b"%x\r\n" % len(data), data, b"\r\n"))


class LimitedWebSocket(WSProtocol):
    """WebSocket with bounded buffers; a message over the limit is thrown away and said so, not a reason to close."""

    _too_large = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        bound_buffers(transport)
        super().connection_made(transport)

    def handle_connect(self, event: events.Request) -> None:
        super().handle_connect(event)
        self.scope["extensions"][ABORT] = {"call": functools.partial(cut, self.transport)}

    def handle_message(self, event: events.TextMessage | events.BytesMessage) -> None:
        if not self._too_large:
            try:
                self.buffer.extend(event)
            except FrameTooLargeError:
                self._too_large = self.buffer.length
                self.buffer.clear()
        else:
            self._too_large += len(event.data)
        if self._too_large > MOST_THROWN_AWAY * self.config.ws_max_size:
            cut(self.transport)
        elif event.message_finished:
            self._take_message()

    def _take_message(self) -> None:
        if self._too_large:
            self._too_large = 0
            message: Any = {"type": "websocket.receive", "bytes": b"", TOO_LARGE: self.config.ws_max_size}
        else:
            message = self.buffer.to_message()
            self.buffer.clear()
        self.queue.put_nowait(message)
        if not self.read_paused:
            self.read_paused = True
            self.transport.pause_reading()

    def keepalive_timeout(self) -> None:
        """The client reads nothing: what waits for it will never go out, so nothing is waited for."""
        super().keepalive_timeout()
        cut(self.transport)


_PHRASES = {
    400: "Bad Request",
    408: "Request Timeout",
    431: "Request Header Fields Too Large",
    503: "Service Unavailable",
}


def refusal(status: int, code: str, message: str) -> bytes:
    """A whole answer that ends the connection."""
    body = b'{"error":{"code":"%b","message":"%b","details":{},"request_id":""}}' % (code.encode(), message.encode())
    head = (
        f"HTTP/1.1 {status} {_PHRASES[status]}\r\ncontent-type: application/json\r\n"
        f"content-length: {len(body)}\r\nretry-after: 1\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body


def cut(transport: asyncio.Transport) -> None:
    """End a connection at once: what the kernel holds for a client that does not read is given back with it."""
    connection: Any = transport.get_extra_info("socket")
    if connection is not None and not transport.is_closing():
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, NO_LINGER)
    transport.abort()


def bound_buffers(transport: asyncio.Transport) -> None:
    """Let little wait for a client that does not read."""
    transport.set_write_buffer_limits(high=WRITE_BUFFER_HIGH, low=WRITE_BUFFER_LOW)
    connection: Any = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_NOTSENT_LOWAT", None)
    if connection is not None and option is not None and connection.family != socket.AF_UNIX:
        with contextlib.suppress(OSError):
            connection.setsockopt(socket.IPPROTO_TCP, option, UNSENT_BYTES)
