"""Notifications beside the turns: those worth knowing are told, the others passed over."""

from __future__ import annotations

from typing import Any

import pytest

from roost.agents.codex_notices import QUIET, TOLD
from roost.agents.codex_trouble import plain, trouble_of
from roost.agents.driver import Item, Stopped
from roost.model.events import Notice
from tests.agents.codex.talk import Talk

SAID: list[tuple[str, dict[str, Any], list[Item]]] = [
    ("warning", {"message": "careful"}, [Notice(0, 0, "WARNING", "careful")]),
    ("configWarning", {"summary": "odd", "details": "why"}, [Notice(0, 0, "WARNING", "odd", {"more": "why"})]),
    ("account/rateLimits/updated", {"rateLimits": {"primary": {"usedPercent": 99}}}, []),
    (
        "account/rateLimits/updated",
        {"rateLimits": {"rateLimitReachedType": "rate_limit_reached"}},
        [Stopped("quota", "rate limit reached")],
    ),
    ("account/updated", {"authMode": "chatgpt"}, [Stopped(None)]),
    ("account/updated", {"authMode": None}, []),
    ("account/login/completed", {"success": True}, [Stopped(None)]),
    ("account/login/completed", {"success": False, "error": "denied"}, [Stopped("login", "denied")]),
    ("account/login/completed", {"success": False}, [Stopped("login", "the login failed")]),
    ("mcpServer/startupStatus/updated", {"name": "demo", "status": "ready"}, []),
    (
        "mcpServer/startupStatus/updated",
        {"name": "demo", "status": "failed", "error": "no such file"},
        [Notice(0, 0, "MCP_FAILED", "the MCP server demo did not start: no such file")],
    ),
    ("hook/completed", {"run": {"status": "completed"}}, []),
    (
        "hook/completed",
        {"run": {"status": "blocked", "eventName": "preToolUse", "statusMessage": "not that"}},
        [Notice(0, 0, "HOOK_BLOCKED", "preToolUse: not that")],
    ),
    (
        "hook/completed",
        {"run": {"status": "failed", "eventName": "stop"}},
        [Notice(0, 0, "HOOK_FAILED", "stop")],
    ),
    (
        "item/autoApprovalReview/completed",
        {"review": {"status": "denied", "rationale": "risky"}},
        [Notice(0, 0, "AUTO_REVIEW", "risky", {"status": "denied"})],
    ),
    (
        "item/autoApprovalReview/completed",
        {"review": {"status": "approved"}},
        [Notice(0, 0, "AUTO_REVIEW", "approved", {"status": "approved"})],
    ),
    ("modelProvider/authRecoveryStarted", {}, [Notice(0, 0, "AUTH_RECOVERY", "codex renews its login")]),
    ("thread/closed", {}, [Notice(0, 0, "THREAD_CLOSED", "thread-1")]),
]


@pytest.mark.parametrize(("method", "params", "told"), SAID)
def test_what_is_worth_knowing_is_told(method: str, params: dict[str, Any], told: list[Item]) -> None:
    assert Talk().tell(method, **params) == told


def test_every_notification_that_is_passed_over_is_known() -> None:
    talk = Talk()
    assert [method for method in sorted(QUIET) if talk.tell(method) != []] == []
    assert QUIET.isdisjoint(TOLD)


ERRORS: list[tuple[dict[str, Any], str, str | None]] = [
    ({"message": "x", "codexErrorInfo": "usageLimitExceeded"}, "USAGE_LIMIT_EXCEEDED", "quota"),
    ({"message": "x", "codexErrorInfo": "unauthorized"}, "UNAUTHORIZED", "login"),
    ({"message": "x", "codexErrorInfo": "contextWindowExceeded"}, "CONTEXT_WINDOW_EXCEEDED", None),
    (
        {"message": "x", "codexErrorInfo": {"httpConnectionFailed": {"httpStatusCode": 401}}},
        "HTTP_CONNECTION_FAILED",
        "login",
    ),
    (
        {"message": "x", "codexErrorInfo": {"responseStreamDisconnected": {"httpStatusCode": None}}},
        "RESPONSE_STREAM_DISCONNECTED",
        None,
    ),
    ({"message": "x", "codexErrorInfo": {"fromTomorrow": 1}}, "FROM_TOMORROW", None),
    ({"message": "x", "codexErrorInfo": {}}, "AGENT_ERROR", None),
    ({"message": "exceeded retry limit, last status: 429 Too Many Requests"}, "AGENT_ERROR", "quota"),
    ({"message": "Missing environment variable: `KEY`."}, "AGENT_ERROR", "login"),
    ({"message": "boom", "codexErrorInfo": "other"}, "AGENT_ERROR", None),
]


@pytest.mark.parametrize(("error", "code", "problem"), ERRORS)
def test_an_error_says_what_kind_it_is_and_what_is_waited_for(
    error: dict[str, Any], code: str, problem: str | None
) -> None:
    trouble = trouble_of(error)
    assert (trouble.code, trouble.problem) == (code, problem)


@pytest.mark.parametrize(
    ("message", "told"),
    [
        ('{"error": {"message": "bad request"}}', "bad request"),
        ('{"message": "bad request"}', "bad request"),
        ('{"detail": 1}', '{"detail": 1}'),
        ("{torn", "{torn"),
        ("plain", "plain"),
    ],
)
def test_a_providers_error_is_told_as_its_sentence(message: str, told: str) -> None:
    assert plain(message) == told
