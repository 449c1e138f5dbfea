"""What was noted of a session from outside."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Add the column; of sessions that are there nothing was noted."""
    op.add_column("sessions", sa.Column("attention", sa.LargeBinary))
