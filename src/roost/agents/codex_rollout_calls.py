"""Calls and items as a rollout of Codex spells them: what the model called, what it was told, and the items between."""

from __future__ import annotations

import re
import shlex
from typing import Any
from urllib.parse import unquote

from roost.agents.codex_fields import count_of, object_of, objects_of, read_object, text_of, texts_of
from roost.agents.codex_items import Described, from_exec
from roost.agents.codex_titles import collab_title, command_title, patch_title
from roost.agents.titles import nearer, title
from roost.model.events import ToolCall

SHELLS = frozenset({"exec_command", "shell_command", "shell", "local_shell", "container.exec"})
SUB_AGENTS = frozenset({"spawn_agent", "send_input", "send_message", "followup_task", "wait", "close_agent"})
ABORTED = "aborted by user"
_RUNNING = re.compile(r"^Process running with session ID", re.MULTILINE)
_CODE = re.compile(r"^(?:Process exited with code|Exit code:) (-?\d{1,9})$", re.MULTILINE)
_PATCHED = re.compile(r"^\*\*\* (Add|Update|Delete) File: (.+)$", re.MULTILINE)
_KINDS = {"Add": "add", "Update": "update", "Delete": "delete"}
_ACTIONS = {"list_files": "listFiles"}
Object = dict[str, Any]


# What the model called


def plan_of(told: Object) -> list[Object] | None:
    """The steps, where the call makes or changes the plan."""
    if text_of(told, "name") != "update_plan":
        return None
    steps = objects_of(_arguments(told), "plan")
    return [{"content": step.get("step"), "status": step.get("status")} for step in steps]


def called(told: Object, key: str, cwd: str) -> ToolCall:
    """A call as the model makes it."""
    name = text_of(told, "name") or text_of(told, "type").removesuffix("_call")
    of = _described(name, told, cwd)
    return ToolCall(0, 0, key, of.tool, of.input, of.title, of.path)


def _described(name: str, told: Object, cwd: str) -> Described:
    given = _arguments(told)
    if name in SHELLS:
        command = _command(given)
        where = text_of(given, "workdir") or text_of(given, "working_directory")
        shown = {"command": command, "cwd": where} if where else {"command": command}
        return Described("shell", shown, command_title(command, [], cwd))
    if name == "apply_patch":
        return _patch(told, given, cwd)
    if name == "view_image":
        path = text_of(given, "path")
        return Described(name, given, title("read", nearer(path, cwd)), path or None)
    if name in SUB_AGENTS:
        return Described(name, given, collab_title(name, text_of(given, "message") or text_of(given, "prompt")))
    space = text_of(told, "namespace")
    tool = f"{space}{name}" if space.endswith("__") else ".".join(part for part in (space, name) if part)
    return Described(tool, given, title("call", _readable(tool)))


def _patch(told: Object, given: Object, cwd: str) -> Described:
    text = text_of(told, "input") or text_of(given, "input") or text_of(given, "patch")
    changes = [{"path": path.strip(), "kind": _KINDS[kind]} for kind, path in _PATCHED.findall(text)]
    path = changes[0]["path"] if changes else None
    return Described("apply_patch", {"changes": changes} if changes else {}, patch_title(changes, cwd), path)


def _readable(tool: str) -> str:
    parts = tool.split("__", 2)
    return f"{parts[2]} of {parts[1]}" if len(parts) == 3 and parts[0] == "mcp" else tool


def _arguments(told: Object) -> Object:
    given = told.get("arguments")
    if isinstance(given, str):
        found = read_object(given.encode("utf-8", "replace"))
        return {"arguments": given} if found is None else found
    return object_of(told, "action")


def _command(given: Object) -> str:
    words = texts_of(given, "command")
    return shlex.join(words) if words else text_of(given, "cmd") or text_of(given, "command")


# What the model was told


def is_running(told: Object) -> bool:
    """Whether a command goes on; its item will tell of its end."""
    return _RUNNING.search(_text(told)) is not None


def came_out(told: Object) -> tuple[str, bool, Object]:
    """The text of a result, whether it is an error, and what else is said of it."""
    text, given = _text(told), object_of(told, "output")
    found = _CODE.search(text)
    aborted = text.rstrip().endswith(ABORTED)
    code = int(found[1]) if found else None
    details: Object = {} if code is None else {"exit_code": code}
    if aborted:
        details["interrupted"] = True
    failed = aborted or given.get("success") is False or code not in (None, 0)
    _, head, rest = text.partition("Output:\n") if found else ("", "", "")
    return (rest if head else text), failed, details


def _text(told: Object) -> str:
    output = told.get("output")
    if isinstance(output, dict):
        return text_of(output, "content")
    if isinstance(output, list):
        return "\n".join([text_of(one, "text") for one in objects_of(told, "output") if text_of(one, "text")])
    return text_of(told, "output")


# Items


def written_item(item: Object) -> Object:
    """An item in the app-server's spelling."""
    kind = text_of(item, "type")
    made = from_exec({**item, "type": kind[:1].lower() + kind[1:]})
    shape = _SHAPES.get(kind)
    return made | shape(item) if shape else made


def _message(item: Object) -> Object:
    return {"text": "\n".join([text_of(part, "text") for part in objects_of(item, "content")])}


def _reasoning(item: Object) -> Object:
    return {"summary": texts_of(item, "summary_text"), "content": texts_of(item, "raw_content")}


def _execution(item: Object) -> Object:
    actions = [
        {**action, "type": _ACTIONS.get(text_of(action, "type"), text_of(action, "type"))}
        for action in objects_of(item, "parsed_cmd")
    ]
    return {
        "command": shlex.join(texts_of(item, "command")),
        "cwd": unquote(text_of(item, "cwd").removeprefix("file://")),
        "commandActions": actions,
        "durationMs": _milliseconds(item),
    }


def _mcp(item: Object) -> Object:
    return {"durationMs": _milliseconds(item)}


def _milliseconds(item: Object) -> int | None:
    took = object_of(item, "duration")
    return count_of(took, "secs") * 1000 + count_of(took, "nanos") // 1_000_000 if took else None


def _changes(item: Object) -> Object:
    changed = object_of(item, "changes")
    return {"changes": [_change(path, of) for path, of in changed.items() if isinstance(of, dict)]}


def _change(path: str, of: Object) -> Object:
    kind = {"type": text_of(of, "type"), "move_path": of.get("move_path")}
    return {"path": path, "kind": kind, "diff": text_of(of, "unified_diff") or text_of(of, "content")}


_SHAPES = {
    "UserMessage": _message,
    "AgentMessage": _message,
    "Plan": lambda item: {"text": text_of(item, "text") or _message(item)["text"]},
    "Reasoning": _reasoning,
    "CommandExecution": _execution,
    "FileChange": _changes,
    "McpToolCall": _mcp,
}
