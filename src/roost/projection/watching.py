"""When a session's terminal is worth a look: once its output came to rest, and while it is busy now and then.

A look costs what drawing the screen does, so it is taken where it can say something new: not of a program that prints
plain lines and is known to work.
"""

from __future__ import annotations

from collections.abc import Callable

from roost.core.manifest import Sight
from roost.core.projection import SessionProjection
from roost.model.agents import Session

BUSY_S = 1.0
"""How often a terminal is looked at that never rests, or whose title changes."""

WORKING_S = 3.0
"""The same where it is known to work, and its title stays."""

OnSight = Callable[[Session, Sight, bool], None]
"""Told, on the projector's thread, what a session's terminal shows, and whether its output is at rest."""


class Watching:
    """What was looked at last of one session."""

    __slots__ = ("_at", "_seen", "_title")

    def __init__(self) -> None:
        self._at = float("-inf")
        self._seen: tuple[int | None, bool] = (None, True)
        self._title = ""

    def look(self, projection: SessionProjection, now: float) -> tuple[Sight, bool] | None:
        """What is shown and whether it is at rest, if a look is due at `now` and there is something to see."""
        resting = not projection.unfinished
        seen = (projection.session.last_output_ns, resting)
        if seen == self._seen or projection.ended or not (resting or self._is_due(projection, now)):
            return None
        sight = projection.sight()
        if sight is None:
            return None
        self._at, self._seen, self._title = now, seen, projection.title
        return sight, resting

    def _is_due(self, projection: SessionProjection, now: float) -> bool:
        noted = projection.session.attention
        works = noted is None or noted.kind == "works"
        if works and not projection.painting:
            return False
        calm = works and projection.title == self._title
        return now - self._at >= (WORKING_S if calm else BUSY_S)
