"""Limits: sizes and rates, and a client that keeps to neither."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from roost.testing.server import run_server
from tests.web.conftest import Rest, write_tokens

LIMIT = 1000


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rest]:
    """A server that takes little."""
    data = write_tokens(tmp_path_factory.mktemp("small") / "data")
    limits = {"server_max_body_bytes": LIMIT, "server_requests_per_s": 0.5, "server_request_burst": 20}
    with run_server(data, **limits) as server:
        yield Rest(server)


def sized(size: int) -> bytes:
    return b'{"token": "%b"}' % (b"x" * (size - 13))


def send(rest: Rest, text: bytes) -> str:
    """Whatever comes back for raw bytes, up to the end of the connection or of patience."""
    with socket.create_connection(("127.0.0.1", rest.server.port), timeout=5) as connection:
        connection.sendall(text)
        return connection.recv(65536).decode()


def test_a_body_may_have_its_limit_and_no_more(small: Rest) -> None:
    codes = [
        small.call("POST", "/api/login", role="viewer", content=sized(size), headers=JSON).status_code for size in SIZES
    ]
    assert codes == [401, 413]


JSON = {"Content-Type": "application/json"}
SIZES = (LIMIT, LIMIT + 1)


def test_a_body_in_chunks_is_counted_as_it_comes(small: Rest) -> None:
    def endless() -> Iterator[bytes]:
        while True:
            yield b"x" * 100

    with small.client("operator") as client:
        answer = client.post("/api/login", content=endless(), headers=JSON)
    assert (answer.status_code, answer.json()["error"]["code"]) == (413, "BODY_TOO_LARGE")


@pytest.mark.parametrize("length", ["99999999999999999999", "1001"])
def test_a_length_is_believed_before_the_body_comes(small: Rest, length: str) -> None:
    head = f"POST /api/login HTTP/1.1\r\nHost: localhost:{small.server.port}\r\nContent-Type: application/json\r\n"
    assert send(small, f"{head}Content-Length: {length}\r\n\r\n".encode()).startswith(("HTTP/1.1 413", "HTTP/1.1 400"))


@pytest.mark.parametrize("length", ["-1", "x", "1, 2", "0x10"])
def test_a_length_that_is_none_is_malformed(small: Rest, length: str) -> None:
    head = f"POST /api/login HTTP/1.1\r\nHost: localhost:{small.server.port}\r\nContent-Type: application/json\r\n"
    assert send(small, f"{head}Content-Length: {length}\r\n\r\n".encode()).startswith("HTTP/1.1 400")


def test_a_head_without_end_is_refused(small: Rest) -> None:
    head = f"GET / HTTP/1.1\r\nHost: localhost:{small.server.port}\r\n".encode()
    assert send(small, head + b"X-Long: " + b"x" * 100_000).startswith("HTTP/1.1 431")


def test_who_asks_too_often_waits_and_others_do_not(small: Rest) -> None:
    with small.client("viewer") as eager:
        answers = [eager.get("/api/health/live") for _ in range(40)]
    late = [answer for answer in answers if answer.status_code == 429]
    assert late
    assert late[0].json()["error"]["code"] == "LIMIT_REACHED"
    assert 1 <= int(late[0].headers["retry-after"]) <= 2
    assert small.call("GET", "/api/health/live").status_code == 200


def test_a_connection_that_is_kept_serves_on_after_an_error(rest: Rest) -> None:
    with rest.client() as client:
        codes = [
            client.post("/api/agents", content=b"{", headers=JSON).status_code,
            client.post("/api/agents", content=b"x" * 2_000_000, headers=JSON).status_code,
            client.get("/api/agents/nobody").status_code,
            client.get("/api/health/live").status_code,
        ]
    assert codes == [400, 413, 404, 200]


def test_pages_of_allowed_origins_may_call(tmp_path: Path) -> None:
    with run_server(tmp_path / "data", server_allowed_origins="http://localhost:5173") as server:
        page = {"Origin": "http://localhost:5173", "Sec-Fetch-Site": "cross-site"}
        asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        token = {"Authorization": f"Bearer {server.token}"}
        with httpx.Client(base_url=server.url) as client:
            preflight = client.options("/api/agents", headers=page | asks)
            answer = client.get("/api/agents", headers=page | token)
            failure = client.get("/api/agents", headers=page)
            stranger = client.options("/api/agents", headers=asks | {"Origin": "http://localhost:5174"})
    assert preflight.status_code == 204
    assert "authorization" in preflight.headers["access-control-allow-headers"].lower()
    for each in (preflight, answer, failure):
        assert each.headers["access-control-allow-origin"] == "http://localhost:5173"
        assert each.headers["vary"] == "Origin"
    assert (answer.status_code, failure.status_code, stranger.status_code) == (200, 401, 403)
    assert "access-control-allow-origin" not in stranger.headers


def test_a_named_host_is_served(tmp_path: Path) -> None:
    with run_server(tmp_path / "data", server_allowed_hosts="roost.example") as server:
        token = {"Authorization": f"Bearer {server.token}"}
        answers = [
            httpx.get(f"{server.url}/api/health/live", headers=token | {"Host": host}).status_code
            for host in ("roost.example", "roost.example:9000", "other.example")
        ]
        page = token | {"Host": "roost.example", "Origin": "https://roost.example"}
        behind_proxy = [
            httpx.get(f"{server.url}/api/health/live", headers=page | more).status_code
            for more in ({"X-Forwarded-Proto": "https"}, {})
        ]
    assert answers == [200, 200, 403]
    assert behind_proxy == [200, 403]
