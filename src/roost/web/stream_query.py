"""What the address of a stream may ask for: where to begin, which events, how fast."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import parse_qsl

from roost.core.forms import Selection
from roost.errors import InvalidRequest
from roost.model.events import EVENT_TYPES
from roost.model.ids import check_agent_name
from roost.services.pacing import Pace
from roost.services.streams import Start

KNOWN_TYPES: frozenset[str] = frozenset(EVENT_TYPES) | {"extraction"}
"""Types that a client may ask for; `extraction` is promised by the wire contract, and nothing gives it yet."""

MOST_TAIL = 10**9
MOST_BATCH_MS = 10_000
MOST_RATE = 100_000.0
MOST_PAIRS = 200


class StreamQuery(NamedTuple):
    """A stream's address, read."""

    start: Start
    selection: Selection
    pace: Pace | None
    pairs: dict[str, list[str]]

    def last(self, key: str) -> str | None:
        """The last value given for a key."""
        return _last(self.pairs, key)

    def number(self, key: str, *, most: int) -> int | None:
        """A whole number.

        Raises:
            InvalidRequest: it is none, or above `most`.
        """
        return _number(self.pairs, key, most=most)


def read_query(query: bytes, last_event_id: str | None, *, fleet: bool) -> StreamQuery:
    """Read the part behind the question mark; `last_event_id` wins over `after`, for it is newer.

    Raises:
        InvalidRequest: a value is out of range, an agent's name or an event's type is none.
    """
    pairs: dict[str, list[str]] = {}
    for key, value in parse_qsl(query.decode("utf-8", "replace"), keep_blank_values=True)[:MOST_PAIRS]:
        pairs.setdefault(key, []).append(value)
    after = last_event_id or _last(pairs, "after") or None
    tail = _number(pairs, "tail", most=MOST_TAIL)
    agents = _names(pairs, "agent") if fleet else None
    labels = frozenset(map(_label, _names(pairs, "label") or ())) if fleet else frozenset()
    if agents is not None:
        for name in agents:
            check_agent_name(name)
    return StreamQuery(Start(after, tail), Selection(_types(pairs), agents, labels or None), _pace(pairs), pairs)


def _last(pairs: dict[str, list[str]], key: str) -> str | None:
    return pairs[key][-1] if key in pairs else None


def _names(pairs: dict[str, list[str]], key: str) -> frozenset[str] | None:
    """All values of a key, given several times or parted by commas."""
    found = frozenset(part.strip() for value in pairs.get(key, ()) for part in value.split(",") if part.strip())
    return found or None


def _types(pairs: dict[str, list[str]]) -> frozenset[str] | None:
    types = (_names(pairs, "types") or frozenset()) | (_names(pairs, "type") or frozenset())
    if unknown := types - KNOWN_TYPES:
        raise InvalidRequest(
            f"{min(unknown)[:80]!r} is not a type of event",
            hint=f"there are {', '.join(sorted(KNOWN_TYPES))}",
            parameter="types",
        )
    return types or None


def _label(text: str) -> tuple[str, str | None]:
    key, equals, value = text.partition("=")
    if not key:
        raise InvalidRequest(f"{text[:80]!r} is not KEY or KEY=VALUE", parameter="label")
    return key, value if equals else None


def _pace(pairs: dict[str, list[str]]) -> Pace | None:
    batch_ms = _number(pairs, "batch_ms", most=MOST_BATCH_MS)
    text = _last(pairs, "rate")
    if text is None:
        return Pace(batch_ms, None) if batch_ms else None
    try:
        rate = float(text)
    except ValueError:
        rate = 0.0
    if not 0.1 <= rate <= MOST_RATE:
        raise InvalidRequest(f"rate cannot be {text[:40]!r}: events a second, 0.1 to {MOST_RATE:g}", parameter="rate")
    return Pace(batch_ms, rate)


def _number(pairs: dict[str, list[str]], key: str, *, most: int) -> int | None:
    text = _last(pairs, key)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 12 and int(text) <= most):
        raise InvalidRequest(f"{key} cannot be {text[:40]!r}: a whole number from 0 to {most}", parameter=key)
    return int(text)
