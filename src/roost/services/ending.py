"""How sessions ended, as the keeper tells it and as exit frames say."""

from __future__ import annotations

from typing import Any, NamedTuple

from roost.core.outcome import outcome
from roost.model.agents import State


class Ending(NamedTuple):
    """How a session ended; `ended_ns` is wall time, nanoseconds since the Unix epoch."""

    state: State
    reason: str | None
    exit_code: int | None
    signal: str | None
    ended_ns: int


def ending_of(said: dict[str, Any], ended_ns: int) -> Ending:
    """The ending that a notice or an exit frame describes."""
    code, signal, reason = said.get("code"), said.get("signal"), said.get("reason")
    found = outcome(code, signal, reason)
    return Ending(found.state, found.why, code, signal, ended_ns)
