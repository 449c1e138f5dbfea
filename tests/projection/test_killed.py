"""A projecting process killed at any moment: every line once, numbers without gaps, text logs whole."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import signal
import sqlite3
import time
from pathlib import Path

import pytest

from roost.paths import DataDirectory
from roost.projection.projector import Projector
from roost.store.database import open_store
from tests.projection.kit import data_directory, log_text, numbered, running, stored_events, stored_lines, url
from tests.projection.tape import MS, Tape
from tests.waiting import until

AGENTS = 6
forking = multiprocessing.get_context("fork")


def project_for_ever(data: DataDirectory) -> None:
    """What runs in the process that is killed: a projector that is told of growth every millisecond."""
    store = open_store(url(data))
    projector = Projector(data=data, store=store, publish=lambda blocks, sessions: None, rotate_bytes=20_000)
    projector.start()
    while True:
        projector.advanced({path.stem: path.stat().st_size for path in data.recordings.iterdir()})
        time.sleep(0.001)


class Writer:
    """Recordings that grow by numbered lines, in pieces that respect neither lines nor anything else."""

    def __init__(self, data: DataDirectory, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = [0] * AGENTS
        self.tapes = [Tape(f"a{number}").started() for number in range(AGENTS)]
        self.files = [data.recording(f"s{number}").open("ab", buffering=0) for number in range(AGENTS)]
        self.rest = [b""] * AGENTS
        self.begun = time.monotonic_ns()
        for number in range(AGENTS):
            self._append(number)

    def grow(self) -> None:
        number = self.random.randrange(AGENTS)
        lines = self.random.choice([1, 2, 50])
        for _ in range(lines):
            self.count[number] += 1
            self.rest[number] += b"line %d\r\n" % self.count[number]
        cut = self.random.randrange(len(self.rest[number]) + 1)
        piece, self.rest[number] = self.rest[number][:cut], self.rest[number][cut:]
        self.tapes[number].time_ns = time.monotonic_ns() - self.begun
        self.tapes[number].out(piece)
        self._append(number)

    def finish(self) -> None:
        for number in range(AGENTS):
            self.tapes[number].out(self.rest[number]).exit(0)
            self._append(number)
            self.files[number].close()

    def _append(self, number: int) -> None:
        self.files[number].write(self.tapes[number].data)
        self.tapes[number].data = b""


def storm(data: DataDirectory, kills: int, seed: int) -> Writer:
    writer = Writer(data, seed)
    for _ in range(kills):
        child = forking.Process(target=project_for_ever, args=(data,))
        child.start()
        deadline = time.monotonic() + writer.random.uniform(0.03, 0.25)
        while time.monotonic() < deadline:
            writer.grow()
            time.sleep(0.0005)
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        assert child.exitcode == -signal.SIGKILL
        child.close()
    writer.finish()
    return writer


def check(data: DataDirectory, writer: Writer) -> None:
    with running(data, rotate_bytes=20_000) as kit:
        until(lambda: not kit.store.reader.unsettled(), 60)
        for number, count in enumerate(writer.count):
            name = f"s{number}"
            assert stored_lines(kit.store, name) == numbered(1, count)
            events = stored_events(kit.store, name)
            assert [event.seq for event in events] == list(range(1, len(events) + 1))
            session = kit.store.reader.session(name)
            assert (session.lines, session.last_seq, session.state) == (count, len(events), "exited")
            assert session.offset == data.recording(name).stat().st_size
        with kit.store.writing.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalar() == "ok"
    for number, count in enumerate(writer.count):
        assert log_text(data, f"a{number}").splitlines() == numbered(1, count)


@pytest.mark.parametrize("seed", [1])
def test_ten_kills(tmp_path: Path, seed: int) -> None:
    data = data_directory(tmp_path)
    check(data, storm(data, 10, seed))


@pytest.mark.slow
@pytest.mark.parametrize("seed", [2, 3])
def test_thirty_kills(tmp_path: Path, seed: int) -> None:
    data = data_directory(tmp_path)
    check(data, storm(data, 30, seed))


def stored_offset(data: DataDirectory) -> int:
    """How far the recording has been read, as another process stored it; nothing before that made its tables."""
    try:
        with contextlib.closing(sqlite3.connect(f"file:{data.database}?mode=ro", uri=True)) as connection:
            return int(connection.execute("SELECT max(read_offset) FROM sessions").fetchone()[0] or 0)
    except sqlite3.OperationalError:
        return 0


def test_a_screen_goes_on_after_a_kill_as_if_there_had_been_none(tmp_path: Path) -> None:
    tape = Tape("demo").started().out(b"\x1b[?1049h\x1b[2J")
    for number in range(200):
        tape.at(number * 400).out(b"\x1b[%d;1Hrow %d " % (number % 20 + 1, number) + b"\x1b[7mx\x1b[0m" * 100)
    tape.time_ns += 500 * MS
    tape.exit(0)
    undisturbed, killed = data_directory(tmp_path / "a"), data_directory(tmp_path / "b")
    tape.write(undisturbed.recording("s1"))
    with running(undisturbed) as kit:
        kit.wait_state("s1", "exited")
        expected = stored_events(kit.store, "s1")
    path, at = killed.recording("s1"), 0
    for end in (*range(7000, len(tape.data), 7000), len(tape.data)):
        child = forking.Process(target=project_for_ever, args=(killed,))
        child.start()
        with path.open("ab") as file:
            file.write(tape.data[at:end])
        until(lambda at=at: stored_offset(killed) > at)  # type: ignore[misc]
        at = end
        os.kill(child.pid, signal.SIGKILL)
        child.join()
        child.close()
    with running(killed) as kit:
        until(lambda: not kit.store.reader.unsettled())
        assert stored_events(kit.store, "s1") == expected
