"""The small HTTP client against servers that behave as they like."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from roost.client.discovery import Address
from roost.client.http import Connection, call, request
from roost.errors import AgentNotFound, Forbidden, RoostError, ServerUnavailable, TimedOut, Unauthorized


@contextmanager
def answering(
    *pieces: bytes, then: Callable[[socket.socket], object] = lambda _: None, seen: list[bytes] | None = None
) -> Iterator[Address]:
    """A server that answers one request, which goes to `seen`, with these bytes; `then` is done before it closes."""
    requests = [] if seen is None else seen

    def serve() -> None:
        link, _ = listener.accept()
        with link:
            link.settimeout(10)
            requests.append(link.recv(65_536))
            for piece in pieces:
                link.sendall(piece)
            then(link)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=serve)
        thread.start()
        yield Address(f"http://127.0.0.1:{listener.getsockname()[1]}", "secret")
        thread.join(10)


def test_a_body_with_a_length():
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"he", b"llo and more") as address:
        assert request(address, "GET", "/").body == b"hello"


def test_a_body_in_chunks_however_cut():
    body = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"
    with answering(*(body[at : at + 1] for at in range(len(body)))) as address:
        assert request(address, "GET", "/").body == b"hello world"


def test_a_body_up_to_the_end():
    with answering(b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo") as address:
        assert request(address, "GET", "/").body == b"hello"


def test_credentials_and_a_json_body_are_sent():
    seen: list[bytes] = []
    with answering(b"HTTP/1.1 204 No Content\r\nContent-Length: 0\r\n\r\n", seen=seen) as address:
        assert call(address, "POST", "/x?y=1", value={"a": "ä"}) is None
    head, _, body = seen[0].partition(b"\r\n\r\n")
    assert head.startswith(b"POST /x?y=1 HTTP/1.1\r\n")
    assert b"Authorization: Bearer secret" in head
    assert b"Content-Type: application/json" in head
    assert body == b'{"a": "\\u00e4"}'


def test_headers_of_the_answer_are_known_in_lower_case():
    answer = b'HTTP/1.1 200 OK\r\nX-Mine:  yes \r\nContent-Length: 8\r\n\r\n{"a": 1}'
    with answering(answer) as address, Connection(address) as one:
        one.send("GET", "/x", headers={"X-Mine": "1"})
        assert (one.status, one.headers["x-mine"]) == (200, "yes")


ERROR = b'{"error": {"code": "AGENT_NOT_FOUND", "message": "no such", "details": {"name": "x"}, "request_id": "r"}}'


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (404, ERROR, AgentNotFound),
        (401, b"", Unauthorized),
        (403, b"<html>", Forbidden),
        (500, b"{}", RoostError),
        (502, b"[]", RoostError),
        (500, b'{"error": "text"}', RoostError),
    ],
)
def test_errors_become_their_classes(status: int, body: bytes, kind: type[RoostError]):
    head = b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n" % (status, len(body))
    with answering(head + body) as address, pytest.raises(kind) as caught:
        call(address, "GET", "/")
    assert type(caught.value) is kind
    assert caught.value.message


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"220 mail.example.org ESMTP\r\n\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"x" * 100_000,
        b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope",
    ],
)
def test_what_is_no_roost_server_is_unavailable(answer: bytes):
    with answering(answer) as address, pytest.raises(ServerUnavailable):
        call(address, "GET", "/")


def test_a_server_that_dies_before_it_answers_is_told_as_gone():
    with answering(b"") as address, pytest.raises(ServerUnavailable, match="cannot be reached: it ended"):
        call(address, "GET", "/")


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    with pytest.raises(ServerUnavailable, match="cannot be reached") as caught:
        request(Address(f"http://127.0.0.1:{port}"), "GET", "/")
    assert "roost up" in caught.value.hint


def test_a_server_that_says_nothing_times_out():
    with (
        answering(then=lambda link: link.recv(1)) as address,
        pytest.raises(TimedOut),
    ):
        request(address, "GET", "/", timeout_s=0.05)


def test_a_server_that_takes_nothing_times_out():
    with socket.create_server(("127.0.0.1", 0), backlog=1) as listener:
        address = Address(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with pytest.raises(TimedOut):
            request(address, "POST", "/", value="x" * 50_000_000, timeout_s=0.05)
