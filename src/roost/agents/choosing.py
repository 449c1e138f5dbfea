"""A CLI that speaks one of two languages, as its command line says."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from roost.agents.driver import Codec, Decision, Image, Item, Opening
from roost.model.conversations import OpenApproval, PendingTurn


class ChoosingCodec:
    """The codec that `one_shot` chooses from the arguments: that of a single prompt or that of a conversation."""

    def __init__(
        self, one_shot: Callable[[list[str]], bool], single: Callable[[], Codec], many: Callable[[], Codec]
    ) -> None:
        self._one_shot = one_shot
        self._makers = {True: single, False: many}
        self._single = False
        self._chosen = many()

    def open(self, opening: Opening) -> list[Item]:
        """Which language, and its beginning."""
        self._choose(self._one_shot(opening.argv))
        return self._chosen.open(opening)

    def _choose(self, single: bool) -> None:
        self._single, self._chosen = single, self._makers[single]()

    def receive(self, line: bytes, now_ns: int) -> list[Item]:
        """A line."""
        return self._chosen.receive(line, now_ns)

    def prompt(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """The next prompt."""
        return self._chosen.prompt(turn, images)

    def steer(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """A prompt for the turn that runs."""
        return self._chosen.steer(turn, images)

    def interrupt(self) -> list[Item]:
        """End the turn."""
        return self._chosen.interrupt()

    def answer(self, approval: OpenApproval, decision: Decision) -> list[Item]:
        """What was decided."""
        return self._chosen.answer(approval, decision)

    def change(self, what: str, value: str) -> list[Item]:
        """Another model or mode."""
        return self._chosen.change(what, value)

    def finish(self, exit_code: int | None = None) -> list[Item]:
        """The process ended."""
        return self._chosen.finish(exit_code)

    def save(self) -> Any:
        """Which language, and its state."""
        return [self._single, self._chosen.save()]

    def load(self, saved: Any) -> None:
        """Go on from it."""
        single, state = saved
        self._choose(bool(single))
        self._chosen.load(state)
