"""The guard of a real server: attacks are refused, whatever the route; roles are what the table says."""

from __future__ import annotations

import socket
from typing import Any

import httpx
import pytest
import websockets.sync.client as websockets
from websockets.exceptions import ConnectionClosed, InvalidStatus

from roost.core.guard import RANK
from roost.web.dispatch import Entry
from roost.web.routes import ROUTES
from tests.waiting import scaled
from tests.web.conftest import TOKENS, Rest

JSON = {"Content-Type": "application/json"}
BODY = '{"name": "attacked", "command": "true"}'


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def path_of(entry: Entry) -> str:
    return entry.path.replace("{name}", "nobody").replace("{path:path}", "x").replace("{file}", "x.txt")


# Attacks. Each is tried with a valid token, so that only what is named can be the reason.

ATTACKS: list[tuple[str, dict[str, str], tuple[int, str]]] = [
    ("a name that points here", {"Host": "evil.example"}, (403, "HOST_REFUSED")),
    ("that name with our port", {"Host": "evil.example:{port}"}, (403, "HOST_REFUSED")),
    ("a name that begins like ours", {"Host": "localhost.evil.example:{port}"}, (403, "HOST_REFUSED")),
    ("an address that begins like ours", {"Host": "127.0.0.1.evil.example:{port}"}, (403, "HOST_REFUSED")),
    ("another port of ours", {"Host": "127.0.0.1:1"}, (403, "HOST_REFUSED")),
    ("the address of any", {"Host": "0.0.0.0:{port}"}, (403, "HOST_REFUSED")),
    ("a foreign page", {"Origin": "http://evil.example"}, (403, "ORIGIN_REFUSED")),
    ("a page of another port", {"Origin": "http://127.0.0.1:1"}, (403, "ORIGIN_REFUSED")),
    ("a page without a port", {"Origin": "http://127.0.0.1"}, (403, "ORIGIN_REFUSED")),
    ("a page over another scheme", {"Origin": "https://127.0.0.1:{port}"}, (403, "ORIGIN_REFUSED")),
    ("a page of another name of ours", {"Origin": "http://localhost:{port}"}, (403, "ORIGIN_REFUSED")),
    ("a sandboxed page", {"Origin": "null"}, (403, "ORIGIN_REFUSED")),
    ("an extension", {"Origin": "chrome-extension://abc"}, (403, "ORIGIN_REFUSED")),
    ("another site's image", {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, (403, "ORIGIN_REFUSED")),
    ("another port's script", {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, (403, "ORIGIN_REFUSED")),
    (
        "another site's link to the API",
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        (403, "ORIGIN_REFUSED"),
    ),
    (
        "a rebound page",
        {"Host": "evil.example:{port}", "Origin": "http://evil.example:{port}", "Sec-Fetch-Site": "same-origin"},
        (403, "HOST_REFUSED"),
    ),
]


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize(("headers", "expected"), [attack[1:] for attack in ATTACKS], ids=[a[0] for a in ATTACKS])
def test_attacks_through_a_browser_are_refused(
    rest: Rest, method: str, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    sent = {name: value.format(port=rest.server.port) for name, value in headers.items()}
    content = BODY if method == "POST" else None
    answer = rest.call(method, "/api/agents", headers=JSON | sent, content=content)
    assert refused(answer) == expected
    assert "access-control-allow-origin" not in answer.headers
    assert rest.call("GET", "/api/agents/attacked").status_code == 404


@pytest.mark.parametrize(("headers", "expected"), [attack[1:] for attack in ATTACKS], ids=[a[0] for a in ATTACKS])
def test_the_same_attacks_on_sockets_are_refused(
    rest: Rest, headers: dict[str, str], expected: tuple[int, str]
) -> None:
    sent = {name: value.format(port=rest.server.port) for name, value in headers.items()}
    assert upgrade(rest, sent)[0] == expected[0]


@pytest.mark.parametrize("path", ["/", "/login", "/assets/x", "/api/login", "/api/nothing", "/docs", "/metrics"])
def test_no_path_is_without_the_screening(rest: Rest, path: str) -> None:
    assert refused(rest.call("GET", path, headers={"Host": "evil.example"})) == (403, "HOST_REFUSED")
    assert refused(rest.call("GET", path, headers={"Origin": "http://evil.example"})) == (403, "ORIGIN_REFUSED")


@pytest.mark.parametrize(
    "head",
    [
        "GET /api/agents HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: evil.example\r\n",
        "GET /api/agents HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nHost: 127.0.0.1:{port}\r\n",
        "GET /api/agents HTTP/1.1\r\n",
        "GET /api/agents HTTP/1.0\r\n",
        "GET http://127.0.0.1:{port}/api/agents HTTP/1.1\r\nHost: evil.example\r\n",
        "GET /api/agents HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        "Origin: http://127.0.0.1:{port}\r\nOrigin: http://evil.example\r\n",
    ],
)
def test_odd_heads_are_refused(rest: Rest, head: str) -> None:
    text = (
        head.format(port=rest.server.port) + f"Authorization: Bearer {rest.server.token}\r\nConnection: close\r\n\r\n"
    )
    assert raw_status(rest, text) in (400, 403)


def test_our_own_page_may_call(rest: Rest) -> None:
    headers = {"Origin": rest.server.url, "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}
    assert rest.call("GET", "/api/agents", headers=headers).status_code == 200


@pytest.mark.parametrize("path", ["/", "/agents/demo"])
def test_a_link_from_elsewhere_opens_the_page(rest: Rest, path: str) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert rest.call("GET", path, role=None, headers=headers).status_code == 200
    framed = headers | {"Sec-Fetch-Dest": "iframe"}
    assert refused(rest.call("GET", path, role=None, headers=framed)) == (403, "ORIGIN_REFUSED")


# Credentials


def bad_credentials(token: str) -> list[dict[str, str]]:
    return [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer x"},
        {"Authorization": f"Basic {token}"},
        {"Authorization": token},
        {"Authorization": f"Bearer {token[:-1]}"},
        {"Authorization": f"Bearer {token}x"},
        {"Authorization": f"Bearer {token.swapcase()}"},
        {"Authorization": f"Bearer {token} {token}"},
        {"Authorization": "Bearer \xff\xfe"},
        {"Cookie": f"roost={token}"},
        {"Cookie": f"roost_1={token}"},
        {"X-Token": token},
    ]


@pytest.mark.parametrize("number", range(14))
def test_wrong_credentials_are_refused(rest: Rest, number: int) -> None:
    headers = {name: value.encode("latin-1") for name, value in bad_credentials(rest.server.token)[number].items()}
    answer = rest.call("GET", "/api/agents", role=None, headers=headers)
    assert refused(answer) == (401, "UNAUTHORIZED")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert rest.server.token not in answer.text


def test_a_wrong_header_is_not_mended_by_a_cookie(rest: Rest) -> None:
    with rest.client(role=None) as client:
        client.post("/api/login", json={"token": rest.server.token})
        assert client.get("/api/agents").status_code == 200
        assert client.get("/api/agents", headers={"Authorization": "Bearer wrong"}).status_code == 401


def test_the_scheme_of_a_token_is_read_in_any_case(rest: Rest) -> None:
    headers = {"Authorization": f"bearer  {rest.server.token}"}
    assert rest.call("GET", "/api/agents", role=None, headers=headers).status_code == 200


def test_the_request_cannot_claim_a_role(rest: Rest) -> None:
    headers = {"X-Role": "admin", "Cookie": "role=admin"}
    answer = rest.call("POST", "/api/agents?role=admin", role="viewer", headers=headers, json={"role": "admin"})
    assert refused(answer) == (403, "FORBIDDEN")


# Roles

ASKED = [entry for entry in ROUTES if entry.method != "WEBSOCKET" and not entry.path.endswith("/stream")]


@pytest.mark.parametrize("role", [None, *RANK])
@pytest.mark.parametrize("entry", ASKED, ids=lambda entry: f"{entry.method} {entry.path}")
def test_every_route_asks_for_its_role(rest: Rest, entry: Entry, role: str | None) -> None:
    answer = rest.call(entry.method, path_of(entry), role=role)
    if entry.least == "anybody":
        assert answer.status_code not in (403,)
    elif role is None:
        assert refused(answer) == (401, "UNAUTHORIZED")
    elif RANK[role] < RANK[entry.least]:
        assert refused(answer) == (403, "FORBIDDEN")
        assert answer.json()["error"]["details"] == {"role": role, "needed": entry.least}
    else:
        assert answer.status_code not in (401, 403)


@pytest.mark.parametrize("role", [None, *RANK])
@pytest.mark.parametrize("path", ["/api/agents/nobody/stream", "/api/stream?after=nonsense"])
def test_streams_ask_for_a_token(rest: Rest, path: str, role: str | None) -> None:
    served = 400 if "after" in path else 404
    assert rest.call("GET", path, role=role).status_code == {None: 401, "reporter": 403}.get(role, served)


def test_everything_that_changes_something_is_beyond_viewers() -> None:
    harmless = {"/api/tickets", "/api/login", "/api/logout"}
    changing = [entry for entry in ROUTES if entry.method not in ("GET", "WEBSOCKET") and entry.path not in harmless]
    assert {entry.least for entry in changing if not entry.path.startswith("/v1/")} == {"operator"}


def test_telemetry_needs_a_role_that_can_do_nothing_else() -> None:
    assert {entry.path for entry in ROUTES if entry.least == "reporter"} == {"/v1/logs", "/v1/metrics", "/v1/traces"}


def test_without_a_token_nobody_learns_what_is_there(rest: Rest) -> None:
    for path in ("/api/nothing", "/api/agents/demo/nothing", "/ws/agents/x", "/docs/x", "/metrics/x"):
        assert refused(rest.call("GET", path, role=None)) == (401, "UNAUTHORIZED"), path


# The order of the checks


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, (403, "HOST_REFUSED")),
        ({"Host": None}, (403, "ORIGIN_REFUSED")),
        ({"Origin": None}, (403, "ORIGIN_REFUSED")),
        ({"Sec-Fetch-Site": None}, (401, "UNAUTHORIZED")),
        ({"Authorization": f"Bearer {TOKENS['viewer']}"}, (403, "FORBIDDEN")),
        ({"Authorization": f"Bearer {TOKENS['operator']}"}, (415, "UNSUPPORTED_BODY")),
        ({"Content-Type": "application/json"}, (400, "MALFORMED_REQUEST")),
    ],
)
def test_checks_come_in_their_order(rest: Rest, change: dict[str, str | None], expected: tuple[int, str]) -> None:
    """Each row mends one more fault of a request that has them all."""
    headers: dict[str, str | None] = {
        "Host": "evil.example",
        "Origin": "http://evil.example",
        "Sec-Fetch-Site": "cross-site",
        "Authorization": "Bearer wrong",
        "Content-Type": "text/plain",
    }
    rows: list[dict[str, str | None]] = [
        {},
        {"Host": None},
        {"Origin": None},
        {"Sec-Fetch-Site": None},
        {"Authorization": f"Bearer {TOKENS['viewer']}"},
        {"Authorization": f"Bearer {TOKENS['operator']}"},
        {"Content-Type": "application/json"},
    ]
    for row in rows[: rows.index(change) + 1]:
        headers |= row
    sent = {name: value for name, value in headers.items() if value is not None}
    assert refused(rest.call("POST", "/api/agents", role=None, headers=sent, content="x")) == expected


# Sockets


def upgrade(rest: Rest, headers: dict[str, str], *, token: str | None = None) -> tuple[int, str]:
    """The status of a WebSocket upgrade with these headers, and its answer."""
    lines = {
        "Host": f"127.0.0.1:{rest.server.port}",
        "Upgrade": "websocket",
        "Connection": "Upgrade",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
        "Authorization": f"Bearer {token or rest.server.token}",
    } | headers
    text = "GET /ws/agents/nobody HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    with socket.create_connection(("127.0.0.1", rest.server.port), timeout=10) as connection:
        connection.sendall((text + "\r\n").encode())
        answer = connection.recv(65536).decode()
        while answer.startswith("HTTP/1.1 4") and not answer.endswith("}}"):
            answer += connection.recv(65536).decode()
    return int(answer.split(" ", 2)[1]), answer


def raw_status(rest: Rest, text: str) -> int:
    with socket.create_connection(("127.0.0.1", rest.server.port), timeout=10) as connection:
        connection.sendall(text.encode())
        return int(connection.recv(65536).decode().split(" ", 2)[1])


def test_a_refused_socket_says_why_in_the_same_form(rest: Rest) -> None:
    status, answer = upgrade(rest, {"Origin": "http://evil.example"})
    assert status == 403
    assert '"code":"ORIGIN_REFUSED"' in answer
    assert "x-request-id" in answer.lower()


def test_a_socket_with_a_wrong_token_is_refused(rest: Rest) -> None:
    assert upgrade(rest, {}, token="wrong")[0] == 401


def test_a_socket_of_an_unknown_agent_is_not_found(rest: Rest) -> None:
    assert upgrade(rest, {})[0] == 404


def connect(rest: Rest, path: str = "/ws/agents/nobody", **more: Any) -> websockets.ClientConnection:
    return websockets.connect(f"ws://127.0.0.1:{rest.server.port}{path}", compression=None, **more)


def test_a_socket_takes_a_ticket_once(rest: Rest) -> None:
    ticket = rest.call("POST", "/api/tickets").json()["ticket"]
    with pytest.raises(InvalidStatus) as caught:
        connect(rest, f"/ws/agents/nobody?ticket={ticket}")
    assert caught.value.response.status_code == 404
    with connect(rest, f"/ws/agents/nobody?ticket={ticket}") as client:
        client.send("{}")
        assert "UNAUTHORIZED" in str(client.recv(timeout=10))


def test_a_socket_takes_the_token_in_its_first_frame(rest: Rest) -> None:
    with connect(rest) as client:
        client.send(f'{{"type": "auth", "token": "{rest.server.token}"}}')
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(timeout=10)
    assert caught.value.rcvd is not None
    assert (caught.value.rcvd.code, caught.value.rcvd.reason) == (4404, "AGENT_NOT_FOUND")


def test_after_its_first_frame_a_socket_is_like_any_other(rest: Rest) -> None:
    rest.call("POST", "/api/agents", json={"name": "greeted", "command": "sleep 1000"})
    with connect(rest, "/ws/agents/greeted") as client:
        client.send(f'{{"type": "auth", "token": "{TOKENS["viewer"]}"}}')
        client.send('{"type": "ping", "request_id": 7}')
        while '"pong"' not in (said := str(client.recv(timeout=10))):
            pass
        assert '"request_id":7' in said
    rest.call("POST", "/api/agents/greeted/kill")


def test_a_socket_that_says_nothing_is_closed(rest: Rest) -> None:
    with connect(rest) as client:
        assert "UNAUTHORIZED" in str(client.recv(timeout=scaled(20)))
        with pytest.raises(ConnectionClosed):
            client.recv(timeout=10)


def test_a_socket_may_go_without_a_word(rest: Rest) -> None:
    with connect(rest):
        pass
    assert rest.call("GET", "/api/health/live").status_code == 200


@pytest.mark.parametrize(
    "frame", ['{"type": "auth", "token": "wrong"}', '{"type": "auth"}', "{}", "no JSON", "[]", "[" * 5000]
)
def test_a_socket_whose_first_frame_is_no_token_is_closed(rest: Rest, frame: str) -> None:
    with connect(rest) as client:
        client.send(frame)
        said = client.recv(timeout=10)
        assert "UNAUTHORIZED" in str(said)
        with pytest.raises(ConnectionClosed) as caught:
            client.recv(timeout=10)
    assert caught.value.rcvd is not None
    assert caught.value.rcvd.code == 4401
