"""Events cut into blocks."""

from __future__ import annotations

from roost.model.blocks import MAX_BYTES, MAX_EVENTS
from roost.model.events import AnyEvent, encode_events
from roost.store.writer import NewBlock


def cut(events: list[AnyEvent]) -> list[NewBlock]:
    """Blocks of at most `MAX_EVENTS` events and `MAX_BYTES` bytes; an event larger than that has a block of its own."""
    found: list[NewBlock] = []
    for at in range(0, len(events), MAX_EVENTS):
        _cut(events[at : at + MAX_EVENTS], found)
    return found


def _cut(events: list[AnyEvent], found: list[NewBlock]) -> None:
    payload = encode_events(events)
    if len(payload) <= MAX_BYTES or len(events) == 1:
        found.append(NewBlock(events, payload))
        return
    middle = len(events) // 2
    _cut(events[:middle], found)
    _cut(events[middle:], found)
