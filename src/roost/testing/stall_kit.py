"""Clients that behave badly: that do not read, do not finish their request, go away without a word.

with Crowd() as crowd:
    crowd.never_reading(server.address, "/api/stream", 100)
    crowd.slow_heads(server.address, 1000)
    ...
    assert crowd.hung_up_by_server() == 1000
"""

from __future__ import annotations

import contextlib
import select
import socket
import struct
from typing import Self
from urllib.parse import urlsplit

from roost.client.discovery import Address
from roost.client.http import request_head

SMALL_BUFFER = 4096
CONNECT_TIMEOUT_S = 10.0
RESET = struct.pack("ii", 1, 0)


class Crowd:
    """Connections that are held open until the end of the `with` statement."""

    def __init__(self) -> None:
        self._open: list[socket.socket] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.leave()

    def __len__(self) -> int:
        return len(self._open)

    def never_reading(self, address: Address, target: str, count: int) -> None:
        """Ask for a stream and read nothing of it; the kernel's buffers are made small, so that they fill soon."""
        head = request_head(address, "GET", target, {"Accept": "text/event-stream"}, 0)
        for _ in range(count):
            self._connect(address).sendall(head)

    def silent(self, address: Address, count: int) -> None:
        """Connect and say nothing."""
        for _ in range(count):
            self._connect(address)

    def slow_heads(self, address: Address, count: int) -> None:
        """Begin a request and leave its head unfinished; `drip` sends more of it."""
        for _ in range(count):
            self._connect(address).sendall(b"GET /api/health HTTP/1.1\r\nHost: localhost\r\nX-Slow: ")

    def slow_bodies(self, address: Address, target: str, count: int) -> None:
        """Promise a body and send one byte of it."""
        head = request_head(address, "POST", target, {"Content-Type": "application/json"}, 1000)
        for _ in range(count):
            self._connect(address).sendall(head + b"{")

    def drip(self) -> None:
        """Send one more byte on every connection that is still there."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.send(b"x", socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)

    def vanish(self) -> None:
        """Reset every connection, as a machine does that lost its mind."""
        for one in self._open:
            one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.leave()

    def leave(self) -> None:
        """Close every connection."""
        for one in self._open:
            one.close()
        self._open.clear()

    def hung_up_by_server(self) -> int:
        """How many connections the server has closed; what it sent before is not read."""
        poller = select.poll()
        by_descriptor = {one.fileno(): one for one in self._open}
        for descriptor in by_descriptor:
            poller.register(descriptor, select.POLLRDHUP)
        gone = select.POLLRDHUP | select.POLLHUP | select.POLLERR
        return sum(bool(what & gone) for _, what in poller.poll(0))

    def _connect(self, address: Address) -> socket.socket:
        parts = urlsplit(address.url)
        one = socket.socket()
        one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
        one.settimeout(CONNECT_TIMEOUT_S)
        self._open.append(one)
        one.connect((parts.hostname, parts.port))
        return one
