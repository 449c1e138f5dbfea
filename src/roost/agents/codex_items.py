"""What codex calls items, as events: messages, reasoning, commands, patches and calls of other tools.

`codex app-server` and `codex exec --json` name the same items in two spellings; this reads the app-server's, and
`from_exec` makes it of the other. A tool's name is the one that the model calls it by: `shell`, `apply_patch`,
`mcp__SERVER__TOOL`, `web_search`, `spawn_agent`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from roost.agents import codex_titles as titles
from roost.agents.codex_changes import file_changes, kind_of
from roost.agents.codex_fields import count_of, object_of, objects_of, text_of, texts_of
from roost.agents.driver import Item
from roost.agents.titles import nearer, one_line, title
from roost.core.soundness import integer_or_none
from roost.model.events import Notice, Output, Thinking, ToolCall, ToolResult

MAX_OPEN = 256
MAX_KEPT_DIFF = 100_000
"""Characters of a patch that are kept until it is decided upon."""

Object = dict[str, Any]


class Described(NamedTuple):
    """A tool call as an item tells it."""

    tool: str
    input: Object
    title: str
    path: str | None = None


class ItemState(Struct):
    """What is remembered between an item's start and its end."""

    open: dict[str, tuple[str, str]] = {}
    """Calls without a result, by id: the tool, and the thread it runs in."""
    patches: dict[str, list[Object]] = {}
    """The changes that an open patch would make, by its id; an approval shows them."""
    cwd: str = ""
    parents: dict[str, str] = {}
    """The call that began a sub-agent, by the sub-agent's thread."""


class ItemReader:
    """Items of all threads of a session, in their order."""

    def __init__(self, state: ItemState | None = None) -> None:
        self.state = state or ItemState()

    def knows(self, item: Object) -> bool:
        """Whether the item's type is known."""
        kind = text_of(item, "type")
        return kind in _CALLS or kind in _TOLD or kind in _SILENT

    def started(self, item: Object, thread: str) -> list[Item] | None:
        """An item began; none where its type is not known."""
        kind = text_of(item, "type")
        if kind in _CALLS:
            return self._call(item, thread)
        return [] if self.knows(item) else None

    def completed(self, item: Object, thread: str) -> list[Item] | None:
        """An item is whole; none where its type is not known."""
        kind = text_of(item, "type")
        if kind in _CALLS:
            told = [] if text_of(item, "id") in self.state.open else self._call(item, thread)
            return [*told, *self._result(item, thread)]
        if kind in _TOLD:
            return _TOLD[kind](item, self.state.parents.get(thread))
        return [] if kind in _SILENT else None

    def abandon(self, thread: str | None, reason: str) -> list[Item]:
        """Results of the calls that will have none, of one thread or of all."""
        left = [key for key, (_, of) in self.state.open.items() if thread is None or of == thread]
        told: list[Item] = []
        for key in left:
            tool, of = self.state.open.pop(key)
            self.state.patches.pop(key, None)
            parent = self.state.parents.get(of)
            result = ToolResult(0, 0, key, tool, reason, is_error=True, parent_tool_use_id=parent)
            told.append(msgspec.structs.replace(result, details={"interrupted": True}))
        return told

    def call(self, call: ToolCall, thread: str) -> Item:
        """A call that was told of before its item; the item is then its result."""
        self._remember(call.tool_use_id, call.tool, thread, call.input)
        return call

    def result(self, key: str, content: str, *, failed: bool, details: Object) -> Item:
        """What came of an open call that has no item."""
        tool, thread = self.state.open.pop(key)
        self.state.patches.pop(key, None)
        parent = self.state.parents.get(thread)
        return ToolResult(0, 0, key, tool, content, failed, parent_tool_use_id=parent, details=details)

    def _call(self, item: Object, thread: str) -> list[Item]:
        key, kind = text_of(item, "id"), text_of(item, "type")
        of = _CALLS[kind](item, self.state.cwd)
        self._remember(key, of.tool, thread, item)
        parent = self.state.parents.get(thread)
        return [ToolCall(0, 0, key, of.tool, of.input, of.title, of.path, parent)]

    def _remember(self, key: str, tool: str, thread: str, item: Object) -> None:
        if len(self.state.open) >= MAX_OPEN:
            oldest = next(iter(self.state.open))
            del self.state.open[oldest]
            self.state.patches.pop(oldest, None)
        self.state.open[key] = (tool, thread)
        if tool == "apply_patch":
            self.state.patches[key] = [_clipped(change) for change in objects_of(item, "changes")]
        self._adopt(item, key)

    def _adopt(self, item: Object, key: str) -> None:
        """Sub-agents work on behalf of the call that began them."""
        for thread in [*texts_of(item, "receiverThreadIds"), text_of(item, "agentThreadId")]:
            if thread and len(self.state.parents) < MAX_OPEN:
                self.state.parents.setdefault(thread, key)

    def _result(self, item: Object, thread: str) -> list[Item]:
        key = text_of(item, "id")
        tool, _ = self.state.open.pop(key)
        self.state.patches.pop(key, None)
        self._adopt(item, key)
        status, parent = text_of(item, "status"), self.state.parents.get(thread)
        content, details = _outcome(item, status)
        failed = status in ("failed", "declined", "interrupted") or item.get("success") is False
        result = ToolResult(0, 0, key, tool, content, failed, parent_tool_use_id=parent)
        took = integer_or_none(item.get("durationMs"))
        told: list[Item] = [msgspec.structs.replace(result, duration_ms=took, details=details)]
        if tool == "apply_patch" and status == "completed":
            told.extend(file_changes(objects_of(item, "changes"), key))
        return told


