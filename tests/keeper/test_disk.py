"""A full or failing disk: agents wait, nothing is torn or lost, it is said, and all goes on when there is room."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.core.recording import Damage, Kind
from roost.errors import DiskFull, InvalidSetting, LimitReached, RoostError
from roost.keeper import storage
from roost.keeper.log import Log
from roost.keeper.recorder import Recorder
from tests.keeper.conftest import StartKeeper
from tests.keeper.kit import RunningKeeper, refusal
from tests.waiting import until

COUNT = 30
COUNTING = f"for i in $(seq {COUNT}); do echo line $i; sleep 0.01; done"
EXPECTED = [f"line {number}" for number in range(1, COUNT + 1)]


def assert_whole(keeper: RunningKeeper, session_id: str) -> None:
    assert keeper.ended(session_id)["code"] == 0
    until(lambda: not keeper.session(session_id)["blocked"])
    assert not [one for one in keeper.items(session_id) if isinstance(one, Damage)]
    assert keeper.output(session_id).splitlines() == EXPECTED
    assert keeper.frames(session_id)[-1].kind == Kind.EXIT
    assert keeper.session(session_id)["offset"] == keeper.recording(session_id).stat().st_size


@pytest.mark.parametrize("fault", ["ENOSPC", "EDQUOT", "EIO", "short"])
@pytest.mark.parametrize("nth", (2, 3, 5))
def test_whichever_write_fails_nothing_is_lost(start_keeper: StartKeeper, nth: int, fault: str) -> None:
    keeper = start_keeper(ROOST_KEEPER_FAULTS=f"write:{nth}-{nth + 1}:{fault}", ROOST_KEEPER_BALLAST_BYTES="0")
    session_id = keeper.shell(COUNTING)
    assert_whole(keeper, session_id)
    stalled = [mark for mark in keeper.marks(session_id) if mark["type"] == "stalled"]
    assert all(mark["duration_ns"] > 0 for mark in stalled)
    until(lambda: not keeper.call("status")["disk_full"])
    assert "agents wait" in keeper.log


@pytest.mark.parametrize(("terminal", "fault"), [(True, "ENOSPC"), (False, "short")])
def test_bulk_that_cannot_be_written_is_kept_as_it_was(start_keeper: StartKeeper, terminal: bool, fault: str) -> None:
    """It is read into a place that the next read uses again."""
    keeper = start_keeper(ROOST_KEEPER_FAULTS=f"write:5:{fault}", ROOST_KEEPER_BALLAST_BYTES="0")
    session_id = keeper.shell("seq 1 100000", terminal=terminal)
    assert keeper.ended(session_id)["code"] == 0
    until(lambda: not keeper.session(session_id)["blocked"])
    assert keeper.output(session_id).split() == [str(number) for number in range(1, 100_001)]
    assert any(mark["type"] == "stalled" for mark in keeper.marks(session_id))


@pytest.mark.parametrize("fault", ["ENOSPC", "EIO", "short"])
def test_when_not_even_the_header_can_be_written_nothing_is_started(start_keeper: StartKeeper, fault: str) -> None:
    keeper = start_keeper(ROOST_KEEPER_FAULTS=f"write:1:{fault}", ROOST_KEEPER_BALLAST_BYTES="0")
    assert refusal(lambda: keeper.start("true")).code == DiskFull.code
    assert list((keeper.data / "recordings").iterdir()) == []
    until(lambda: not keeper.call("status")["disk_full"])
    assert keeper.start("true")


@pytest.mark.parametrize(
    ("fault", "error"),
    [("ENOSPC", DiskFull), ("EROFS", DiskFull), ("EMFILE", LimitReached), ("EACCES", RoostError)],
)
def test_when_the_recording_cannot_be_made_nothing_is_started(
    start_keeper: StartKeeper, fault: str, error: type[RoostError]
) -> None:
    keeper = start_keeper(ROOST_KEEPER_FAULTS=f"open:1:{fault}", ROOST_KEEPER_BALLAST_BYTES="0")
    assert isinstance(refusal(lambda: keeper.start("true")), error)
    assert keeper.start("true")


def test_a_mark_that_cannot_be_written_is_refused_whole(start_keeper: StartKeeper) -> None:
    keeper = start_keeper(ROOST_KEEPER_FAULTS="write:4:ENOSPC,write:5:short,open:4:EIO", ROOST_KEEPER_BALLAST_BYTES="0")
    session_id = keeper.start("true", terminal=False)
    keeper.ended(session_id)
    size = keeper.recording(session_id).stat().st_size
    mark = {"session_id": session_id, "mark": {"type": "note"}}
    for _ in range(3):
        assert refusal(lambda: keeper.call("mark", **mark)).code == DiskFull.code
        assert keeper.recording(session_id).stat().st_size == size
    assert keeper.call("mark", **mark)["offset"] > size


@pytest.mark.parametrize("nth", [1, 2, 3])
def test_a_sync_that_fails_is_told_and_tried_again(start_keeper: StartKeeper, nth: int) -> None:
    keeper = start_keeper(ROOST_KEEPER_FAULTS=f"sync:{nth}:EIO", ROOST_KEEPER_SYNC_S="0.05")
    session_id = keeper.shell("while :; do echo x; sleep 0.02; done")
    until(lambda: "sync failed: Input/output error" in keeper.log)
    size = keeper.session(session_id)["offset"]
    until(lambda: keeper.session(session_id)["offset"] > size)


def test_a_ballast_that_cannot_be_made_is_done_without(start_keeper: StartKeeper) -> None:
    keeper = start_keeper(ROOST_KEEPER_FAULTS="allocate:1:ENOSPC")
    assert not (keeper.data / "ballast").exists()
    again = start_keeper(keeper.data.with_name("other"), ROOST_KEEPER_FAULTS="open:1:EACCES")
    assert not (again.data / "ballast").exists()
    assert start_keeper(keeper.data.with_name("third")).data.joinpath("ballast").stat().st_size == 65536


def test_while_the_disk_is_full_it_is_said_and_input_waits(start_keeper: StartKeeper) -> None:
    keeper = start_keeper(ROOST_KEEPER_FAULTS="write:3-13:ENOSPC")
    with keeper.connect() as watcher:
        watcher.call("watch")
        session_id = keeper.shell("echo one; read x; echo two; cat")
        until(lambda: keeper.call("status")["disk_full"])
        assert keeper.session(session_id)["blocked"] or keeper.marks(session_id)
        assert refusal(lambda: keeper.start("true")).code == DiskFull.code
        assert refusal(lambda: keeper.type(session_id, "no")).code == DiskFull.code
        mark = {"session_id": session_id, "mark": {"type": "note"}}
        assert refusal(lambda: keeper.call("mark", **mark)).code == DiskFull.code
        keeper.call("resize", session_id=session_id, cols=90, rows=20)
        told = until(lambda: [one for one in watcher.notices(0.1) if one["notice"] == "disk"])
        assert (told[0]["full"], told[0]["free_bytes"] > 0) == (True, True)
        until(lambda: [one for one in watcher.notices(0.1) if one["notice"] == "disk" and not one["full"]])
    keeper.type(session_id, "\r")
    keeper.said(session_id, "two")
    assert Kind.RESIZE in [one.kind for one in keeper.frames(session_id)]


def test_an_agent_can_be_ended_while_the_disk_is_full(start_keeper: StartKeeper) -> None:
    keeper = start_keeper(ROOST_KEEPER_FAULTS="write:4-14:ENOSPC")
    session_id = keeper.shell("while :; do echo x; sleep 0.01; done")
    until(lambda: keeper.session(session_id)["blocked"])
    assert keeper.call("kill", session_id=session_id)["signal"] == "SIGKILL"
    assert keeper.session(session_id)["processes"] == 0
    assert keeper.ended(session_id)["reason"] == "killed"
    until(lambda: not keeper.session(session_id)["blocked"])
    assert keeper.frames(session_id)[-1].kind == Kind.EXIT


def test_a_blocked_recording_is_handed_over(start_keeper: StartKeeper) -> None:
    keeper = start_keeper(ROOST_KEEPER_FAULTS="write:4+:ENOSPC")
    session_id = keeper.shell(COUNTING)
    until(lambda: keeper.session(session_id)["blocked"])
    code = (
        "import os, sys; del os.environ['ROOST_KEEPER_FAULTS'];"
        "from roost.keeper.daemon import main; sys.exit(main(sys.argv[1:]))"
    )
    keeper.call("upgrade", arguments=["-c", code])
    assert_whole(keeper, session_id)


def mounted(path: Path, size: str) -> bool:
    path.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(path)]
    return subprocess.run(mount, capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "disk"
    if not mounted(path, "3m"):
        pytest.skip("mounting a file system is not allowed here")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


@pytest.mark.root
def test_a_full_disk_stops_agents_but_loses_nothing(small_disk: Path, start_keeper: StartKeeper) -> None:
    """Five agents fill a small disk; the ballast makes room for others; when a file is deleted all go on."""
    filler = small_disk / "filler"
    filler.write_bytes(bytes(1 << 20))
    keeper = start_keeper(small_disk / "data", ROOST_KEEPER_BALLAST_BYTES="262144")
    ballast = small_disk / "data" / "ballast"
    assert ballast.stat().st_size == 262144
    script = "seq -f 'line %.0f xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx' 7000"
    sessions = [keeper.shell(script, cwd="/") for _ in range(5)]
    until(lambda: keeper.call("status")["disk_full"], 20)
    assert not ballast.exists()
    until(lambda: all(keeper.session(one)["blocked"] for one in sessions if keeper.session(one)["code"] is None))
    assert keeper.call("status")["data_free_bytes"] >= 200_000
    assert refusal(lambda: keeper.start("true")).code == DiskFull.code
    filler.unlink()
    for session_id in sessions:
        assert keeper.ended(session_id, 30)["code"] == 0
        until(lambda one=session_id: not keeper.session(one)["blocked"])  # type: ignore[misc]
        assert not [one for one in keeper.items(session_id) if isinstance(one, Damage)]
        numbers = [int(line.split()[1]) for line in keeper.output(session_id).splitlines()]
        assert numbers == list(range(1, 7001))


def recorder_on(path: Path, faults: str) -> tuple[Recorder, list[OSError]]:
    told: list[OSError] = []
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    return Recorder(storage.make_storage(faults), fd, lambda recorder, exc: told.append(exc)), told


@pytest.mark.parametrize("nth", range(1, 8))
@pytest.mark.parametrize("fault", ["ENOSPC", "short"])
def test_the_recorder_writes_everything_in_order_whatever_fails(tmp_path: Path, nth: int, fault: str) -> None:
    recorder, told = recorder_on(tmp_path / "r", f"write:{nth}-{nth + 1}:{fault}")
    for number in range(5):
        recorder.append(b"frame %d;" % number)
    while recorder.blocked:
        recorder.retry()
    assert (tmp_path / "r").read_bytes() == b"".join(b"frame %d;" % number for number in range(5))
    assert recorder.offset == (tmp_path / "r").stat().st_size
    assert len(told) == (1 if nth <= 5 else 0) or fault == "short"
    recorder.close()
    recorder.close()


def test_what_waits_behind_a_full_disk_has_a_bound(tmp_path: Path) -> None:
    recorder, _ = recorder_on(tmp_path / "r", "write:1+:ENOSPC")
    recorder.append(bytes(1 << 20))
    assert not recorder.overfull
    recorder.append(b"x")
    assert recorder.overfull
    assert not recorder.retry()
    recorder.close()


@pytest.mark.parametrize("text", ["write", "write:1", "write:x:EIO", "write:1:ENOTHING", "a:b:c:d"])
def test_faults_that_are_not_understood_are_told(text: str) -> None:
    with pytest.raises(InvalidSetting):
        storage.make_storage(text)


def test_faults_come_when_they_are_due(tmp_path: Path) -> None:
    disk = storage.make_storage("write:2:EIO,open:1-2:EMFILE,sync:1:short")
    directory = os.open(tmp_path, os.O_RDONLY)
    for _ in range(2):
        with pytest.raises(OSError, match="Too many open files"):
            disk.open("f", os.O_RDWR | os.O_CREAT, dir_fd=directory)
    fd = disk.open("f", os.O_RDWR | os.O_CREAT, dir_fd=directory)
    assert disk.write(fd, b"abc") == 3
    with pytest.raises(OSError, match="Input/output"):
        disk.write(fd, b"abc")
    disk.sync(fd)
    disk.allocate(fd, 4096)
    assert disk.free_bytes(directory) > 0
    os.close(fd)
    with pytest.raises(OSError) as caught:
        disk.sync(-1)
    assert caught.value.errno == errno.EBADF
    os.close(directory)


def test_the_log_has_a_bound(tmp_path: Path) -> None:
    path = tmp_path / "keeper.log"
    log = Log(str(path), max_bytes=1000)
    saved = os.dup(2)
    try:
        for number in range(100):
            log.write(f"line {number}\x1b[31m\nsecond")
    finally:
        os.dup2(saved, 2)
        os.close(saved)
    assert path.stat().st_size <= 1000
    assert path.with_name("keeper.log.1").stat().st_size <= 1000
    assert "line 99\\x1b[31m\\nsecond\n" in path.read_text()
    log.close()
    log.close()
    log.write("too late, and nobody minds")
