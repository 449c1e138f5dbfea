"""What a turn has used, in the Agent Client Protocol: tokens come with the turn's end, money as a running total."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from roost.agents.acp_state import AcpState
from roost.agents.json_in import count_of, object_of, objects_of, text_of
from roost.model.events import Usage


def usage_of_turn(state: AcpState, result: dict[str, Any]) -> list[Usage]:
    """The usage of a turn by model, where the agent says it by model.

    Money is told for the session, not by model: all that was spent since the last time goes with the first of them.
    A total of 0 says nothing, as agents give it for models whose price they do not know.
    """
    quota = object_of(object_of(result.get("_meta")).get("quota"))
    by_model = [(text_of(one.get("model")), object_of(one.get("token_count"))) for one in _models(quota)]
    whole = object_of(result.get("usage")) or object_of(quota.get("token_count"))
    used = [_usage(model or state.model, counts) for model, counts in by_model or [(state.model, whole)]]
    used = [one for one in used if one.input_tokens or one.output_tokens or one.cache_read_tokens]
    return _with_cost(state, used)


def _models(quota: dict[str, Any]) -> list[dict[str, Any]]:
    return objects_of(quota.get("model_usage"))


def _usage(model: str, counts: dict[str, Any]) -> Usage:
    """Whether the cached and the reasoning tokens are among the others, the total tells."""
    read = _count(counts, "cachedReadTokens", "cachedInputTokens")
    written = _count(counts, "cachedWriteTokens", "cacheWriteInputTokens")
    thought = _count(counts, "thoughtTokens", "reasoningOutputTokens")
    given, made = _count(counts, "inputTokens", "input_tokens"), _count(counts, "outputTokens", "output_tokens")
    beside = _count(counts, "totalTokens", "total_tokens") - given - made
    cached = read + written
    if beside == 0:
        given = max(0, given - cached)
    elif beside in (thought, thought + cached):
        made += thought
        given = given if beside == thought + cached else max(0, given - cached)
    return Usage(0, 0, model, given, made, read, written)


def _count(counts: dict[str, Any], *names: str) -> int:
    return next((count for name in names if (count := count_of(counts.get(name)))), 0)


def _with_cost(state: AcpState, used: list[Usage]) -> list[Usage]:
    if not state.cost:
        return used
    spent, state.cost_told = max(0.0, state.cost - state.cost_told), state.cost
    if not used and spent:
        return [Usage(0, 0, state.model, cost_usd=spent)]
    return [replace(one, cost_usd=spent if at == 0 else 0.0) for at, one in enumerate(used)]
