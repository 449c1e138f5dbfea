"""Statements that run thousands of times a second: compiled once, given to the driver as they are.

SQLAlchemy's own way costs 4 µs a row more than the driver's `executemany`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, insert, update
from sqlalchemy.sql.dml import Insert, Update

from roost.store import rows
from roost.store.schema import blocks, events, meta, sessions, usage


class HotStatement:
    """One statement and the order in which its values are given."""

    def __init__(self, engine: Engine, statement: Insert | Update, names: Sequence[str]) -> None:
        compiled = statement.compile(dialect=engine.dialect, column_keys=list(names))
        self._sql = str(compiled)
        self._names = tuple(names)
        order = getattr(compiled, "positiontup", None)
        self._order = [self._names.index(name) for name in order] if order else None

    def run(self, connection: Connection, values: list[tuple[Any, ...]]) -> None:
        """Run it for every tuple, whose values come in the order of `names`."""
        if not values:
            return
        if self._order is None:
            connection.exec_driver_sql(self._sql, [dict(zip(self._names, row, strict=True)) for row in values])
        else:
            order = self._order
            connection.exec_driver_sql(self._sql, [tuple([row[at] for at in order]) for row in values])


BLOCK = ("block_id", "session_key", "first_seq", "last_seq", "first_ns", "last_ns", "payload")
EVENT = ("session_key", "seq", "type", "time_ns", "data")
USAGE = (
    *("session_key", "seq", "time_ns", "model", "turn_id", "input_tokens", "output_tokens"),
    *("cache_read_tokens", "cache_write_tokens", "cost_usd"),
)
PROGRESS = ("lines", "bytes", "last_output_ns", "last_seq", "read_offset", "damage", "key")
NOTES = ("checkpoint", "logs", "key")
SESSION = (*rows.SAME_NAME, "read_offset", "definition", "conversation", "attention", "screen", "settled", "key")
NEW_SESSION = (*SESSION[:-1], "checkpoint", "logs", "current", "session_key")


def insert_blocks(engine: Engine) -> HotStatement:
    """Values as in `BLOCK`."""
    return HotStatement(engine, insert(blocks), BLOCK)


def insert_events(engine: Engine) -> HotStatement:
    """Values as in `EVENT`."""
    return HotStatement(engine, insert(events), EVENT)


def insert_usage(engine: Engine) -> HotStatement:
    """Values as in `USAGE`."""
    return HotStatement(engine, insert(usage), USAGE)


def insert_session(engine: Engine) -> HotStatement:
    """Values as in `NEW_SESSION`."""
    return HotStatement(engine, insert(sessions), NEW_SESSION)


def update_session(engine: Engine) -> HotStatement:
    """Values as in `SESSION`: all but the projector's notes."""
    return HotStatement(engine, _update(), SESSION)


def update_progress(engine: Engine) -> HotStatement:
    """Values as in `PROGRESS`: what changes of a session with every line."""
    return HotStatement(engine, _update(), PROGRESS)


def update_notes(engine: Engine) -> HotStatement:
    """Values as in `NOTES`."""
    return HotStatement(engine, _update(), NOTES)


def update_meta(engine: Engine) -> HotStatement:
    """The value, then the name; where it is not there nothing is changed."""
    return HotStatement(
        engine, update(meta).where(meta.c.name == bindparam("key")).values(value=bindparam("value")), ("value", "key")
    )


def _update() -> Update:
    return update(sessions).where(sessions.c.session_key == bindparam("key"))
