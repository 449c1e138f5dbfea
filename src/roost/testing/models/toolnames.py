"""Tool calls in our own words, as each command line's model has to make them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Collection
from pathlib import PurePosixPath
from typing import Any

from roost.testing.models.script import Call

Json = dict[str, Any]
Made = tuple[str, Any]
HERE = re.compile(r"(?:working directory(?: is)?|working in the directory|<cwd>)[:\s]*(/[^\s<\"\\]+)", re.IGNORECASE)


class FreeText(str):
    """Input of a tool that takes text and not an object."""


def made(call: Call, offered: Collection[str], about: str = "") -> Made:
    """The name and the input with which a model calls a tool that has been offered to it.

    `about` is everything that the model was told: a working directory found in it makes relative paths absolute.
    """
    if call.is_raw:
        return call.tool, call.input
    given = dict(call.input)
    here = HERE.search(about)
    if "path" in given and here:
        given["path"] = str(PurePosixPath(here[1].rstrip(".")) / given["path"])
    for sign, table in _FAMILIES:
        if sign in offered:
            make = table.get(call.tool)
            return make(given, offered) if make else (call.tool, given)
    return call.tool, given


# Claude Code


def _claude_bash(given: Json, _: Collection[str]) -> Made:
    background = {"run_in_background": True} if given.get("background") else {}
    return "Bash", {"command": given["command"], "description": "Run a command", **background}


def _claude_edit(given: Json, _: Collection[str]) -> Made:
    return "Edit", {"file_path": given["path"], "old_string": given["old"], "new_string": given["new"]}


def _claude_ask(given: Json, _: Collection[str]) -> Made:
    options = [{"label": choice, "description": choice} for choice in given["choices"]]
    question = {"question": given["question"], "header": "Question", "multiSelect": False, "options": options}
    return "AskUserQuestion", {"questions": [question]}


def _claude_plan(given: Json, _: Collection[str]) -> Made:
    todos = [{"content": one["text"], "status": one["status"], "activeForm": one["text"]} for one in given["items"]]
    return "TodoWrite", {"todos": todos}


def _claude_agent(given: Json, _: Collection[str]) -> Made:
    kind = {"description": "A part of the work", "subagent_type": "general-purpose"}
    return "Agent", {**kind, "prompt": given["prompt"]}


# Codex


def _codex_bash(given: Json, offered: Collection[str]) -> Made:
    command = given["command"]
    if "exec_command" in offered:
        return "exec_command", {"cmd": command}
    if "shell_command" in offered:
        return "shell_command", {"command": command}
    return "shell", {"command": ["bash", "-lc", command]}


def _codex_read(given: Json, offered: Collection[str]) -> Made:
    return _codex_bash({"command": f"cat {shlex.quote(given['path'])}"}, offered)


def _codex_write(given: Json, offered: Collection[str]) -> Made:
    added = "".join(f"+{row}\n" for row in given["text"].splitlines())
    return _patch(f"*** Add File: {given['path']}\n{added}", offered)


def _codex_edit(given: Json, offered: Collection[str]) -> Made:
    old = "".join(f"-{row}\n" for row in given["old"].splitlines())
    new = "".join(f"+{row}\n" for row in given["new"].splitlines())
    return _patch(f"*** Update File: {given['path']}\n@@\n{old}{new}", offered)


def _patch(body: str, offered: Collection[str]) -> Made:
    patch = f"*** Begin Patch\n{body}*** End Patch"
    if "apply_patch" in offered:
        return "apply_patch", FreeText(patch)
    return _codex_bash({"command": f"apply_patch <<'EOF'\n{patch}\nEOF"}, offered)


def _codex_plan(given: Json, _: Collection[str]) -> Made:
    return "update_plan", {"plan": [{"step": one["text"], "status": one["status"]} for one in given["items"]]}


def _codex_ask(given: Json, _: Collection[str]) -> Made:
    options = [{"label": choice, "description": choice} for choice in given["choices"]]
    question = {"id": "q1", "header": "Question", "question": given["question"], "options": options}
    return "request_user_input", {"questions": [question]}


# Gemini CLI and opencode


def _named(name: str, **fields: str) -> Callable[[Json, Collection[str]], Made]:
    return lambda given, _: (name, {theirs: given[ours] for theirs, ours in fields.items()})


def _described(name: str) -> Callable[[Json, Collection[str]], Made]:
    return lambda given, _: (name, {"command": given["command"], "description": "Run a command"})


def _gemini_plan(given: Json, _: Collection[str]) -> Made:
    todos = [{"description": one["text"], "status": one["status"]} for one in given["items"]]
    return "write_todos", {"todos": todos}


def _opencode_plan(given: Json, _: Collection[str]) -> Made:
    todos = [{"content": one["text"], "status": one["status"], "priority": "medium"} for one in given["items"]]
    return "todowrite", {"todos": todos}


def _opencode_agent(given: Json, _: Collection[str]) -> Made:
    kind = {"description": "A part of the work", "subagent_type": "general"}
    return "task", {**kind, "prompt": given["prompt"]}


Table = dict[str, Callable[[Json, Collection[str]], Made]]
_CLAUDE: Table = {
    "bash": _claude_bash,
    "read": _named("Read", file_path="path"),
    "write": _named("Write", file_path="path", content="text"),
    "edit": _claude_edit,
    "ask": _claude_ask,
    "plan": _claude_plan,
    "approve-plan": _named("ExitPlanMode", plan="plan"),
    "agent": _claude_agent,
}
_CODEX: Table = {
    "bash": _codex_bash,
    "read": _codex_read,
    "write": _codex_write,
    "edit": _codex_edit,
    "plan": _codex_plan,
    "ask": _codex_ask,
}
_GEMINI: Table = {
    "bash": _described("run_shell_command"),
    "read": _named("read_file", file_path="path"),
    "write": _named("write_file", file_path="path", content="text"),
    "edit": _named("replace", file_path="path", old_string="old", new_string="new"),
    "plan": _gemini_plan,
}
_OPENCODE: Table = {
    "bash": _described("bash"),
    "read": _named("read", filePath="path"),
    "write": _named("write", filePath="path", content="text"),
    "edit": _named("edit", filePath="path", oldString="old", newString="new"),
    "plan": _opencode_plan,
    "agent": _opencode_agent,
}
# A tool that only this program's model is offered, and how its tools are called.
_FAMILIES: tuple[tuple[str, Table], ...] = (
    ("Read", _CLAUDE),
    ("Bash", _CLAUDE),
    ("exec_command", _CODEX),
    ("shell_command", _CODEX),
    ("shell", _CODEX),
    ("read_file", _GEMINI),
    ("read", _OPENCODE),
    ("bash", _OPENCODE),
)
