"""Notifications of `codex app-server` that touch no turn: some are told, the others are known and passed over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from roost.agents.codex_fields import object_of, text_of
from roost.agents.driver import Item, Stopped
from roost.model.events import Notice

Object = dict[str, Any]


def _warning(params: Object) -> list[Item]:
    message = text_of(params, "message") or text_of(params, "summary")
    more = text_of(params, "details")
    return [Notice(0, 0, "WARNING", message, {"more": more} if more else {})]


def _limits(params: Object) -> list[Item]:
    """A limit that is reached is told; that one is far away is not, as codex says so after every answer."""
    limits = object_of(params, "rateLimits")
    reached = text_of(limits, "rateLimitReachedType")
    return [Stopped("quota", reached.replace("_", " "))] if reached else []


def _account(params: Object) -> list[Item]:
    mode = text_of(params, "authMode")
    return [Stopped(None)] if mode else []


def _login(params: Object) -> list[Item]:
    if params.get("success") is True:
        return [Stopped(None)]
    return [Stopped("login", text_of(params, "error") or "the login failed")]


def _mcp(params: Object) -> list[Item]:
    if text_of(params, "status") != "failed":
        return []
    name = text_of(params, "name")
    return [Notice(0, 0, "MCP_FAILED", f"the MCP server {name} did not start: {text_of(params, 'error')}")]


def _hook(params: Object) -> list[Item]:
    run = object_of(params, "run")
    status, event = text_of(run, "status"), text_of(run, "eventName")
    if status not in ("failed", "blocked", "stopped"):
        return []
    message = text_of(run, "statusMessage")
    return [Notice(0, 0, f"HOOK_{status.upper()}", f"{event}: {message}" if message else event)]


def _review(params: Object) -> list[Item]:
    review = object_of(params, "review")
    message = text_of(review, "rationale") or text_of(review, "status")
    return [Notice(0, 0, "AUTO_REVIEW", message, {"status": text_of(review, "status")})]


def _recovery(params: Object) -> list[Item]:
    return [Notice(0, 0, "AUTH_RECOVERY", "codex renews its login")]


def _closed(params: Object) -> list[Item]:
    return [Notice(0, 0, "THREAD_CLOSED", text_of(params, "threadId"))]


TOLD: dict[str, Callable[[Object], list[Item]]] = {
    "warning": _warning,
    "guardianWarning": _warning,
    "configWarning": _warning,
    "deprecationNotice": _warning,
    "account/rateLimits/updated": _limits,
    "account/updated": _account,
    "account/login/completed": _login,
    "mcpServer/startupStatus/updated": _mcp,
    "hook/completed": _hook,
    "item/autoApprovalReview/completed": _review,
    "modelProvider/authRecoveryStarted": _recovery,
    "thread/closed": _closed,
}

QUIET = frozenset(
    {
        "account/gatewayOAuth/changed",
        "app/list/updated",
        "autoApprovalReview/strictReviewRequired",
        "command/exec/outputDelta",
        "externalAgentConfig/import/completed",
        "externalAgentConfig/import/progress",
        "fs/changed",
        "fuzzyFileSearch/sessionCompleted",
        "fuzzyFileSearch/sessionUpdated",
        "hook/started",
        "item/autoApprovalReview/started",
        "item/commandExecution/outputDelta",
        "item/commandExecution/terminalInteraction",
        "item/fileChange/outputDelta",
        "item/fileChange/patchUpdated",
        "item/mcpToolCall/progress",
        "item/reasoning/summaryPartAdded",
        "mcpServer/event/stream/notification",
        "mcpServer/oauthLogin/completed",
        "model/safetyBuffering/updated",
        "model/verification",
        "modelProvider/authRecoveryCompleted",
        "process/exited",
        "process/outputDelta",
        "project/changed",
        "rawResponse/completed",
        "rawResponseItem/completed",
        "remoteControl/status/changed",
        "skills/changed",
        "thread/archived",
        "thread/attachment/updated",
        "thread/compacted",
        "thread/deleted",
        "thread/environment/connected",
        "thread/environment/disconnected",
        "thread/goal/cleared",
        "thread/goal/updated",
        "thread/name/updated",
        "thread/prediction/updated",
        "thread/project/updated",
        "thread/queue/changed",
        "thread/readState/changed",
        "thread/reverted",
        "thread/section/changed",
        "thread/started",
        "thread/unarchived",
        "turn/diff/updated",
        "turn/moderationMetadata",
        "windows/worldWritableWarning",
        "windowsSandbox/setupCompleted",
    }
)
"""Known, and nothing that happened in the conversation or that its items do not say as well."""
