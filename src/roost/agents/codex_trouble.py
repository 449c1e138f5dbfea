"""What codex reports as gone wrong: which of it somebody has to do something about."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

from roost.agents.codex_fields import object_of, read_object, text_of

_QUOTA = frozenset({"usageLimitExceeded", "rateLimitExceeded", "sessionBudgetExceeded"})
_LOGIN_TOLD = re.compile(
    r"missing environment variable|\b401\b|unauthori[sz]ed|not logged in|(?:log|sign) ?in again", re.I
)
_QUOTA_TOLD = re.compile(r"usage limit|rate limit|quota|\b429\b|out of credits", re.I)
_STATUS = {401: "login", 403: "login", 402: "quota", 429: "quota"}


class Trouble(NamedTuple):
    """An error: `code` in capitals, `problem` what the agent waits for because of it: `login` or `quota`."""

    code: str
    message: str
    problem: str | None
    details: dict[str, Any]


def trouble_of(error: dict[str, Any]) -> Trouble:
    """An error object of the app-server, or of `exec`, which gives the message only."""
    message = plain(text_of(error, "message"))
    info, status = _kind(error)
    details = {"kind": info} if info else {}
    if more := text_of(error, "additionalDetails"):
        details["more"] = more
    problem = _problem(info, status) or _problem_told(message)
    return Trouble(_capitals(info) if info and info != "other" else "AGENT_ERROR", message, problem, details)


def plain(message: str) -> str:
    """The sentence in a message; providers' errors come as JSON."""
    if not message.startswith("{"):
        return message
    found = read_object(message.encode("utf-8", "replace")) or {}
    return text_of(object_of(found, "error"), "message") or text_of(found, "message") or message


def _kind(error: dict[str, Any]) -> tuple[str, int | None]:
    """The error's kind in codex's word, and the HTTP status behind it."""
    info = error.get("codexErrorInfo")
    if isinstance(info, str):
        return info, None
    if isinstance(info, dict) and info:
        kind, value = next(iter(info.items()))
        status = value.get("httpStatusCode") if isinstance(value, dict) else None
        return str(kind), status if isinstance(status, int) else None
    return "", None


def _problem(info: str, status: int | None) -> str | None:
    if info == "unauthorized":
        return "login"
    return "quota" if info in _QUOTA else _STATUS.get(status or 0)


def _problem_told(message: str) -> str | None:
    if _LOGIN_TOLD.search(message):
        return "login"
    return "quota" if _QUOTA_TOLD.search(message) else None


def _capitals(word: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", word).upper()
