"""A store that cannot be written: nothing is lost, it is said, and all goes on by itself."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy.exc import OperationalError

from roost.errors import DiskFull
from roost.model.agents import Session
from roost.model.events import Log, encode_events
from roost.paths import DataDirectory
from roost.store.database import Store, open_store
from roost.store.writer import NewBlock, Round, SessionWrite
from tests.projection.kit import data_directory, log_text, numbered, running, stored_lines, url
from tests.projection.tape import Tape
from tests.waiting import until


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return data_directory(tmp_path)


def limit_pages(store: Store, pages: int) -> None:
    """SQLite's own way of being full: the same error as a full disk."""
    with store.writing.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")


def test_while_the_database_is_full_nothing_is_lost_and_it_is_said(data: DataDirectory) -> None:
    tape = Tape().started()
    with running(data) as kit:
        kit.record("s1", tape.lines(1, 5))
        kit.wait_for("s1", 7)
        limit_pages(kit.store, 1)
        for first in range(6, 5000, 100):
            kit.record("s1", tape.lines(first, first + 99))
        lag = until(lambda: (found := kit.projector.lag).disk_full and found)
        assert "full" in lag.error
        assert lag.bytes > 0
        assert kit.projector.alive
        limit_pages(kit.store, 1_000_000)
        kit.wait_for("s1", 5007)
        assert stored_lines(kit.store, "s1") == numbered(1, 5005)
        assert until(lambda: not (found := kit.projector.lag).disk_full and found).error is None


def test_a_projector_that_is_stopped_while_the_database_is_full_loses_nothing(data: DataDirectory) -> None:
    tape = Tape().started().lines(1, 5)
    with running(data) as kit:
        kit.record("s1", tape)
        kit.wait_for("s1", 7)
        limit_pages(kit.store, 1)
        for first in range(6, 5000, 100):
            kit.record("s1", tape.lines(first, first + 99))
        until(lambda: kit.projector.lag.disk_full)
    with running(data) as kit:
        kit.record("s1", tape.exit(0))
        kit.wait_state("s1", "exited")
        assert stored_lines(kit.store, "s1") == numbered(1, 5005)
    with running(data) as kit:
        until(lambda: not kit.store.reader.unsettled())
    assert log_text(data, "demo").splitlines() == numbered(1, 5005)


def _round(first: int) -> Round:
    events = [Log(seq, seq, f"line {seq}", seq) for seq in range(first, first + 3)]
    session = Session(session_id="s1", agent_name="demo", last_seq=first + 2)
    return Round([SessionWrite(session, [NewBlock(events, encode_events(events))], (b"", b""))])


def test_whatever_operation_of_a_commit_fails_it_is_whole_or_not_there(data: DataDirectory) -> None:
    """The n-th instruction of SQLite is interrupted, for every n until the commit goes through."""
    with open_store(url(data)) as store:
        store.writer.commit(_round(1))
        with store.writing.connect() as connection:
            raw = connection.connection.driver_connection
        last, at = 3, 0
        while True:
            at += 1
            calls = [0]

            def interrupt(calls: list[int] = calls, at: int = at) -> int:
                calls[0] += 1
                return calls[0] == at

            raw.set_progress_handler(interrupt, 1)
            try:
                blocks = store.writer.commit(_round(last + 1))
            except OperationalError:
                raw.set_progress_handler(None, 1)
                assert store.reader.session("s1").last_seq == last
                assert stored_lines(store, "s1") == numbered(1, last)
                continue
            finally:
                raw.set_progress_handler(None, 1)
            last += 3
            assert [block.last_seq for block in blocks] == [last]
            break
        assert at > 20
        store.writer.commit(_round(last + 1))
        assert stored_lines(store, "s1") == numbered(1, last + 3)


# A disk that is full


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "disk"
    place.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=6m", "roost-test", place]
    mounted = subprocess.run(command, capture_output=True, check=False)
    if mounted.returncode:
        pytest.skip("cannot mount a file system here")
    yield place
    subprocess.run(["umount", "-l", place], check=True)


def fill(place: Path) -> Path:
    """Take all space that is left, to the last page."""
    ballast = place / "ballast"
    with ballast.open("ab", buffering=0) as file:
        for size in (65_536, 4096):
            try:
                while file.write(b"x" * size) == size:
                    pass
            except OSError:
                pass
    assert os.statvfs(place).f_bavail == 0
    return ballast


@pytest.mark.root
def test_a_full_disk_stops_nothing_and_everything_goes_on_after(small_disk: Path) -> None:
    data = data_directory(small_disk)
    tape = Tape().started()
    with running(data) as kit:
        kit.record("s1", tape.lines(1, 10))
        kit.wait_for("s1", 12)
        written = Tape()
        written.data = tape.lines(11, 20_000).data
        written.write(data.recording("s1"))
        ballast = fill(small_disk)
        kit.projector.advanced({"s1": len(written.data)})
        until(lambda: kit.projector.lag.disk_full)
        ballast.unlink()
        kit.wait_for("s1", 20_002)
        assert stored_lines(kit.store, "s1") == numbered(1, 20_000)


@pytest.mark.root
@pytest.mark.parametrize("closed", [True, False])
def test_a_store_opens_while_the_disk_is_full(small_disk: Path, closed: bool) -> None:
    """After a clean close and after a crash alike."""
    data = data_directory(small_disk)
    tape = Tape().started().lines(1, 10)
    tape.write(data.recording("s1"))
    if closed:
        with running(data) as kit:
            kit.wait_for("s1", 12)
    else:
        child = os.fork()
        if child == 0:
            with running(data) as kit:
                kit.wait_for("s1", 12)
                os.kill(os.getpid(), 9)
        os.waitpid(child, 0)
    known = len(tape.data)
    with data.recording("s1").open("ab") as file:
        file.write(tape.lines(11, 5000).data[known:])
    ballast = fill(small_disk)
    with running(data, wait=False) as kit:
        assert stored_lines(kit.store, "s1")[:10] == numbered(1, 10)
        kit.projector.advanced({"s1": len(tape.data)})
        ballast.unlink()
        until(lambda: stored_lines(kit.store, "s1") == numbered(1, 5000))


@pytest.mark.root
def test_a_store_that_was_never_closed_well_says_that_the_disk_is_full(small_disk: Path) -> None:
    data = data_directory(small_disk)
    with open_store(url(data)):
        pass
    Path(f"{data.database}-shm").unlink()
    fill(small_disk)
    with pytest.raises(DiskFull) as caught:
        open_store(url(data))
    assert caught.value.hint
