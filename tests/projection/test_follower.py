"""Taking up a recording again: exactly, or with a word about why not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from roost.model.events import AnyEvent, Log
from roost.projection.descriptors import Descriptors
from roost.projection.follower import CHECKPOINT_BYTES, CHECKPOINT_S, Follower
from roost.store.reader import Checkpoint
from roost.store.writer import SessionWrite
from tests.projection.tape import MS, Tape


@pytest.fixture
def files() -> Iterator[Descriptors]:
    with Descriptors() as files:
        yield files


def kept(noted: SessionWrite, last: SessionWrite | None = None) -> Checkpoint:
    """What the store would have after these writes."""
    assert noted.notes
    last = last or noted
    checkpoint, logs = noted.notes
    return Checkpoint(last.session, checkpoint, last.screen, logs, last.settled)


def texts(events: list[AnyEvent]) -> list[str]:
    return [event.line for event in events if isinstance(event, Log)]


def test_what_came_after_the_checkpoint_is_projected_again_and_told_once(tmp_path: Path, files: Descriptors) -> None:
    tape = Tape().started().lines(1, 3)
    path = tape.write(tmp_path / "s1.rec")
    follower = Follower.begin(path, files, "s1")
    first = follower.to_write(follower.read()[0], 0.0)
    tape.lines(4, 6).out(b"half").write(path)
    second = follower.to_write(follower.read()[0], 0.1)
    assert second.notes is None
    resumed = Follower.resume(path, files, kept(first, second))
    assert resumed.session == follower.session
    tape.out(b" way\r\n").write(path)
    assert resumed.read() == follower.read()
    assert resumed.session.last_seq == 9


def test_a_checkpoint_is_written_first_and_then_by_time_and_by_size(tmp_path: Path, files: Descriptors) -> None:
    tape = Tape().started()
    path = tape.write(tmp_path / "s1.rec")
    follower = Follower.begin(path, files, "s1")

    def noted(now: float) -> bool:
        return follower.to_write(follower.read()[0], now).notes is not None

    assert noted(10.0)
    tape.lines(1, 2).write(path)
    assert not noted(10.1)
    assert not follower.is_noted
    assert noted(10.0 + CHECKPOINT_S)
    assert follower.is_noted
    tape.out(b"x" * CHECKPOINT_BYTES).write(path)
    assert not noted(11.1) or follower.session.offset >= CHECKPOINT_BYTES
    assert noted(11.2)


def test_what_did_not_come_from_the_recording_is_noted_at_once(tmp_path: Path, files: Descriptors) -> None:
    tape = Tape().started().out(b"\x1b[?1049hmenu")
    follower = Follower.begin(tape.write(tmp_path / "s1.rec"), files, "s1")
    follower.to_write(follower.read()[0], 0.0)
    assert follower.to_write(follower.rest(), 0.0).notes is not None
    assert follower.to_write(follower.finish("lost"), 0.0).notes is not None


@pytest.mark.parametrize("checkpoint", [b"", b"junk", msgspec.msgpack.encode([{}, b""])])
def test_without_a_usable_checkpoint_the_recording_is_read_again(
    tmp_path: Path, files: Descriptors, checkpoint: bytes
) -> None:
    tape = Tape().started().lines(1, 3).out(b"\x1b[?1049hmenu")
    path = tape.write(tmp_path / "s1.rec")
    follower = Follower.begin(path, files, "s1")
    write = follower.to_write(follower.read()[0], 0.0)
    with capture_logs() as logs:
        resumed = Follower.resume(path, files, kept(write)._replace(checkpoint=checkpoint))
    assert [entry["event"] for entry in logs] == ["checkpoint unusable"]
    tape.out(b"more menu\x1b[?1049l").lines(4, 4).write(path)
    events, _ = resumed.read()
    assert [(event.seq, event.line, event.line_num) for event in events] == [(6, "line 4", 4)]


def test_a_recording_that_changed_under_the_checkpoint_is_noticed(tmp_path: Path, files: Descriptors) -> None:
    tape = Tape().started().lines(1, 3)
    path = tape.write(tmp_path / "s1.rec")
    follower = Follower.begin(path, files, "s1")
    first = follower.to_write(follower.read()[0], 0.0)
    before = len(tape.data)
    tape.lines(4, 6).write(path)
    second = follower.to_write(follower.read()[0], 0.1)
    path.write_bytes(tape.data[:before] + bytes(len(tape.data) - before))
    with capture_logs() as logs:
        resumed = Follower.resume(path, files, kept(first, second))
    assert [entry["event"] for entry in logs] == ["recording changed"]
    assert resumed.session == second.session
    tape.lines(7, 7)
    with path.open("ab") as file:
        file.write(tape.data[second.session.offset :])
    assert [(event.seq, event.line) for event in resumed.read()[0]] == [(9, "line 7")]


def test_a_recording_that_is_gone_at_a_restart_leaves_what_is_known(tmp_path: Path, files: Descriptors) -> None:
    tape = Tape().started().out(b"\x1b[?1049hmenu")
    path = tape.write(tmp_path / "s1.rec")
    follower = Follower.begin(path, files, "s1")
    write = follower.to_write(follower.read()[0], 0.0)
    path.unlink()
    with Descriptors() as others, capture_logs() as logs:
        resumed = Follower.resume(path, others, kept(write))
        assert [entry["event"] for entry in logs] == ["recording unreadable"]
        assert resumed.session == follower.session
        with pytest.raises(FileNotFoundError):
            resumed.read()


def test_a_screen_comes_back_from_its_seed_and_the_frames_behind_it(tmp_path: Path, files: Descriptors) -> None:
    tape = Tape().started().out(b"\x1b[?1049h\x1b[2J")
    for number in range(300):
        tape.at(number).out(b"\x1b[%d;1Hrow %d\x1b[K" % (number % 20 + 1, number) + b"\x1b[m" * 200)
    path = tape.write(tmp_path / "s1.rec")
    follower = Follower.begin(path, files, "s1")
    follower.read(200_000)
    write = follower.to_write([], 0.0)
    assert write.screen
    resumed = Follower.resume(path, files, kept(write))
    tape.time_ns += 400 * MS
    tape.mark("note").write(path)
    both = [follower.read()[0], resumed.read()[0]]
    assert both[0] == both[1]
    assert "row 299" in both[0][0].text


def test_released_it_holds_no_file(tmp_path: Path) -> None:
    with Descriptors() as files:
        follower = Follower.begin(Tape().write(tmp_path / "s1.rec"), files, "s1")
        follower.read()
        assert len(files) == 1
        follower.release()
        assert len(files) == 0


def test_the_files_used_last_stay_open(tmp_path: Path) -> None:
    paths = [str(Tape().write(tmp_path / f"{number}.rec")) for number in range(5)]
    with Descriptors(3) as files:
        for path in paths:
            files.get(path, 0)
        assert len(files) == 3
        kept_open = files.get(paths[2], 0)
        files.get(paths[0], 0)
        assert files.get(paths[2], 0) == kept_open
    assert len(files) == 0
