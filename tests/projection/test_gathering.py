"""Which recordings are read when, with the time given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from roost.paths import DataDirectory
from roost.projection.descriptors import Descriptors
from roost.projection.gathering import IDLE_S, PARKED_S, REST_S, RETRY_S, ROUND_BYTES, Gatherer
from roost.projection.inbox import Mail
from roost.projection.lag import Backlog
from roost.projection.text_logs import LogPlace
from roost.store.database import Store, open_store
from roost.store.writer import Round
from tests.projection.kit import data_directory, url
from tests.projection.tape import Tape


class Kit:
    """A gatherer whose rounds are committed as the projector would, without text logs."""

    def __init__(self, data: DataDirectory, store: Store, files: Descriptors) -> None:
        self.data = data
        self.store = store
        self.backlog = Backlog()
        self.gatherer = Gatherer(data, store.reader, self.backlog, files, "here")

    def record(self, name: str, tape: Tape) -> None:
        tape.write(self.data.recording(name))
        self.backlog.recorded({name: len(tape.data)})
        self.gatherer.take(Mail(offsets={name: len(tape.data)}))

    def round(self, now: float) -> dict[str, int]:
        """One round; how many events each session gave."""
        gathered = self.gatherer.gather(now)
        writes = [follower.to_write(events, now) for follower, events in gathered]
        self.store.writer.commit(Round(writes))
        for (follower, _), write in zip(gathered, writes, strict=True):
            if follower.logs.seq < follower.session.last_seq:
                follower.logs, follower.logs_whole = LogPlace("stem", follower.session.last_seq), True
                self.gatherer.settle(follower)
            self.gatherer.committed(follower, settled=write.settled)
        return {follower.session.session_id: len(events) for follower, events in gathered}

    @property
    def followed(self) -> set[str]:
        return {follower.session.session_id for follower in self.gatherer.followers()}


@pytest.fixture
def kit(tmp_path: Path) -> Iterator[Kit]:
    data = data_directory(tmp_path)
    with open_store(url(data)) as store, Descriptors() as files:
        yield Kit(data, store, files)


def test_with_nothing_to_do_there_is_patience_without_end(kit: Kit) -> None:
    assert kit.gatherer.patience(0.0) is None
    assert kit.round(0.0) == {}


def test_output_at_rest_is_told_after_its_time(kit: Kit) -> None:
    kit.record("s1", Tape().started().out(b"\x1b[?1049hmenu"))
    assert kit.gatherer.patience(10.0) == 0.0
    assert kit.round(10.0) == {"s1": 2}
    assert kit.gatherer.patience(10.0) == pytest.approx(REST_S)
    assert kit.round(10.0 + REST_S / 2) == {}
    assert kit.round(10.0 + REST_S) == {"s1": 1}
    assert kit.gatherer.patience(11.0) is None


def test_output_that_goes_on_is_not_at_rest(kit: Kit) -> None:
    tape = Tape().started().out(b"\x1b[?1049hmenu")
    kit.record("s1", tape)
    kit.round(10.0)
    kit.record("s1", tape.out(b"more"))
    assert kit.round(10.0 + REST_S) == {"s1": 0}
    assert kit.round(10.0 + 2 * REST_S) == {"s1": 1}


def test_a_round_is_bounded_and_the_rest_comes_next(kit: Kit) -> None:
    for number in range(6):
        kit.record(f"s{number}", Tape(f"a{number}").started().out(b"x" * (ROUND_BYTES // 4)))
    first = kit.round(0.0)
    second = kit.round(0.0)
    assert 0 < len(first) < 6
    assert set(first) | set(second) | set(kit.round(0.0)) == {f"s{number}" for number in range(6)}
    assert kit.backlog.measure()[:2] == (0, 0)


def test_a_session_that_says_nothing_for_long_is_dropped_once_all_of_it_is_noted(kit: Kit) -> None:
    tape = Tape().started()
    kit.record("s1", tape)
    kit.round(100.0)
    kit.record("s1", tape.lines(1, 1))
    kit.round(100.1)
    kit.round(100.1 + REST_S)
    assert kit.round(100.3 + IDLE_S) == {"s1": 0}
    kit.round(100.4 + IDLE_S + PARKED_S)
    assert kit.followed == set()
    kit.record("s1", tape.lines(2, 2))
    assert kit.round(2000.0) == {"s1": 1}
    assert kit.store.reader.session("s1").lines == 2


def test_a_recording_that_cannot_be_read_is_tried_again_after_a_while(kit: Kit) -> None:
    kit.data.recording("s1").mkdir()
    kit.gatherer.take(Mail(offsets={"s1": 100}))
    with capture_logs() as logs:
        assert kit.round(10.0) == {}
        kit.gatherer.take(Mail(offsets={"s1": 200}))
        assert kit.gatherer.patience(10.0) == pytest.approx(RETRY_S)
        assert kit.round(10.0 + RETRY_S) == {}
    assert [entry["session_id"] for entry in logs] == ["s1"]
    assert "s1" in kit.gatherer.errors
    kit.data.recording("s1").rmdir()
    Tape().started().write(kit.data.recording("s1"))
    assert kit.round(20.0) == {"s1": 2}
    assert kit.gatherer.errors == {}


def test_a_session_nobody_holds_is_lost_though_its_recording_cannot_be_read(kit: Kit) -> None:
    kit.record("s1", Tape().started())
    kit.round(0.0)
    kit.gatherer.reset()
    kit.gatherer._files.close()
    kit.data.recording("s1").unlink()
    kit.data.recording("s1").mkdir()
    kit.gatherer.take(Mail(ended_unseen={"s1": "no keeper"}))
    assert kit.round(1.0) == {"s1": 2}
    assert kit.store.reader.session("s1").reason == "no keeper; the recording cannot be read: Is a directory"


def test_a_recording_that_is_gone_is_no_longer_waited_for(kit: Kit) -> None:
    tape = Tape().started()
    kit.record("s1", tape)
    kit.data.recording("s1").unlink()
    assert kit.round(0.0) == {}
    assert kit.backlog.measure()[:2] == (0, 0)
    assert kit.gatherer.patience(0.0) is None


def test_what_was_taken_back_is_taken_up_from_the_store(kit: Kit) -> None:
    tape = Tape().started().lines(1, 3)
    kit.record("s1", tape)
    kit.round(0.0)
    kit.record("s1", tape.lines(4, 5))
    kit.gatherer.gather(0.0)
    kit.gatherer.reset()
    assert kit.round(1.0) == {"s1": 2}
    assert kit.store.reader.session("s1").last_seq == 7


def test_a_session_that_had_ended_but_was_not_settled_is_settled_when_it_is_taken_up(kit: Kit) -> None:
    kit.record("s1", Tape().started().exit(0))
    assert kit.round(0.0) == {"s1": 4}
    assert kit.followed == {"s1"}
    kit.gatherer.reset()
    for now in (1.0, 2.0, 3.0):
        kit.round(now)
    assert kit.store.reader.checkpoint("s1").settled
    assert kit.followed == set()


def test_a_settled_session_that_did_not_grow_is_not_kept(kit: Kit) -> None:
    tape = Tape().started().exit(0)
    kit.record("s1", tape)
    kit.round(0.0)
    kit.round(0.0)
    assert kit.followed == set()
    kit.record("s1", tape)
    kit.gatherer.take(Mail(ended_unseen={"s1": "gone"}))
    assert kit.round(1.0) == {}
    assert kit.followed == set()
    assert kit.backlog.measure()[:2] == (0, 0)


def test_a_header_that_is_not_whole_yet_is_no_session(kit: Kit) -> None:
    tape = Tape()
    whole, tape.data = tape.data, tape.data[:50]
    kit.record("s1", tape)
    assert kit.round(0.0) == {}
    assert kit.backlog.measure()[:2] == (0, 0)
    tape.data = whole
    kit.record("s1", tape)
    assert kit.round(0.0) == {"s1": 1}


def test_a_removed_agents_sessions_are_let_go(kit: Kit) -> None:
    kit.record("s1", Tape("one").started().out(b"half"))
    kit.record("s2", Tape("two").started())
    kit.round(0.0)
    kit.gatherer.forget_agent("one")
    assert kit.followed == {"s2"}
    assert kit.gatherer.patience(0.0) is None


def test_a_scan_takes_up_what_is_not_projected_and_leaves_the_rest(kit: Kit) -> None:
    kit.record("done", Tape("done").started().exit(0))
    kit.record("grown", Tape("grown").started())
    kit.round(0.0)
    kit.round(0.0)
    Tape("grown").started().lines(1, 2).write(kit.data.recording("grown"))
    Tape("new").started().write(kit.data.recording("new"))
    (kit.data.recordings / "not a recording.txt").write_text("x")
    kit.gatherer.reset()
    assert [follower.session.session_id for follower in kit.gatherer.scan(1.0)] == ["grown"]
    assert kit.round(1.0) == {"grown": 2, "new": 2}


def test_a_scan_without_any_recordings_finds_nothing(kit: Kit) -> None:
    kit.data.recordings.rmdir()
    assert kit.gatherer.scan(0.0) == []


def test_what_is_behind_is_counted_until_it_is_projected() -> None:
    backlog = Backlog()
    assert backlog.measure() == (0, 0, 0.0)
    backlog.recorded({"s1": 100, "s2": 50})
    backlog.projected("s1", 40)
    missing, sessions, seconds = backlog.measure()
    assert (missing, sessions) == (110, 2)
    assert seconds >= 0
    backlog.projected("s1", 100)
    backlog.drop("s2")
    assert backlog.measure() == (0, 0, 0.0)
