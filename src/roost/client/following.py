"""Following events over every loss: of the server, of the connection, of the keeper.

For one agent both back ends give the same positions, so what one began the other goes on with, and nothing comes twice.
Events of all agents have an order of their own in the server's store: those go on where they began.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from roost.errors import LimitReached, ServerUnavailable, TimedOut, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roost.client.backend import Backend, Event

    Connect = Callable[[], Backend]
    Lost = Callable[[str], None]

RETRY_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
PASSING = (Unavailable, TimedOut, LimitReached)


def follow(connect: Connect, name: str, after: str, *, lost: Lost) -> Iterator[Event]:
    """The events of an agent behind `after`, until its session ends.

    `connect` gives a back end, again after every loss; `lost` is told of the first failure of each.

    Raises:
        RoostError: what trying again does not change, such as an unknown agent.
    """
    return _follow(connect, lambda found, place: found.events(name, place, follow=True), after, lost)


def follow_fleet(connect: Connect, after: str, *, lost: Lost) -> Iterator[Event]:
    """The events of all agents behind `after`, or from now on where it is empty; without end."""
    kind = ""

    def open_events(found: Backend, place: str) -> Iterator[Event]:
        nonlocal kind
        kind = kind or found.kind
        if found.kind != kind:
            found.close()
            raise ServerUnavailable("the server is gone")
        return found.fleet_events(place, follow=True)

    events = _follow(connect, open_events, after, lost)
    return (event for event in events if event.body["type"] != "connected")


def _follow(
    connect: Connect, open_events: Callable[[Backend, str], Iterator[Event]], after: str, lost: Lost
) -> Iterator[Event]:
    attempt = 0
    while True:
        try:
            backend = connect()
            try:
                for event in open_events(backend, after):
                    after, attempt = event.position, 0
                    yield event
            finally:
                backend.close()
            return
        except PASSING as error:
            if attempt == 0:
                lost(error.message)
        time.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
        attempt += 1
