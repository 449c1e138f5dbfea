"""What Claude Code says in a turn, line by line."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from roost.testing.agents import claude_lines as lines
from roost.testing.agents.claude_host import Host, text_of
from roost.testing.agents.claude_permissions import Ruling, suggestions, unasked
from roost.testing.agents.claude_session import Session
from roost.testing.agents.claude_tasks import Task
from roost.testing.agents.claude_tools import named, report, with_input
from roost.testing.agents.claude_usage import tokens_in
from roost.testing.agents.output import Output
from roost.testing.agents.performing import Asked, Interrupted, TurnFailed, Verdict
from roost.testing.agents.workshop import Outcome
from roost.testing.models.script import Call, Cut, Fail, Fault, Tokens

Json = dict[str, Any]
RETRY_PAUSE_S = 0.01
FALLBACK_AFTER = 2
NEVER_RETRIED = (400, 403, 404, 413)
RETRY_WORDS = {401: "authentication_failed", 429: "rate_limit", 500: "server_error", 529: "overloaded"}
FINAL_WORDS = {401: "authentication_failed", 429: "rate_limit", 500: "server_error", 529: "server_error"}
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}
GIVEN_UP = {
    0: "API Error: Connection error.",
    401: "Failed to authenticate. API Error: 401 scripted: no answer",
    429: "API Error: Request rejected (429) · scripted: no answer",
    529: "API Error: Repeated 529 Overloaded errors. The API is at capacity.",
}
RESUME = "Your response above was cut off mid-stream. Resume directly from where it stops — no apology, no recap."


class Refusal(NamedTuple):
    """How a call that does not run is reported. `is_denied` when the result lists it among the denials."""

    content: str
    detail: str
    meta: Json | None
    is_denied: bool = False


class ClaudeVoice:
    """One turn of a session; `parent` is the call of the sub-agent whose turn it is."""

    def __init__(self, session: Session, output: Output, host: Host, prompt: Json, parent: Task | None = None) -> None:
        self._session = session
        self._output = output
        self._host = host
        self._echo = prompt
        self._parent = parent
        self._partial = session.flags.is_on("--include-partial-messages") and parent is None
        self._message = self._request = ""
        self._block = 0
        self._read = self._written = 0
        self._override: Tokens | None = None
        self._inputs: dict[str, tuple[str, Json]] = {}
        self._accepted: dict[str, Json] = {}
        self._refusals: dict[str, Refusal] = {}
        self.tasks: dict[str, Task] = {}
        self.text = ""
        self.stop_reason: str | None = None
        self.users = 0
        self.denials: list[Json] = []
        self.failure: Json = {}

    # The model's answer

    def begin(self) -> None:
        self._message, self._request = lines.short_id("msg_"), lines.short_id("req_")
        self._block, self._written = 0, 0
        self._read = self._session.usage.input_tokens()
        if self._partial:
            self._send(lines.system(self._session.id, "status", status="requesting"))

    def think(self, text: str) -> None:
        for size in (tokens_in(text) // 2, tokens_in(text)):
            tokens = {"estimated_tokens": size, "estimated_tokens_delta": max(1, size // 2)}
            self._send(lines.system(self._session.id, "thinking_tokens", **tokens))
        block = {"type": "thinking", "thinking": text, "signature": "c2lnbmVk"}
        deltas = [{"type": "thinking_delta", "thinking": text}, {"type": "signature_delta", "signature": "c2lnbmVk"}]
        empty = {"type": "thinking", "thinking": "", "signature": ""}
        with _Streamed(self, empty, deltas):
            self._assistant(block, thinking_duration_ms=1, thinking_display="updates")
        self._written += tokens_in(text)

    def say(self, text: str, pieces: Iterator[str]) -> None:
        streamed = _Streamed(self, {"type": "text", "text": ""}, [])
        said = ""
        try:
            with streamed:
                for piece in pieces:
                    said += piece
                    streamed.delta({"type": "text_delta", "text": piece})
                self._assistant({"type": "text", "text": text})
        except Interrupted:
            self._abort(said)
            raise
        self._written += tokens_in(text)
        self.text = text
        self.stop_reason = "end_turn"

    def announce(self, call: Call) -> Asked:
        if call.tool == "agent" and not call.is_raw:
            call = call._replace(input={**call.input, "background": True})
        call_id = lines.short_id("toolu_")
        name, given = named(call, self._session.cwd)
        self._inputs[call_id] = (name, given)
        block = {"type": "tool_use", "id": call_id, "name": name, "input": given}
        delta = {"type": "input_json_delta", "partial_json": lines.as_json(given)}
        with _Streamed(self, {**block, "input": {}}, [delta]):
            self._assistant(block)
        self._written += 20
        self.stop_reason = "tool_use"
        return Asked(call_id, call)

    def stopped(self, reason: str) -> None:
        self.stop_reason = reason

    def tokens(self, tokens: Tokens) -> None:
        self._override = tokens

    def finish(self) -> None:
        if self._override is not None:
            self._read, self._written = self._override
        self._override = None
        if self._partial and self._block:
            delta = {"stop_reason": self.stop_reason, "stop_sequence": None}
            usage = lines.message("", "", [], self._read)["usage"] | {"output_tokens": self._written}
            self._stream({"type": "message_delta", "delta": delta, "usage": usage})
            self._stream({"type": "message_stop"})
        is_main = self._parent is None
        self._session.usage.answered(self._session.model, self._read, max(1, self._written), is_main=is_main)
        self._session.usage.heard("x" * 4 * self._written)

    # Tools

    def permit(self, asked: Asked) -> Verdict:
        name, given = self._inputs[asked.id]
        permissions = self._session.permissions
        if not permissions.has(name):
            return self._refuse(asked, _no_such_tool(name, permissions.is_disabled(name)))
        ruling = permissions.rule(name, given)
        if ruling.behavior == "allow":
            return self._accept(asked, asked.call, ruling)
        if ruling.behavior == "ask" and permissions.has_host:
            return self._ask(asked)
        message = ruling.message or unasked(name, given)
        self._deny(asked, message, ruling)
        meta = _rejection(asked.id, "permission-rule" if ruling.reason_type else "user-rejected", ruling)
        return self._refuse(asked, Refusal(message, f"Error: {message}", meta, is_denied=True))

    def output(self, asked: Asked, text: str) -> None:
        """Claude Code shows nothing of a command before it is done."""

    def result(self, asked: Asked, ran: Call, outcome: Outcome) -> None:
        task = self._begin_task(asked, ran) if outcome.is_background else None
        block, detail = report(asked.id, ran, outcome, task.id if task else "")
        self._session.usage.heard(str(block["content"]))
        self._tell(block, detail, self._accepted.get(asked.id))

    def _begin_task(self, asked: Asked, ran: Call) -> Task:
        task = Task.of(asked.id, ran)
        self.tasks[asked.id] = task
        changed = [task.described() for task in self.tasks.values()]
        self._send(lines.system(self._session.id, "background_tasks_changed", tasks=changed))
        self._send(lines.system(self._session.id, "task_started", **task.started()))
        return task

    def refused(self, asked: Asked, verdict: Verdict) -> None:
        refusal = self._refusals[asked.id]
        if refusal.is_denied:
            self._note_denial(asked)
        self._tell(lines.error_result(asked.id, refusal.content), refusal.detail, refusal.meta)

    def interrupted(self, pending: tuple[Asked, ...]) -> None:
        """Say what becomes of calls that were made and have no result."""
        for asked in pending:
            if self._host.had_asked(asked.id):
                self._note_denial(asked)
            meta = {"id": asked.id, "non_execution_kind": "user-rejected"}
            self._tell(lines.error_result(asked.id, lines.REJECTED), "User rejected tool use", meta)
        note = "[Request interrupted by user for tool use]" if pending else "[Request interrupted by user]"
        self._user([{"type": "text", "text": note}])
        if not pending:
            self.stop_reason = None
            self._close_stream()

    # What goes wrong

    def fail(self, fail: Fail) -> None:
        if fail.model not in self._session.model:
            return
        most = int(os.environ.get("CLAUDE_CODE_MAX_RETRIES", "10"))
        word = RETRY_WORDS.get(fail.status, "unknown")
        if fail.status not in NEVER_RETRIED:
            for attempt in range(1, min(fail.times, most) + 1):
                self._retry(attempt, most, fail.status, word)
                if self._falls_back(attempt, fail.status):
                    return
            if fail.times <= most:
                return
        self._give_up(fail.status)

    def cut(self, cut: Cut) -> None:
        if self._block:
            self._user([{"type": "text", "text": RESUME}], isSynthetic=True)
            return
        most = int(os.environ.get("CLAUDE_CODE_MAX_RETRIES", "10"))
        for attempt in range(1, min(cut.times, most) + 1):
            self._retry(attempt, most, None, "unknown")
        if cut.times > most:
            self._give_up(0)

    def fault(self, fault: Fault) -> None:
        self._output.fault(fault, lines.system(self._session.id, "status", status="requesting"))

    def steered(self) -> list[str]:
        return [self._take_in(message) for message in self._host.waiting()]

    # Lines

    def _send(self, line: Json) -> None:
        if line["type"] in ("assistant", "user") and "session_id" in line:
            self._session.remember(line)
        self._output.send(line)

    def _assistant(self, block: Json, **fields: Any) -> None:
        self._echo_prompt(fields)
        whole = lines.message(self._message, self._session.model, [block], self._read)
        parent, of_parent = (self._parent.call_id, self._parent.of_lines()) if self._parent else (None, {})
        self._send(lines.assistant(self._session.id, whole, self._request, parent, **fields, **of_parent))

    def _echo_prompt(self, fields: Json) -> None:
        """The prompt is shown again before the first answer to it, when that was asked for."""
        prompt, self._echo = self._echo, {}
        if prompt and self._session.flags.is_on("--replay-user-messages"):
            self.replay(prompt)
        if prompt.get("uuid"):
            fields |= {"user_message_uuid": prompt["uuid"], "user_message_uuids": [prompt["uuid"]]}

    def replay(self, prompt: Json) -> None:
        """Show a user message again."""
        line = lines.user(self._session.id, prompt["message"]["content"])
        self._send({**line, "uuid": prompt.get("uuid") or line["uuid"], "isReplay": True})

    def _take_in(self, prompt: Json) -> str:
        if self._session.flags.is_on("--replay-user-messages"):
            self.replay(prompt)
        self._host.lifecycle(prompt, "started")
        text = text_of(prompt)
        self._session.usage.heard(text)
        self._session.remember_prompt(text)
        return text

    def _user(self, content: list[Json], **fields: Any) -> None:
        self.users += 1
        if self._parent:
            fields = {name: value for name, value in fields.items() if name != "tool_use_result"}
            self._send(lines.user(self._session.id, content, self._parent.call_id, **fields, **self._parent.of_lines()))
        else:
            self._send(lines.user(self._session.id, content, **fields))

    def _tell(self, block: Json, detail: Any, meta: Json | None) -> None:
        known = {"tool_use_result": detail} | ({"tool_result_meta": [meta]} if meta else {})
        self._user([block], **known)

    def stream_start(self, block: Json) -> None:
        """Begin a block in the stream of pieces."""
        if not self._partial:
            return
        if not self._block:
            whole = lines.message(self._message, self._session.model, [], self._read)
            first: Json = {"ttft_ms": 1, "thinking_display": "updates"}
            self._send(
                lines.stream_event(
                    self._session.id, {"type": "message_start", "message": whole}, self._message, **first
                )
            )
        self._stream({"type": "content_block_start", "index": self._block, "content_block": block})

    def stream_delta(self, delta: Json) -> None:
        """A piece of the block."""
        if self._partial:
            self._stream({"type": "content_block_delta", "index": self._block, "delta": delta})

    def stream_stop(self) -> None:
        """The block is whole."""
        if self._partial:
            self._stream({"type": "content_block_stop", "index": self._block})
        self._block += 1

    def _stream(self, event: Json) -> None:
        self._send(lines.stream_event(self._session.id, event, self._message))

    def _close_stream(self) -> None:
        if self._partial and self._message:
            self.stream_stop()
            self._stream({"type": "message_stop"})

    def _abort(self, said: str) -> None:
        if said:
            self._assistant({"type": "text", "text": said}, aborted=True)

    # Decisions

    def _ask(self, asked: Asked) -> Verdict:
        name, given = self._inputs[asked.id]
        answer = self._host.ask(asked.id, _question(asked.id, name, given))
        if answer is None:
            text = "Tool permission request failed: AbortError: Tool permission stream closed before response received"
            meta = _rejection(asked.id, "permission-rule", Ruling("deny", reason_type="other"))
            return self._refuse(asked, Refusal(text, f"Error: {text}", meta, is_denied=True))
        if answer.get("behavior") != "allow":
            return self._declined(asked, answer)
        self._take_over(answer.get("updatedPermissions") or [])
        call = with_input(asked.call, answer.get("updatedInput") or given)
        return self._accept(asked, call, Ruling("allow", source="user_temporary"))

    def _declined(self, asked: Asked, answer: Json) -> Verdict:
        if answer.get("interrupt"):
            raise Interrupted(asked)
        text = str(answer.get("message") or "The user doesn't want to proceed with this tool use.")
        meta = _rejection(asked.id, "permission-rule", Ruling("deny", source="user_reject"))
        return self._refuse(asked, Refusal(text, f"Error: {text}", meta, is_denied=True))

    def _take_over(self, updates: list[Json]) -> None:
        for update in updates:
            if self._session.permissions.apply(update):
                mode = self._session.permissions.mode
                self._send(lines.system(self._session.id, "status", status=None, permissionMode=mode))

    def _accept(self, asked: Asked, call: Call, ruling: Ruling) -> Verdict:
        decision = {"decision": "accept", "source": ruling.source}
        if ruling.reason_type:
            decision["reason_type"] = ruling.reason_type
        self._accepted[asked.id] = {"id": asked.id, "permission_decision": decision}
        return Verdict(call)

    def _refuse(self, asked: Asked, refusal: Refusal) -> Verdict:
        self._refusals[asked.id] = refusal
        return Verdict(None, refusal.content)

    def _note_denial(self, asked: Asked) -> None:
        name, given = self._inputs[asked.id]
        self.denials.append({"tool_name": name, "tool_use_id": asked.id, "tool_input": given})

    def _deny(self, asked: Asked, message: str, ruling: Ruling) -> None:
        name, _ = self._inputs[asked.id]
        known: Json = {"tool_name": name, "tool_use_id": asked.id}
        if ruling.reason_type:
            known["decision_reason_type"] = ruling.reason_type
        self._send(lines.system(self._session.id, "permission_denied", **known, message=message))

    # Retries

    def _retry(self, attempt: int, most: int, status: int | None, word: str) -> None:
        delay = {"retry_delay_ms": 500 * 2 ** (attempt - 1), "error_status": status, "error": word}
        self._send(lines.system(self._session.id, "api_retry", attempt=attempt, max_retries=most, **delay))
        time.sleep(RETRY_PAUSE_S)

    def _falls_back(self, attempt: int, status: int) -> bool:
        other = self._session.flags.one("--fallback-model")
        if status != 529 or attempt < FALLBACK_AFTER or not other or other == self._session.model:
            return False
        change = {"trigger": "overloaded", "original_model": self._session.model, "fallback_model": other}
        text = f"Switched to {other} due to high demand for {self._session.model}"
        self._send(lines.system(self._session.id, "model_fallback", **change, content=text))
        self._session.model = other
        return True

    def _give_up(self, status: int) -> None:
        text = GIVEN_UP.get(status, f"API Error: {status} scripted: no answer")
        known: Json = {"error": FINAL_WORDS.get(status, "unknown"), "is_api_error_message": True}
        self.failure = {"api_error_status": status or None}
        if status in TYPES:
            self.failure["api_error_type"] = TYPES[status]
        self.text, self.stop_reason = text, "stop_sequence"
        self._send(lines.synthetic(self._session.id, text, **known, **self.failure))
        raise TurnFailed(status)


class _Streamed:
    """A block within the stream of pieces: its begin, its pieces, and its end unless it was interrupted."""

    def __init__(self, voice: ClaudeVoice, block: Json, deltas: list[Json]) -> None:
        self._voice = voice
        self._block = block
        self._deltas = deltas

    def __enter__(self) -> None:
        self._voice.stream_start(self._block)
        for delta in self._deltas:
            self.delta(delta)

    def delta(self, delta: Json) -> None:
        self._voice.stream_delta(delta)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._voice.stream_stop()


def _question(call_id: str, name: str, given: Json) -> Json:
    request: Json = {"subtype": "can_use_tool", "tool_name": name, "display_name": name, "input": given}
    if name in ("AskUserQuestion", "ExitPlanMode"):
        return {**request, "tool_use_id": call_id, "requires_user_interaction": True}
    request["description"] = given.get("description") or str(given.get("file_path", "")).rpartition("/")[2]
    return {**request, "permission_suggestions": suggestions(name, given), "tool_use_id": call_id}


def _no_such_tool(name: str, is_disabled: bool) -> Refusal:
    why = f"Error: No such tool available: {name}"
    why += f". {name} is disabled for this session, in subagents as well as here." if is_disabled else ""
    return Refusal(f"<tool_use_error>{why}</tool_use_error>", why, None)


def _rejection(call_id: str, kind: str, ruling: Ruling) -> Json:
    decision = {"decision": "reject", "source": ruling.source}
    if ruling.reason_type:
        decision["reason_type"] = ruling.reason_type
    return {"id": call_id, "non_execution_kind": kind, "permission_decision": decision}
