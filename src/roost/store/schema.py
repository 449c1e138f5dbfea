"""The tables of the store.

A session has one `current` row. Making projections again writes rows that are not current beside the old ones, and one
transaction swaps them. Log lines are not rows of their own: they lie in `blocks`, as do all events; `events` repeats
what is not a log line, so that it can be searched.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

metadata = MetaData()

Key = BigInteger().with_variant(Integer(), "sqlite")
"""A number that is a primary key: only as INTEGER is it SQLite's own row number."""

meta = Table(
    "meta",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Text, nullable=False),
)
"""`epoch`; `last_block`, the highest block number ever given; `roost`, the version that wrote last."""

agents = Table(
    "agents",
    metadata,
    Column("name", Text, primary_key=True),
    Column("environment", Text, nullable=False),
    Column("removed_through", Text),
)
"""What no recording holds: the variables' values, and the newest session at the time the agent was removed."""

sessions = Table(
    "sessions",
    metadata,
    Column("session_key", Key, primary_key=True, autoincrement=False),
    Column("session_id", Text, nullable=False),
    Column("current", Boolean(create_constraint=False), nullable=False),
    Column("settled", Boolean(create_constraint=False), nullable=False),
    Column("agent_name", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text),
    Column("definition", Text, nullable=False),
    Column("node", Text, nullable=False),
    Column("pid", BigInteger),
    Column("cols", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("started_ns", BigInteger, nullable=False),
    Column("ended_ns", BigInteger),
    Column("exit_code", Integer),
    Column("signal", Text),
    Column("lines", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("last_output_ns", BigInteger),
    Column("last_seq", BigInteger, nullable=False),
    Column("read_offset", BigInteger, nullable=False),
    Column("damage", BigInteger, nullable=False),
    Column("checkpoint", LargeBinary, nullable=False),
    Column("screen", LargeBinary, nullable=False),
    Column("logs", LargeBinary, nullable=False),
    Column("conversation", LargeBinary),
    Column("attention", LargeBinary),
    Index("sessions_by_id", "session_id", "current"),
    Index("sessions_by_agent", "agent_name", "current", "started_ns", "session_id"),
    Index("sessions_by_start", "current", "started_ns", "session_id"),
)
"""`settled`: ended, and its text logs are whole. `checkpoint`, `screen` and `logs` belong to the projector;
`conversation` is a structured agent's `ConversationState`, `attention` an `Attention`, both as MessagePack."""

blocks = Table(
    "blocks",
    metadata,
    Column("block_id", Key, primary_key=True, autoincrement=False),
    Column("session_key", Key, ForeignKey("sessions.session_key"), nullable=False),
    Column("first_seq", BigInteger, nullable=False),
    Column("last_seq", BigInteger, nullable=False),
    Column("first_ns", BigInteger, nullable=False),
    Column("last_ns", BigInteger, nullable=False),
    Column("payload", LargeBinary, nullable=False),
    Index("blocks_by_session", "session_key", "last_seq", unique=True),
)

events = Table(
    "events",
    metadata,
    Column("session_key", Key, ForeignKey("sessions.session_key"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("type", Text, nullable=False),
    Column("time_ns", BigInteger, nullable=False),
    Column("data", Text, nullable=False),
    Index("events_by_type", "type", "time_ns"),
)
"""Every event but log lines; `data` is its `data` object as JSON, a screen's without the text."""

usage = Table(
    "usage",
    metadata,
    Column("session_key", Key, ForeignKey("sessions.session_key"), primary_key=True),
    Column("seq", BigInteger, primary_key=True),
    Column("time_ns", BigInteger, nullable=False),
    Column("model", Text, nullable=False),
    Column("turn_id", Text),
    Column("input_tokens", BigInteger, nullable=False),
    Column("output_tokens", BigInteger, nullable=False),
    Column("cache_read_tokens", BigInteger, nullable=False),
    Column("cache_write_tokens", BigInteger, nullable=False),
    Column("cost_usd", Double),
    Index("usage_by_time", "time_ns"),
)
"""Every `usage` event, so that tokens and money can be summed; `cost_usd` is null where nobody knows the price."""
