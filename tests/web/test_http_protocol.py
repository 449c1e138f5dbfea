"""Limits of the server's protocols: slow heads, too many connections, bytes that are no HTTP."""

import http.client
import json
import time

import pytest

from roost.web.http_protocol import refusal
from tests.waiting import scaled, until
from tests.web.serving import raw_connection, stream_server


def hello(server):
    """One healthy request."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=scaled(10))
    connection.request("GET", "/hello")
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    return answer.status, body


def answer_of(connection):
    """Everything up to the connection's end."""
    found = b""
    while part := connection.recv(65536):
        found += part
    connection.close()
    return found


def test_a_head_that_does_not_end_is_given_up():
    with stream_server(server={"header_timeout_s": 0.3}) as server:
        connection = raw_connection(server.port)
        connection.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        answer = answer_of(connection)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "TIMED_OUT"


def test_a_connection_that_says_nothing_is_given_up():
    with stream_server(server={"header_timeout_s": 0.3}) as server:
        assert answer_of(raw_connection(server.port)).startswith(b"HTTP/1.1 408 ")


def test_a_head_that_drips_is_given_up_too():
    with stream_server(server={"header_timeout_s": 0.5}) as server:
        connection = raw_connection(server.port)
        started = time.monotonic()
        connection.sendall(b"GET /hello HTTP/1.1\r\n")

        def drip():
            connection.sendall(b"X-A: b\r\n")
            return False

        with pytest.raises(OSError):
            until(drip, 20)
        assert time.monotonic() - started < scaled(15)
        connection.close()


def test_the_second_request_of_a_connection_must_be_whole_in_time_too():
    with stream_server(server={"header_timeout_s": 0.3}) as server:
        connection = raw_connection(server.port)
        connection.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\nGET /hello HTTP/1.1\r\nHo")
        answer = answer_of(connection)
        assert answer.startswith(b"HTTP/1.1 200 ")
        assert b"HTTP/1.1 408 " in answer


BODY = b"POST %b HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"


def test_a_body_that_does_not_end_is_given_up():
    with stream_server(server={"body_timeout_s": 0.3}) as server:
        connection = raw_connection(server.port)
        connection.sendall(BODY % b"/body")
        answer = answer_of(connection)
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "TIMED_OUT"
        assert hello(server) == (200, b"hi")


def test_a_body_that_nobody_waits_for_is_given_up_too():
    with stream_server(server={"body_timeout_s": 0.3}) as server:
        connection = raw_connection(server.port)
        connection.sendall(BODY % b"/hello")
        with pytest.raises(ConnectionResetError):
            while connection.recv(65536):
                pass
        connection.close()


def test_a_body_that_is_whole_may_take_its_time_to_be_handled():
    with stream_server(server={"body_timeout_s": 0.1}) as server:
        connection = raw_connection(server.port)
        connection.sendall(BODY % b"/body" + b" " * 99)
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")
        connection.close()


def test_hundreds_of_slow_heads_keep_nobody_waiting():
    with stream_server(server={"header_timeout_s": 30}) as server:
        slow = [raw_connection(server.port) for _ in range(300)]
        for connection in slow:
            connection.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\nX-Slow: ")
        started = time.monotonic()
        assert hello(server) == (200, b"hi")
        assert time.monotonic() - started < scaled(1)
        for connection in slow:
            connection.close()


def test_half_open_connections_are_let_go():
    with stream_server(server={"header_timeout_s": 0.3}) as server:
        half_open = [raw_connection(server.port) for _ in range(50)]
        until(lambda: len(server.server.server_state.connections) == 0)
        assert hello(server) == (200, b"hi")
        for connection in half_open:
            connection.close()


def test_more_connections_than_allowed_are_refused_with_503():
    with stream_server(server={"max_connections": 5, "header_timeout_s": 30}) as server:
        held = [raw_connection(server.port) for _ in range(5)]
        until(lambda: len(server.server.server_state.connections) == 5)
        answer = answer_of(raw_connection(server.port))
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b"retry-after: 1\r\n" in answer
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "LIMIT_REACHED"
        held.pop().close()
        until(lambda: len(server.server.server_state.connections) == 4)
        assert hello(server) == (200, b"hi")
        for connection in held:
            connection.close()


@pytest.mark.parametrize(
    "data", [b"nonsense\r\n\r\n", b"\x16\x03\x01\x02\x00\x01", b"GET / HTTP/9.9\r\n\r\n", b"\0" * 100]
)
def test_bytes_that_are_no_http_are_answered_in_our_form(data):
    with stream_server() as server:
        connection = raw_connection(server.port)
        connection.sendall(data)
        answer = answer_of(connection)
        assert answer.startswith(b"HTTP/1.1 400 ")
        assert json.loads(answer.partition(b"\r\n\r\n")[2])["error"]["code"] == "MALFORMED_REQUEST"
        assert hello(server) == (200, b"hi")


def test_a_head_that_is_too_large_is_refused():
    with stream_server() as server:
        connection = raw_connection(server.port)
        connection.sendall(b"GET /hello HTTP/1.1\r\nX-Large: " + b"x" * 66_000)
        assert answer_of(connection).startswith(b"HTTP/1.1 431 ")


def test_what_comes_after_a_refusal_is_not_read():
    with stream_server(server={"max_connections": 1, "header_timeout_s": 30}) as server:
        held = raw_connection(server.port)
        until(lambda: len(server.server.server_state.connections) == 1)
        refused = raw_connection(server.port)
        refused.sendall(b"GET /hello HTTP/1.1\r\nHost: x\r\n\r\n")
        answer = b""
        try:
            answer = answer_of(refused)
        except ConnectionResetError:
            refused.close()
        assert b"200" not in answer
        held.close()


def test_a_refusal_is_a_whole_answer():
    head, _, body = refusal(503, "LIMIT_REACHED", "full").partition(b"\r\n\r\n")
    assert f"content-length: {len(body)}".encode() in head
    assert json.loads(body) == {"error": {"code": "LIMIT_REACHED", "message": "full", "details": {}, "request_id": ""}}
