"""What codex is about to do, in one readable line."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from roost.agents.codex_changes import kind_of
from roost.agents.codex_fields import text_of
from roost.agents.titles import nearer, one_line, title

_SHELL = re.compile(r"^(?:/\S*/)?(?:bash|sh|zsh)\s+-l?c\s+(?P<script>.+)$", re.DOTALL)


def command_title(command: str, actions: list[dict[str, Any]], cwd: str) -> str:
    """What a shell command does, where codex made that out, else the command without the shell around it."""
    known = _ACTIONS.get(text_of(actions[0], "type")) if len(actions) == 1 else None
    return known(actions[0], cwd) if known else title("run", unwrapped(command))


def action_path(actions: list[dict[str, Any]]) -> str | None:
    """The file that a command reads, where that is all it does."""
    if len(actions) == 1 and text_of(actions[0], "type") == "read":
        return text_of(actions[0], "path") or None
    return None


def unwrapped(command: str) -> str:
    """The script in `bash -lc 'script'`, or the command as it is."""
    found = _SHELL.match(command)
    if found is None:
        return command
    script = found["script"]
    if len(script) > 1 and script[0] == script[-1] == "'":
        return script[1:-1].replace("'\\''", "'")
    if len(script) > 1 and script[0] == script[-1] == '"':
        return re.sub(r'\\(["\\$`])', r"\1", script[1:-1])
    return script


def patch_title(changes: list[dict[str, Any]], cwd: str) -> str:
    """Which files a patch makes, edits or deletes."""
    kinds = {_VERBS.get(kind_of(change), "edit") for change in changes}
    path = nearer(text_of(changes[0], "path"), cwd) if changes else ""
    more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
    return title(kinds.pop() if len(kinds) == 1 else "edit", path + more)


def collab_title(tool: str, prompt: str) -> str:
    """What is wanted from a sub-agent."""
    verb = _COLLAB.get(tool)
    if verb is None:
        return title("agent", prompt) if prompt or tool == "spawn_agent" else title("call", tool)
    return one_line(f"{verb}: {prompt}" if prompt else verb)


def search_title(query: str, action: dict[str, Any]) -> str:
    """What is looked for on the web."""
    kind, url = text_of(action, "type"), text_of(action, "url")
    if kind in ("openPage", "open_page"):
        return title("fetch", url)
    if kind in ("findInPage", "find_in_page"):
        return title("search", f"{text_of(action, 'pattern')} in {url}")
    return title("web", query or text_of(action, "query"))


def _read(action: dict[str, Any], cwd: str) -> str:
    return title("read", nearer(text_of(action, "path"), cwd) or text_of(action, "name"))


def _list(action: dict[str, Any], cwd: str) -> str:
    return title("list", nearer(text_of(action, "path"), cwd))


def _search(action: dict[str, Any], cwd: str) -> str:
    where = nearer(text_of(action, "path"), cwd)
    return title("search", text_of(action, "query") + (f" in {where}" if where else ""))


_ACTIONS: dict[str, Callable[[dict[str, Any], str], str]] = {"read": _read, "listFiles": _list, "search": _search}
_VERBS = {"add": "write", "delete": "delete"}
_COLLAB = {
    "send_message": "Telling sub-agent",
    "resume_agent": "Waking sub-agent",
    "wait": "Waiting for sub-agents",
    "close_agent": "Closing sub-agent",
    "interrupt_agent": "Interrupting sub-agent",
    "list_agents": "Listing sub-agents",
}
