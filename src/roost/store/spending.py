"""What agents spent, summed by whatever is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Engine, Row, Select, case, func, select

from roost.store.schema import sessions, usage

DAY_NS = 86_400_000_000_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
SUMS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd")

KEYS: dict[str, ColumnElement[Any]] = {
    "day": usage.c.time_ns // DAY_NS,
    "agent": sessions.c.agent_name,
    "session": sessions.c.session_id,
    "model": usage.c.model,
    "turn": usage.c.turn_id,
}
"""What can be summed by; a day is one of UTC."""


class Spent(NamedTuple):
    """One sum: the values of the keys in their order, and what was spent; `unpriced_tokens` are not in the cost."""

    keys: dict[str, str | None]
    input_tokens: int
    output_tokens: int
    cache_read_tokens: int
    cache_write_tokens: int
    cost_usd: float | None
    unpriced_tokens: int


class Filter(NamedTuple):
    """What is summed; absent parts mean all. Times are nanoseconds since the epoch, `until_ns` excluded."""

    agent: str | None = None
    session: str | None = None
    model: str | None = None
    since_ns: int | None = None
    until_ns: int | None = None


class Spending:
    """Reads the `usage` table; from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def sums(self, by: Sequence[str], wanted: Filter, limit: int = 10_000) -> list[Spent]:
        """A sum for each different value of the keys `by` (of `KEYS`), in the order of these values."""
        columns = [KEYS[name].label(name) for name in by]
        query = select(*columns, *_totals()).join(sessions, sessions.c.session_key == usage.c.session_key)
        query = _where(query.where(sessions.c.current), wanted).group_by(*columns).order_by(*columns).limit(limit)
        with self._engine.connect() as connection:
            rows = connection.execute(query).all()
        return [_spent(by, row) for row in rows if row.rows]


def _totals() -> list[ColumnElement[Any]]:
    tokens = usage.c.input_tokens + usage.c.output_tokens + usage.c.cache_read_tokens + usage.c.cache_write_tokens
    unpriced = case((usage.c.cost_usd.is_(None), tokens), else_=0)
    sums = [func.sum(usage.c[name]).label(name) for name in SUMS]
    return [*sums, func.sum(unpriced).label("unpriced_tokens"), func.count().label("rows")]


def _where(query: Select[Any], wanted: Filter) -> Select[Any]:
    equal = {sessions.c.agent_name: wanted.agent, sessions.c.session_id: wanted.session, usage.c.model: wanted.model}
    query = query.where(*[column == value for column, value in equal.items() if value is not None])
    if wanted.since_ns is not None:
        query = query.where(usage.c.time_ns >= wanted.since_ns)
    if wanted.until_ns is not None:
        query = query.where(usage.c.time_ns < wanted.until_ns)
    return query


def _spent(by: Sequence[str], row: Row[Any]) -> Spent:
    values = row._mapping
    cost = values["cost_usd"]
    return Spent(
        keys={name: _day(values[name]) if name == "day" else values[name] for name in by},
        input_tokens=int(values["input_tokens"]),
        output_tokens=int(values["output_tokens"]),
        cache_read_tokens=int(values["cache_read_tokens"]),
        cache_write_tokens=int(values["cache_write_tokens"]),
        cost_usd=None if cost is None else round(float(cost), 9),
        unpriced_tokens=int(values["unpriced_tokens"]),
    )


def _day(number: int) -> str:
    return f"{EPOCH + timedelta(days=int(number)):%Y-%m-%d}"
