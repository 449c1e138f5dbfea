"""What is particular to SQLite."""

from __future__ import annotations

import errno
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql

from roost.store import sqlite, statements


def full_error() -> sqlite3.Error:
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE TABLE t (x)")
    connection.execute("PRAGMA max_page_count = 1")
    try:
        connection.execute("INSERT INTO t VALUES (zeroblob(100000))")
    except sqlite3.Error as exc:
        return exc
    finally:
        connection.close()
    raise AssertionError("SQLite took it")


def test_a_full_database_is_told_from_other_errors() -> None:
    wrapped = RuntimeError("wrapped")
    wrapped.__cause__ = full_error()
    assert sqlite.disk_is_full(full_error())
    assert sqlite.disk_is_full(wrapped)
    assert sqlite.disk_is_full(OSError(errno.ENOSPC, "no space"))
    assert not sqlite.disk_is_full(OSError(errno.EIO, "broken"))
    assert not sqlite.disk_is_full(sqlite3.OperationalError("database is locked"))
    assert not sqlite.disk_is_full(None)


def test_space_cannot_be_kept_where_nothing_can_be_written(tmp_path: Path) -> None:
    sqlite.keep_shared_memory_space(tmp_path / "nowhere" / "roost.db")
    assert list(tmp_path.iterdir()) == []


def test_space_that_is_kept_already_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "roost.db-shm").write_bytes(b"in use")
    sqlite.keep_shared_memory_space(tmp_path / "roost.db")
    assert (tmp_path / "roost.db-shm").read_bytes() == b"in use"


def test_an_error_holds_no_values(tmp_path: Path) -> None:
    """Environments are among what is written; an error's text ends in a log."""
    engine = sqlite.writer_engine(tmp_path / "roost.db")
    with pytest.raises(Exception, match="no such table") as caught, engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO no_table VALUES (?)", ("top secret",))
    assert "top secret" not in str(caught.value)
    engine.dispose()


def test_a_connection_that_cannot_be_prepared_is_closed(tmp_path: Path) -> None:
    (tmp_path / "roost.db").write_bytes(b"no database" * 1000)
    engine = sqlite.writer_engine(tmp_path / "roost.db")
    with pytest.raises(Exception, match="not a database"):
        engine.connect()
    engine.dispose()


class OtherDatabase:
    """Stands for an engine whose driver takes values by name."""

    dialect = postgresql.psycopg.dialect()


def test_hot_statements_give_values_by_name_where_the_driver_wants_that() -> None:
    statement = statements.update_notes(OtherDatabase())  # type: ignore[arg-type]
    given: list[object] = []

    class Connection:
        def exec_driver_sql(self, sql: str, values: object) -> None:
            given.extend((sql, values))

    statement.run(Connection(), [(b"c", b"l", 7)])  # type: ignore[arg-type]
    sql, values = given
    assert "%(checkpoint)s" in str(sql)
    assert values == [{"checkpoint": b"c", "logs": b"l", "key": 7}]


def test_hot_statements_do_nothing_for_no_values() -> None:
    engine = create_engine("sqlite://")
    statements.insert_blocks(engine).run(None, [])  # type: ignore[arg-type]
    engine.dispose()
