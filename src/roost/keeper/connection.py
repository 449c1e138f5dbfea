"""One client's connection: requests in, answers and notices out, with bounded memory whatever the client does."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from roost.errors import BodyTooLarge, InvalidRequest, MalformedRequest, RoostError
from roost.keeper import protocol, requests
from roost.keeper.loop import Loop, Timer

if TYPE_CHECKING:
    from roost.keeper.session import Session

READ_BYTES = 1 << 16
UNREAD_BYTES = 1 << 18
"""While a client leaves this much unread, no more requests are taken from it."""
STALL_S = 60.0
"""A client that takes nothing for this long, though something waits for it, is dropped."""

Receive = Callable[["Connection", requests.Request, Any], object]
Gone = Callable[["Connection"], object]


class Connection:
    """A client that passed the peer check."""

    def __init__(self, loop: Loop, link: socket.socket, receive: Receive, gone: Gone) -> None:
        self._loop = loop
        self._link = link
        self._receive = receive
        self._gone = gone
        self._decoder = protocol.Decoder(protocol.MAX_JSON, protocol.MAX_BLOB)
        self._unsent = bytearray()
        self._stall: Timer | None = None
        self._mask = select.EPOLLIN
        self.number = link.fileno()
        self.closed = False
        self.version = 0
        self.watching = False
        self.dirty: set[Session] = set()
        link.setblocking(False)
        loop.watch_control(self.number, self._ready)

    @property
    def idle(self) -> bool:
        """Whether the client has taken all that was sent to it."""
        return not self._unsent

    def send(self, message: bytes) -> None:
        """Send now, or when the client takes it."""
        if self.closed:
            return
        self._unsent += message
        if len(self._unsent) == len(message):
            self._flush()

    def answer(self, request_id: Any, fields: dict[str, Any]) -> None:
        """A request went well."""
        message = protocol.answer(request_id, fields)
        if len(message) > protocol.MAX_ANSWER_JSON:
            self.refuse(request_id, BodyTooLarge("the answer is larger than a message may be"))
        else:
            self.send(message)

    def refuse(self, request_id: Any, error: RoostError) -> None:
        """A request failed."""
        self.send(protocol.refusal(request_id, error))

    def close(self) -> None:
        """Hang up; what was not sent yet gets one chance."""
        if self.closed:
            return
        self.closed = True
        if self._stall is not None:
            self._stall.cancel()
        self._loop.forget(self.number)
        self._link.close()
        self._gone(self)

    @property
    def unread(self) -> bytes:
        """The beginning of a request whose end has not come."""
        return self._decoder.rest

    def _ready(self, events: int) -> None:
        if events & select.EPOLLOUT:
            self._flush()
        if self.closed or not events & ~select.EPOLLOUT:
            return
        if self._mask & select.EPOLLIN:
            self._read()
        else:  # not asked for, so the client is gone
            self.close()

    def _read(self) -> None:
        try:
            data = self._link.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self.close()
            return
        self.take(data)

    def take(self, data: bytes) -> None:
        """Handle the requests in what came."""
        try:
            messages = self._decoder.feed(data)
        except BodyTooLarge as exc:
            self.refuse(None, exc)
            self.close()
            return
        for message in messages:
            if not self.closed:
                self._handle(message)

    def _handle(self, message: protocol.Message) -> None:
        request_id = message.body.get("id")
        if not isinstance(request_id, (int, str)) or len(str(request_id)) > requests.MAX_ID:
            request_id = None
        try:
            if message.problem:
                raise MalformedRequest(message.problem)
            if request_id is None:
                raise InvalidRequest("id must be a number or a short string", field="id")
            request = requests.check(message.body, message.blob)
            if not self.version and request.op != "hello":
                raise InvalidRequest("the first request must be hello")
        except RoostError as exc:
            self.refuse(request_id, exc)
            return
        self._receive(self, request, request_id)

    def _flush(self) -> None:
        try:
            sent = self._link.send(self._unsent)
        except BlockingIOError:
            sent = 0
        except OSError:
            self.close()
            return
        del self._unsent[:sent]
        self._await_client(progress=sent > 0)

    def _await_client(self, *, progress: bool) -> None:
        if self._stall is not None and (progress or not self._unsent):
            self._stall.cancel()
            self._stall = None
        if self._unsent and self._stall is None:
            self._stall = self._loop.call_after(STALL_S, self.close)
        mask = 0 if len(self._unsent) > UNREAD_BYTES else select.EPOLLIN
        if self._unsent:
            mask |= select.EPOLLOUT
        if mask != self._mask:
            self._mask = mask
            self._loop.watch_control(self.number, self._ready, mask)
