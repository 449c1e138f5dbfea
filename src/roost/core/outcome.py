"""What the end of a process means for its session."""

from __future__ import annotations

from typing import NamedTuple

from roost.model.agents import State

ON_REQUEST = ("stopped", "killed")


class Outcome(NamedTuple):
    """The state that a session ended in, and why, in words."""

    state: State
    why: str


def outcome(code: int | None, signal: str | None, reason: str | None, *, asked: bool = False) -> Outcome:
    """How a session ended whose process ended so: `exited` with code 0 or on request (`asked`), else `failed`."""
    well = code == 0 or asked or reason in ON_REQUEST
    return Outcome("exited" if well else "failed", _why(code, signal, reason))


def was_asked_for(why: str | None) -> bool:
    """Whether `why`, as `outcome` put it, says that somebody stopped or killed the session."""
    return why is not None and why.startswith(ON_REQUEST)


def _why(code: int | None, signal: str | None, reason: str | None) -> str:
    how = f"signal {signal}" if signal else f"exit code {code}" if code is not None else "unknown outcome"
    return f"{reason} ({how})" if reason and reason != "exited" else how
