"""opencode's tools: what their calls say, and what they did to files."""

from __future__ import annotations

from typing import Any

from roost.agents.json_in import count_of, object_of, text_of
from roost.agents.line_diff import count_changed
from roost.agents.plans import progress
from roost.agents.titles import nearer, title
from roost.model.events import ChangeKind, FileChange, Progress

_TOOLS = {
    "read": ("read", "filePath"),
    "write": ("write", "filePath"),
    "edit": ("edit", "filePath"),
    "multiedit": ("edit", "filePath"),
    "patch": ("edit", "filePath"),
    "apply_patch": ("edit", ""),
    "list": ("list", "path"),
    "bash": ("run", "command"),
    "glob": ("find", "pattern"),
    "grep": ("search", "pattern"),
    "webfetch": ("fetch", "url"),
    "websearch": ("web", "query"),
    "task": ("agent", "description"),
    "todowrite": ("todo", ""),
    "question": ("question", ""),
    "skill": ("skill", "name"),
    "plan_exit": ("plan", ""),
}
"""A tool's kind, and the input that says what a call is about."""


def call_title(tool: str, given: dict[str, Any], cwd: str) -> str:
    """A call in one readable line."""
    kind, name = _TOOLS.get(tool, ("call", ""))
    subject = text_of(given.get(name)) or (tool if kind == "call" else "")
    return title(kind, nearer(subject, cwd) if kind in ("read", "list", "write", "edit") else subject)


def path_of(given: dict[str, Any]) -> str | None:
    """The file that a call is about."""
    return text_of(given.get("filePath")) or None


def changes_of(tool: str, state: dict[str, Any], call_id: str) -> list[FileChange]:
    """What a call that succeeded did to files."""
    given, metadata = object_of(state.get("input")), object_of(state.get("metadata"))
    path = path_of(given) or text_of(metadata.get("filepath"))
    if not path or tool not in ("write", "edit", "multiedit", "patch"):
        return []
    if tool == "write":
        content = text_of(given.get("content"))
        change: ChangeKind = "created" if metadata.get("exists") is False else "modified"
        size = len(content.encode("utf-8", "replace"))
        added, removed = count_changed("", content) if change == "created" else (None, None)
        return [FileChange(0, 0, path, change, size, added, removed, call_id)]
    added, removed = _edited(given, object_of(metadata.get("filediff")))
    return [FileChange(0, 0, path, "modified", None, added, removed, call_id)]


def _edited(given: dict[str, Any], diff: dict[str, Any]) -> tuple[int, int]:
    """The tool's own count, else one of what it was told to put in whose place."""
    if "additions" in diff:
        return count_of(diff["additions"]), count_of(diff.get("deletions"))
    return count_changed(text_of(given.get("oldString")), text_of(given.get("newString")))


def plan_of(tool: str, given: dict[str, Any]) -> Progress | None:
    """The to-do list that a call writes."""
    return None if tool != "todowrite" else progress(given.get("todos"))
