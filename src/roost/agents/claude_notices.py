"""Lines of the kind `system` and the like: beginnings, states, tasks, retries and other things worth knowing."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from roost.agents.claude_control import native_id
from roost.agents.claude_lines import Line, read_object
from roost.agents.claude_messages import PROBLEMS, stopped, taken
from roost.agents.claude_plan import statuses
from roost.agents.claude_state import State, learn
from roost.agents.driver import Busy, Finished, Item, Refused, Taken
from roost.agents.json_in import unknown
from roost.agents.titles import one_line
from roost.model.events import Conversation, Notice

Told = dict[str, Any]


def system(state: State, line: Line, data: bytes) -> list[Item]:
    """A `system` line."""
    if line.subtype == "init":
        return _init(state, line)
    handler = _SUBTYPES.get(line.subtype or "")
    if handler is None:
        return [unknown(data, f"a system line of the kind {one_line(str(line.subtype), 64)!r}")]
    return handler(state, read_object(data))


def other(state: State, line: Line, data: bytes) -> list[Item]:
    """A line of one of the rarer types."""
    return _TYPES[line.type](state, read_object(data))


def _init(state: State, line: Line) -> list[Item]:
    """Every turn begins with one; what is as before is not told again."""
    items: list[Item] = []
    if not state.working and not state.waiting:
        state.working = True
        items.append(Taken())
    model, mode = line.model if isinstance(line.model, str) else None, line.permissionMode
    told = learn(state, line.session_id, model, mode if isinstance(mode, str) else None)
    known = _sum(line)
    if told or known != state.known:
        state.known = known
        items.append(_opened(state, line))
    return items


def _sum(line: Line) -> int:
    """Of what may change between two turns of a session."""
    servers = [server.name + server.status for server in line.mcp_servers]
    return zlib.crc32("\n".join([line.cwd or "", *line.tools, *servers]).encode(errors="replace"))


def _opened(state: State, line: Line) -> Conversation:
    state.cwd = line.cwd or state.cwd
    details = {
        "cwd": line.cwd,
        "version": line.claude_code_version,
        "tools": line.tools,
        "mcp_servers": {server.name: server.status for server in line.mcp_servers},
        "api_key_source": line.apiKeySource,
    }
    found = {name: value for name, value in details.items() if value}
    return Conversation(0, 0, state.conversation_id, state.model, state.mode, found)


def _status(state: State, told: Told) -> list[Item]:
    items: list[Item] = []
    mode = told.get("permissionMode")
    if isinstance(mode, str):
        items += learn(state, mode=mode)
    if told.get("status") == "compacting":
        items.append(Notice(0, 0, "COMPACTING", "the conversation is being shortened"))
    if "compact_result" in told and told["compact_result"] != "success":
        items.append(Notice(0, 0, "COMPACT_FAILED", str(told.get("compact_error") or told["compact_result"])))
    return items


def _session_state(state: State, told: Told) -> list[Item]:
    return [Busy(told.get("state") != "idle")]


def _title(state: State, told: Told) -> list[Item]:
    known = {"title": one_line(str(told.get("title")))}
    return [Conversation(0, 0, state.conversation_id, state.model, state.mode, known)]


def _retry(state: State, told: Told) -> list[Item]:
    details = _some(told, "attempt", "max_retries", "retry_delay_ms", "error_status", "error")
    error, delay = str(told.get("error") or "unknown"), told.get("retry_delay_ms")
    message = f"attempt {told.get('attempt')} of {told.get('max_retries')} failed: {error}"
    if isinstance(delay, int | float):
        message += f"; the next in {delay / 1000:.1f} s"
    items: list[Item] = [Notice(0, 0, "API_RETRY", message, details)]
    return items + (
        stopped(state, "login", "the API refuses our credentials") if PROBLEMS.get(error) == "login" else []
    )


def _denied(state: State, told: Told) -> list[Item]:
    details = _some(told, "tool_name", "tool_use_id", "decision_reason", "decision_reason_type")
    return [Notice(0, 0, "PERMISSION_DENIED", str(told.get("message") or ""), details)]


def _fallback(state: State, told: Told) -> list[Item]:
    details = _some(told, "trigger", "original_model", "fallback_model", "direction")
    message = f"{told.get('original_model')} gives way to {told.get('fallback_model')}"
    return [Notice(0, 0, "MODEL_FALLBACK", str(told.get("content") or message), details)]


def _compacted(state: State, told: Told) -> list[Item]:
    found = told.get("compact_metadata")
    details = found if isinstance(found, dict) else {}
    before, after = details.get("pre_tokens"), details.get("post_tokens")
    message = f"the conversation was shortened from {before} tokens" + (f" to {after}" if after is not None else "")
    return [Notice(0, 0, "COMPACTED", message, details)]


def _hook_started(state: State, told: Told) -> list[Item]:
    return [Notice(0, 0, "HOOK_STARTED", str(told.get("hook_name")), _some(told, "hook_id", "hook_event"))]


def _hook_finished(state: State, told: Told) -> list[Item]:
    details = _some(told, "hook_id", "hook_event", "exit_code", "outcome", "stdout", "stderr")
    return [Notice(0, 0, "HOOK_FINISHED", f"{told.get('hook_name')}: {told.get('outcome')}", details)]


def _task(code: str, *text: str) -> Callable[[State, Told], list[Item]]:
    def tell(state: State, told: Told) -> list[Item]:
        patch = told.get("patch")
        changed = told | patch if isinstance(patch, dict) else told
        message = ": ".join([str(changed[name]) for name in text if changed.get(name)])
        if told.get("task_id") and not changed.get(text[-1]):
            message = f"task {told['task_id']}: {message or 'goes on'}"
        details = _some(told, "task_id", "tool_use_id", "task_type", "subagent_type", "status", "output_file", "patch")
        return [Notice(0, 0, code, message, details)]

    return tell


def _background(state: State, told: Told) -> list[Item]:
    found = told.get("tasks")
    tasks = found if isinstance(found, list) else []
    many = f"{len(tasks)} task{'' if len(tasks) == 1 else 's'} in the background"
    return [Notice(0, 0, "BACKGROUND_TASKS", many, {"tasks": tasks})]


def _said(code: str, *names: str) -> Callable[[State, Told], list[Item]]:
    def tell(state: State, told: Told) -> list[Item]:
        text = next((told[name] for name in ("content", "text") if isinstance(told.get(name), str)), "")
        return [Notice(0, 0, code, text, _some(told, *names))]

    return tell


def _task_states(state: State, told: Told) -> list[Item]:
    return statuses(state, told.get("statuses"))


def _nothing(state: State, told: Told) -> list[Item]:
    """Understood, and of no use: what is shown while something goes on."""
    return []


_DROPPED = ("cancelled", "discarded", "refused")
_PASSED_OVER = "the agent passed the prompt over, as one that its conversation has already"


def _lifecycle(state: State, told: Told) -> list[Item]:
    """How a prompt fares. After its result it is `completed`; before, it was passed over and there will be none."""
    uuid, fate = told.get("command_uuid"), told.get("state")
    if not isinstance(uuid, str) or fate not in ("started", "completed", *_DROPPED):
        return []
    dropped = state.waiting.pop(uuid, None) if fate in _DROPPED else None
    items: list[Item] = [Refused(dropped, f"the agent {fate} it")] if dropped is not None else taken(state, uuid)
    if fate == "started" or state.prompted is None or native_id(state.prompted) != uuid:
        return items
    state.prompted, state.working = None, False
    return items if dropped is not None else [*items, Finished("failed", "", _PASSED_OVER)]


def _reset(state: State, told: Told) -> list[Item]:
    details = _some(told, "new_conversation_id", "trigger")
    return [Notice(0, 0, "CONVERSATION_RESET", f"a new conversation begins ({told.get('trigger')})", details)]


def _rate_limit(state: State, told: Told) -> list[Item]:
    found = told.get("rate_limit_info")
    limits: Told = found if isinstance(found, dict) else {}
    status = limits.get("status")
    message = f"{one_line(str(limits.get('rateLimitType') or 'rate limit'), 64)}: {status}"
    if status == "rejected" and not str(limits.get("overageStatus")).startswith("allowed"):
        return [Notice(0, 0, "RATE_LIMIT", message, limits), *stopped(state, "quota", message)]
    items = stopped(state, None) if state.problem == "quota" else []
    return items if status == "allowed" else [Notice(0, 0, "RATE_LIMIT", message, limits), *items]


def _auth(state: State, told: Told) -> list[Item]:
    error, output = told.get("error"), told.get("output")
    if isinstance(error, str) and error:
        return stopped(state, "login", error)
    text = "\n".join(map(str, output)) if isinstance(output, list) else ""
    return [Notice(0, 0, "LOGIN", text, _some(told, "isAuthenticating"))]


def _some(told: Told, *names: str) -> Told:
    return {name: told[name] for name in names if told.get(name) is not None}


_SUBTYPES: dict[str, Callable[[State, Told], list[Item]]] = {
    "status": _status,
    "session_state_changed": _session_state,
    "session_title_changed": _title,
    "api_retry": _retry,
    "permission_denied": _denied,
    "model_fallback": _fallback,
    "model_refusal_fallback": _fallback,
    "model_consent_fallback": _fallback,
    "model_refusal_no_fallback": _said("MODEL_REFUSED", "original_model", "api_refusal_category"),
    "informational": _said("INFORMATION", "level"),
    "notification": _said("NOTIFICATION", "key", "priority"),
    "local_command_output": _said("COMMAND_OUTPUT"),
    "permission_retry": _said("PERMISSION_RETRY", "commands"),
    "scheduled_task_fire": _said("TASK_DUE"),
    "away_summary": _said("SUMMARY"),
    "memory_saved": _said("MEMORY_SAVED", "written_paths"),
    "session_writes_lost": _said("WRITES_LOST", "error_code", "lost"),
    "task_list_statuses": _task_states,
    "hook_progress": _nothing,
    "compact_boundary": _compacted,
    "hook_started": _hook_started,
    "hook_response": _hook_finished,
    "task_started": _task("TASK_STARTED", "description"),
    "task_progress": _task("TASK_PROGRESS", "description"),
    "task_updated": _task("TASK_UPDATED", "status", "description"),
    "task_notification": _task("TASK_FINISHED", "status", "summary"),
    "background_tasks_changed": _background,
    "thinking_tokens": _nothing,
    "ui_invalidate": _nothing,
}
_TYPES: dict[str, Callable[[State, Told], list[Item]]] = {
    "command_lifecycle": _lifecycle,
    "conversation_reset": _reset,
    "rate_limit_event": _rate_limit,
    "auth_status": _auth,
    "keep_alive": _nothing,
    "tool_progress": _nothing,
}
OTHER: frozenset[str] = frozenset(_TYPES)
"""The types that `other` takes."""
