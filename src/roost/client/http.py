"""A small HTTP/1.1 client over a socket: JSON requests, and bodies read as they come.

`http.client` brings in the whole `email` package, which costs more than everything else that `roost ps` does.
"""

from __future__ import annotations

import json
import os
import socket
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import urlsplit

from roost.errors import Forbidden, RoostError, ServerUnavailable, TimedOut, Unauthorized, from_dict

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from roost.client.discovery import Address

READ_BYTES = 65_536
MAX_HEAD_BYTES = 65_536
CONNECT_TIMEOUT_S = 5.0
START_HINT = "see 'roost status', or start one with 'roost up'"


class Response(NamedTuple):
    """A whole answer; header names are in lower case."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One request, and its answer read as it comes. Close it, or use it as a context."""

    def __init__(self, address: Address, timeout_s: float | None = 30.0) -> None:
        self.address = address
        self.socket = connect(address, timeout_s)
        self._buffer = b""
        self.status = 0
        self.headers: dict[str, str] = {}

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.socket.close()

    def send(self, method: str, target: str, *, headers: Mapping[str, str] | None = None, body: bytes = b"") -> None:
        """Send a request and read the answer's head.

        Raises:
            ServerUnavailable: the connection broke, or what came is not HTTP.
            TimedOut: nothing came in time.
        """
        self._transmit(request_head(self.address, method, target, headers or {}, len(body)) + body)
        self.status, self.headers = parse_head(self._read_head())

    def read(self) -> bytes:
        """The whole body."""
        return b"".join(self.chunks())

    def chunks(self) -> Iterator[bytes]:
        """The body in the pieces in which it comes."""
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            yield from self._read_chunked()
        elif "content-length" in self.headers:
            yield from self._read_sized(int(self.headers["content-length"]))
        else:
            while data := self._read_some():
                yield data

    def take_buffer(self) -> bytes:
        """What was read behind the head and not yet given out."""
        data, self._buffer = self._buffer, b""
        return data

    def _transmit(self, data: bytes) -> None:
        try:
            self.socket.sendall(data)
        except TimeoutError as exc:
            raise TimedOut(f"the server at {self.address.url} does not take the request") from exc
        except OSError as exc:
            raise _gone(self.address.url, exc) from exc

    def _read_head(self) -> bytes:
        while b"\r\n\r\n" not in self._buffer:
            data = self._receive()
            if not data and not self._buffer:
                raise _gone(self.address.url, ConnectionResetError("it ended the connection"))
            if not data or len(self._buffer) > MAX_HEAD_BYTES:
                raise ServerUnavailable(f"what answers at {self.address.url} is not a roost server", hint=START_HINT)
            self._buffer += data
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        return head

    def _read_chunked(self) -> Iterator[bytes]:
        while size := self._chunk_size():
            yield from self._read_sized(size)
            self._read_line()

    def _chunk_size(self) -> int:
        try:
            return int(self._read_line().partition(b";")[0], 16)
        except ValueError as exc:
            raise ServerUnavailable(f"the server at {self.address.url} sent a broken answer") from exc

    def _read_sized(self, size: int) -> Iterator[bytes]:
        while size:
            data = self._read_some()
            if not data:
                raise ServerUnavailable(f"the server at {self.address.url} went away in the middle of an answer")
            now, self._buffer = data[:size], data[size:]
            size -= len(now)
            yield now

    def _read_line(self) -> bytes:
        while b"\r\n" not in self._buffer:
            data = self._receive()
            if not data:
                raise ServerUnavailable(f"the server at {self.address.url} went away in the middle of an answer")
            self._buffer += data
        line, _, self._buffer = self._buffer.partition(b"\r\n")
        return line

    def _read_some(self) -> bytes:
        return self.take_buffer() or self._receive()

    def _receive(self) -> bytes:
        try:
            return self.socket.recv(READ_BYTES)
        except TimeoutError as exc:
            raise TimedOut(f"the server at {self.address.url} does not answer") from exc
        except OSError as exc:
            raise _gone(self.address.url, exc) from exc


