"""A session's conversation."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Add the column; sessions that are there have none."""
    op.add_column("sessions", sa.Column("conversation", sa.LargeBinary))
