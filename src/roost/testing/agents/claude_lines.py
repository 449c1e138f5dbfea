"""The lines of Claude Code's stream-json output, in the shapes that version 2.1.329 gives them."""

from __future__ import annotations

import json
import os
import uuid
from datetime import UTC, datetime
from typing import Any

from roost.testing.agents import claude_usage
from roost.testing.agents.claude_flags import VERSION

Json = dict[str, Any]
FAST_MODE = {"fast_mode_state": "off", "fast_mode_disabled_reason": "sdk_opt_in_required"}
# What a result has only when there was a turn.
AFTER_A_TURN = (*FAST_MODE, "subagent_stats", "safety_stops", "queued_turn_count")
AGENTS = ["claude", "Explore", "general-purpose", "Plan", "statusline-setup"]
COMMANDS = ["clear", "compact", "config", "context", "init", "model", "review", "usage"]
CAPABILITIES = ["interrupt_receipt_v1", "interrupt_cancel_queued_v1", "msg_lifecycle_v1", "request_marker_lists_v1"]
REJECTED = (
    "The user doesn't want to proceed with this tool use. The tool use was rejected (eg. if it was a file edit, the "
    "new_string was NOT written to the file). STOP what you are doing and wait for the user to tell you how to proceed."
)


def new_id() -> str:
    """A UUID in text."""
    return str(uuid.uuid4())


def short_id(prefix: str) -> str:
    """`msg_…`, `toolu_…`, `req_…`."""
    return prefix + uuid.uuid4().hex[:24]


def as_json(value: Any) -> str:
    """A value as compact JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def now() -> str:
    """The time in UTC to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def system(session: str, subtype: str, **fields: Any) -> Json:
    """A `system` line."""
    return {"type": "system", "subtype": subtype, **fields, "uuid": new_id(), "session_id": session}


def init(session: str, *, cwd: str, tools: list[str], model: str, mode: str) -> Json:
    """What begins every turn."""
    return {
        "type": "system",
        "subtype": "init",
        "cwd": cwd,
        "session_id": session,
        "tools": tools,
        "mcp_servers": [],
        "model": model,
        "permissionMode": mode,
        "slash_commands": COMMANDS,
        "terminal_slash_commands": ["doctor"],
        "apiKeySource": "ANTHROPIC_API_KEY",
        "claude_code_version": VERSION,
        "output_style": "default",
        "agents": AGENTS,
        "skills": ["verify"],
        "plugins": [{"name": "builtin", "path": "builtin", "source": "builtin"}],
        "capabilities": CAPABILITIES,
        "analytics_disabled": True,
        "product_feedback_disabled": True,
        "served_by_anthropic": False,
        "uuid": new_id(),
        "memory_paths": {},
        "original_cwd": cwd,
        "additional_directories": [],
        "messaging_socket_path": f"/tmp/cc-socks/{os.getpid()}.sock",
        **FAST_MODE,
        "per_turn_effort_active": True,
        "ultrathink_available": False,
        "ultrathink_typed_raises": False,
        "view_mode": "default",
    }


def message(message_id: str, model: str, content: list[Json], read: int) -> Json:
    """A message as the API would begin it."""
    return {
        "id": message_id,
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": content,
        "stop_reason": None,
        "stop_sequence": None,
        "usage": claude_usage.of_message(read),
    }


def assistant(session: str, whole: Json, request_id: str, parent: str | None = None, **fields: Any) -> Json:
    """One block of an answer. `parent` is the call of the sub-agent whose answer it is."""
    return {
        "type": "assistant",
        "message": {**whole, "context_management": None},
        "parent_tool_use_id": parent,
        "session_id": session,
        "uuid": new_id(),
        "timestamp": now(),
        "request_id": request_id,
        **fields,
    }


def synthetic(session: str, text: str, **fields: Any) -> Json:
    """What Claude Code says in the model's place, such as an error of the API."""
    whole = {
        "diagnostics": None,
        "id": new_id(),
        "container": None,
        "model": "<synthetic>",
        "role": "assistant",
        "stop_details": None,
        "stop_reason": "stop_sequence",
        "stop_sequence": "",
        "type": "message",
        "usage": claude_usage.of_synthetic(),
        "content": [{"type": "text", "text": text}],
    }
    return assistant(session, whole, short_id("req_"), **fields)


def user(session: str, content: str | list[Json], parent: str | None = None, **fields: Any) -> Json:
    """What the model is told: results of tools, echoes, notes of Claude Code's own."""
    return {
        "type": "user",
        "message": {"role": "user", "content": content},
        "parent_tool_use_id": parent,
        "session_id": session,
        "uuid": new_id(),
        "timestamp": now(),
        **fields,
    }


def error_result(call_id: str, text: str) -> Json:
    """A `tool_result` block for a call that failed or did not run."""
    return {"type": "tool_result", "content": text, "is_error": True, "tool_use_id": call_id}


def stream_event(session: str, event: Json, message_id: str, parent: str | None = None, **fields: Any) -> Json:
    """A piece of an answer (`--include-partial-messages`)."""
    return {
        "type": "stream_event",
        "event": event,
        "session_id": session,
        "parent_tool_use_id": parent,
        "uuid": new_id(),
        **fields,
        "api_message_id": message_id,
    }


def result(session: str, *, duration_ms: int, **fields: Any) -> Json:
    """The end of a turn. The keys stand in no order that anyone could rely on, as with the real program."""
    return {
        "duration_api_ms": max(1, duration_ms // 2),
        "session_id": session,
        **fields,
        **FAST_MODE,
        "subagent_stats": SUBAGENT_STATS,
        "safety_stops": 0,
        "type": "result",
        "duration_ms": duration_ms,
        "uuid": new_id(),
        "queued_turn_count": 0,
    }


SUBAGENT_STATS = {
    "spawned": 0,
    "requested": {"background": 0, "foreground": 0, "unset": 0},
    "started_in_background": 0,
    "max_depth": 0,
    "spawned_by_subagents": 0,
    "completed": 0,
    "failed": 0,
    "killed": {"parent": 0, "user": 0, "system": 0},
    "refused": {"depth_limit": 0, "concurrency_limit": 0, "budget": 0},
    "by_type": {},
}


def control_success(request_id: str, response: Json | None) -> Json:
    """The answer to a control request."""
    body: Json = {"subtype": "success", "request_id": request_id}
    return {"type": "control_response", "response": body if response is None else {**body, "response": response}}


def control_error(request_id: str, error: str, code: str) -> Json:
    """The refusal of a control request."""
    body = {"subtype": "error", "request_id": request_id, "error": error, "error_code": code}
    return {"type": "control_response", "response": body}
