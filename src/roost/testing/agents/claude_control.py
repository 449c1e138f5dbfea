"""Control requests that Claude Code answers at once."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

from roost.testing.agents import claude_lines as lines
from roost.testing.agents.claude_flags import VERSION
from roost.testing.agents.claude_session import Session

Json = dict[str, Any]
BUILD_TIME = "2026-11-19T16:23:05Z"
MODELS = ("default", "opus", "sonnet", "haiku")
NOT_LAUNCHED = (
    "Cannot set permission mode to bypassPermissions because the session was not launched with "
    "--dangerously-skip-permissions"
)
PLAIN = ("set_max_thinking_tokens", "rename_session", "end_session", "stop_task")


def answer(session: Session, request_id: str, request: Json) -> Json:
    """The `control_response` to a request that needs nothing to be done besides."""
    subtype = str(request.get("subtype"))
    if subtype == "set_permission_mode":
        return _set_mode(session, request_id, str(request.get("mode")))
    if subtype == "set_model":
        session.model = str(request.get("model") or session.model)
        return lines.control_success(request_id, {"model": session.model})
    if subtype in PLAIN:
        return lines.control_success(request_id, None)
    known = _known(session, subtype)
    if known is None:
        text = f"Unsupported control request subtype: {subtype}"
        return lines.control_error(request_id, text, "unsupported_request")
    return lines.control_success(request_id, known)


def _set_mode(session: Session, request_id: str, mode: str) -> Json:
    if mode == "bypassPermissions" and not session.permissions.can_bypass:
        return lines.control_error(request_id, NOT_LAUNCHED, "bypass_not_launched")
    session.permissions.mode = mode
    return lines.control_success(request_id, {"mode": mode})


def _known(session: Session, subtype: str) -> Json | None:
    make = _ANSWERS.get(subtype)
    return make(session) if make else None


def _settings(session: Session) -> Json:
    applied = {"model": session.model, "effort": "medium"}
    return {"effective": {}, "sources": [], "served_settings_state": "ineligible", "applied": applied}


def _context(session: Session) -> Json:
    used = session.usage.input_tokens()
    return {"categories": [], "totalTokens": used, "maxTokens": 1000000, "model": session.model}


def _cost(session: Session) -> Json:
    return {"text": f"Estimated cost:        ${session.usage.cost_usd:.4f}"}


def _usage(session: Session) -> Json:
    cost = {"total_cost_usd": session.usage.cost_usd, "model_usage": session.usage.models}
    return {"session": cost, "subscription_type": None, "rate_limits_available": False, "rate_limits": None}


def _initialized(session: Session) -> Json:
    return {
        "commands": [{"name": name, "description": name, "argumentHint": ""} for name in lines.COMMANDS],
        "agents": [{"name": name, "description": name} for name in lines.AGENTS],
        "output_style": "default",
        "available_output_styles": ["default"],
        "models": _models(),
        "account": {"apiKeySource": "ANTHROPIC_API_KEY", "apiProvider": "firstParty"},
        "pid": os.getpid(),
        "capabilities": lines.CAPABILITIES,
        "session_state": "idle",
    }


def _models() -> list[Json]:
    return [{"value": name, "displayName": name.title(), "description": name} for name in MODELS]


_ANSWERS: dict[str, Callable[[Session], Json]] = {
    "initialize": _initialized,
    "mcp_status": lambda _: {"mcpServers": []},
    "get_settings": _settings,
    "get_context_usage": _context,
    "list_models": lambda _: {"models": _models()},
    "get_session_cost": _cost,
    "get_usage": _usage,
    "get_binary_version": lambda _: {"version": VERSION, "buildTime": BUILD_TIME, "oldestDesktopSdk": "0.3.280"},
    "background_tasks": lambda _: {},
    "get_plan": lambda _: {"exists": False},
    "file_suggestions": lambda session: {"suggestions": [], "cwd": str(session.cwd)},
}
