"""opencode's `run --format json`: one prompt, told part by part; tools only when they are done, nothing at the end.

A tool that would ask is refused, and the run ends after it, as if all were well. So how a run ended is read from its
last step when the process has ended: `stop` is an end, `tool-calls` is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from roost.agents.driver import Finished, Item, Opening, Stopped
from roost.agents.json_in import count_of, kept, object_of, text_of
from roost.agents.opencode_tools import call_title, changes_of, path_of, plan_of
from roost.model.events import Conversation, Error, Output, Thinking, ToolCall, ToolResult, Usage

_ENDS = {
    "tool-calls": "a tool was not permitted, so the run ended",
    "length": "the answer grew longer than the model may give",
    "content-filter": "the model's provider held the answer back",
}
"""Reasons of a last step that are failures, in words."""


class _State(Struct):
    cwd: str = ""
    model: str = ""
    session_id: str = ""
    answer: str = ""
    reason: str = ""
    error: str = ""
    aborted: bool = False


class OpencodeStream:
    """Reads the lines."""

    def __init__(self) -> None:
        self._state = _State()

    def open(self, opening: Opening) -> None:
        """The session begins."""
        options = opening.definition.options
        self._state = _State(opening.definition.cwd, options.model or _model(opening.argv))

    def read(self, message: dict[str, Any]) -> list[Item] | None:
        """A line."""
        handler = _LINES.get(text_of(message.get("type")))
        if handler is None:
            return None
        told = handler(self, object_of(message.get("part")) or message)
        return [*self._session(text_of(message.get("sessionID"))), *told]

    def end(self, exit_code: int | None) -> list[Item]:
        """The process ended: its last step says how."""
        state = self._state
        if state.aborted:
            return [Finished("interrupted", state.answer)]
        if state.error:
            return [Finished("failed", state.answer, state.error)]
        if state.reason in _ENDS:
            return [Finished("failed", state.answer, _ENDS[state.reason])]
        if state.reason:
            return [Finished("completed", state.answer)]
        how = "by a signal" if exit_code is None else f"with exit code {exit_code}"
        when = "before its step was done" if state.session_id else "before it began"
        return [Finished("failed", state.answer, f"opencode ended {how} {when}")]

    def save(self) -> Any:
        """All of it."""
        return msgspec.to_builtins(self._state)

    def load(self, saved: Any) -> None:
        """All of it."""
        self._state = msgspec.convert(saved, _State)

    # Lines

    def _session(self, session_id: str) -> list[Item]:
        state = self._state
        if not session_id or session_id == state.session_id:
            return []
        state.session_id = session_id
        return [Conversation(0, 0, session_id, state.model or None)]

    def _take_start(self, part: dict[str, Any]) -> list[Item]:
        """A step that does not end leaves the run without an end."""
        self._state.reason = ""
        return []

    def _take_text(self, part: dict[str, Any]) -> list[Item]:
        text = text_of(part.get("text"))
        self._state.answer = text or self._state.answer
        return [Output(0, 0, text, text_of(part.get("messageID")))] if text else []

    def _take_reasoning(self, part: dict[str, Any]) -> list[Item]:
        text = text_of(part.get("text"))
        return [Thinking(0, 0, text, text_of(part.get("messageID")))] if text else []

    def _take_tool(self, part: dict[str, Any]) -> list[Item]:
        tool, call_id, state = text_of(part.get("tool")), text_of(part.get("callID")), object_of(part.get("state"))
        given = kept(state.get("input"))
        call = ToolCall(0, 0, call_id, tool, given, call_title(tool, given, self._state.cwd), path_of(given))
        result = _result(call, state)
        plan = plan_of(tool, given)
        changes = [] if result.is_error else changes_of(tool, state, call_id)
        return [call, result, *changes, *([plan] if plan else [])]

    def _take_finish(self, part: dict[str, Any]) -> list[Item]:
        self._state.reason = text_of(part.get("reason"))
        tokens, cost = object_of(part.get("tokens")), part.get("cost")
        cache = object_of(tokens.get("cache"))
        used = Usage(
            0,
            0,
            self._state.model,
            count_of(tokens.get("input")),
            count_of(tokens.get("output")) + count_of(tokens.get("reasoning")),
            count_of(cache.get("read")),
            count_of(cache.get("write")),
            # 0 is what it says of models whose price it does not know.
            float(cost) if isinstance(cost, int | float) and 0 < cost < 1 << 40 else None,
        )
        return [used]

    def _take_error(self, message: dict[str, Any]) -> list[Item]:
        error = object_of(message.get("error"))
        name, data = text_of(error.get("name")), object_of(error.get("data"))
        self._state.aborted = name == "MessageAbortedError"
        self._state.error = text_of(data.get("message")) or name or "opencode says that it failed, not why"
        told: list[Item] = [Error(0, 0, "AGENT_ERROR", self._state.error, kept({"error": error}))]
        return [Stopped("login", self._state.error), *told] if name == "ProviderAuthError" else told


def _result(call: ToolCall, state: dict[str, Any]) -> ToolResult:
    error, metadata, time = state.get("error"), object_of(state.get("metadata")), object_of(state.get("time"))
    code = metadata.get("exit")
    details = {"exit_code": code} if isinstance(code, int) else {}
    failed = state.get("status") == "error"
    if failed and "rejected permission" in text_of(error):
        details["denied"] = True
    said = text_of(error) if failed else text_of(state.get("output"))
    took = max(0, count_of(time.get("end")) - count_of(time.get("start"))) if "end" in time else None
    failed = failed or details.get("exit_code", 0) != 0
    return ToolResult(0, 0, call.tool_use_id, call.tool, said, failed, took, None, kept(details))


def _model(argv: list[str]) -> str:
    """The model that the command line names."""
    pairs = zip(argv, [*argv[1:], ""], strict=True)
    return next((value for word, value in pairs if word in ("-m", "--model")), "")


_LINES: dict[str, Callable[[OpencodeStream, dict[str, Any]], list[Item]]] = {
    "step_start": OpencodeStream._take_start,
    "text": OpencodeStream._take_text,
    "reasoning": OpencodeStream._take_reasoning,
    "tool_use": OpencodeStream._take_tool,
    "step_finish": OpencodeStream._take_finish,
    "error": OpencodeStream._take_error,
}
