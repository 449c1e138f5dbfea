"""A CLI that is given its one prompt as an argument, tells what it does as JSON lines and ends.

Its turn begins with the process. It reads nothing: other prompts, another model and an interrupt are refused, and
whoever wants it to end stops the process.
"""

from __future__ import annotations

from typing import Any, Protocol

from roost.agents.driver import Decision, Image, Item, Opening, Ready, Refused, Taken
from roost.agents.json_in import read_object, unknown
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import Notice

NO_STDIN = ("/bin/sh", "-c", 'exec "$@" </dev/null')
"""Such CLIs read standard input to its end before they begin, and that of an agent stays open. The name follows."""


class Reader(Protocol):
    """What understands the lines of one CLI."""

    def open(self, opening: Opening) -> None:
        """The session begins."""

    def read(self, message: dict[str, Any]) -> list[Item] | None:
        """What a line says; none where it is not known."""

    def end(self, exit_code: int | None) -> list[Item]:
        """The process ended; without a code by a signal."""

    def save(self) -> Any:
        """What `load` needs."""

    def load(self, saved: Any) -> None:
        """Go on from what `save` gave."""


class OneShotCodec:
    """The codec of such a CLI."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def open(self, opening: Opening) -> list[Item]:
        """The process has its prompt and works on it."""
        self._reader.open(opening)
        return [Ready(), Taken()]

    def receive(self, line: bytes, now_ns: int) -> list[Item]:
        """A line."""
        message = read_object(line)
        told = None if message is None else self._reader.read(message)
        return [unknown(line)] if told is None else told

    def prompt(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """There is none but the first."""
        return [Refused(turn.turn_id, "it was started for one prompt, which it has")]

    def steer(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """The same."""
        return self.prompt(turn, images)

    def interrupt(self) -> list[Item]:
        """It does not listen."""
        return [Notice(0, 0, "INTERRUPT_REFUSED", "it was started for one prompt: stop it instead")]

    def answer(self, approval: OpenApproval, decision: Decision) -> list[Item]:
        """It never asks."""
        return []

    def change(self, what: str, value: str) -> list[Item]:
        """It does not listen."""
        return [Notice(0, 0, "CHANGE_REFUSED", f"it was started for one prompt: its {what} stays")]

    def finish(self, exit_code: int | None = None) -> list[Item]:
        """The process ended."""
        return self._reader.end(exit_code)

    def save(self) -> Any:
        """The reader's."""
        return self._reader.save()

    def load(self, saved: Any) -> None:
        """The reader's."""
        self._reader.load(saved)
