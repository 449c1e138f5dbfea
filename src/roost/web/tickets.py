"""One-time tickets, for clients that can send no header: a browser being opened, a socket, an EventSource."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable

from roost.web.auth import Principal

LIFETIME_S = 60
MAX_OPEN = 1000


class Tickets:
    """Tickets that are open; when there are too many the oldest are void."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._open: OrderedDict[str, tuple[Principal, float]] = OrderedDict()

    def issue(self, principal: Principal) -> str:
        """A ticket that lets its bearer act as `principal`, once, within `LIFETIME_S`."""
        ticket = secrets.token_urlsafe(24)
        self._open[ticket] = (principal, self._clock() + LIFETIME_S)
        if len(self._open) > MAX_OPEN:
            self._open.popitem(last=False)
        return ticket

    def redeem(self, ticket: str) -> Principal | None:
        """Whom the ticket was for; it is void from now on. None where it is void, too old or was never given out."""
        principal, until = self._open.pop(ticket, (None, 0.0))
        return principal if self._clock() < until else None
