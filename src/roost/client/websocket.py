"""The client's half of RFC 6455, as much of it as roost speaks: no extensions, no subprotocols.

`Frames` is pure: bytes in, messages out. `WebSocket` puts it on a socket that never blocks while reading.
"""

from __future__ import annotations

import hashlib
import json
import os
import struct
from binascii import b2a_base64
from typing import TYPE_CHECKING, Any, NamedTuple

from roost.client.http import Connection, decode, error_of
from roost.errors import ServerUnavailable

if TYPE_CHECKING:
    from roost.client.discovery import Address

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
GOING_AWAY = 1001
MAX_MESSAGE = 32 << 20
READ_BYTES = 262_144
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Message(NamedTuple):
    """`kind` is TEXT, BINARY, PING or CLOSE."""

    kind: int
    data: bytes


class ProtocolError(Exception):
    """The server broke the protocol."""


class Frames:
    """Cuts a server's bytes into messages, whatever pieces they come in."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._kind = CONTINUATION
        self._parts: list[bytes] = []
        self._size = 0

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are whole now.

        Raises:
            ProtocolError: the bytes are not WebSocket frames, or a message is too long.
        """
        self._buffer += data
        found = []
        while (frame := self._next()) is not None:
            message = self._take(*frame)
            if message is not None:
                found.append(message)
        return found

    def _next(self) -> tuple[bool, int, bytes] | None:
        buffer = self._buffer
        if len(buffer) < 2:
            return None
        if buffer[0] & 0x70 or buffer[1] & 0x80:
            raise ProtocolError("a server's frame has no reserved bits and no mask")
        length, at = buffer[1] & 0x7F, 2
        if length >= 126:
            layout = struct.Struct(">H" if length == 126 else ">Q")
            if len(buffer) < at + layout.size:
                return None
            (length,) = layout.unpack_from(buffer, at)
            at += layout.size
        if length > MAX_MESSAGE:
            raise ProtocolError(f"a frame of {length} bytes is too long")
        if len(buffer) < at + length:
            return None
        final, opcode, payload = bool(buffer[0] & 0x80), buffer[0] & 0x0F, bytes(buffer[at : at + length])
        del buffer[: at + length]
        return final, opcode, payload

    def _take(self, final: bool, opcode: int, payload: bytes) -> Message | None:
        if opcode >= CLOSE:
            return None if opcode == PONG else Message(opcode, payload)
        if (opcode == CONTINUATION) == (not self._parts):
            raise ProtocolError("fragments are out of order")
        if opcode != CONTINUATION:
            self._kind = opcode
        self._parts.append(payload)
        self._size += len(payload)
        if self._size > MAX_MESSAGE:
            raise ProtocolError("a message is too long")
        if not final:
            return None
        whole, self._parts, self._size = b"".join(self._parts), [], 0
        return Message(self._kind, whole)


def encode(kind: int, payload: bytes, mask: bytes) -> bytes:
    """One masked frame, as a client sends it."""
    length = len(payload)
    if length < 126:
        head = struct.pack(">BB", 0x80 | kind, 0x80 | length)
    elif length < 65_536:
        head = struct.pack(">BBH", 0x80 | kind, 0x80 | 126, length)
    else:
        head = struct.pack(">BBQ", 0x80 | kind, 0x80 | 127, length)
    return head + mask + apply_mask(payload, mask)


