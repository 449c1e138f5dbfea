"""Clean text logs: named by start, rotated by size, every line once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from roost.paths import DataDirectory
from tests.projection.kit import data_directory, log_text, numbered, running
from tests.projection.tape import STARTED_NS, Tape
from tests.waiting import until


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return data_directory(tmp_path)


def files(data: DataDirectory, agent: str = "demo") -> list[str]:
    return sorted(path.name for path in data.agent_logs(agent).iterdir())


def finished(data: DataDirectory, session_id: str, tape: Tape, **options: int) -> None:
    """Project a whole session, logs included."""
    with running(data, **options) as kit:
        kit.record(session_id, tape.exit(0))
        kit.wait_state(session_id, "exited")
        until(lambda: not kit.store.reader.unsettled())


def test_a_log_is_named_after_the_sessions_start_in_utc(data: DataDirectory) -> None:
    finished(data, "s1", Tape("demo").started().lines(1, 2))
    assert files(data) == ["2026-11-21-05-46-40-stdout.log"]
    assert log_text(data, "demo") == "line 1\nline 2\n"


def test_only_its_user_may_read_a_log(data: DataDirectory) -> None:
    finished(data, "s1", Tape("demo").started().lines(1, 2))
    (path,) = data.agent_logs("demo").iterdir()
    assert path.stat().st_mode & 0o777 == 0o600


def test_standard_error_has_a_log_where_there_is_any(data: DataDirectory) -> None:
    finished(data, "s1", Tape("demo", terminal=False).started().out(b"out\n").err(b"error\n"))
    assert files(data) == ["2026-11-21-05-46-40-stderr.log", "2026-11-21-05-46-40-stdout.log"]
    assert log_text(data, "demo", "stderr") == "error\n"


def test_a_session_that_says_nothing_has_no_log(data: DataDirectory) -> None:
    finished(data, "s1", Tape("demo").started())
    assert not data.agent_logs("demo").exists()


def test_sessions_of_the_same_second_have_logs_of_their_own(data: DataDirectory) -> None:
    for number in range(3):
        finished(data, f"s{number}", Tape("demo").started().lines(number, number))
    names = ["2026-11-21-05-46-40-2-stdout.log", "2026-11-21-05-46-40-3-stdout.log", "2026-11-21-05-46-40-stdout.log"]
    assert files(data) == names
    assert (data.agent_logs("demo") / names[0]).read_text() == "line 1\n"


def test_a_screen_is_written_as_its_rows_under_a_rule(data: DataDirectory) -> None:
    finished(data, "s1", Tape("demo").started().out(b"\x1b[?1049htop\r\nbottom"))
    rule, *rows = log_text(data, "demo").splitlines()
    assert set(rule) == {"─"}
    assert rows == ["top", "bottom"]


def test_the_log_of_a_coding_agent_is_its_transcript(data: DataDirectory) -> None:
    argv = ["claude", "--input-format=stream-json", "--output-format=stream-json"]
    definition = {"command": ["claude"], "driver": "claude"}
    tape = Tape("demo", terminal=False, argv=argv, definition=definition).started()
    tape.mark("prompt", turn_id="t1", prompt="Fix it", by="owner", policy="queue")
    finished(data, "s1", tape.out(b"no line of the protocol\n").err(b"a warning\n"))
    assert log_text(data, "demo").splitlines() == [
        "› Fix it",
        "… no line of the protocol",
        "✗ the prompt was refused: the agent ended",
        "— the agent ended with exit code 0",
    ]
    assert log_text(data, "demo", "stderr") == "a warning\n"


def test_a_full_log_is_rotated_and_no_line_is_cut(data: DataDirectory) -> None:
    tape = Tape("demo").started()
    for first in range(1, 2000, 100):
        tape.lines(first, first + 99)
    with running(data, rotate_bytes=4096) as kit:
        cut = 0
        while cut < len(tape.data):
            cut += 3000
            part = Tape("demo")
            part.data = tape.data[:cut]
            kit.record("s1", part)
            until(lambda: kit.projector.lag.bytes == 0)
        kit.wait_for("s1", 2002)
    names = files(data)
    assert len(names) >= 4
    assert "2026-11-21-05-46-40-stdout.log.1" in names
    assert log_text(data, "demo").splitlines() == numbered(1, 2000)


def test_a_log_that_cannot_be_written_holds_nothing_up_and_catches_up(data: DataDirectory) -> None:
    data.logs.rmdir()
    data.logs.write_text("in the way")
    with running(data) as kit:
        kit.record("s1", Tape("demo").started().lines(1, 20).exit(0))
        kit.wait_state("s1", "exited")
        assert "text logs of agent demo" in until(lambda: kit.projector.lag.error)
        data.logs.unlink()
        until(lambda: not kit.store.reader.unsettled())
        assert kit.projector.lag.error is None
    assert log_text(data, "demo").splitlines() == numbered(1, 20)


def test_a_log_that_was_behind_when_the_server_ended_catches_up_at_the_next_start(data: DataDirectory) -> None:
    data.logs.rmdir()
    data.logs.write_text("in the way")
    with running(data) as kit:
        kit.record("s1", Tape("demo").started().lines(1, 20).exit(0))
        kit.wait_state("s1", "exited")
    data.logs.unlink()
    with running(data) as kit:
        until(lambda: not kit.store.reader.unsettled())
    assert log_text(data, "demo").splitlines() == numbered(1, 20)


def test_a_deleted_log_begins_anew(data: DataDirectory) -> None:
    tape = Tape("demo").started().lines(1, 5)
    with running(data) as kit:
        kit.record("s1", tape)
        kit.wait_for("s1", 7)
        (path,) = data.agent_logs("demo").iterdir()
        path.unlink()
        kit.record("s1", tape.lines(6, 7))
        kit.wait_for("s1", 9)
    assert path.read_text() == "line 6\nline 7\n"


def test_what_was_written_beyond_the_checkpoint_is_cut_off(data: DataDirectory) -> None:
    """As after a crash between writing the log and noting how far it is."""
    tape = Tape("demo").started().lines(1, 5)
    with running(data) as kit:
        kit.record("s1", tape)
        kit.wait_for("s1", 7)
    (path,) = data.agent_logs("demo").iterdir()
    with path.open("a") as file:
        file.write("line 6\nline 7\nli")
    finished(data, "s1", tape.lines(6, 9))
    assert log_text(data, "demo").splitlines() == numbered(1, 9)


def test_a_rotation_beyond_the_checkpoint_is_undone(data: DataDirectory) -> None:
    tape = Tape("demo").started().lines(1, 5)
    with running(data) as kit:
        kit.record("s1", tape)
        kit.wait_for("s1", 7)
    (path,) = data.agent_logs("demo").iterdir()
    with path.open("a") as file:
        file.write("line 6\n")
    os.rename(path, f"{path}.1")
    os.link(f"{path}.1", f"{path}.2")
    path.write_text("line 7\n")
    finished(data, "s1", tape.lines(6, 9))
    assert files(data) == [path.name]
    assert log_text(data, "demo").splitlines() == numbered(1, 9)


def test_the_name_of_a_session_without_a_start_is_still_a_name(data: DataDirectory) -> None:
    finished(data, "s1", Tape("demo", started_at_ns=None).started().lines(1, 1))
    assert files(data) == ["1970-01-01-00-00-00-stdout.log"]
    assert STARTED_NS > 0
