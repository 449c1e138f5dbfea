"""How fast things are handed to clients: wake-ups, paced clients, and when a client counts as gone.

Wake-ups. Handing one event to one client costs little, waking a client costs 10 to 30 µs. So an idle stream is woken at
once, and a busy one at the end of a tick that grows with the number of clients: everything that came in between goes
out in one write.

Paced clients. A client may ask for at most so many events a second. What comes faster is gathered over a window, and
output that does not fit is skipped and counted; states, errors, approvals, turns, tool calls, changes of files and what
was spent never are. What is sent stays in the order of its positions, because a client resumes after the newest
position it has seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

BUSY_DELIVERIES_PER_S = 20_000
QUIET_TICK_S = 0.010
LONGEST_TICK_S = 0.050
FIRST_TICK_S = 0.003
TICK_GROWTH = 0.33
MANY_TICK_S = 0.013
EACH_TICK_S = 0.000_010
"""3 ms for one client, 14 for a hundred, 23 for a thousand: waking them takes half as long."""
METER_WINDOW_S = 0.25
PIECE_BYTES = 32_768
"""About how much a client is sent at once: what waits for a client that does not read is bounded by it."""

OUTPUT_TYPES: frozenset[str] = frozenset({"log", "output", "thinking", "screen"})
"""What may be skipped for a paced client: output that is still in the store."""
PARTIAL = "partial"
"""In place of the type of a piece of a message: these are skipped first, because the whole message follows."""


def tick_s(deliveries_per_s: float, clients: int) -> float:
    """How long after a wake-up of `clients` the next one may come, in seconds."""
    tick = min(FIRST_TICK_S * float(clients**TICK_GROWTH), MANY_TICK_S + EACH_TICK_S * clients, LONGEST_TICK_S)
    return tick if deliveries_per_s > BUSY_DELIVERIES_PER_S else min(tick, QUIET_TICK_S)


class RateMeter:
    """Counts a second, seen over the last quarter of one."""

    def __init__(self) -> None:
        self.per_s = 0.0
        self._since = 0.0
        self._count = 0

    def add(self, count: int, now: float) -> None:
        """`count` more at `now`, in seconds of any clock that only goes forward."""
        elapsed = now - self._since
        if elapsed >= METER_WINDOW_S:
            self.per_s = self._count / elapsed
            self._since = now
            self._count = 0
        self._count += count


class TokenBucket:
    """Allows `rate` a second over time, and `burst` at once."""

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = max(1.0, burst)
        self._tokens = self.burst
        self._at: float | None = None

    def available(self, now: float) -> int:
        """How many may go at `now`."""
        if self._at is not None:
            self._tokens = min(self.burst, self._tokens + (now - self._at) * self.rate)
        self._at = now
        return max(0, int(self._tokens))

    def spend(self, count: int) -> None:
        """`count` went; more than were available is a debt that later ones wait for."""
        self._tokens -= count


def choose(types: Sequence[str], budget: int) -> list[int]:
    """Which of the gathered events to send, as indexes in order.

    Everything urgent goes whatever the budget; of the output, the newest that still fit, whole messages first.
    """
    pieces = [index for index, name in enumerate(types) if name == PARTIAL]
    output = [index for index, name in enumerate(types) if name in OUTPUT_TYPES]
    skipped = set([*pieces, *output][: max(0, len(types) - budget)])
    return [index for index in range(len(types)) if index not in skipped]


class Skip(NamedTuple):
    """Events that a client is not sent: how many, and between which positions they can be fetched."""

    events: int
    after: str | None = None
    until: str | None = None
    reason: str = "gone"
    """`rate`: more came than the client wants. `gone`: they are no longer stored."""

    def data(self) -> dict[str, Any]:
        """The `data` object of a `skipped` event."""
        return {"count": self.events, "after": self.after, "until": self.until, "reason": self.reason}


def is_stalled(blocked_s: float, waiting_bytes: int, *, longest_s: float, most_bytes: int) -> bool:
    """Whether a client that has taken nothing for `blocked_s` is to be disconnected."""
    return blocked_s >= longest_s or waiting_bytes > most_bytes
