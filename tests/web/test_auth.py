"""Tokens, cookies, tickets."""

from __future__ import annotations

import stat
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.errors import InvalidSetting
from roost.testing.server import run_server
from roost.web import tickets as tickets_module
from roost.web.auth import ANYONE, COOKIE_LIFETIME_S, Principal, Tokens, cookie_name, ensure_token, load_tokens
from roost.web.tickets import LIFETIME_S, Tickets
from tests.web.conftest import Rest

OWNER = Principal("owner", "admin")
VIEWER = Principal("eve", "viewer")


class Clock:
    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tokens(clock: Clock) -> Tokens:
    return Tokens({"owners-token-0123": OWNER, "viewers-token-012": VIEWER}, clock)


# Tokens


def test_a_token_says_who_it_is(tokens: Tokens) -> None:
    assert tokens.find("owners-token-0123") == OWNER
    assert tokens.find("viewers-token-012") == VIEWER


@given(st.text())
def test_nothing_else_does(text: str) -> None:
    known = Tokens({"owners-token-0123": OWNER})
    assert known.find(text) is None
    assert known.find_cookie(text) is None
    assert known.find_cookie(f"1000000.{text}") is None


def test_a_lone_surrogate_is_no_token(tokens: Tokens) -> None:
    assert tokens.find("\udcff") is None


def test_the_first_start_makes_a_token_that_only_we_can_read(tmp_path: Path) -> None:
    token = ensure_token(tmp_path / "data" / "token")
    assert len(token) >= 43
    assert stat.S_IMODE((tmp_path / "data" / "token").stat().st_mode) == 0o600
    assert ensure_token(tmp_path / "data" / "token") == token


def test_two_directories_have_two_tokens(tmp_path: Path) -> None:
    assert ensure_token(tmp_path / "a") != ensure_token(tmp_path / "b")


