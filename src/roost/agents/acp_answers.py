"""What is chosen and what went wrong in the Agent Client Protocol, in our words and back."""

from __future__ import annotations

from typing import Any

from roost.agents.acp_requests import LOGIN_NEEDED, TOO_MANY, UNAUTHORIZED
from roost.agents.driver import Decision
from roost.agents.json_in import object_of, read_object, text_of
from roost.model.conversations import OpenApproval

_KINDS = {"authentication_failed": "login", "billing_error": "quota", "rate_limit": "quota"}
"""Kinds of errors that a person has to see to, as `claude-agent-acp` tells them."""
_CHOICES = {"reject_once": "deny_once", "reject_always": "deny_always"}


def choice_of(option: dict[str, Any]) -> dict[str, Any]:
    """An option of the agent's as one of a permission's choices."""
    kind = text_of(option.get("kind"))
    label = text_of(option.get("name")) or text_of(option.get("optionId"))
    return {"id": text_of(option.get("optionId")), "label": label, "kind": _CHOICES.get(kind, kind)}


def option_of(approval: OpenApproval, decision: Decision) -> str | None:
    """The option that says what was decided: the one chosen, else the one that decides least.

    A choice that says the contrary of the decision is not taken. What is to be remembered, roost remembers: the agent's
    own memory is often wider than meant, so only choosing it fills it.
    """
    word, other = ("allow", "deny") if decision.allow else ("deny", "allow")
    if any(choice["id"] == decision.choice and not choice["kind"].startswith(other) for choice in approval.choices):
        return decision.choice
    kinds = (f"{word}_once", f"{word}_always")
    found = [choice["id"] for kind in kinds for choice in approval.choices if choice["kind"] == kind]
    return found[0] if found else None


def problem_of(error: dict[str, Any]) -> str | None:
    """What a person has to see to before the agent can go on."""
    kind = text_of(object_of(error.get("data")).get("errorKind"))
    if error.get("code") in (LOGIN_NEEDED, UNAUTHORIZED):
        return "login"
    return "quota" if error.get("code") == TOO_MANY else _KINDS.get(kind)


def reason_of(error: dict[str, Any]) -> str:
    """An error in words: agents put what happened into `data`, under names of their own."""
    data = error.get("data")
    message = text_of(error.get("message")) or "an error without a message"
    inner = object_of(object_of(read_object(message.encode("utf-8", "replace"))).get("error"))
    message = text_of(inner.get("message")) or message
    told = object_of(data)
    more = text_of(data) or text_of(told.get("details")) or text_of(told.get("message"))
    return f"{message}: {more}" if more and more not in message else message
