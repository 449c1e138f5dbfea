"""Opening and closing the store."""

from __future__ import annotations

from pathlib import Path
from typing import Self

from sqlalchemy import Engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from roost.errors import DiskFull, InvalidSetting, Unavailable
from roost.store import migrate, sqlite, swapping, writer
from roost.store.reader import StoreReader
from roost.store.spending import Spending
from roost.store.writer import StoreWriter


def open_store(url: str) -> Store:
    """The store at a URL such as `sqlite:////home/me/roost.db`, made or brought to this release's schema if need be.

    Raises:
        DataNewer: a newer roost wrote it.
        DiskFull: there is no space to open it.
        Unavailable: it cannot be opened or read.
        InvalidSetting: the URL is none, or of a database that roost does not speak to.
    """
    path = _path(url)
    try:
        sqlite.create_file(path)
    except OSError as exc:
        raise _cannot_open(path, exc) from exc
    writing, reading = sqlite.writer_engine(path), sqlite.reader_engine(path)
    try:
        with writing.begin() as connection:
            migrate.upgrade(connection)
            writer.note_version(connection)
        return Store(writing, reading, path)
    except BaseException as exc:
        reading.dispose()
        writing.dispose()
        if isinstance(exc, DBAPIError):
            raise _cannot_open(path, exc) from exc
        raise


class Store:
    """An open store: one writer, any number of readers."""

    def __init__(self, writing: Engine, reading: Engine, path: Path) -> None:
        self._writing = writing
        self._reading = reading
        self._path = path
        self.writer = StoreWriter(writing)
        self.reader = StoreReader(reading)
        self.spending = Spending(reading)
        self.epoch = self.reader.number("epoch")
        """Changes when projections are made again: positions in the fleet's stream from before mean nothing then."""

    @property
    def writing(self) -> Engine:
        """For what writes in transactions of its own, on the writer's thread."""
        return self._writing

    def purge_some(self) -> bool:
        """On the writer's thread: delete some of what no reader sees any more; whether there may be more."""
        return swapping.purge_some(self._writing)

    def close(self) -> None:
        """Close all connections, the writer's last."""
        self._reading.dispose()
        self._writing.dispose()
        sqlite.keep_shared_memory_space(self._path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _path(url: str) -> Path:
    try:
        parsed = make_url(url)
    except ArgumentError as exc:
        raise InvalidSetting(f"{url!r} is not the URL of a database", setting="db", value=url) from exc
    if parsed.get_backend_name() != "sqlite" or not parsed.database:
        kind = parsed.get_backend_name()
        raise InvalidSetting(
            f"roost keeps its store in a SQLite file, not in {kind}",
            hint="give sqlite:////ABSOLUTE/PATH",
            setting="db",
        )
    return sqlite.database_path(parsed)


def _cannot_open(path: Path, exc: BaseException) -> Unavailable:
    reason = str(getattr(exc, "orig", exc))
    if sqlite.disk_is_full(exc):
        return DiskFull(f"there is no space to open {path}", hint="free some space on its disk", path=str(path))
    return Unavailable(f"the database {path} cannot be opened: {reason}", path=str(path), reason=reason)