def test_a_token_file_that_others_can_read_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "token"
    ensure_token(path)
    path.chmod(0o644)
    ensure_token(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_given_token_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "token"
    ensure_token(path)
    assert ensure_token(path, "given-token-01234") == "given-token-01234"
    assert ensure_token(path) == "given-token-01234"


@pytest.mark.parametrize("token", ["short", "with space in between", "täglich-0123456789", "line\nbreak-012345678"])
def test_an_unsafe_token_is_refused(tmp_path: Path, token: str) -> None:
    with pytest.raises(InvalidSetting):
        ensure_token(tmp_path / "token", token)


def test_an_empty_token_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("\n")
    with pytest.raises(InvalidSetting):
        load_tokens(tmp_path / "token")


def test_more_tokens_have_roles_and_names(tmp_path: Path) -> None:
    more = tmp_path / "tokens"
    more.write_text("# comment\n\nviewer eve viewers-token-012\n")
    more.chmod(0o600)
    found = load_tokens(tmp_path / "token")
    assert found.find("viewers-token-012") == VIEWER
    assert found.find(ensure_token(tmp_path / "token")) == OWNER


@pytest.mark.parametrize("line", ["viewer eve", "boss eve viewers-token-012", "viewer eve short", "viewer a b c d"])
def test_a_line_that_cannot_be_read_is_named(tmp_path: Path, line: str) -> None:
    more = tmp_path / "tokens"
    more.write_text(f"# comment\n{line}\n")
    more.chmod(0o600)
    with pytest.raises(InvalidSetting, match="tokens:2"):
        load_tokens(tmp_path / "token")


def test_more_tokens_that_others_can_read_are_refused(tmp_path: Path) -> None:
    (tmp_path / "tokens").write_text("")
    (tmp_path / "tokens").chmod(0o640)
    with pytest.raises(InvalidSetting, match="can be read by others"):
        load_tokens(tmp_path / "token")


# Cookies


def test_a_cookie_says_who_it_is_and_not_the_token(tokens: Tokens) -> None:
    value = tokens.cookie(VIEWER)
    assert value is not None
    assert tokens.find_cookie(value) == VIEWER
    assert "viewers-token" not in value


def test_a_cookie_outlives_a_restart_and_falls_with_its_token(tokens: Tokens, clock: Clock) -> None:
    value = tokens.cookie(OWNER)
    assert value is not None
    assert Tokens({"owners-token-0123": OWNER}, clock).find_cookie(value) == OWNER
    assert Tokens({"another-token-012": OWNER}, clock).find_cookie(value) is None


def test_a_cookie_ends_after_its_time(tokens: Tokens, clock: Clock) -> None:
    value = tokens.cookie(OWNER)
    assert value is not None
    clock.now += COOKIE_LIFETIME_S - 2
    assert tokens.find_cookie(value) == OWNER
    clock.now += 2
    assert tokens.find_cookie(value) is None


def test_a_cookie_from_the_future_is_none(tokens: Tokens, clock: Clock) -> None:
    value = tokens.cookie(OWNER)
    assert value is not None
    clock.now -= 60
    assert tokens.find_cookie(value) is None


@pytest.mark.parametrize("change", ["0", "x", "é", "."])
def test_a_changed_cookie_is_none(tokens: Tokens, change: str) -> None:
    value = tokens.cookie(OWNER)
    assert value is not None
    for at in range(len(value)):
        changed = value[:at] + change + value[at + 1 :]
        assert changed == value or tokens.find_cookie(changed) is None


def test_a_cookie_that_was_logged_out_is_void_and_others_are_not(tokens: Tokens, clock: Clock) -> None:
    mine, other = tokens.cookie(OWNER), tokens.cookie(OWNER)
    assert mine is not None
    assert other is not None
    tokens.log_out(mine)
    tokens.log_out("nonsense")
    assert (tokens.find_cookie(mine), tokens.find_cookie(other)) == (None, OWNER)


def test_who_has_no_token_gets_no_cookie(tokens: Tokens) -> None:
    assert tokens.cookie(ANYONE) is None


# Tickets


def test_a_ticket_works_once(clock: Clock) -> None:
    tickets = Tickets(clock)
    ticket = tickets.issue(VIEWER)
    assert [tickets.redeem(ticket), tickets.redeem(ticket), tickets.redeem("nonsense")] == [VIEWER, None, None]


def test_a_ticket_is_soon_too_old(clock: Clock) -> None:
    tickets = Tickets(clock)
    ticket = tickets.issue(VIEWER)
    clock.now += LIFETIME_S
    assert tickets.redeem(ticket) is None


def test_tickets_do_not_pile_up(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tickets_module, "MAX_OPEN", 2)
    tickets = Tickets(clock)
    first, *others = [tickets.issue(VIEWER) for _ in range(3)]
    assert tickets.redeem(first) is None
    assert [tickets.redeem(ticket) for ticket in others] == [VIEWER, VIEWER]


# Over HTTP


def test_a_browser_trades_the_token_for_a_cookie(rest: Rest) -> None:
    with rest.client(role=None) as client:
        answer = client.post("/api/login", json={"token": rest.server.token})
        assert (answer.status_code, answer.content) == (204, b"")
        cookie = answer.headers["set-cookie"].lower()
        assert cookie.startswith(cookie_name(rest.server.port))
        assert "httponly" in cookie
        assert "samesite=strict" in cookie
        assert "path=/" in cookie
        assert "secure" not in cookie
        assert rest.server.token not in answer.headers["set-cookie"]
        assert client.get("/api/login").json() == {"name": "owner", "role": "admin"}


def test_a_wrong_token_gets_no_cookie(rest: Rest) -> None:
    answer = rest.call("POST", "/api/login", role=None, json={"token": "wrong"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, "UNAUTHORIZED")
    assert "set-cookie" not in answer.headers


def test_logging_out_makes_the_cookie_void(rest: Rest) -> None:
    with rest.client(role=None) as client:
        client.post("/api/login", json={"token": rest.server.token})
        name = cookie_name(rest.server.port)
        value = client.cookies[name]
        assert client.post("/api/logout").status_code == 204
        assert name not in client.cookies
        assert client.get("/api/agents", headers={"Cookie": f"{name}={value}"}).status_code == 401


def test_logging_out_without_being_in_is_no_error(rest: Rest) -> None:
    assert rest.call("POST", "/api/logout", role=None).status_code == 204


def test_a_ticket_logs_a_browser_in_once(rest: Rest) -> None:
    found = rest.call("POST", "/api/tickets", role="viewer").json()
    assert found["expires_in_s"] == 60
    with rest.client(role=None) as client:
        answer = client.get("/login", params={"ticket": found["ticket"]})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert client.get("/api/login").json() == {"name": "viewer-1", "role": "viewer"}
    again = rest.call("GET", f"/login?ticket={found['ticket']}", role=None)
    assert again.status_code == 401
    assert "roost open" in again.text


def test_a_ticket_stands_for_a_token_once(rest: Rest) -> None:
    ticket = rest.call("POST", "/api/tickets").json()["ticket"]
    codes = [rest.call("GET", f"/api/health/live?ticket={ticket}", role=None).status_code for _ in range(2)]
    assert codes == [200, 401]


def test_two_tickets_are_none(rest: Rest) -> None:
    tickets = [rest.call("POST", "/api/tickets").json()["ticket"] for _ in range(2)]
    path = f"/api/health/live?ticket={tickets[0]}&ticket={tickets[1]}"
    assert rest.call("GET", path, role=None).status_code == 401


def test_the_cookie_outlives_a_restart_of_the_server(tmp_path: Path) -> None:
    with run_server(tmp_path / "data") as server, httpx.Client(base_url=server.url) as client:
        client.post("/api/login", json={"token": server.token})
        server.restart()
        assert client.get("/api/agents").status_code == 200


def test_without_the_token_everybody_is_let_in_but_no_foreign_page(tmp_path: Path) -> None:
    with run_server(tmp_path / "data", server_auth="false") as server, httpx.Client(base_url=server.url) as client:
        assert client.get("/api/login").json() == {"name": "anyone", "role": "admin"}
        assert client.get("/login").status_code == 303
        for headers in ({"Origin": "http://evil.example"}, {"Host": "evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            assert client.get("/api/agents", headers=headers).status_code == 403
