"""Bring a database to this release's schema."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, inspect, text
from sqlalchemy.exc import DBAPIError

from roost import __version__
from roost.errors import DataNewer

HEAD = "0004"
"""The newest revision; a test holds it against the migrations."""

KNOWN = frozenset({"0001", "0002", "0003", HEAD})


def upgrade(connection: Connection) -> None:
    """Run what migrations are missing, in the connection's transaction.

    Raises:
        DataNewer: the database has a revision that this release does not know.
    """
    found = revision(connection)
    if found == HEAD:
        return
    if found is not None and found not in KNOWN:
        raise _newer(connection, found)
    _run_migrations(connection)


def revision(connection: Connection) -> str | None:
    """The revision of the database; none when it is empty."""
    if not inspect(connection).has_table("alembic_version"):
        return None
    row = connection.execute(text("SELECT version_num FROM alembic_version")).first()
    return str(row[0]) if row else None


def _newer(connection: Connection, found: str) -> DataNewer:
    try:
        row = connection.execute(text("SELECT value FROM meta WHERE name = 'roost'")).first()
    except DBAPIError:
        row = None
    writer = str(row[0]) if row else "a newer version"
    return DataNewer(
        f"the database was written by roost {writer} (schema {found}); this is roost {__version__} (schema {HEAD})",
        hint=f"use roost {writer}, or another data directory",
        found={"roost": writer, "schema": found},
        known={"roost": __version__, "schema": HEAD},
    )


def _run_migrations(connection: Connection) -> None:
    # Alembic costs a tenth of a second to import, and is needed only when something is to be done.
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
