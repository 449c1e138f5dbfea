"""When an agent that ended is started again: a decision from values."""

from __future__ import annotations

from typing import NamedTuple

from roost.core.outcome import was_asked_for

FIRST_S = 1.0
LONGEST_S = 60.0
STEADY_S = 60.0
"""Who ran this long counts as having started well: the delays begin anew."""


class Delay(NamedTuple):
    """Start again after `seconds`; `quick` counts the ends in a row that came too soon."""

    seconds: float
    quick: int


def restart_delay(policy: str, state: str, reason: str | None, *, quick: int, ran_s: float) -> Delay | None:
    """How long to wait before an agent that is now in `state` starts again; null when it shall not.

    Who was stopped or killed on request stays down. Delays double from 1 s to 60 s.
    """
    if policy == "no" or was_asked_for(reason):
        return None
    if policy == "on-failure" and state == "exited":
        return None
    count = 1 if ran_s >= STEADY_S else quick + 1
    return Delay(min(LONGEST_S, FIRST_S * 2 ** (count - 1)), count)
