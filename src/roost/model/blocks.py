"""Blocks: the events of one session that one wake-up brought; stored, published and replayed together."""

from __future__ import annotations

from msgspec import Struct

from roost.model.events import AnyEvent

MAX_EVENTS = 500
MAX_BYTES = 65_536


class Block(Struct, frozen=True, gc=False):
    """Events `first_seq` to `last_seq` of a session, without gaps.

    `id` says in which order blocks were stored over all sessions; it is never used twice.
    """

    id: int
    session_id: str
    agent_name: str
    first_seq: int
    last_seq: int
    events: list[AnyEvent]
