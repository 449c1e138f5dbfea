"""Looking into a recording's file."""

from __future__ import annotations

from pathlib import Path

import pytest

from roost.projection.inspect import cat, cat_text, info, verify
from tests.projection.tape import Tape


@pytest.fixture
def path(tmp_path: Path) -> Path:
    tape = (
        Tape("demo", terminal=False).started(5).at(10).out(b"\x1b[1mone\x1b[0m\ntwo\n").err(b"bad\n").at(1500).exit(3)
    )
    return tape.write(tmp_path / "s1.rec")


def test_a_whole_recording_is_whole(path: Path) -> None:
    found = verify(path)
    assert (found.whole, found.ended, found.frames, found.damaged_bytes) == (True, True, 5, 0)
    assert found.bytes == path.stat().st_size


def test_damage_and_a_torn_end_are_named(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data[:-3]))
    found = verify(path)
    assert not found.whole
    assert not found.ended
    assert found.damage
    assert found.bytes == path.stat().st_size
    assert found.damaged_bytes == sum(item.length for item in found.damage)


def test_it_says_what_the_session_was(path: Path) -> None:
    found = info(path)
    assert (found.session_id, found.agent_name, found.state, found.exit_code, found.pid) == (
        "s1",
        "demo",
        "failed",
        3,
        5,
    )
    assert (found.duration_ms, found.lines, found.output_bytes) == (1500, 3, 20)
    assert (found.started_at, found.ended_at) == ("2026-11-21T05:46:40.000Z", "2026-11-21T05:46:41.500Z")
    assert found.frames == {"header": 1, "mark": 1, "out": 1, "err": 1, "exit": 1}


def test_a_session_without_an_end_is_shown_as_it_stood(tmp_path: Path) -> None:
    found = info(Tape().started().write(tmp_path / "s2.rec"))
    assert (found.state, found.ended_at) == ("running", None)


def test_what_was_written_comes_back_as_it_was(path: Path) -> None:
    assert b"".join(cat(path)) == b"\x1b[1mone\x1b[0m\ntwo\nbad\n"
    assert b"".join(cat(path, "stderr")) == b"bad\n"


def test_clean_lines_come_without_escapes(path: Path) -> None:
    assert list(cat_text(path)) == ["one", "two", "bad"]
    assert list(cat_text(path, "stdout")) == ["one", "two"]


def test_an_unfinished_line_at_the_end_is_a_line(tmp_path: Path) -> None:
    path = Tape().started().out(b"one\r\nunfinished").write(tmp_path / "s3.rec")
    assert list(cat_text(path)) == ["one", "unfinished"]


def test_a_recording_that_is_not_there_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        verify(tmp_path / "none.rec")
