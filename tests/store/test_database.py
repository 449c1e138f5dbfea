"""Opening the store: made, migrated, refused."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect
from sqlalchemy.exc import OperationalError

import roost
from roost.errors import DataNewer, InvalidSetting, Unavailable
from roost.store import migrate
from roost.store.database import open_store
from roost.store.schema import metadata


def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/roost.db"


def test_a_new_store_is_empty_and_of_epoch_one(tmp_path: Path) -> None:
    with open_store(url(tmp_path)) as store:
        assert store.epoch == 1
        assert store.reader.sessions() == []
        assert store.reader.last_block_id() == 0


def test_only_its_user_may_read_the_database(tmp_path: Path) -> None:
    with open_store(url(tmp_path)):
        assert (tmp_path / "roost.db").stat().st_mode & 0o777 == 0o600
        assert (tmp_path / "roost.db-wal").stat().st_mode & 0o777 == 0o600


def test_the_migrations_make_the_tables_that_the_code_declares(tmp_path: Path) -> None:
    with open_store(url(tmp_path)) as store, store.writing.connect() as connection:
        found = inspect(connection)
        for table in metadata.sorted_tables:
            columns = {column["name"]: column["nullable"] for column in found.get_columns(table.name)}
            assert columns == {column.name: bool(column.nullable) for column in table.columns}
            indexes = {index["name"] for index in found.get_indexes(table.name)}
            assert indexes == {index.name for index in table.indexes}


def test_the_newest_revision_is_the_one_the_code_names(tmp_path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrate.__file__).parent / "migrations"))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_current_head() == migrate.HEAD
    assert {script.revision for script in scripts.walk_revisions()} == migrate.KNOWN
    with open_store(url(tmp_path)) as store, store.writing.connect() as connection:
        assert MigrationContext.configure(connection).get_current_revision() == migrate.HEAD


def test_opening_again_changes_nothing(tmp_path: Path) -> None:
    with open_store(url(tmp_path)):
        pass
    before = (tmp_path / "roost.db").read_bytes()
    with open_store(url(tmp_path)):
        pass
    assert (tmp_path / "roost.db").read_bytes() == before


def change(tmp_path: Path, *statements: str) -> None:
    connection = sqlite3.connect(tmp_path / "roost.db")
    for statement in statements:
        connection.execute(statement)
    connection.commit()
    connection.close()


def test_a_database_of_a_newer_roost_is_refused_with_both_versions(tmp_path: Path) -> None:
    with open_store(url(tmp_path)):
        pass
    change(
        tmp_path,
        "UPDATE alembic_version SET version_num = '0999'",
        "UPDATE meta SET value = '7.3.1' WHERE name = 'roost'",
    )
    with pytest.raises(DataNewer) as caught:
        open_store(url(tmp_path))
    assert caught.value.details["found"] == {"roost": "7.3.1", "schema": "0999"}
    assert caught.value.details["known"] == {"roost": roost.__version__, "schema": migrate.HEAD}
    assert "7.3.1" in caught.value.message
    assert roost.__version__ in caught.value.message


def test_a_newer_database_without_notes_is_refused_all_the_same(tmp_path: Path) -> None:
    change(
        tmp_path,
        "CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)",
        "INSERT INTO alembic_version VALUES ('0999')",
    )
    with pytest.raises(DataNewer, match="a newer version"):
        open_store(url(tmp_path))


def test_the_version_that_wrote_is_noted(tmp_path: Path) -> None:
    with open_store(url(tmp_path)):
        pass
    change(tmp_path, "UPDATE meta SET value = '0.0.1' WHERE name = 'roost'")
    with open_store(url(tmp_path)) as store, store.writing.connect() as connection:
        noted = connection.exec_driver_sql("SELECT value FROM meta WHERE name = 'roost'").scalar()
    assert noted == roost.__version__


@pytest.mark.parametrize("bad", ["not a url", "postgresql://localhost/roost", "sqlite://", "mysql://x/y"])
def test_a_url_of_another_kind_is_refused(bad: str) -> None:
    with pytest.raises(InvalidSetting):
        open_store(bad)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / "roost.db").write_bytes(b"not a database at all" * 100)
    with pytest.raises(Unavailable, match="not a database"):
        open_store(url(tmp_path))


def test_a_place_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        open_store(f"sqlite:///{tmp_path}/nowhere/roost.db")


def test_readers_cannot_write(tmp_path: Path) -> None:
    with open_store(url(tmp_path)) as store, store._reading.connect() as connection:
        with pytest.raises(OperationalError, match="readonly"):
            connection.exec_driver_sql("DELETE FROM meta")


def test_one_writer_checkpoints_and_nobody_maps_pages(tmp_path: Path) -> None:
    with open_store(url(tmp_path)) as store:
        found = []
        for engine in (store.writing, store._reading):
            with engine.connect() as connection:
                pragmas = ("journal_mode", "synchronous", "wal_autocheckpoint", "mmap_size", "query_only")
                found.append([connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in pragmas])
    assert found == [["wal", 1, 4000, 0, 0], ["wal", 2, 0, 0, 1]]


def test_space_for_the_next_opening_is_left_behind(tmp_path: Path) -> None:
    with open_store(url(tmp_path)):
        pass
    assert (tmp_path / "roost.db-shm").stat().st_size >= 32_768
    with open_store(url(tmp_path)) as store:
        assert store.epoch == 1
