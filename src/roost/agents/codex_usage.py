"""Tokens of codex's threads: it tells sums, roost tells what was added."""

from __future__ import annotations

from typing import Any

from roost.agents.codex_fields import count_of
from roost.model.events import Usage

Sums = list[int]
"""Input, of it cached, of it written to the cache, output."""

_SERVER = ("inputTokens", "cachedInputTokens", "cacheWriteInputTokens", "outputTokens")
_EXEC = ("input_tokens", "cached_input_tokens", "cache_write_input_tokens", "output_tokens")


def sums_of(usage: dict[str, Any]) -> Sums:
    """The sums in a token report of the app-server or of `exec`."""
    return [count_of(usage, key) for key in (_EXEC if "input_tokens" in usage else _SERVER)]


def added(before: Sums, now: Sums) -> Sums:
    """What came on top. Sums that went down were begun anew, as those of a thread cut short are."""
    if any(later < earlier for earlier, later in zip(before, now, strict=True)):
        return now
    return [later - earlier for earlier, later in zip(before, now, strict=True)]


def usage_of(model: str, tokens: Sums) -> Usage | None:
    """The event; none where nothing was spent. Input that came from or went to the cache is told apart."""
    if not any(tokens):
        return None
    whole, cached, written, output = tokens
    return Usage(0, 0, model, max(0, whole - cached - written), output, cached, written)
