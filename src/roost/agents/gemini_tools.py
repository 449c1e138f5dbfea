"""Gemini CLI's tools: what their calls say, and what they do to files."""

from __future__ import annotations

from typing import Any

from roost.agents.json_in import text_of
from roost.agents.line_diff import count_changed
from roost.agents.titles import nearer, title
from roost.model.events import FileChange

_TOOLS = {
    "read_file": ("read", "file_path"),
    "read_many_files": ("read", "include"),
    "list_directory": ("list", "dir_path"),
    "write_file": ("write", "file_path"),
    "replace": ("edit", "file_path"),
    "run_shell_command": ("run", "command"),
    "glob": ("find", "pattern"),
    "grep_search": ("search", "pattern"),
    "search_file_content": ("search", "pattern"),
    "web_fetch": ("fetch", "prompt"),
    "google_web_search": ("web", "query"),
    "write_todos": ("todo", ""),
    "ask_user": ("question", ""),
    "activate_skill": ("skill", "name"),
    "enter_plan_mode": ("mode", ""),
    "exit_plan_mode": ("plan", ""),
}
"""A tool's kind, and the parameter that says what a call is about."""


def call_title(tool: str, given: dict[str, Any], cwd: str) -> str:
    """A call in one readable line."""
    kind, name = _TOOLS.get(tool, ("call", ""))
    value = given.get(name) or (given.get("absolute_path") or given.get("path") if kind in ("read", "list") else None)
    if isinstance(value, list):
        value = ", ".join([one for one in value if isinstance(one, str)])
    subject = text_of(value) or (tool if kind == "call" else "")
    return title(kind, nearer(subject, cwd) if kind in ("read", "list", "write", "edit") else subject)


def path_of(given: dict[str, Any]) -> str | None:
    """The file that a call is about."""
    return text_of(given.get("file_path")) or text_of(given.get("absolute_path")) or None


def change_of(tool: str, given: dict[str, Any], call_id: str) -> FileChange | None:
    """What a call that succeeded did to a file, as far as its own parameters say."""
    path = path_of(given)
    if path is None or tool not in ("write_file", "replace"):
        return None
    if tool == "write_file":
        size = len(text_of(given.get("content")).encode("utf-8", "replace"))
        return FileChange(0, 0, path, "modified", size, tool_use_id=call_id)
    old, new = text_of(given.get("old_string")), text_of(given.get("new_string"))
    added, removed = count_changed(old, new)
    return FileChange(0, 0, path, "modified" if old else "created", None, added, removed, call_id)