def from_exec(item: Object) -> Object:
    """An item of `codex exec --json` in the app-server's spelling."""
    made = {_camel(key): value for key, value in item.items()}
    kind = _camel(text_of(item, "type"))
    made["type"] = "collabAgentToolCall" if kind == "collabToolCall" else kind
    made["status"] = _camel(text_of(item, "status"))
    return made


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda match: match[1].upper(), name)


def _snake(name: str) -> str:
    return re.sub(r"([A-Z])", lambda match: "_" + match[1].lower(), name)


def _clipped(change: Object) -> Object:
    return {"path": text_of(change, "path"), "kind": kind_of(change), "diff": text_of(change, "diff")[:MAX_KEPT_DIFF]}


# What was called


def _command(item: Object, cwd: str) -> Described:
    command = text_of(item, "command")
    called = {"command": command, "cwd": text_of(item, "cwd")} if text_of(item, "cwd") else {"command": command}
    actions = objects_of(item, "commandActions")
    return Described("shell", called, titles.command_title(command, actions, cwd), titles.action_path(actions))


def _patch(item: Object, cwd: str) -> Described:
    changes = [_clipped(change) for change in objects_of(item, "changes")]
    shown = [{key: value for key, value in change.items() if value} for change in changes]
    path = changes[0]["path"] if changes else None
    return Described("apply_patch", {"changes": shown}, titles.patch_title(changes, cwd), path or None)


def _mcp(item: Object, cwd: str) -> Described:
    server, tool = text_of(item, "server"), text_of(item, "tool")
    return Described(f"mcp__{server}__{tool}", _arguments(item), title("call", f"{tool} of {server}"))


def _dynamic(item: Object, cwd: str) -> Described:
    tool = ".".join(part for part in (text_of(item, "namespace"), text_of(item, "tool")) if part)
    return Described(tool, _arguments(item), title("call", tool))


def _arguments(item: Object) -> Object:
    value = item.get("arguments")
    if isinstance(value, dict):
        return value
    return {} if value is None else {"arguments": value}


def _collab(item: Object, cwd: str) -> Described:
    tool, prompt = _snake(text_of(item, "tool")), text_of(item, "prompt")
    called = {key: item[key] for key in ("prompt", "model", "receiverThreadIds") if item.get(key)}
    return Described(tool, called, titles.collab_title(tool, prompt))


def _activity(item: Object, cwd: str) -> Described:
    agent, kind = text_of(item, "agentPath"), text_of(item, "kind")
    return Described("sub_agent", {"agent": agent, "kind": kind}, one_line(f"Sub-agent {agent} {kind}"))


def _search(item: Object, cwd: str) -> Described:
    action = object_of(item, "action")
    called = {"query": text_of(item, "query")} | ({"action": action} if action else {})
    return Described("web_search", called, titles.search_title(text_of(item, "query"), action))


