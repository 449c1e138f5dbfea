"""Making projections again: the same events under a new epoch, seen at once or not at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from roost.errors import SessionNotFound
from roost.paths import DataDirectory
from roost.projection.rebuild import Report, reproject
from roost.store import swapping
from roost.store.database import open_store
from tests.projection.kit import data_directory, log_text, numbered, running, stored_events, stored_lines, url
from tests.projection.tape import Tape
from tests.waiting import until


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return data_directory(tmp_path)


def project(data: DataDirectory, *names: str) -> None:
    with running(data) as kit:
        until(lambda: set(names) <= set(kit.sessions))
        until(lambda: kit.projector.lag.bytes == 0)


def test_everything_is_made_again_and_is_the_same(data: DataDirectory) -> None:
    Tape("one").started().lines(1, 700).exit(0).write(data.recording("s1"))
    Tape("two").started().out(b"\x1b[?1049hmenu").at(900).mark("note").write(data.recording("s2"))
    project(data, "s1", "s2")
    with open_store(url(data)) as store:
        before = {name: (stored_events(store, name), store.reader.session(name)) for name in ("s1", "s2")}
        epoch, last_block = store.epoch, store.reader.last_block_id()
    report = reproject(data)
    assert (report.sessions, report.lines, report.epoch, report.unreadable) == (2, 700, epoch + 1, {})
    with open_store(url(data)) as store:
        assert store.epoch == epoch + 1
        assert {name: (stored_events(store, name), store.reader.session(name)) for name in ("s1", "s2")} == before
        assert min(block.id for block in store.reader.fleet_blocks(0)) > last_block


def test_an_empty_store_is_made_from_the_recordings(data: DataDirectory) -> None:
    Tape("one").started().lines(1, 3).exit(0).write(data.recording("s1"))
    told: list[float] = []
    assert reproject(data, progress=lambda report: told.append(report.seconds)).events == 7
    assert told
    with open_store(url(data)) as store:
        assert stored_lines(store, "s1") == numbered(1, 3)
        assert store.reader.unsettled() == []
    assert log_text(data, "one").splitlines() == numbered(1, 3)


def test_text_logs_are_made_again_under_the_same_names(data: DataDirectory) -> None:
    Tape("one").started().lines(1, 9).exit(0).write(data.recording("s1"))
    project(data, "s1")
    (log,) = data.agent_logs("one").iterdir()
    log.write_text("spoiled\n" * 100)
    Path(f"{log}.1").write_text("never was")
    reproject(data)
    assert list(data.agent_logs("one").iterdir()) == [log]
    assert log.read_text().splitlines() == numbered(1, 9)


def test_a_live_session_goes_on_after_it(data: DataDirectory) -> None:
    tape = Tape("one").started().lines(1, 5).out(b"half ")
    tape.write(data.recording("s1"))
    project(data, "s1")
    reproject(data)
    with running(data) as kit:
        kit.record("s1", tape.out(b"line\r\n").exit(0))
        kit.wait_state("s1", "exited")
        assert stored_lines(kit.store, "s1") == [*numbered(1, 5), "half line"]
        until(lambda: not kit.store.reader.unsettled())
    assert log_text(data, "one").splitlines() == [*numbered(1, 5), "half line"]


def test_a_lost_session_stays_lost_for_its_reason(data: DataDirectory) -> None:
    Tape("one").started().lines(1, 2).write(data.recording("s1"))
    with running(data) as kit:
        kit.projector.ended_unseen("s1", "host restart")
        kit.wait_state("s1", "lost")
    reproject(data)
    with open_store(url(data)) as store:
        session = store.reader.session("s1")
    assert (session.state, session.reason) == ("lost", "host restart")


def test_an_exit_that_was_found_late_decides_a_lost_session_anew(data: DataDirectory) -> None:
    tape = Tape("one").started()
    tape.write(data.recording("s1"))
    with running(data) as kit:
        kit.projector.ended_unseen("s1", "so it seemed")
        kit.wait_state("s1", "lost")
    tape.exit(0).write(data.recording("s1"))
    reproject(data)
    with open_store(url(data)) as store:
        assert store.reader.session("s1").state == "exited"


def test_environments_are_kept_and_removed_agents_stay_removed(data: DataDirectory) -> None:
    Tape("one").started().exit(0).write(data.recording("s1"))
    Tape("two").started().exit(0).write(data.recording("s2"))
    with running(data) as kit:
        kit.projector.remember("one", {"A": "1"})
        until(lambda: {"s1", "s2"} <= set(kit.sessions))
        kit.projector.remove_agent("two").result(10)
    reproject(data)
    with open_store(url(data)) as store:
        assert [session.agent_name for session in store.reader.latest_sessions()] == ["one"]
        assert store.reader.agent_environments()["one"] == {"A": "1"}


def test_only_the_sessions_that_were_named_are_made_again(data: DataDirectory) -> None:
    for name in ("s1", "s2"):
        Tape(name).started().lines(1, 2).exit(0).write(data.recording(name))
    project(data, "s1", "s2")
    with open_store(url(data)) as store:
        kept = store.reader.blocks("s2", 0)
    assert reproject(data, ["s1"]).sessions == 1
    with open_store(url(data)) as store:
        assert store.reader.blocks("s2", 0) == kept
        assert store.reader.blocks("s1", 0)[0].id > kept[0].id


def test_a_session_without_recording_cannot_be_made_again(data: DataDirectory) -> None:
    with pytest.raises(SessionNotFound):
        reproject(data, ["nothing"])


def test_a_session_whose_recording_is_gone_stays_as_it_was(data: DataDirectory) -> None:
    Tape("one").started().lines(1, 2).exit(0).write(data.recording("s1"))
    project(data, "s1")
    data.recording("s1").unlink()
    assert reproject(data).sessions == 0
    with open_store(url(data)) as store:
        assert stored_lines(store, "s1") == numbered(1, 2)


def test_an_unreadable_recording_is_named_and_its_rows_stay(data: DataDirectory) -> None:
    Tape("one").started().lines(1, 2).exit(0).write(data.recording("s1"))
    project(data, "s1")
    data.recording("s1").unlink()
    data.recording("s1").mkdir()
    report = reproject(data)
    assert set(report.unreadable) == {"s1"}
    with open_store(url(data)) as store:
        assert stored_lines(store, "s1") == numbered(1, 2)


def test_until_it_is_done_readers_see_what_was_and_a_break_leaves_that(data: DataDirectory) -> None:
    Tape("one").started().lines(1, 5000).exit(0).write(data.recording("s1"))
    project(data, "s1")
    seen: list[int] = []

    def look(report: Report) -> None:
        with open_store(url(data)) as other:
            seen.append(len(stored_lines(other, "s1")))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reproject(data, progress=look)
    assert seen == [5000]
    with running(data) as kit:
        assert stored_lines(kit.store, "s1") == numbered(1, 5000)
        until(lambda: not swapping_left(kit.store))


def swapping_left(store) -> int:
    with store.writing.connect() as connection:
        return connection.exec_driver_sql("SELECT count(*) FROM sessions WHERE NOT current").scalar()


def test_clearing_away_takes_small_steps(data: DataDirectory) -> None:
    Tape("one").started().lines(1, 4000).exit(0).write(data.recording("s1"))
    project(data, "s1")
    with open_store(url(data)) as store:
        with store.writing.begin() as connection:
            connection.exec_driver_sql("UPDATE sessions SET current = 0")
        steps = 0
        while swapping.purge_some(store.writing, most_blocks=3):
            steps += 1
        assert steps >= 3
        with store.writing.connect() as connection:
            left = [
                connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar()
                for table in ("sessions", "blocks", "events")
            ]
        assert left == [0, 0, 0]
