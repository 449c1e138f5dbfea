"""Errors as answers: one form, fitting statuses, nothing leaked."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roost import errors
from roost.errors import RoostError
from roost.web import problems
from tests.web.conftest import Rest


def all_errors() -> list[type[RoostError]]:
    found: list[type[RoostError]] = []
    waiting = [RoostError]
    while waiting:
        cls = waiting.pop()
        found.append(cls)
        waiting += cls.__subclasses__()
    return [cls for cls in found if cls.__module__.startswith("roost.")]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (errors.MalformedRequest, 400),
        (errors.InvalidCursor, 400),
        (errors.Unauthorized, 401),
        (errors.Forbidden, 403),
        (errors.HostRefused, 403),
        (errors.OriginRefused, 403),
        (errors.AgentNotFound, 404),
        (errors.MethodNotAllowed, 405),
        (errors.AgentRunning, 409),
        (errors.NoTerminal, 409),
        (errors.BodyTooLarge, 413),
        (errors.UnsupportedBody, 415),
        (errors.InvalidName, 422),
        (errors.ProgramNotFound, 422),
        (errors.NotSupported, 422),
        (errors.LimitReached, 429),
        (errors.InternalError, 500),
        (errors.KeeperUnavailable, 503),
        (errors.DiskFull, 503),
        (errors.TimedOut, 504),
    ],
)
def test_statuses(error: type[RoostError], status: int) -> None:
    assert problems.status_of(error) == status
    assert problems.close_code(error("x")) == 4000 + status


@pytest.mark.parametrize("error", all_errors(), ids=lambda cls: cls.__name__)
def test_every_error_has_a_status(error: type[RoostError]) -> None:
    assert 400 <= problems.status_of(error) <= 504


def test_an_unforeseen_error_tells_nothing() -> None:
    told = problems.known(ValueError("password=hunter2"), "r1")
    assert (told.code, "hunter2" in str(told.to_dict())) == ("INTERNAL_ERROR", False)


def test_a_bare_error_is_unforeseen_too() -> None:
    assert problems.known(RoostError("x"), "r1").code == "INTERNAL_ERROR"


def test_details_that_are_no_json_become_text() -> None:
    body = problems.body(errors.NotFound("x", path=__import__("pathlib").PurePath("/a")), "r1")
    assert b'"path":"/a"' in body


@pytest.mark.parametrize(("wait", "header"), [(0.2, "1"), (2.6, "3"), (None, "1")])
def test_who_comes_too_often_is_told_when_to_come_again(wait: float | None, header: str) -> None:
    details: dict[str, Any] = {} if wait is None else {"retry_after_s": wait}
    assert problems.headers(errors.LimitReached("x", **details))["Retry-After"] == header


# Over HTTP


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/api/nothing", 404, "NOT_FOUND"),
        ("GET", "/api/agents/", 404, "NOT_FOUND"),
        ("GET", "/api/agents/a%2Fb", 404, "NOT_FOUND"),
        ("GET", "/api/agents/%2e%2e", 404, "AGENT_NOT_FOUND"),
        ("GET", "/api/agents/%00", 404, "AGENT_NOT_FOUND"),
        ("GET", "/api/agents/" + "a" * 5000, 404, "AGENT_NOT_FOUND"),
        ("GET", "/assets/../../../etc/passwd", 404, "NOT_FOUND"),
        ("GET", "/assets/%2e%2e/%2e%2e/auth.py", 404, "NOT_FOUND"),
        ("GET", "/index.html.map", 404, "NOT_FOUND"),
        ("DELETE", "/api/agents", 405, "METHOD_NOT_ALLOWED"),
        ("PUT", "/api/agents/x", 405, "METHOD_NOT_ALLOWED"),
        ("OPTIONS", "/api/agents", 405, "METHOD_NOT_ALLOWED"),
        ("TRACE", "/api/agents", 405, "METHOD_NOT_ALLOWED"),
        ("POST", "/", 405, "METHOD_NOT_ALLOWED"),
    ],
)
def test_what_is_not_there_has_the_same_form(rest: Rest, method: str, path: str, status: int, code: str) -> None:
    answer = rest.call(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert set(answer.json()["error"]) == {"code", "message", "details", "request_id"}
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.text) < 1000


def test_a_wrong_method_names_the_right_ones(rest: Rest) -> None:
    assert rest.call("PUT", "/api/agents").headers["allow"] == "GET, HEAD, POST"


def test_head_answers_like_get_without_the_body(rest: Rest) -> None:
    answer = rest.call("HEAD", "/api/agents")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize(
    ("content", "byte"),
    [
        (b"", None),
        (b"{", None),
        (b'{"name": "x",}', 13),
        (b"{'name': 1}", 1),
        (b"\xff\xfe", None),
        (b'{"name": "\xff"}', None),
        (b'{"name": "\\ud800"}', None),
        (b'{"name": NaN}', 9),
        (b'{"placement": {"a": ' + b"[" * 100_000, None),
        (b'{"placement": {"a": ' + b'{"a": ' * 100_000, None),
    ],
)
def test_what_is_no_json_is_malformed_and_says_where(rest: Rest, content: bytes, byte: int | None) -> None:
    answer = rest.call("POST", "/api/agents", content=content, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (400, "MALFORMED_REQUEST"), answer.text
    if byte is not None:
        assert answer.json()["error"]["details"]["byte"] == byte


@pytest.mark.parametrize("kind", ["application/json", "Application/JSON; charset=utf-8"])
def test_json_may_be_named_in_any_case(rest: Rest, kind: str) -> None:
    answer = rest.call("POST", "/api/agents", content=b"{}", headers={"Content-Type": kind})
    assert answer.status_code == 422


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "", "application/jsonp"]
)
@pytest.mark.parametrize("path", ["/api/agents", "/api/agents/nobody/kill", "/api/login"])
def test_other_bodies_are_refused(rest: Rest, kind: str, path: str) -> None:
    answer = rest.call("POST", path, content=b"{}", headers={"Content-Type": kind})
    assert (answer.status_code, answer.json()["error"]["code"]) == (415, "UNSUPPORTED_BODY")


# Request ids and headers


def test_every_answer_has_a_request_id(rest: Rest) -> None:
    first, second = rest.call("GET", "/api/agents"), rest.call("GET", "/api/nothing")
    assert first.headers["x-request-id"] != second.headers["x-request-id"]
    assert second.json()["error"]["request_id"] == second.headers["x-request-id"]


def test_a_sane_request_id_is_taken_over(rest: Rest) -> None:
    answer = rest.call("GET", "/api/nothing", headers={"X-Request-Id": "trace-1.2_3"})
    assert answer.headers["x-request-id"] == answer.json()["error"]["request_id"] == "trace-1.2_3"


@pytest.mark.parametrize("given", ["a b", "a" * 65, "ä", ""])
def test_another_request_id_is_not(rest: Rest, given: str) -> None:
    headers = {"X-Request-Id": given.encode("latin-1")}
    assert rest.call("GET", "/api/agents", headers=headers).headers["x-request-id"] != given


@pytest.mark.parametrize("path", ["/", "/api/agents", "/docs", "/api/nothing", "/metrics", "/login"])
def test_every_answer_has_safe_headers(rest: Rest, path: str) -> None:
    headers = rest.call("GET", path).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "server" not in headers


def test_scripts_come_from_nowhere_else(rest: Rest) -> None:
    policy = rest.call("GET", "/").headers["content-security-policy"]
    script = next(part for part in policy.split(";") if part.strip().startswith("script-src"))
    assert script.strip() == "script-src 'self'"


# The audit log


def audit_lines(rest: Rest, request_id: str) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in rest.server.output.read_text().splitlines() if request_id in line]
    return [line for line in lines if line["event"] == "audit"]


def test_whatever_changes_something_is_in_the_audit_log(rest: Rest) -> None:
    body = {"name": "audited", "command": "true"}
    rest.call("POST", "/api/agents", role="operator", json=body, headers={"X-Request-Id": "audit-1"})
    rest.call("POST", "/api/agents/audited/resume", role="viewer", headers={"X-Request-Id": "audit-2"})
    rest.call("POST", "/api/agents/audited/resume", role=None, headers={"X-Request-Id": "audit-3"})
    rest.call("DELETE", "/api/agents/nobody", headers={"X-Request-Id": "audit-4"})
    rest.call("GET", "/api/agents/audited", headers={"X-Request-Id": "audit-5"})
    found = [audit_lines(rest, f"audit-{number}") for number in range(1, 6)]
    keys = ("who", "role", "action", "agent", "outcome", "code")
    assert [[tuple(line[key] for key in keys) for line in lines] for lines in found] == [
        [("operator-1", "operator", "POST /api/agents", "audited", "ok", None)],
        [("viewer-1", "viewer", "POST /api/agents/{name}/resume", "audited", "error", "FORBIDDEN")],
        [(None, None, "POST /api/agents/{name}/resume", "audited", "error", "UNAUTHORIZED")],
        [("owner", "admin", "DELETE /api/agents/{name}", "nobody", "error", "AGENT_NOT_FOUND")],
        [],
    ]


def test_no_secret_is_in_the_servers_log(rest: Rest) -> None:
    rest.call("POST", "/api/login", json={"token": rest.server.token})
    ticket = rest.call("POST", "/api/tickets").json()["ticket"]
    rest.call("GET", f"/login?ticket={ticket}", role=None)
    said = rest.server.output.read_text()
    assert rest.server.token not in said
    assert ticket not in said
