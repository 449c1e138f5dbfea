"""Positions as text: the cursors that clients keep and give back.

In the stream of one agent a position is `SESSION:SEQ`. In the stream of the fleet it is `EPOCH.BLOCK.SEQ`: blocks are
numbered in the order in which they were stored, and the epoch changes when the store is made again from the recordings.
Clients treat both as opaque.
"""

from __future__ import annotations

from typing import NamedTuple

from roost.errors import InvalidCursor
from roost.model.ids import ID


class Position(NamedTuple):
    """The event `seq` of a session; `seq` 0 is the place before the first."""

    session_id: str
    seq: int

    def __str__(self) -> str:
        return f"{self.session_id}:{self.seq}"


class FleetPosition(NamedTuple):
    """The event `seq` of the block `block` in the store's `epoch`."""

    epoch: int
    block: int
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.block}.{self.seq}"


def parse_position(text: str) -> Position:
    """A position in one agent's stream.

    Raises:
        InvalidCursor: the text is none.
    """
    session_id, colon, seq = text.rpartition(":")
    if not colon or not ID.match(session_id) or not _is_number(seq):
        raise InvalidCursor(f"{text[:80]!r} is not a position in an agent's stream", cursor=text[:80])
    return Position(session_id, int(seq))


def parse_fleet_position(text: str) -> FleetPosition:
    """A position in the fleet's stream.

    Raises:
        InvalidCursor: the text is none.
    """
    parts = text.split(".")
    if len(parts) != 3 or not all(_is_number(part) for part in parts):
        raise InvalidCursor(f"{text[:80]!r} is not a position in the stream of all agents", cursor=text[:80])
    return FleetPosition(*map(int, parts))


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 18
