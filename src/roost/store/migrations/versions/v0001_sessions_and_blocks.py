"""Sessions, blocks, events, agents."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "meta",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "agents",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("environment", sa.Text, nullable=False),
        sa.Column("removed_through", sa.Text),
    )
    _create_sessions()
    _create_blocks()
    _create_events()
    op.bulk_insert(
        sa.table("meta", sa.column("name", sa.Text), sa.column("value", sa.Text)),
        [{"name": "epoch", "value": "1"}, {"name": "last_block", "value": "0"}],
    )


def _create_sessions() -> None:
    op.create_table(
        "sessions",
        sa.Column("session_key", KEY, primary_key=True, autoincrement=False),
        sa.Column("session_id", sa.Text, nullable=False),
        sa.Column("current", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("settled", sa.Boolean(create_constraint=False), nullable=False),
        sa.Column("agent_name", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("definition", sa.Text, nullable=False),
        sa.Column("node", sa.Text, nullable=False),
        sa.Column("pid", sa.BigInteger),
        sa.Column("cols", sa.Integer, nullable=False),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("started_ns", sa.BigInteger, nullable=False),
        sa.Column("ended_ns", sa.BigInteger),
        sa.Column("exit_code", sa.Integer),
        sa.Column("signal", sa.Text),
        sa.Column("lines", sa.BigInteger, nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("last_output_ns", sa.BigInteger),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("read_offset", sa.BigInteger, nullable=False),
        sa.Column("damage", sa.BigInteger, nullable=False),
        sa.Column("checkpoint", sa.LargeBinary, nullable=False),
        sa.Column("screen", sa.LargeBinary, nullable=False),
        sa.Column("logs", sa.LargeBinary, nullable=False),
    )
    op.create_index("sessions_by_id", "sessions", ["session_id", "current"])
    op.create_index("sessions_by_agent", "sessions", ["agent_name", "current", "started_ns", "session_id"])
    op.create_index("sessions_by_start", "sessions", ["current", "started_ns", "session_id"])


def _create_blocks() -> None:
    op.create_table(
        "blocks",
        sa.Column("block_id", KEY, primary_key=True, autoincrement=False),
        sa.Column("session_key", KEY, sa.ForeignKey("sessions.session_key"), nullable=False),
        sa.Column("first_seq", sa.BigInteger, nullable=False),
        sa.Column("last_seq", sa.BigInteger, nullable=False),
        sa.Column("first_ns", sa.BigInteger, nullable=False),
        sa.Column("last_ns", sa.BigInteger, nullable=False),
        sa.Column("payload", sa.LargeBinary, nullable=False),
    )
    op.create_index("blocks_by_session", "blocks", ["session_key", "last_seq"], unique=True)


def _create_events() -> None:
    op.create_table(
        "events",
        sa.Column("session_key", KEY, sa.ForeignKey("sessions.session_key"), primary_key=True),
        sa.Column("seq", sa.BigInteger, primary_key=True),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("time_ns", sa.BigInteger, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
    op.create_index("events_by_type", "events", ["type", "time_ns"])