def _view(item: Object, cwd: str) -> Described:
    path = text_of(item, "path")
    return Described("view_image", {"path": path}, title("read", nearer(path, cwd)), path)


def _image(item: Object, cwd: str) -> Described:
    return Described("image_generation", {"prompt": text_of(item, "revisedPrompt")}, "Making an image")


def _sleep(item: Object, cwd: str) -> Described:
    milliseconds = count_of(item, "durationMs")
    return Described("sleep", {"duration_ms": milliseconds}, f"Sleeping {milliseconds / 1000:g} s")


def _function(item: Object, cwd: str) -> Described:
    tool = text_of(item, "name")
    return Described(tool, {}, title("call", tool))


# What came of it


def _outcome(item: Object, status: str) -> tuple[str, Object]:
    """The result's text, and what else is said of it."""
    details: Object = {}
    if (code := integer_or_none(item.get("exitCode"), -(1 << 31))) is not None:
        details["exit_code"] = code
    if status == "declined":
        details["denied"] = True
    if status == "interrupted":
        details["interrupted"] = True
    if states := object_of(item, "agentsStates"):
        details["agents"] = states
    return _content(item), details


def _content(item: Object) -> str:
    if error := text_of(object_of(item, "error"), "message"):
        return error
    parts = objects_of(object_of(item, "result"), "content") or objects_of(item, "contentItems")
    parts = parts or objects_of(item, "output") or objects_of(item, "results")
    if parts:
        return "\n".join(_part(part) for part in parts)
    for key in ("aggregatedOutput", "output", "savedPath"):
        if text := text_of(item, key):
            return text
    states = object_of(item, "agentsStates")
    return "\n".join(text_of(one, "message") for one in states.values() if isinstance(one, dict)).strip()


def _part(part: Object) -> str:
    text = text_of(part, "text")
    return text or msgspec.json.encode(part).decode()


# What is told without a call


def _message(item: Object, parent: str | None) -> list[Item]:
    text = text_of(item, "text")
    return [Output(0, 0, text, text_of(item, "id"), parent_tool_use_id=parent)] if text else []


def _reasoning(item: Object, parent: str | None) -> list[Item]:
    text = text_of(item, "text") or "\n\n".join(texts_of(item, "summary") or texts_of(item, "content"))
    return [Thinking(0, 0, text, text_of(item, "id"), parent_tool_use_id=parent)] if text else []


def _compacted(item: Object, parent: str | None) -> list[Item]:
    return [Notice(0, 0, "COMPACTED", "the conversation was made shorter")]


def _reviewed(item: Object, parent: str | None) -> list[Item]:
    entered = text_of(item, "type") == "enteredReviewMode"
    return [Notice(0, 0, "REVIEW_STARTED" if entered else "REVIEW_ENDED", text_of(item, "review"))]


def _hook_prompt(item: Object, parent: str | None) -> list[Item]:
    text = "\n".join(text_of(fragment, "text") for fragment in objects_of(item, "fragments"))
    return [Notice(0, 0, "HOOK_PROMPT", text)]


def _warning(item: Object, parent: str | None) -> list[Item]:
    return [Notice(0, 0, "WARNING", text_of(item, "message"))]


_CALLS: dict[str, Callable[[Object, str], Described]] = {
    "commandExecution": _command,
    "fileChange": _patch,
    "mcpToolCall": _mcp,
    "dynamicToolCall": _dynamic,
    "collabAgentToolCall": _collab,
    "subAgentActivity": _activity,
    "webSearch": _search,
    "imageView": _view,
    "imageGeneration": _image,
    "sleep": _sleep,
    "functionCallOutput": _function,
}

_TOLD: dict[str, Callable[[Object, str | None], list[Item]]] = {
    "agentMessage": _message,
    "plan": _message,
    "reasoning": _reasoning,
    "contextCompaction": _compacted,
    "enteredReviewMode": _reviewed,
    "exitedReviewMode": _reviewed,
    "hookPrompt": _hook_prompt,
    "error": _warning,
}

_SILENT = frozenset({"userMessage"})
"""The prompt is in the turn's own event."""
