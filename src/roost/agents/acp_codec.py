"""The Agent Client Protocol, version 1: JSON-RPC, a line a message, over the agent's standard streams.

    initialize ──▶ session/new | load | resume | fork ──▶ model and mode set ──▶ ready
                                                                                  │ ▲
                                                        session/prompt, updates … ▼ │ its answer

Agents differ in what they can beside prompts and cancelling; they say so in their answer to `initialize`. What stands
in the way before the first prompt (a login, a session that does not exist, a mode that there is not) leaves the agent
not ready and says why: a person has to look.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec

from roost.agents.acp_answers import choice_of, option_of, problem_of, reason_of
from roost.agents.acp_calls import close_calls, fold_call, tell_call
from roost.agents.acp_knobs import find_value, learn_session, request_of, tell_settings
from roost.agents.acp_requests import (
    CANCELLED,
    NOT_OURS,
    NOT_SERVED,
    VERSION,
    initialize,
    prompt_blocks,
    selected,
    servers_of,
    withdrawn,
)
from roost.agents.acp_state import AcpState
from roost.agents.acp_titles import call_title
from roost.agents.acp_updates import WORK, end_message, go_on, take_update
from roost.agents.acp_usage import usage_of_turn
from roost.agents.driver import (
    Decision,
    Finished,
    Image,
    Item,
    Opening,
    Ready,
    Refused,
    Stopped,
    Taken,
    Withdrawn,
    Write,
)
from roost.agents.json_in import kept, object_of, objects_of, read_object, text_of, unknown, write_line, write_text
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import Conversation, Notice, Permission

Message = dict[str, Any]
_STOPPED = {
    "max_tokens": "the answer grew longer than the model may give",
    "max_turn_requests": "the turn took more requests to the model than the agent allows",
    "refusal": "the agent refused to go on",
}
"""Stop reasons that are failures, in words."""
_CAN = {
    "resume": ("sessionCapabilities", "resume"),
    "fork": ("sessionCapabilities", "fork"),
    "directories": ("sessionCapabilities", "additionalDirectories"),
    "image": ("promptCapabilities", "image"),
}


class AcpCodec:
    """One session's.

    `by_flags` is what the command line has set: it is not asked for again. With `late_history` an agent tells a loaded
    session's past after it said that it is loaded, and then its commands.
    """

    def __init__(self, by_flags: frozenset[str] = frozenset(), *, late_history: bool = False) -> None:
        self._state = AcpState()
        self._by_flags = by_flags
        self._late_history = late_history

    # The contract

    def open(self, opening: Opening) -> list[Item]:
        """The session begins."""
        state, options = self._state, opening.definition.options
        state.cwd, state.options = opening.definition.cwd, options
        state.session_id = opening.definition.conversation_id or ""
        wanted = [("mode", options.permission_mode), ("model", options.model)]
        state.setup = [(what, value) for what, value in wanted if value and what not in self._by_flags]
        return [self._ask("initialize", initialize())]

    def receive(self, line: bytes, now_ns: int) -> list[Item]:
        """A line of the agent's."""
        message = read_object(line)
        if message is None:
            return [unknown(line, "not a message of the protocol")]
        method = message.get("method")
        if not isinstance(method, str):
            told = self._take_answer(message)
        elif "id" in message:
            told = self._take_request(method, message, line)
        else:
            told = self._take_notice(method, object_of(message.get("params")))
        return [unknown(line, "not known in the protocol")] if told is None else told

    def prompt(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """The next prompt."""
        state = self._state
        if images and "image" not in state.can:
            return [Refused(turn.turn_id, "the agent takes no images")]
        before = end_message(state)
        state.turn_id, state.taken, state.cancelled, state.answer = turn.turn_id, False, False, ""
        return [*before, self._ask("session/prompt", self._in_session({"prompt": prompt_blocks(turn.prompt, images)}))]

    def steer(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """The protocol cannot."""
        return [Refused(turn.turn_id, "the agent cannot be steered while it works")]

    def interrupt(self) -> list[Item]:
        """The turn is to end; what is asked meanwhile must be answered with `cancelled`, says the protocol."""
        state = self._state
        told: list[Item] = []
        for native_id in list(state.asked):
            told += [self._answer(json.loads(native_id), withdrawn()), *self._withdraw(native_id, "interrupted")]
        if state.turn_id is None:
            return told
        state.cancelled = True
        return [*told, _notify("session/cancel", self._in_session({}))]

    def answer(self, approval: OpenApproval, decision: Decision) -> list[Item]:
        """What somebody decided, as one of the agent's own options."""
        native_id = approval.approval_id
        if native_id not in self._state.asked:
            return []
        call_id = self._state.asked.pop(native_id)
        option = option_of(approval, decision)
        if not decision.allow:
            self._remember_denial(call_id)
        told: list[Item] = [self._answer(json.loads(native_id), selected(option) if option else withdrawn())]
        return [*told, *(self.interrupt() if decision.interrupt else [])]

    def change(self, what: str, value: str) -> list[Item]:
        """Another model or mode."""
        told = self._set(what, value)
        return [Notice(0, 0, "CHANGE_REFUSED", told)] if isinstance(told, str) else [told]

    def finish(self, exit_code: int | None = None) -> list[Item]:
        """The process ended."""
        told = [*go_on(self._state), *end_message(self._state)]
        if self._state.turn_id is None:
            return told
        details = {} if exit_code is None else {"exit_code": exit_code}
        return [*told, *self._end_turn("failed", "the agent ended before the turn did", details)]

    def save(self) -> Any:
        """All of it."""
        return msgspec.to_builtins(self._state)

    def load(self, saved: Any) -> None:
        """All of it."""
        self._state = msgspec.convert(saved, AcpState, strict=False)

    # Saying

    def _ask(self, method: str, params: Message, about: str = "") -> Write:
        state = self._state
        number, state.next_id = state.next_id, state.next_id + 1
        state.sent[number] = about or method
        return Write(write_line({"jsonrpc": "2.0", "id": number, "method": method, "params": params}))

    def _answer(self, request_id: object, result: Message) -> Write:
        return Write(write_line({"jsonrpc": "2.0", "id": request_id, "result": result}))

    def _in_session(self, params: Message) -> Message:
        return {"sessionId": self._state.session_id, **params}

    # Answers to what we asked

    def _take_answer(self, message: Message) -> list[Item] | None:
        number = message.get("id")
        if not isinstance(number, int) or number not in self._state.sent:
            return None
        about = self._state.sent.pop(number)
        handler = _ANSWERS[about]
        if "error" in message:
            return self._take_error(about, number, object_of(message["error"]))
        return handler(self, object_of(message.get("result")), number)

    def _take_initialized(self, result: Message, number: int) -> list[Item]:
        state, info = self._state, object_of(result.get("agentInfo"))
        if result.get("protocolVersion") != VERSION:
            return self._stop("setup", f"it speaks another version of the protocol than {VERSION}")
        state.agent = f"{text_of(info.get('title') or info.get('name'))} {text_of(info.get('version'))}".strip()
        state.logins = [text_of(one.get("name")) for one in objects_of(result.get("authMethods"))]
        able = object_of(result.get("agentCapabilities"))
        state.can = [
            name for name, (group, key) in _CAN.items() if object_of(able.get(group)).get(key) not in (None, False)
        ]
        if able.get("loadSession") is True:
            state.can.append("load")
        return self._begin_session()

    def _begin_session(self) -> list[Item]:
        state, options = self._state, self._state.options
        params: Message = {"cwd": state.cwd, "mcpServers": _servers(options.mcp_config)}
        if options.add_dirs and "directories" not in self._by_flags:
            if "directories" not in state.can:
                return self._stop("setup", "it takes no further directories")
            params["additionalDirectories"] = options.add_dirs
        going_on = options.resume or state.session_id
        if not going_on:
            return [self._ask("session/new", params)]
        ways = ("fork",) if options.fork else ("resume", "load")
        way = next((way for way in ways if way in state.can), None)
        if way is None:
            return self._stop("setup", f"it cannot {ways[0]} a conversation")
        state.session_id, state.loading = going_on, True
        return [self._ask(f"session/{way}", self._in_session(params))]

    def _take_session(self, result: Message, number: int) -> list[Item]:
        state = self._state
        state.session_id = text_of(result.get("sessionId")) or state.session_id
        state.loading = state.loading and self._late_history
        now = learn_session(state, result)
        details: dict[str, Any] = {"agent": state.agent} if state.agent else {}
        for what, knob in state.knobs.items():
            details[f"{what}s"] = [value for value, _ in knob.values]
        tell_settings(state, now)
        told = Conversation(0, 0, state.session_id, now.get("model"), now.get("mode"), kept(details))
        return [told, *([] if state.loading else self._set_up())]

    def _set_up(self) -> list[Item]:
        """Set what is wanted, one after the other; then the agent is ready."""
        state = self._state
        if not state.setup:
            state.ready = True
            return [Ready()]
        what, value = state.setup.pop(0)
        told = self._set(what, value)
        return self._stop("setup", told) if isinstance(told, str) else [told]

    def _set(self, what: str, value: str) -> Write | str:
        """The request that changes the model or the mode, or why there is none."""
        state = self._state
        knob = state.knobs.get(what)
        if knob is None:
            return f"it has no way to change its {what}"
        found = find_value(knob, value)
        if found is None and what == "mode" and knob.values:
            return f"it has no mode {value!r}, but {', '.join(one for one, _ in knob.values)}"
        state.changing[state.next_id] = (what, found or value)
        method, params = request_of(knob, found or value)
        return self._ask(method, self._in_session(params), "change")

    def _take_change(self, result: Message, number: int) -> list[Item]:
        what, value = self._state.changing.pop(number)
        now = learn_session(self._state, result) or {what: value}
        return [*tell_settings(self._state, now), *([] if self._state.ready else self._set_up())]

    def _take_turn(self, result: Message, number: int) -> list[Item]:
        stopped = text_of(result.get("stopReason"))
        details: dict[str, Any] = {"stop_reason": stopped} if stopped else {}
        usage = usage_of_turn(self._state, result)
        if stopped in _STOPPED:
            told = self._end_turn("failed", _STOPPED[stopped], details, *usage)
        elif stopped == "cancelled":
            told = self._end_turn("interrupted", None, details, *usage)
        else:
            told = self._end_turn("completed", None, details, *usage)
        return told

    def _end_turn(self, end: str, reason: str | None, details: dict[str, Any], *usage: Item) -> list[Item]:
        state = self._state
        told: list[Item] = [*self._take_up(), *go_on(state), *end_message(state)]
        told += close_calls(state, interrupted=state.cancelled)
        for native_id in list(state.asked):
            told += self._withdraw(native_id, "the turn ended")
        turn_id, state.turn_id, state.closed = state.turn_id, None, []
        finished = Finished(end, state.answer, reason, details | state.context, turn_id)
        state.context, state.answer = {}, ""
        return [*told, *usage, finished]

    def _take_up(self) -> list[Item]:
        """The agent does something: it has taken the prompt, and whatever stopped it does no longer."""
        state = self._state
        if state.taken or state.turn_id is None:
            return []
        state.taken = True
        able: list[Item] = [Stopped(None)] if state.problem else []
        state.problem = False
        return [*able, Taken(state.turn_id)]

    # Errors

    def _take_error(self, about: str, number: int, error: Message) -> list[Item]:
        state = self._state
        reason, problem = reason_of(error), problem_of(error)
        if about == "session/prompt":
            return self._fail_turn(problem, reason, error)
        if problem == "login":
            ways = f": {', '.join(state.logins)}" if state.logins else ""
            return self._stop("login", f"{reason}{ways}")
        if about == "change":
            what, value = state.changing.pop(number)
            reason = f"it does not take {value!r} as its {what}: {reason}"
            if state.ready:
                return [Notice(0, 0, "CHANGE_REFUSED", reason)]
        state.loading = False
        return self._stop("setup", reason)

    def _fail_turn(self, problem: str | None, reason: str, error: Message) -> list[Item]:
        state = self._state
        end = "interrupted" if state.cancelled else "failed"
        details = kept({"error": error})
        told = self._end_turn(end, reason, details)
        return [*told, *(self._stop(problem, reason) if problem else [])]

    def _stop(self, problem: str, message: str) -> list[Item]:
        self._state.problem = True
        return [Stopped(problem, message)]

    # What the agent asks

    def _take_request(self, method: str, message: Message, line: bytes) -> list[Item]:
        if method == "session/request_permission":
            return self._take_question(message["id"], object_of(message.get("params")))
        error = {"code": NOT_SERVED, "message": f"roost does not serve {method}"}
        reply = Write(write_line({"jsonrpc": "2.0", "id": message["id"], "error": error}))
        if method.startswith(NOT_OURS):
            path = text_of(object_of(message.get("params")).get("path"))
            return [Notice(0, 0, "REQUEST_REFUSED", method, {"path": path} if path else {}), reply]
        return [unknown(line, "a request that is not known"), reply]

    def _take_question(self, request_id: object, params: Message) -> list[Item]:
        state, asked = self._state, object_of(params.get("toolCall"))
        call = fold_call(state, asked, asking=True)
        told = [*self._take_up(), *go_on(state, call.call_id), *end_message(state), *tell_call(state, call)]
        native_id = write_text(request_id)
        state.asked[native_id] = call.call_id
        choices = [choice_of(one) for one in objects_of(params.get("options"))]
        kind = "plan" if call.kind == "switch_mode" else "tool"
        tool, title = call.name or call.kind or "other", call_title(call, state.cwd)
        given = kept(asked.get("rawInput")) or call.input
        return [*told, Permission(0, 0, native_id, tool, given, title, choices, kind, call.call_id)]

    def _remember_denial(self, call_id: str) -> None:
        for call in self._state.calls:
            if call.call_id == call_id:
                call.details["denied"] = True

    def _withdraw(self, native_id: str, reason: str) -> list[Item]:
        self._state.asked.pop(native_id, None)
        return [Withdrawn(native_id, reason)]

    # What the agent tells

    def _take_notice(self, method: str, params: Message) -> list[Item] | None:
        if method == "session/update":
            return self._take_news(object_of(params.get("update")))
        if method == "$/cancel_request":
            return self._take_back(params.get("requestId"))
        if method == "_auth/status_update":
            label = text_of(object_of(params.get("authStatus")).get("label"))
            return [Conversation(0, 0, details=kept({"login": label}))] if label else None
        return None

    def _take_news(self, update: Message) -> list[Item] | None:
        state, kind = self._state, text_of(update.get("sessionUpdate"))
        told = take_update(state, update)
        if told is None:
            return None
        if kind == "available_commands_update" and state.loading and not state.sent:
            state.loading = False
            return [*told, *self._set_up()]
        return [*self._take_up(), *told] if kind in WORK else told

    def _take_back(self, request_id: object) -> list[Item] | None:
        """The agent no longer wants to know; it is answered all the same, as the protocol has it."""
        native_id = write_text(request_id)
        if native_id not in self._state.asked:
            return None
        error = {"code": CANCELLED, "message": "cancelled"}
        reply = Write(write_line({"jsonrpc": "2.0", "id": request_id, "error": error}))
        return [reply, *self._withdraw(native_id, "the agent no longer asks")]


def _servers(config: str | dict[str, Any] | None) -> list[Message]:
    """They were checked at the start; a recording that says otherwise is another program's."""
    try:
        return servers_of(config)
    except ValueError:
        return []


def _notify(method: str, params: Message) -> Write:
    return Write(write_line({"jsonrpc": "2.0", "method": method, "params": params}))


_ANSWERS: dict[str, Callable[[AcpCodec, Message, int], list[Item]]] = {
    "initialize": AcpCodec._take_initialized,
    "session/new": AcpCodec._take_session,
    "session/load": AcpCodec._take_session,
    "session/resume": AcpCodec._take_session,
    "session/fork": AcpCodec._take_session,
    "session/prompt": AcpCodec._take_turn,
    "change": AcpCodec._take_change,
}
