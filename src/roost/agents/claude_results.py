"""The end of a turn: how it went, and what it cost."""

from __future__ import annotations

from typing import Any

import msgspec

from roost.agents.claude_lines import TOLD_OF_RESULT, Amounts, Line, ResultLine, read_amounts, read_as, read_used
from roost.agents.claude_messages import stopped, taken
from roost.agents.claude_state import Baseline, State
from roost.agents.driver import Finished, Item, Taken
from roost.model.events import Turn, Usage

_DIAGNOSTIC = "[ede_diagnostic]"
_NOTHING = Amounts()
NO_PRICE = -1.0
"""The cost where the CLI does not say it."""


def result(state: State, line: Line, data: bytes) -> list[Item]:
    """A `result` line. It is not the last one: a background task that ends makes another."""
    told = read_as(ResultLine, data)
    items: list[Item] = []
    for uuid in told.user_message_uuids or ():
        items += taken(state, uuid)
    if not state.working and state.prompted is None:
        items.append(Taken())
    items += _usage(state, told)
    others = _others_turn(state, told)
    ended = _outcome(state, told)
    items.append(_apart(ended, told.uuid) if others else ended)
    items += _stopped(state, told)
    if not others:
        if state.waiting:
            state.waiting = {uuid: turn_id for uuid, turn_id in state.waiting.items() if turn_id != state.prompted}
        state.prompted = None
    state.working, state.interrupted = False, False
    return items


def _stopped(state: State, told: ResultLine) -> list[Item]:
    """What keeps the agent from working, also where no message said it."""
    if not told.is_error:
        return [] if told.local_command else stopped(state, None)
    text = told.result if isinstance(told.result, str) else ""
    if told.api_error_status in (401, 403) or "/login" in text:
        return stopped(state, "login", text)
    return stopped(state, "quota", text) if told.api_error_status == 429 else []


def _others_turn(state: State, told: ResultLine) -> bool:
    """Whether a prompt was written that this is no answer to: the turn was the agent's own, or a steered prompt's."""
    if state.prompted is None or state.prompted not in state.waiting.values():
        return False
    if told.local_command:
        return False
    own = isinstance(told.origin, dict) and told.origin.get("kind") not in (None, "human", "user")
    return own or state.working


def _outcome(state: State, told: ResultLine) -> Finished:
    told_first = zip(TOLD_OF_RESULT, msgspec.structs.astuple(told), strict=False)
    details = {name: value for name, value in told_first if value is not None and value != []}
    if told.subtype and told.subtype != "success":
        details["subtype"] = told.subtype
    text = told.result if isinstance(told.result, str) else ""
    if not told.is_error:
        return Finished("completed", text, None, details)
    errors = [error for error in told.errors if isinstance(error, str)] if isinstance(told.errors, list) else []
    aborted = isinstance(told.terminal_reason, str) and told.terminal_reason.startswith("aborted")
    if aborted or (state.interrupted and told.subtype == "error_during_execution"):
        return Finished("interrupted", text, None, details)
    said = [error for error in errors if not error.startswith(_DIAGNOSTIC)]
    return Finished("failed", "", "; ".join(said) or text or told.subtype or "the turn failed", details)


def _apart(ended: Finished, uuid: str | None) -> Turn:
    state: Any = ended.state
    return Turn(0, 0, f"own-{uuid}", state, text=ended.text, reason=ended.reason, details=ended.details or {})


# What it cost


def _usage(state: State, told: ResultLine) -> list[Item]:
    """What was spent since the last result, by model.

    Totals are of the process in some releases and of the whole conversation in others; the newest say besides what
    has come since. An old one that goes on with a conversation says it of the main thread only, for the first turn.
    """
    fresh = told.model_usage_since_last_result
    if fresh is None:
        total = read_amounts(told.modelUsage)
        fresh = _since(state, told, total)
        state.spent = {model: _baseline(amounts) for model, amounts in total.items()}
    state.resumed = False
    return [_event(model, amounts) for model, amounts in fresh.items() if amounts != _NOTHING]


def _since(state: State, told: ResultLine, total: dict[str, Amounts]) -> dict[str, Amounts]:
    used = read_used(told.usage) if state.resumed and not state.spent and total else None
    if used is not None:
        model = state.model if state.model in total else next(iter(total))
        if total[model].inputTokens > used.input_tokens:
            read, written = used.cache_read_input_tokens, used.cache_creation_input_tokens
            return {model: Amounts(used.input_tokens, used.output_tokens, read, written, NO_PRICE)}
    return {model: _less(amounts, state.spent.get(model)) for model, amounts in total.items()}


def _less(amounts: Amounts, before: Baseline | None) -> Amounts:
    """What came on top of `before`, which counts for nothing where the CLI began to count anew."""
    if before is None or amounts.costUSD < before.cost_usd or amounts.inputTokens < before.input_tokens:
        return amounts
    return Amounts(
        amounts.inputTokens - before.input_tokens,
        amounts.outputTokens - before.output_tokens,
        amounts.cacheReadInputTokens - before.cache_read_tokens,
        amounts.cacheCreationInputTokens - before.cache_write_tokens,
        round(amounts.costUSD - before.cost_usd, 12),
    )


def _baseline(amounts: Amounts) -> Baseline:
    return Baseline(
        amounts.inputTokens,
        amounts.outputTokens,
        amounts.cacheReadInputTokens,
        amounts.cacheCreationInputTokens,
        amounts.costUSD,
    )


def _event(model: str, amounts: Amounts) -> Usage:
    return Usage(
        0,
        0,
        model,
        amounts.inputTokens,
        amounts.outputTokens,
        amounts.cacheReadInputTokens,
        amounts.cacheCreationInputTokens,
        amounts.costUSD if amounts.costUSD != NO_PRICE else None,
    )
