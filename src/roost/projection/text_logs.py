"""Clean text logs: what agents printed, or the transcript of coding agents, as files that any text tool reads.

`logs/agents/NAME/YYYY-MM-DD-HH-MM-SS-stdout.log` (and `-stderr.log` where there is standard error), named after the
session's start in UTC. A log that is full is renamed to `….log.1`, the next to `….log.2`, and so on.

How far a session's logs are written is its `LogPlace`, which is committed with the *next* round: it is never ahead of
the files. After a crash `mend` cuts the files back to it, and writing goes on from the store's blocks, so that every
line is there once.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from msgspec import Struct

from roost.core.loglines import is_transcript, told
from roost.model.agents import Session
from roost.model.events import AnyEvent, Log, ScreenShown
from roost.projection.descriptors import Descriptors

ROTATE_BYTES = 100_000_000
RULE = "─" * 40
STREAMS = ("stdout", "stderr")


class LogFile(Struct, frozen=True, array_like=True):
    """One stream's log: how often it was rotated, and the length of the file that grows."""

    rotations: int = 0
    length: int = 0


class LogPlace(Struct, frozen=True, array_like=True):
    """How far a session's logs are written: all events up to `seq`. `stem` is what their names begin with."""

    stem: str = ""
    seq: int = 0
    stdout: LogFile = LogFile()
    stderr: LogFile = LogFile()

    def encode(self) -> bytes:
        """As it is kept in the store."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> LogPlace:
        """The place that `encode` gave."""
        return msgspec.msgpack.decode(data, type=cls)


class TextLogs:
    """The files below a directory that has one directory an agent."""

    def __init__(self, directory: Path, files: Descriptors, *, rotate_bytes: int = ROTATE_BYTES) -> None:
        self._directory = directory
        self._prefix = str(directory)
        self._files = files
        self._rotate_bytes = rotate_bytes
        self._taken: dict[tuple[str, str], str] = {}

    def named(self, session: Session, place: LogPlace) -> LogPlace:
        """The place with a stem, one that no other session of the agent has."""
        if not place.stem:
            place = msgspec.structs.replace(place, stem=self._free_stem(session))
        self._taken[session.agent_name, place.stem] = session.session_id
        return place

    def mend(self, session: Session, place: LogPlace) -> LogPlace:
        """Cut the files back to the place, undoing rotations that it does not know of.

        Raises:
            OSError: they cannot be.
        """
        self._close(session, place)
        return msgspec.structs.replace(
            place,
            stdout=_mend(Path(self._path(session, place, "stdout")), place.stdout),
            stderr=_mend(Path(self._path(session, place, "stderr")), place.stderr),
        )

    def release(self, session: Session, place: LogPlace) -> None:
        """Nothing more will be written for the session."""
        self._close(session, place)
        self._taken.pop((session.agent_name, place.stem), None)

    def append(self, session: Session, place: LogPlace, events: Iterable[AnyEvent]) -> LogPlace:
        """Write what the events print; the place behind them.

        Raises:
            OSError: not all was written; the files need `mend` with the place as it was.
        """
        lines: dict[str, list[str]] = {"stdout": [], "stderr": []}
        seq, transcript = place.seq, is_transcript(session)
        for event in events:
            seq = event.seq
            if type(event) is Log:
                lines[event.stream].append(event.line)
            elif transcript:
                lines["stdout"] += told(event)
            elif type(event) is ScreenShown:
                lines["stdout"] += [RULE, event.text]
        stdout, stderr = place.stdout, place.stderr
        if lines["stdout"]:
            stdout = self._write(self._path(session, place, "stdout"), stdout, lines["stdout"])
        if lines["stderr"]:
            stderr = self._write(self._path(session, place, "stderr"), stderr, lines["stderr"])
        return LogPlace(place.stem, seq, stdout, stderr)

    def _close(self, session: Session, place: LogPlace) -> None:
        for stream in STREAMS:
            self._files.drop(self._path(session, place, stream))

    def _write(self, path: str, file: LogFile, lines: list[str]) -> LogFile:
        data = ("\n".join(lines) + "\n").encode("utf-8", "replace")
        if file.length and file.length + len(data) > self._rotate_bytes:
            self._files.drop(path)
            Path(path).rename(_rotated(Path(path), file.rotations + 1))
            file = LogFile(file.rotations + 1, 0)
        _write_all(self._open(path), data)
        return LogFile(file.rotations, file.length + len(data))

    def _open(self, path: str) -> int:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        try:
            descriptor = self._files.get(path, flags)
        except FileNotFoundError:
            Path(path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            return self._files.get(path, flags)
        if os.fstat(descriptor).st_nlink:
            return descriptor
        # Somebody deleted the log; what comes now goes into a new one.
        self._files.drop(path)
        return self._open(path)

    def _path(self, session: Session, place: LogPlace, stream: str) -> str:
        return f"{self._prefix}/{session.agent_name}/{place.stem}-{stream}.log"

    def _free_stem(self, session: Session) -> str:
        started = datetime.fromtimestamp(session.started_ns // 1_000_000_000, UTC)
        first = f"{started:%Y-%m-%d-%H-%M-%S}"
        stem, number = first, 1
        while self._is_taken(session, stem):
            number += 1
            stem = f"{first}-{number}"
        return stem

    def _is_taken(self, session: Session, stem: str) -> bool:
        if (session.agent_name, stem) in self._taken:
            return True
        place = LogPlace(stem)
        return any(Path(self._path(session, place, stream)).exists() for stream in STREAMS)


def _write_all(descriptor: int, data: bytes) -> None:
    written = os.write(descriptor, data)
    while written < len(data):
        written += os.write(descriptor, data[written:])


def _mend(path: Path, file: LogFile) -> LogFile:
    later = _rotated(path, file.rotations + 1)
    if later.exists():
        number = file.rotations + 2
        while (newer := _rotated(path, number)).exists():
            newer.unlink()
            number += 1
        later.rename(path)
    with contextlib.suppress(FileNotFoundError):
        size = path.stat().st_size
        if size > file.length:
            os.truncate(path, file.length)
        return LogFile(file.rotations, min(size, file.length))
    return LogFile(file.rotations, 0)


def _rotated(path: Path, number: int) -> Path:
    return path.with_name(f"{path.name}.{number}")