def apply_mask(payload: bytes, mask: bytes) -> bytes:
    """The payload with the mask laid over it; the same again takes it off."""
    length = len(payload)
    laid = (mask * (length // 4 + 1))[:length]
    return (int.from_bytes(payload, "big") ^ int.from_bytes(laid, "big")).to_bytes(length, "big")


class Closed(Exception):
    """The connection is over; `code` is the peer's, 1006 where it gave none."""

    def __init__(self, code: int = 1006, reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason


class WebSocket:
    """An open WebSocket. Reading never blocks; wait for `fileno` to be readable first."""

    def __init__(self, address: Address, target: str, *, timeout_s: float = 10.0) -> None:
        connection = Connection(address, timeout_s)
        try:
            _shake_hands(connection, target)
        except BaseException:
            connection.close()
            raise
        self._socket = connection.socket
        self._frames = Frames()
        self._early = self._frames.feed(connection.take_buffer())
        self._closed: Closed | None = None

    def fileno(self) -> int:
        return self._socket.fileno()

    def has_early(self) -> bool:
        """Whether there is something of which no readable descriptor tells: what came along with something else."""
        return bool(self._early) or self._closed is not None

    def receive(self) -> list[Message]:
        """What has come; empty when nothing has. Pings are answered.

        Raises:
            Closed: the connection is over.
        """
        taken: list[Message] = []
        try:
            self._receive(taken)
        except Closed as closed:
            # What came before the end is not lost with it; the end is told the next time.
            self._closed = closed
            if not taken:
                raise
        return taken

    def _receive(self, taken: list[Message]) -> None:
        if self._closed is not None:
            raise self._closed
        found, self._early = self._early, []
        self._handle(found, taken)
        while data := self._read_now():
            self._handle(self._parse(data), taken)
            if len(data) < READ_BYTES:
                break

    def send_text(self, text: str) -> None:
        self._send(TEXT, text.encode("utf-8", "replace"))

    def send_json(self, value: Any) -> None:
        self.send_text(json.dumps(value))

    def send_binary(self, data: bytes) -> None:
        self._send(BINARY, data)

    def close(self) -> None:
        """Say good-bye where that is possible, and close."""
        try:
            self._send(CLOSE, struct.pack(">H", 1000))
        except Closed:
            pass
        finally:
            self._socket.close()

    def _read_now(self) -> bytes:
        self._socket.setblocking(False)
        try:
            data = self._socket.recv(READ_BYTES)
        except (BlockingIOError, InterruptedError):
            return b""
        except OSError as exc:
            if type(exc).__name__ in ("SSLWantReadError", "SSLWantWriteError"):
                return b""
            raise Closed(reason=str(exc)) from exc
        if not data:
            raise Closed
        return data

    def _parse(self, data: bytes) -> list[Message]:
        try:
            return self._frames.feed(data)
        except ProtocolError as exc:
            raise Closed(1002, str(exc)) from exc

    def _handle(self, messages: list[Message], taken: list[Message]) -> None:
        for message in messages:
            if message.kind == PING:
                self._send(PONG, message.data)
            elif message.kind == CLOSE:
                code = struct.unpack_from(">H", message.data)[0] if len(message.data) >= 2 else 1005
                raise Closed(code, message.data[2:].decode("utf-8", "replace"))
            else:
                taken.append(message)

    def _send(self, kind: int, payload: bytes) -> None:
        if self._closed is not None and kind != CLOSE:
            raise self._closed
        self._socket.settimeout(10.0)
        try:
            self._socket.sendall(encode(kind, payload, os.urandom(4)))
        except OSError as exc:
            raise Closed(reason=str(exc)) from exc


def _shake_hands(connection: Connection, target: str) -> None:
    key = b2a_base64(os.urandom(16), newline=False)
    headers = {
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Key": key.decode(),
        "Sec-WebSocket-Version": "13",
    }
    connection.send("GET", target, headers=headers)
    if connection.status != 101:
        raise error_of(connection.address, connection.status, connection.read())
    expected = b2a_base64(hashlib.sha1(key + _GUID, usedforsecurity=False).digest(), newline=False).decode()
    if connection.headers.get("sec-websocket-accept") != expected:
        raise ServerUnavailable(f"what answers at {connection.address.url} is not a roost server")


def parse_text(message: Message, address: Address) -> dict[str, Any]:
    """A text message as the JSON object that it holds."""
    value = decode(message.data, address)
    return value if isinstance(value, dict) else {}
