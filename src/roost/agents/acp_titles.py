"""What tool calls in the Agent Client Protocol are called, and what they say they do."""

from __future__ import annotations

from typing import Any

from roost.agents.acp_content import told_by
from roost.agents.acp_state import Call
from roost.agents.json_in import object_of, text_of
from roost.agents.titles import nearer, one_line, title

_KINDS = {
    "read": "read",
    "edit": "edit",
    "delete": "delete",
    "move": "move",
    "search": "search",
    "execute": "run",
    "fetch": "fetch",
}
"""The protocol's kinds that say what a call does, and what we call them."""
_SUBJECTS = {
    "search": ("pattern", "query", "regex"),
    "execute": ("command", "cmd", "script"),
    "fetch": ("url", "prompt"),
}
"""Where a call's input says what it is about."""


def tool_name(update: dict[str, Any]) -> str:
    """The tool's own name, where the agent says it; the protocol has only kinds."""
    name = text_of(update.get("name")) or told_by(update, "toolName")
    if name:
        return name
    head, between, _ = text_of(update.get("toolCallId")).partition("__")
    if between:
        return head  # Gemini CLI: `read_file__read_file_1795227026943_0`
    return _first_title(update)


def _first_title(update: dict[str, Any]) -> str:
    """opencode begins a call with its tool's name for a title, and no input but a directory."""
    word = text_of(update.get("title"))
    begins = update.get("status") == "pending" and not set(object_of(update.get("rawInput"))) - {"cwd"}
    return word if begins and word.islower() and word.isidentifier() else ""


def call_title(call: Call, cwd: str) -> str:
    """A call in one readable line."""
    if "subagent_type" in call.input:
        return title("agent", text_of(call.input.get("description")) or call.title)
    if is_todo(call):
        return title("todo")
    kind = _KINDS.get(call.kind)
    if kind is None:
        return one_line(call.title) or title("call", call.name)
    subject = _subject(call, cwd)
    if kind == "edit" and (_writes(call.name) or [one.change for one in call.changes] == ["created"]):
        kind = "write"
    return title(kind, subject) if subject else one_line(call.title) or title(kind)


def is_todo(call: Call) -> bool:
    """Whether a call writes a to-do list."""
    return isinstance(call.input.get("todos"), list)


def _writes(name: str) -> bool:
    return name.lower().startswith(("write", "create"))


def _subject(call: Call, cwd: str) -> str:
    if call.path and call.kind in ("read", "edit", "delete", "move"):
        return nearer(call.path, cwd)
    for name in _SUBJECTS.get(call.kind, ()):
        value = call.input.get(name)
        if isinstance(value, list):
            value = " ".join([word for word in value if isinstance(word, str)])
        if isinstance(value, str) and value:
            return value
    return call.title if call.kind == "execute" else ""
