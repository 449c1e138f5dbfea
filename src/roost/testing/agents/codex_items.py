"""What Codex does in a turn, as the items of its app-server protocol (version 0.169.0)."""

from __future__ import annotations

import difflib
import os
import shlex
import time
import uuid
from pathlib import Path
from typing import Any

from roost.testing.agents.workshop import Outcome
from roost.testing.models.script import Call

Json = dict[str, Any]
PLAN_STATUS = {"pending": "pending", "in_progress": "inProgress", "completed": "completed"}


def now_ms() -> int:
    """The time in milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def time_id() -> str:
    """A UUID of version 7: the time, then chance."""
    value = now_ms() << 80 | int.from_bytes(os.urandom(10), "big")
    value = value & ~(0xF << 76) | 7 << 76
    return str(uuid.UUID(int=value & ~(0x3 << 62) | 0x2 << 62))


def short_id(prefix: str, length: int = 24) -> str:
    """`msg_…`, `rs_…`, `call_…`."""
    return prefix + uuid.uuid4().hex[:length]


def user_message(text: str) -> Json:
    """What somebody said to the agent."""
    content = [{"type": "text", "text": text, "text_elements": []}]
    return {"type": "userMessage", "id": time_id(), "clientId": None, "content": content}


def agent_message(item_id: str, text: str) -> Json:
    """What the agent said."""
    known = {"phase": None, "memoryCitation": None, "delivery": None, "questions": None}
    return {"type": "agentMessage", "moderation": None, "id": item_id, "text": text, **known}


def reasoning(item_id: str, summary: list[str]) -> Json:
    """What the agent thought."""
    return {"type": "reasoning", "id": item_id, "summary": summary, "content": []}


def item_of(call: Call, cwd: Path) -> Json:
    """The item that a tool call is, before it has run."""
    call_id = short_id("call_", 20)
    match call.tool if not call.is_raw else "":
        case "bash":
            return _command(call_id, call.input["command"], cwd, {"type": "unknown"})
        case "read":
            path = str(cwd / call.input["path"])
            name = Path(path).name
            return _command(call_id, f"cat {shlex.quote(path)}", cwd, {"type": "read", "name": name, "path": path})
        case "write" | "edit":
            return {"type": "fileChange", "id": call_id, "changes": [_change(call, cwd)], "status": "inProgress"}
        case "approve-plan":
            return {"type": "plan", "id": call_id, "text": call.input["plan"]}
        case _:
            return _tool(call_id, call)


def _command(call_id: str, command: str, cwd: Path, action: Json) -> Json:
    return {
        "type": "commandExecution",
        "id": call_id,
        "pluginId": None,
        "scriptPath": None,
        "command": f"/bin/bash -lc {shlex.quote(command)}",
        "cwd": str(cwd),
        "processId": None,
        "source": "agent",
        "status": "inProgress",
        "commandActions": [{**action, "command": command}],
        "aggregatedOutput": None,
        "exitCode": None,
        "durationMs": None,
    }


def _tool(call_id: str, call: Call) -> Json:
    words = call.tool.split("__")
    server, tool = (words[1], "__".join(words[2:])) if len(words) > 2 else ("scripted", call.tool)
    known = {"result": None, "error": None, "durationMs": None, "pluginId": None, "readOnlyHint": None}
    given = {"server": server, "tool": tool, "status": "inProgress", "arguments": call.input}
    return {"type": "mcpToolCall", "id": call_id, **given, **known}


def _change(call: Call, cwd: Path) -> Json:
    path = cwd / call.input["path"]
    before = path.read_text(errors="replace") if path.exists() else None
    if call.tool == "edit":
        after = (before or "").replace(call.input["old"], call.input["new"], 1)
    else:
        after = call.input["text"]
    if before is None:
        return {"path": str(path), "kind": {"type": "add"}, "diff": after}
    diff = "".join(hunks(before, after))
    return {"path": str(path), "kind": {"type": "update", "move_path": None}, "diff": diff}


def hunks(before: str, after: str) -> list[str]:
    """The difference of two texts as unified hunks, without a head."""
    old, new = before.splitlines(keepends=True), after.splitlines(keepends=True)
    return list(difflib.unified_diff(old, new, n=3))[2:]


def unified(path: str, before: str | None, after: str, cwd: Path) -> str:
    """The difference of a file as git shows it."""
    name = os.path.relpath(path, cwd)
    old, new = (before or "").splitlines(keepends=True), after.splitlines(keepends=True)
    left, right = f"a/{name}" if before is not None else "/dev/null", f"b/{name}"
    mode = "" if before is not None else "new file mode 100644\n"
    return f"diff --git a/{name} b/{name}\n{mode}" + "".join(difflib.unified_diff(old, new, left, right))


def done(item: Json, outcome: Outcome, duration_ms: int) -> Json:
    """An item after its tool has run."""
    status = "failed" if outcome.is_error else "completed"
    match item["type"]:
        case "commandExecution":
            code = outcome.exit_code if outcome.exit_code is not None else int(outcome.is_error)
            ran = {"processId": str(os.getpid()), "source": "unifiedExecStartup", "status": status}
            known = {"aggregatedOutput": outcome.text, "exitCode": code, "durationMs": duration_ms}
            return {**item, **ran, **known}
        case "mcpToolCall":
            result = {"content": [{"type": "text", "text": outcome.text}], "structuredContent": None, "_meta": None}
            return {**item, "status": status, "result": result, "durationMs": duration_ms}
        case "plan":
            return item
        case _:
            return {**item, "status": status}


def plan_steps(call: Call) -> list[Json]:
    """The steps of `turn/plan/updated`."""
    return [{"step": item["text"], "status": PLAN_STATUS[item["status"]]} for item in call.input["items"]]