def request(
    address: Address, method: str, target: str, *, value: Any = None, timeout_s: float | None = 30.0
) -> Response:
    """One request with a JSON body (none where `value` is None) and its whole answer, whatever the status."""
    headers = {"Accept": "application/json"}
    body = b""
    if value is not None:
        body = json.dumps(value).encode("utf-8", "surrogatepass")
        headers["Content-Type"] = "application/json"
    with Connection(address, timeout_s) as connection:
        connection.send(method, target, headers=headers | {"Connection": "close"}, body=body)
        return Response(connection.status, connection.headers, connection.read())


def call(address: Address, method: str, target: str, *, value: Any = None, timeout_s: float | None = 30.0) -> Any:
    """The same, with the answer decoded.

    Raises:
        RoostError: what the server refused, as the class of its code.
    """
    answer = request(address, method, target, value=value, timeout_s=timeout_s)
    if answer.status >= 400:
        raise error_of(address, answer.status, answer.body)
    return decode(answer.body, address) if answer.body else None


def decode(body: bytes, address: Address) -> Any:
    """A JSON answer."""
    try:
        return json.loads(body)
    except ValueError as exc:
        raise ServerUnavailable(f"what answers at {address.url} is not a roost server", hint=START_HINT) from exc


def error_of(address: Address, status: int, body: bytes) -> RoostError:
    """The error that an answer tells of."""
    try:
        told = json.loads(body)["error"]
        error = from_dict(told)
    except (ValueError, KeyError, TypeError, AttributeError):
        error = _plain_error(address, status)
    if isinstance(error, Unauthorized):
        mend = "unset ROOST_TOKEN" if os.environ.get("ROOST_TOKEN") else "set ROOST_TOKEN"
        error.hint = f"{mend}, or run as the user whose data directory it is"
    return error


def _plain_error(address: Address, status: int) -> RoostError:
    if status == 401:
        return Unauthorized(f"the server at {address.url} wants a valid token")
    if status == 403:
        return Forbidden(f"the server at {address.url} does not allow this")
    return RoostError(f"the server at {address.url} answered with status {status}")


def connect(address: Address, timeout_s: float | None) -> socket.socket:
    """A socket to the server of an address, with TLS for `https`.

    The certificate of a server that `server.json` names is not checked: that file is ours alone, the server is on this
    machine, and its certificate is often made for another name.

    Raises:
        ServerUnavailable: nothing listens there, or the certificate is not trusted.
    """
    url = address.url
    parts = urlsplit(url)
    host = parts.hostname or "127.0.0.1"
    secure = parts.scheme == "https"
    try:
        plain = socket.create_connection((host, parts.port or (443 if secure else 80)), CONNECT_TIMEOUT_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plain.settimeout(timeout_s)
        return _with_tls(plain, host, check=not address.is_local) if secure else plain
    except OSError as exc:
        raise _gone(url, exc) from exc


def _with_tls(plain: socket.socket, host: str, *, check: bool) -> socket.socket:
    import ssl

    context = ssl.create_default_context()
    if not check:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    try:
        return context.wrap_socket(plain, server_hostname=host)
    except OSError:
        plain.close()
        raise


def request_head(address: Address, method: str, target: str, headers: Mapping[str, str], length: int) -> bytes:
    """A request's head, credentials included."""
    parts = urlsplit(address.url)
    lines = [f"{method} {parts.path}{target} HTTP/1.1", f"Host: {parts.netloc}", "User-Agent: roost"]
    if address.token:
        lines.append(f"Authorization: Bearer {address.token}")
    if length or method in ("POST", "PUT", "PATCH"):
        lines.append(f"Content-Length: {length}")
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode("latin-1", "replace")


def parse_head(head: bytes) -> tuple[int, dict[str, str]]:
    """Status and headers of an answer's head, names in lower case.

    Raises:
        ServerUnavailable: it is not the head of an HTTP answer.
    """
    first, *rest = head.decode("latin-1").split("\r\n")
    words = first.split(" ", 2)
    if len(words) < 2 or not words[0].startswith("HTTP/1.") or not words[1].isdigit():
        raise ServerUnavailable("what answers is not a roost server", hint=START_HINT)
    pairs = (line.partition(":") for line in rest)
    return int(words[1]), {name.strip().lower(): value.strip() for name, _, value in pairs}


def _gone(url: str, exc: OSError) -> ServerUnavailable:
    reason = exc.strerror or str(exc)
    return ServerUnavailable(f"the server at {url} cannot be reached: {reason}", hint=START_HINT)
