"""What Claude Code says that it has used: for a turn, and for the session so far."""

from __future__ import annotations

from typing import Any

Json = dict[str, Any]
INPUT_USD = 4e-6
OUTPUT_USD = 20e-6
SYSTEM_TOKENS = 2500


def tokens_in(text: str) -> int:
    """About as many tokens as a text has."""
    return len(text) // 4 + 1


class Usage:
    """Counts of one session. Those of a turn are the main thread's; those of the models are cumulative, sub-agents
    included, and go on when the session is resumed."""

    def __init__(self) -> None:
        self.models: dict[str, Json] = {}
        self._since: dict[str, Json] = {}
        self._turn = (0, 0)
        self._history = 0

    @property
    def cost_usd(self) -> float:
        """What the session has cost, all models."""
        return float(sum(model["costUSD"] for model in self.models.values()))

    def begin_turn(self, prompt: str) -> None:
        """A prompt came in."""
        self._turn = (0, 0)
        self._since = {}
        self._history += tokens_in(prompt)

    def input_tokens(self) -> int:
        """What the next request to the model would hold."""
        return SYSTEM_TOKENS + self._history

    def heard(self, text: str) -> None:
        """Something that the next request holds besides."""
        self._history += tokens_in(text)

    def answered(self, model: str, read: int, written: int, *, is_main: bool = True) -> None:
        """The model answered a request."""
        if is_main:
            self._turn = (self._turn[0] + read, self._turn[1] + written)
        for counts in (self.models, self._since):
            _add(counts.setdefault(model, _none(model)), read, written)

    def turn(self) -> Json:
        """`usage` of a result."""
        return {**_usage(*self._turn), "output_tokens_details": {"thinking_tokens": 0}, **_OF_A_RESULT}

    def of_result(self) -> Json:
        """What a result line says of usage and cost."""
        return {
            "total_cost_usd": self.cost_usd,
            "usage": self.turn(),
            "modelUsage": {name: dict(counts) for name, counts in self.models.items()},
            "model_usage_since_last_result": {name: dict(counts) for name, counts in self._since.items()},
        }


def of_message(read: int) -> Json:
    """`usage` in an assistant line: what was known when the answer began."""
    return {
        **_usage(read, 1),
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "service_tier": "standard",
    }


def of_synthetic() -> Json:
    """`usage` of what Claude Code said itself."""
    return {
        "output_tokens_details": None,
        **_usage(0, 0),
        "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
        "service_tier": None,
        "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
        "inference_geo": None,
        "iterations": None,
        "speed": None,
        "fallback_credit": None,
    }


_OF_A_RESULT: Json = {
    "server_tool_use": {"web_search_requests": 0, "web_fetch_requests": 0},
    "service_tier": "standard",
    "cache_creation": {"ephemeral_1h_input_tokens": 0, "ephemeral_5m_input_tokens": 0},
    "inference_geo": "",
    "iterations": [],
    "speed": "standard",
    "fallback_credit": None,
}


def _usage(read: int, written: int) -> Json:
    return {
        "input_tokens": read,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "output_tokens": written,
    }


def _none(model: str) -> Json:
    return {
        "inputTokens": 0,
        "outputTokens": 0,
        "cacheReadInputTokens": 0,
        "cacheCreationInputTokens": 0,
        "webSearchRequests": 0,
        "costUSD": 0.0,
        "contextWindow": 1000000,
        "maxOutputTokens": 128000,
        "thinkingTokens": 0,
        "cacheCreationEphemeral5mInputTokens": 0,
        "cacheCreationEphemeral1hInputTokens": 0,
        "canonicalModel": model,
        "provider": "firstParty",
        "costBasis": "list",
    }


def _add(counts: Json, read: int, written: int) -> None:
    counts["inputTokens"] += read
    counts["outputTokens"] += written
    counts["costUSD"] += read * INPUT_USD + written * OUTPUT_USD
