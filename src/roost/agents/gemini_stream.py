"""Gemini CLI's `-o stream-json`: one prompt, told in flat lines; text in pieces, a result at the end.

Thoughts are not in it. A shell command that fails is a success to it. A process that is ended by a signal says
nothing more, and may even end with 0: without a result line the turn has failed.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct

from roost.agents.driver import Finished, Item, Opening, Stopped
from roost.agents.gemini_tools import call_title, change_of, path_of
from roost.agents.json_in import count_of, kept, object_of, text_of
from roost.agents.plans import progress
from roost.model.events import Conversation, Error, FileChange, Notice, Output, ToolCall, ToolResult, Usage

MAX_CALLS = 256
EXIT_CODES = {
    41: "Gemini CLI has neither an API key nor a login",
    42: "Gemini CLI does not take what it was started with",
    44: "Gemini CLI has no sandbox as it wants it",
    52: "Gemini CLI's settings are wrong",
    53: "the turn took more steps than Gemini CLI's settings allow",
    54: "a tool failed in a way that ends Gemini CLI",
    130: "Gemini CLI was interrupted",
}
"""What its exit codes mean."""
_STATUSES = {status % 256: status for status in (400, 401, 403, 404, 413, 429, 500, 502, 503, 504)}


class _Call(Struct, array_like=True):
    call_id: str
    tool: str
    input: dict[str, Any]


class _State(Struct):
    cwd: str = ""
    partial: bool = False
    model: str = ""
    begun: bool = False
    parts: list[str] = []
    messages: int = 0
    answer: str = ""
    calls: list[_Call] = []
    error: str = ""
    finished: bool = False


class GeminiStream:
    """Reads the lines."""

    def __init__(self) -> None:
        self._state = _State()

    def open(self, opening: Opening) -> None:
        """The session begins."""
        options = opening.definition.options
        self._state = _State(opening.definition.cwd, options.partial, options.model or "")

    def read(self, message: dict[str, Any]) -> list[Item] | None:
        """A line."""
        handler = _LINES.get(text_of(message.get("type")))
        return None if handler is None else handler(self, message)

    def end(self, exit_code: int | None) -> list[Item]:
        """Without a result there is none, whatever the exit code."""
        state = self._state
        told = self._end_message()
        if state.finished:
            return told
        reason = state.error or _why(exit_code, begun=state.begun)
        return [*told, *self._end_calls(), Finished("failed", state.answer, reason)]

    def save(self) -> Any:
        """All of it."""
        return msgspec.to_builtins(self._state)

    def load(self, saved: Any) -> None:
        """All of it."""
        self._state = msgspec.convert(saved, _State)

    # Lines

    def _take_init(self, message: dict[str, Any]) -> list[Item]:
        state = self._state
        state.begun, state.model = True, text_of(message.get("model")) or state.model
        return [Conversation(0, 0, text_of(message.get("session_id")) or None, state.model or None)]

    def _take_message(self, message: dict[str, Any]) -> list[Item]:
        text = text_of(message.get("content"))
        if message.get("role") != "assistant":
            return [Conversation(0, 0, details=kept({"prompt": text}))]
        state = self._state
        if not state.parts:
            state.messages += 1
        state.parts.append(text)
        told: list[Item] = [Output(0, 0, text, self._message_id(), True)] if state.partial and text else []
        return told if message.get("delta") is True else [*told, *self._end_message()]

    def _message_id(self) -> str:
        return f"message-{self._state.messages}"

    def _end_message(self) -> list[Item]:
        state = self._state
        text, state.parts = "".join(state.parts), []
        if not text:
            return []
        state.answer = text
        return [Output(0, 0, text, self._message_id())]

    def _take_call(self, message: dict[str, Any]) -> list[Item]:
        state = self._state
        call_id, tool = text_of(message.get("tool_id")), text_of(message.get("tool_name"))
        given = kept(message.get("parameters"))
        state.calls = [*state.calls[-MAX_CALLS:], _Call(call_id, tool, given)]
        told = ToolCall(0, 0, call_id, tool, given, call_title(tool, given, state.cwd), path_of(given))
        plan = [progress(given.get("todos"))] if tool == "write_todos" else []
        return [*self._end_message(), told, *plan]

    def _take_result_of_call(self, message: dict[str, Any]) -> list[Item]:
        state, call_id = self._state, text_of(message.get("tool_id"))
        call = next((one for one in state.calls if one.call_id == call_id), _Call(call_id, "", {}))
        state.calls = [one for one in state.calls if one is not call]
        error = object_of(message.get("error"))
        failed = message.get("status") == "error" or bool(error)
        said = text_of(message.get("output")) or text_of(error.get("message"))
        details = {"error": text_of(error.get("type"))} if error else {}
        told: list[Item] = [ToolResult(0, 0, call_id, call.tool, said, failed, details=kept(details))]
        change = None if failed else self._change(call)
        return [*self._end_message(), *told, *([change] if change else [])]

    def _change(self, call: _Call) -> FileChange | None:
        return change_of(call.tool, call.input, call.call_id)

    def _end_calls(self) -> list[Item]:
        calls, self._state.calls = self._state.calls, []
        return [ToolResult(0, 0, one.call_id, one.tool, "", True, details={"unfinished": True}) for one in calls]

    def _take_error(self, message: dict[str, Any]) -> list[Item]:
        text = text_of(message.get("message"))
        if message.get("severity") == "warning":
            return [Notice(0, 0, "WARNING", text)]
        self._state.error = text
        return [Error(0, 0, "AGENT_ERROR", text)]

    def _take_result(self, message: dict[str, Any]) -> list[Item]:
        state = self._state
        told = [*self._end_message(), *self._end_calls(), *self._usage(object_of(message.get("stats")))]
        state.finished = True
        details = _details(object_of(message.get("stats")))
        if message.get("status") == "success":
            return [*told, Finished("completed", state.answer, None, details)]
        error = object_of(message.get("error"))
        reason = text_of(error.get("message")) or state.error or "Gemini CLI says that it failed, not why"
        return [*told, *_stopped(error), Finished("failed", state.answer, reason, details)]

    def _usage(self, stats: dict[str, Any]) -> list[Item]:
        models = object_of(stats.get("models")) or {self._state.model: stats}
        used = [_usage(model, object_of(counts)) for model, counts in models.items()]
        return [one for one in used if one.input_tokens or one.output_tokens or one.cache_read_tokens]


def _why(exit_code: int | None, *, begun: bool) -> str:
    """Why there is no result, from the exit code: one of its own, or what 8 bits leave of the model's status."""
    if exit_code in EXIT_CODES:
        return EXIT_CODES[exit_code]
    if exit_code in _STATUSES:
        return f"the model answered with the status {_STATUSES[exit_code]}"
    how = "by a signal" if exit_code is None else f"with exit code {exit_code}"
    return f"Gemini CLI ended {how} and without a result" if begun else f"Gemini CLI ended {how} before it began"


def _usage(model: str, counts: dict[str, Any]) -> Usage:
    """Thoughts are in the total only, and cost as much as what is said."""
    given, made, total = (count_of(counts.get(name)) for name in ("input_tokens", "output_tokens", "total_tokens"))
    cached = count_of(counts.get("cached"))
    return Usage(0, 0, model, max(0, given - cached), max(made, total - given), cached)


def _details(stats: dict[str, Any]) -> dict[str, Any]:
    return {name: count_of(stats[name]) for name in ("duration_ms", "tool_calls") if name in stats}


def _stopped(error: dict[str, Any]) -> list[Item]:
    kind = text_of(error.get("type"))
    return [Stopped("login", text_of(error.get("message")))] if "Authentication" in kind else []


_LINES: dict[str, Callable[[GeminiStream, dict[str, Any]], list[Item]]] = {
    "init": GeminiStream._take_init,
    "message": GeminiStream._take_message,
    "tool_use": GeminiStream._take_call,
    "tool_result": GeminiStream._take_result_of_call,
    "error": GeminiStream._take_error,
    "result": GeminiStream._take_result,
}
