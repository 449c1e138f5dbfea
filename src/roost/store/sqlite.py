"""All that is particular to SQLite, so that the rest of the store is plain SQL.

1. One connection writes, and it alone checkpoints: releases before 3.51.3 may corrupt a WAL that two connections
   write or checkpoint at once. Readers are `query_only`, never checkpoint, and are closed before the writer.
2. No memory-mapped pages, for the same reason.
3. Opening a WAL database needs 32 KiB for its `-shm` file, which a full disk does not have. So a file of that name and
   size is left behind when the database is closed: the next opening truncates it, which frees the space it needs.
"""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Engine, create_engine, event
from sqlalchemy.pool import QueuePool

BUSY_TIMEOUT_S = 10.0
READERS = 6
SHM_BYTES = 65_536
WAL_PAGES = 4000
"""After how many the log goes into the database. Nothing is committed meanwhile, for 20 to 100 ms: the disk is waited
for. Pages that were written again and again go once."""
WRITER_CACHE_KIB = 8192


def database_path(url: URL) -> Path:
    """The file that the URL names."""
    return Path(url.database or "").absolute()


def create_file(path: Path) -> None:
    """Make the database's file, for this user alone, unless it is there. SQLite gives its other files the same mode.

    Raises:
        OSError: it cannot be made.
    """
    os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))


def writer_engine(path: Path) -> Engine:
    """An engine of one connection, whose transactions begin as writers."""
    return _engine(path, _prepare_writer, begin="BEGIN IMMEDIATE", size=1, overflow=0)


def reader_engine(path: Path) -> Engine:
    """An engine of a few connections that cannot write."""
    return _engine(path, _prepare_reader, begin="BEGIN", size=READERS, overflow=READERS)


def keep_shared_memory_space(path: Path) -> None:
    """Leave the space behind that the next opening needs; call when the last connection is closed."""
    reserve = path.with_name(path.name + "-shm")
    try:
        descriptor = os.open(reserve, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except OSError:
        return
    try:
        os.write(descriptor, b"\0" * SHM_BYTES)
    except OSError:
        # A disk as full as this has no space to set aside; what was written still counts.
        pass
    finally:
        os.close(descriptor)


def disk_is_full(error: BaseException | None) -> bool:
    """Whether a database error, or the one that it came from, says that there is no space."""
    while error is not None:
        if isinstance(error, sqlite3.Error) and _says_full(error):
            return True
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            return True
        error = error.__cause__ or getattr(error, "orig", None)
    return False


def _says_full(error: sqlite3.Error) -> bool:
    name = getattr(error, "sqlite_errorname", "")
    return name in ("SQLITE_FULL", "SQLITE_IOERR_SHMSIZE") or "full" in str(error)


def _engine(
    path: Path, prepare: Callable[[sqlite3.Connection], None], *, begin: str, size: int, overflow: int
) -> Engine:
    def connect() -> sqlite3.Connection:
        # The driver's own transactions are off (isolation_level None): we say BEGIN, see below.
        connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False)
        try:
            prepare(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    engine = create_engine(
        "sqlite://",
        creator=connect,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=overflow,
        pool_timeout=30,
        # Environments' values are among the parameters: they must not get into a log with an error.
        hide_parameters=True,
    )

    def say_begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    event.listen(engine, "begin", say_begin)
    return engine


def _prepare_writer(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
    connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
    connection.execute("PRAGMA mmap_size = 0")
    connection.execute("PRAGMA foreign_keys = ON")


def _prepare_reader(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("PRAGMA mmap_size = 0")
    connection.execute("PRAGMA query_only = ON")
