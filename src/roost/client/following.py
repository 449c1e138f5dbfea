"""Following one agent's events over every loss: of the server, of the connection, of the keeper.

Both back ends give the same positions, so what one began the other goes on with, and nothing comes twice.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from roost.errors import LimitReached, TimedOut, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roost.client.backend import Backend, Event

RETRY_S = (0.05, 0.1, 0.2, 0.4, 0.8, 1.0)
PASSING = (Unavailable, TimedOut, LimitReached)


def follow(connect: Callable[[], Backend], name: str, after: str, *, lost: Callable[[str], None]) -> Iterator[Event]:
    """The events of an agent behind `after`, until its session ends.

    `connect` gives a back end, again after every loss; `lost` is told of the first failure of each.

    Raises:
        RoostError: what trying again does not change, such as an unknown agent.
    """
    attempt = 0
    while True:
        try:
            backend = connect()
            try:
                for event in backend.events(name, after, follow=True):
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
