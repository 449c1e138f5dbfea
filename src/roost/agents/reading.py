"""Codecs that only read: of agents that somebody else speaks to, by what these write down of themselves."""

from __future__ import annotations

from msgspec.structs import replace

from roost.agents.driver import Decision, Image, Item
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import Event


class OnlyReads:
    """The part of a codec that writes, and here never does."""

    def prompt(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """Cannot be: nobody writes to a transcript."""
        return []

    def steer(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """See `prompt`."""
        return []

    def interrupt(self) -> list[Item]:
        """See `prompt`."""
        return []

    def answer(self, approval: OpenApproval, decision: Decision) -> list[Item]:
        """See `prompt`."""
        return []

    def change(self, what: str, value: str) -> list[Item]:
        """See `prompt`."""
        return []

    def finish(self, exit_code: int | None = None) -> list[Item]:
        """Nothing is held back."""
        return []


def seen(item: Item) -> Item:
    """Events say where they come from."""
    if not isinstance(item, Event) or "source" not in item.__struct_fields__:
        return item
    told: Item = replace(item, source="transcript")
    return told
