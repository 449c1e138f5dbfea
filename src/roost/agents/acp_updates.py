"""What an agent tells of its work in the Agent Client Protocol: `session/update`, kind by kind.

Messages come in pieces. A message is over when another begins, the agent does something else, or the turn ends; then
it is told whole, and the last one of a turn is the turn's answer.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from roost.agents.acp_calls import take_call, tell_calls, waiting_calls
from roost.agents.acp_content import block_text, told_by
from roost.agents.acp_knobs import learn_options, tell_settings
from roost.agents.acp_state import AcpState, Message
from roost.agents.driver import Item
from roost.agents.json_in import count_of, kept, object_of, objects_of, text_of
from roost.agents.plans import progress
from roost.model.events import Conversation, Output, Thinking

Update = dict[str, Any]
MODE_IN_WORDS = "[MODE_UPDATE] "
"""Gemini CLI says a change of mode as if it were its answer."""


def take_update(state: AcpState, update: Update) -> list[Item] | None:
    """The items of an update; none where its kind is not known."""
    kind = text_of(update.get("sessionUpdate"))
    handler = _HANDLERS.get(kind)
    if handler is None:
        return None
    if state.loading and kind in _HISTORY:
        return []
    return [*go_on(state, text_of(update.get("toolCallId"))), *handler(state, update)]


def go_on(state: AcpState, call_id: str = "") -> list[Item]:
    """The agent goes on to something else than the calls it was preparing: they are told, after what it said."""
    waiting = waiting_calls(state, call_id)
    return [*end_message(state), *tell_calls(state, waiting)] if waiting else []


def end_message(state: AcpState) -> list[Item]:
    """The message that was being said, whole."""
    message, state.message = state.message, None
    text = "".join(message.parts) if message else ""
    if message is None or not text:
        return []
    if message.kind == "agent_thought_chunk":
        return [Thinking(0, 0, text, message.message_id, False, message.parent)]
    if message.parent is None:
        state.answer = text
    return [Output(0, 0, text, message.message_id, False, message.parent)]


# Messages


def _take_chunk(state: AcpState, update: Update) -> list[Item]:
    text = block_text(object_of(update.get("content")))
    if text.startswith(MODE_IN_WORDS):
        return tell_settings(state, {"mode": text.removeprefix(MODE_IN_WORDS).strip()})
    message, ended = _message(state, update)
    message.parts.append(text)
    if not state.options.partial or not text:
        return ended
    of = Thinking if message.kind == "agent_thought_chunk" else Output
    return [*ended, of(0, 0, text, message.message_id, True, message.parent)]


def _message(state: AcpState, update: Update) -> tuple[Message, list[Item]]:
    """The message that a piece belongs to, and what ended because of it."""
    kind, message_id = text_of(update.get("sessionUpdate")), text_of(update.get("messageId"))
    known = state.message
    if known is not None and known.kind == kind and message_id in ("", known.message_id):
        return known, []
    ended = end_message(state)
    state.messages += 1
    parent = told_by(update, "parentToolUseId") or None
    state.message = Message(kind, message_id or f"message-{state.messages}", [], parent)
    return state.message, ended


def _take_own_words(state: AcpState, update: Update) -> list[Item]:
    """What the user said, said back: known already."""
    return end_message(state)


# Work


def _take_call(state: AcpState, update: Update) -> list[Item]:
    start = update.get("sessionUpdate") == "tool_call"
    told = take_call(state, update, start=start)
    return [*end_message(state), *told] if told or start else []


def _take_plan(state: AcpState, update: Update) -> list[Item]:
    state.plans = True
    entries = (object_of(update.get("plan")) or update).get("entries")
    return [*end_message(state), progress(entries, state.turn_id)]


# The session


def _take_usage(state: AcpState, update: Update) -> list[Item]:
    """How full the context is, and what the session has cost so far; both are told with the turn's end."""
    state.context = {"context_tokens": count_of(update.get("used")), "context_size": count_of(update.get("size"))}
    cost = object_of(update.get("cost"))
    amount = cost.get("amount")
    if isinstance(amount, int | float) and cost.get("currency") == "USD" and 0 <= amount < 1 << 40:
        state.cost = float(amount)
        if state.loading:
            state.cost_told = state.cost
    return []


def _take_commands(state: AcpState, update: Update) -> list[Item]:
    names = [text_of(one.get("name")) for one in objects_of(update.get("availableCommands"))]
    seen = zlib.crc32("\n".join(names).encode("utf-8", "replace"))
    if seen == state.commands:
        return []
    state.commands = seen
    return [Conversation(0, 0, details={"commands": names})]


def _take_mode(state: AcpState, update: Update) -> list[Item]:
    return tell_settings(state, {"mode": text_of(update.get("currentModeId"))})


def _take_info(state: AcpState, update: Update) -> list[Item]:
    title = text_of(update.get("title"))
    return [Conversation(0, 0, details=kept({"title": title}))] if title else []


def _take_options(state: AcpState, update: Update) -> list[Item]:
    return tell_settings(state, learn_options(state, update))


_HANDLERS: dict[str, Callable[[AcpState, Update], list[Item]]] = {
    "agent_message_chunk": _take_chunk,
    "agent_thought_chunk": _take_chunk,
    "user_message_chunk": _take_own_words,
    "tool_call": _take_call,
    "tool_call_update": _take_call,
    "plan": _take_plan,
    "plan_update": _take_plan,
    "usage_update": _take_usage,
    "available_commands_update": _take_commands,
    "current_mode_update": _take_mode,
    "session_info_update": _take_info,
    "config_option_update": _take_options,
}
_HISTORY = frozenset(
    {"agent_message_chunk", "agent_thought_chunk", "user_message_chunk", "tool_call", "tool_call_update", "plan"}
)
"""What a loaded session tells again of its past: it was told when it happened."""
WORK = _HISTORY
"""What an agent tells only when it works: the first of these after a prompt says that it took it up."""
