"""The projector: what is recorded is committed, then published, once and in order, whatever else happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from roost.model.events import Complete, Error, Log, ScreenShown, StateChange
from roost.paths import DataDirectory
from tests.projection.kit import data_directory, log_text, numbered, running, stored_events, stored_lines, url
from tests.projection.tape import Tape
from tests.waiting import until


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return data_directory(tmp_path)


def test_a_line_is_published_with_its_number_and_its_session(data: DataDirectory) -> None:
    with running(data) as kit:
        kit.record("s1", Tape("demo").started().lines(1, 1))
        events = kit.wait_for("s1", 3)
    assert [type(event) for event in events] == [StateChange, StateChange, Log]
    assert [event.seq for event in events] == [1, 2, 3]
    assert kit.sessions["s1"].agent_name == "demo"
    assert kit.sessions["s1"].lines == 1


def test_what_is_published_is_in_the_store_already(data: DataDirectory) -> None:
    with running(data) as kit:
        seen: list[bool] = []
        kit.after_publish = lambda blocks: seen.extend(
            kit.store.reader.blocks(block.session_id, block.first_seq - 1, 1) == [block] for block in blocks
        )
        tape = Tape().started()
        for number in range(1, 20):
            kit.record("s1", tape.lines(number, number))
        kit.wait_for("s1", 21)
    assert seen
    assert all(seen)


def test_published_blocks_are_numbered_in_order_and_without_gaps_in_a_session(data: DataDirectory) -> None:
    with running(data) as kit:
        tapes = {f"s{number}": Tape(f"a{number}").started() for number in range(5)}
        for number in range(1, 30):
            for name, tape in tapes.items():
                kit.record(name, tape.lines(number, number))
        for name in tapes:
            assert [event.seq for event in kit.wait_for(name, 31)] == list(range(1, 32))
    ids = [block.id for block in kit.blocks]
    assert ids == sorted(set(ids))


def test_recordings_made_while_no_server_ran_need_no_notice(data: DataDirectory) -> None:
    Tape("one").started().lines(1, 3).exit(0).write(data.recording("s1"))
    Tape("two").started().lines(1, 2).write(data.recording("s2"))
    with running(data) as kit:
        assert kit.wait_state("s1", "exited").lines == 3
        assert kit.wait_state("s2", "running").lines == 2


def test_a_restart_goes_on_where_it_stopped(data: DataDirectory) -> None:
    tape = Tape().started().lines(1, 10).out(b"half a")
    with running(data) as kit:
        kit.record("s1", tape)
        kit.wait_for("s1", 12)
    with running(data) as kit:
        kit.record("s1", tape.out(b" line\r\n").exit(0))
        kit.wait_state("s1", "exited")
        assert [event.seq for event in kit.published("s1")] == [13, 14, 15]
        assert stored_lines(kit.store, "s1") == [*numbered(1, 10), "half a line"]
    assert log_text(data, "demo").splitlines() == [*numbered(1, 10), "half a line"]


def test_a_large_recording_is_read_in_slices_and_a_small_one_does_not_wait_for_it(data: DataDirectory) -> None:
    large = Tape("large").started()
    for first in range(1, 100_001, 500):
        large.lines(first, first + 499)
    with running(data) as kit:
        order: list[str] = []
        kit.after_publish = lambda blocks: order.extend(block.session_id for block in blocks)
        large.write(data.recording("large"))
        kit.projector.advanced({"large": len(large.data)})
        until(lambda: "large" in order)
        kit.record("small", Tape("small").started().lines(1, 1))
        kit.wait_for("large", 100_002)
        assert order.index("small") < len(order) - 1
        assert stored_lines(kit.store, "large") == numbered(1, 100_000)


def test_blocks_are_bounded(data: DataDirectory) -> None:
    tape = Tape(terminal=False).started().out(b"x\n" * 2000)
    tape.out((b"y" * 30_000 + b"\n") * 5 + b"z" * 65_000 + b"\n")
    with running(data) as kit:
        kit.record("s1", tape)
        kit.wait_for("s1", 2008)
    assert max(len(block.events) for block in kit.blocks) <= 500
    sizes = [sum(len(event.line) for event in block.events if isinstance(event, Log)) for block in kit.blocks]
    assert max(sizes) < 65_536
    assert len(kit.blocks) >= 8


# Ends


def test_a_session_nobody_holds_is_lost_after_all_it_said(data: DataDirectory) -> None:
    with running(data) as kit:
        kit.record("s1", Tape().started().lines(1, 3).out(b"half"))
        kit.projector.ended_unseen("s1", "the keeper was killed")
        session = kit.wait_state("s1", "lost")
        events = kit.published("s1")
    assert session.reason == "the keeper was killed"
    assert [type(event) for event in events[2:]] == [Log, Log, Log, Log, StateChange, Complete]
    assert events[-3].line == "half"


def test_a_session_nobody_holds_whose_exit_is_recorded_has_exited(data: DataDirectory) -> None:
    Tape().started().exit(3).write(data.recording("s1"))
    with running(data) as kit:
        kit.projector.ended_unseen("s1", "gone")
        assert kit.wait_state("s1", "failed").exit_code == 3
        kit.projector.ended_unseen("s1", "gone")
        kit.record("s2", Tape().started())
        kit.wait_for("s2", 2)
        assert kit.store.reader.session("s1").state == "failed"


def test_a_torn_tail_is_damage_once_nobody_writes_any_more(data: DataDirectory) -> None:
    tape = Tape().started().lines(1, 2)
    whole = len(tape.data)
    tape.lines(3, 4)
    tape.data = tape.data[:-5]
    with running(data) as kit:
        kit.record("s1", tape)
        kit.wait_for("s1", 4)
        kit.projector.ended_unseen("s1", "power cut")
        kit.wait_state("s1", "lost")
        (error,) = [event for event in kit.published("s1") if isinstance(event, Error)]
        assert error.details["offset"] == whole
        assert kit.store.reader.session("s1").offset == len(tape.data)


def test_marks_on_an_ended_session_are_told(data: DataDirectory) -> None:
    tape = Tape().started().lines(1, 1).exit(0)
    with running(data) as kit:
        kit.record("s1", tape)
        kit.wait_state("s1", "exited")
        until(lambda: not kit.store.reader.unsettled())
        kit.record("s1", tape.mark("note", text="good"))
        assert kit.wait_for("s1", 6)[-1].data == {"text": "good"}
        until(lambda: not kit.store.reader.unsettled())


def test_a_screen_is_told_when_nothing_more_comes(data: DataDirectory) -> None:
    with running(data) as kit:
        kit.record("s1", Tape().started().out(b"\x1b[?1049hmenu"))
        shown = kit.wait_for("s1", 3)[-1]
    assert isinstance(shown, ScreenShown)
    assert shown.text == "menu"


def test_a_screen_survives_a_restart(data: DataDirectory) -> None:
    tape = Tape().started().out(b"\x1b[?1049h\x1b[2;3Hmenu")
    with running(data) as kit:
        kit.record("s1", tape)
        kit.wait_for("s1", 3)
    with running(data) as kit:
        kit.record("s1", tape.at(1000).out(b"\x1b[Htop"))
        until(lambda: kit.published("s1"))
        assert kit.published("s1")[-1].text == "top\n  menu"


# Trouble with one recording


def test_a_recording_that_cannot_be_read_holds_up_no_other(data: DataDirectory) -> None:
    with running(data) as kit:
        data.recording("bad").mkdir()
        kit.projector.advanced({"bad": 100, "../../etc/passwd": 5, "absent": 7})
        kit.record("good", Tape().started().lines(1, 1))
        kit.wait_for("good", 3)
        lag = until(lambda: (found := kit.projector.lag).unreadable and found)
        assert set(lag.unreadable) == {"bad"}
        assert "directory" in lag.unreadable["bad"]


def test_a_recording_is_tried_again_once_it_can_be_read(data: DataDirectory) -> None:
    with running(data) as kit:
        data.recording("s1").mkdir()
        kit.projector.advanced({"s1": 100})
        until(lambda: kit.projector.lag.unreadable)
        data.recording("s1").rmdir()
        Tape().started().lines(1, 1).write(data.recording("s1"))
        kit.wait_for("s1", 3)
        assert kit.projector.lag.unreadable == {}


def test_a_recording_that_vanished_is_lost_when_nobody_holds_it(data: DataDirectory) -> None:
    with running(data) as kit:
        kit.record("s1", Tape().started().lines(1, 1))
        kit.wait_for("s1", 3)
    data.recording("s1").unlink()
    with running(data) as kit:
        kit.projector.ended_unseen("s1", "no keeper")
        assert kit.wait_state("s1", "lost").reason == "no keeper; the recording is gone"


def test_a_session_nobody_knows_is_not_made_up(data: DataDirectory) -> None:
    with running(data) as kit:
        kit.projector.ended_unseen("nothing", "no keeper")
        kit.record("s1", Tape().started())
        kit.wait_for("s1", 2)
        assert kit.store.reader.session("nothing") is None


def test_a_damaged_recording_is_read_around_the_damage(data: DataDirectory) -> None:
    tape = Tape().started().lines(1, 5)
    at = len(tape.data)
    tape.lines(6, 10).lines(11, 15).exit(0)
    damaged = bytearray(tape.data)
    damaged[at + 30] ^= 0x10
    data.recording("s1").write_bytes(damaged)
    with running(data) as kit:
        kit.wait_state("s1", "exited")
        assert stored_lines(kit.store, "s1") == [*numbered(1, 5), *numbered(11, 15)]
        (error,) = kit.store.reader.events("s1", types=["error"])
        assert error.data["details"]["offset"] == at


def test_a_recording_shorter_than_what_was_read_says_so_and_goes_on(data: DataDirectory) -> None:
    """After a power cut the store may know more than the recording."""
    tape = Tape().started().lines(1, 5)
    short = len(tape.data)
    with running(data) as kit:
        kit.record("s1", tape.lines(6, 9))
        kit.wait_for("s1", 11)
    data.recording("s1").write_bytes(tape.data[:short])
    with running(data) as kit:
        kit.projector.ended_unseen("s1", "host restart")
        kit.wait_state("s1", "lost")
        events = stored_events(kit.store, "s1")
    assert [event.seq for event in events] == list(range(1, 15))
    assert events[11].code == "RECORDING_SHORTENED"


def test_what_the_store_refuses_of_one_session_holds_up_no_other(data: DataDirectory) -> None:
    with running(data) as kit:
        with kit.store.writing.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER refuse BEFORE INSERT ON sessions WHEN new.agent_name = 'poison' "
                "BEGIN SELECT RAISE(ABORT, 'refused'); END"
            )
        kit.record("bad", Tape("poison").started())
        for number in range(3):
            kit.record(f"good{number}", Tape("fine").started().lines(1, 1))
        for number in range(3):
            kit.wait_for(f"good{number}", 3)
        assert "refused" in until(lambda: kit.projector.lag.unreadable.get("bad"))
        assert kit.store.reader.session("bad") is None


# Agents


def test_an_agents_environment_is_remembered(data: DataDirectory) -> None:
    with running(data) as kit:
        kit.projector.remember("demo", {"TOKEN": "x"})
        until(lambda: kit.store.reader.agent_environments() == {"demo": {"TOKEN": "x"}})
        kit.projector.remember("demo", {})
        until(lambda: kit.store.reader.agent_environments() == {"demo": {}})


def test_a_removed_agent_is_forgotten_with_its_sessions(data: DataDirectory) -> None:
    with running(data) as kit:
        kit.projector.remember("demo", {"TOKEN": "x"})
        kit.record("s1", Tape("demo").started().exit(0))
        kit.wait_state("s1", "exited")
        kit.projector.remove_agent("demo").result(10)
        reader = kit.store.reader
        assert reader.latest_sessions() == reader.sessions() == reader.blocks("s1", 0) == []
        assert reader.agent_environments() == {"demo": {}}


def test_a_removed_agents_logs_are_not_waited_for(data: DataDirectory) -> None:
    data.logs.rmdir()
    data.logs.write_text("in the way")
    with running(data) as kit:
        for name in ("one", "two"):
            kit.record(name, Tape(name).started().lines(1, 1).exit(0))
            kit.wait_state(name, "exited")
        until(lambda: kit.projector.lag.error)
        kit.projector.remove_agent("one").result(10)
        data.logs.unlink()
        until(lambda: not kit.store.reader.unsettled())
    assert not data.agent_logs("one").exists()
    assert log_text(data, "two") == "line 1\n"


def test_clearing_away_waits_while_it_cannot_be_done(data: DataDirectory) -> None:
    with running(data) as kit:
        with kit.store.writing.begin() as connection:
            connection.exec_driver_sql(
                "CREATE TRIGGER keep BEFORE DELETE ON sessions BEGIN SELECT load_extension('nothing'); END"
            )
        kit.record("s1", Tape("demo").started().exit(0))
        kit.wait_state("s1", "exited")
        kit.projector.remove_agent("demo").result(10)
        kit.record("s2", Tape("other").started().lines(1, 1))
        kit.wait_for("s2", 3)
        assert kit.store.reader.session("s1") is None


def test_a_removed_agent_comes_back_with_a_new_session(data: DataDirectory) -> None:
    with running(data) as kit:
        kit.record("s1", Tape("demo").started().exit(0))
        kit.wait_state("s1", "exited")
        kit.projector.remove_agent("demo").result(10)
        kit.record("s2", Tape("demo", started_at_ns=2_000_000_000_000_000_000).started())
        kit.wait_for("s2", 2)
        assert [session.session_id for session in kit.store.reader.latest_sessions()] == ["s2"]


# How far behind


def test_nothing_is_behind_once_all_is_projected(data: DataDirectory) -> None:
    with running(data) as kit:
        kit.record("s1", Tape().started().lines(1, 100))
        kit.wait_for("s1", 102)
        lag = until(lambda: (found := kit.projector.lag).bytes == 0 and found)
        assert (lag.sessions, lag.seconds, lag.error, lag.disk_full) == (0, 0.0, None, False)
        assert kit.projector.alive
        assert kit.projector.caught_up


def test_a_projector_that_was_never_started_stops_at_once(data: DataDirectory) -> None:
    from roost.projection.projector import Projector
    from roost.store.database import open_store

    with open_store(url(data)) as store:
        assert Projector(data=data, store=store, publish=lambda blocks, sessions: None).stop(1)
