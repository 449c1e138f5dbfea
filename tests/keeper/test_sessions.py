"""Agents are started, recorded, described, typed into and ended, on terminals and on pipes."""

import hashlib
import os
import signal
import time
from pathlib import Path

import pytest

from roost import __version__
from roost.core.recording import Kind, decode_json, decode_resize
from roost.errors import AgentNotRunning, AgentRunning, Conflict, InvalidRequest, NoTerminal, SessionNotFound
from roost.keeper import procfs
from tests.keeper.kit import RunningKeeper, refusal
from tests.waiting import until

SIGNALS_OF_THE_C_LIBRARY = 0x1_8000_0000
"""Numbers 32 and 33, which its `posix_spawn` leaves ignored."""


def test_a_session_is_recorded_from_its_header_to_its_exit(keeper: RunningKeeper) -> None:
    session_id = keeper.start("sh", "-c", "echo hello; exit 3", env={"B": "1"}, definition={"role": "x"})
    ended = keeper.ended(session_id)
    assert (ended["code"], ended["signal"], ended["reason"]) == (3, None, "exited")
    items = keeper.items(session_id)
    assert [Kind(one.kind) for one in items] == [Kind.HEADER, Kind.MARK, Kind.OUT, Kind.EXIT]  # type: ignore[union-attr]
    header, started, _, last = (decode_json(one.payload) for one in items)  # type: ignore[union-attr]
    assert header["argv"] == ["sh", "-c", "echo hello; exit 3"]
    assert header["env_names"] == ["B", "PATH", "PWD", "ROOST_AGENT", "ROOST_SESSION", "TERM"]
    assert (header["definition"], header["roost"]) == ({"role": "x"}, __version__)
    assert started == {"type": "started", "pid": ended["pid"], "start_ticks": ended["start_ticks"]}
    assert (last["code"], last["signal"], last["core"], last["reason"]) == (3, None, False, "exited")
    assert set(last["usage"]) == {"user_s", "system_s", "max_rss_bytes", "in_blocks", "out_blocks"}
    assert ended["offset"] == keeper.recording(session_id).stat().st_size
    assert keeper.output(session_id) == "hello\n"


def test_time_in_frames_grows_from_the_start(keeper: RunningKeeper) -> None:
    before = time.time_ns()
    session_id = keeper.shell("echo a; sleep 0.05; echo b")
    ended = keeper.ended(session_id)
    times = [one.time_ns for one in keeper.frames(session_id)]
    assert times == sorted(times)
    assert 50_000_000 <= times[-1] < 60_000_000_000
    assert before <= ended["started_at_ns"] <= ended["last_output_ns"] <= ended["ended_at_ns"]


def test_the_terminal_is_the_agents_own(keeper: RunningKeeper) -> None:
    session = keeper.begin("sh", "-c", "tty && : </dev/tty && ps -o sid=,pgid=,stat= -p $$; stty size; umask")
    keeper.ended(session["session_id"])
    tty, process, size, umask = keeper.output(session["session_id"]).splitlines()
    assert tty.startswith("/dev/pts/")
    assert process.split() == [str(session["pid"]), str(session["pid"]), "Ss+"]
    assert (size, umask) == ("24 80", "0022")


def test_job_control_works(keeper: RunningKeeper) -> None:
    session_id = keeper.start("bash", "--norc", "-i", env={"PS1": "ready> "})
    keeper.said(session_id, "ready>")
    keeper.type(session_id, "sh -c 'echo a''way; exec cat'\r")
    keeper.said(session_id, "away")
    keeper.type(session_id, "hello\r")
    keeper.said(session_id, "hello\nhello")
    keeper.type(session_id, "\x1a")
    keeper.said(session_id, "Stopped")
    keeper.type(session_id, "kill -9 %1; wait; echo o''ver; exit 5\rexit 5\r")
    keeper.said(session_id, "over")
    assert keeper.ended(session_id)["code"] == 5


def test_nothing_of_the_keeper_is_inherited(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("ls -1 /proc/self/fd; env | sort; grep -E 'Sig(Ign|Blk)' /proc/self/status; ulimit -n")
    keeper.ended(session_id)
    lines = keeper.output(session_id).splitlines()
    assert lines[:4] == ["0", "1", "2", "3"]  # the last is the directory that ls reads
    names = {line.partition("=")[0] for line in lines[4:-3]}
    assert names - {"_", "OLDPWD", "SHLVL"} == {"PATH", "PWD", "ROOST_AGENT", "ROOST_SESSION", "TERM"}
    blocked, ignored = (int(line.split()[1], 16) for line in lines[-3:-1])
    assert (blocked, ignored & ~SIGNALS_OF_THE_C_LIBRARY) == (0, 0)


def test_the_directory_is_entered_and_named(keeper: RunningKeeper, tmp_path: Path) -> None:
    place = tmp_path / "häuser und mehr"
    place.mkdir()
    session_id = keeper.shell('pwd; echo "$PWD"; umask', cwd=str(place), umask=0o77)
    keeper.ended(session_id)
    assert keeper.output(session_id).splitlines() == [str(place), str(place), "0077"]


def test_pipes_keep_output_and_errors_apart(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("echo out; echo err >&2; cat; echo over", terminal=False)
    keeper.type(session_id, "typed\n")
    keeper.said(session_id, "typed")
    keeper.call("close_input", session_id=session_id)
    assert keeper.ended(session_id)["code"] == 0
    assert keeper.output(session_id) == "out\ntyped\nover\n"
    assert keeper.output(session_id, Kind.ERR) == "err\n"
    assert [mark["type"] for mark in keeper.marks(session_id)] == ["started", "input_closed"]


def test_end_of_input_waits_for_what_was_typed_before(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("sleep 0.3; cat | wc -c", terminal=False)
    text = "x" * 600_000
    keeper.type(session_id, text)
    keeper.call("close_input", session_id=session_id)
    assert refusal(lambda: keeper.type(session_id, "more")).code == Conflict.code
    keeper.call("close_input", session_id=session_id)
    keeper.ended(session_id)
    assert keeper.output(session_id).strip() == str(len(text))


def test_end_of_file_can_be_typed(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("cat; echo done")
    keeper.type(session_id, "hi\r")
    keeper.said(session_id, "hi")
    keeper.call("close_input", session_id=session_id)
    keeper.said(session_id, "done")


def test_a_pipe_that_the_agent_closed_takes_no_input(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("exec <&-; echo closed; sleep 60", terminal=False)
    keeper.said(session_id, "closed")
    keeper.type(session_id, "x")
    until(lambda: refusal(lambda: keeper.type(session_id, "y")).code == Conflict.code)


def test_an_exit_by_signal_is_named(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("kill -USR1 $$")
    ended = keeper.ended(session_id)
    assert (ended["code"], ended["signal"], ended["reason"]) == (None, "SIGUSR1", "exited")


def test_a_real_time_signal_has_a_name_too(keeper: RunningKeeper) -> None:
    session_id = keeper.start("bash", "-c", "kill -40 $$")
    assert keeper.ended(session_id)["signal"] == "SIG40"


def test_an_agent_that_outlived_its_terminal_is_heard_again(keeper: RunningKeeper) -> None:
    script = "exec 3>&- </dev/null >/dev/null 2>&1; sleep 0.7; echo back >/dev/tty; sleep 0.2"
    session_id = keeper.start("bash", "-c", script)
    assert "back" in keeper.said(session_id, "back")
    assert keeper.ended(session_id)["code"] == 0


def test_usage_counts_what_the_agent_used(keeper: RunningKeeper) -> None:
    session_id = keeper.start("bash", "-c", "for ((i = 0; i < 200000; i++)); do :; done")
    keeper.ended(session_id)
    usage = keeper.marks(session_id, Kind.EXIT)[0]["usage"]
    assert usage["user_s"] > 0.01
    assert usage["max_rss_bytes"] > 1 << 20


def test_a_start_that_is_repeated_starts_nothing(keeper: RunningKeeper) -> None:
    first = keeper.begin("sleep", "60", session_id="twice", agent="one")
    again = keeper.begin("sleep", "60", session_id="twice", agent="one")
    assert again["pid"] == first["pid"]
    assert len(keeper.call("list")["sessions"]) == 1


def test_an_agent_runs_once_at_a_time(keeper: RunningKeeper) -> None:
    session_id = keeper.start("sleep", "60", agent="only")
    error = refusal(lambda: keeper.start("sleep", "60", agent="only"))
    assert (error.code, error.details["session_id"]) == (AgentRunning.code, session_id)
    keeper.call("kill", session_id=session_id)
    assert keeper.start("true", agent="only")


def test_a_recording_is_never_written_over(keeper: RunningKeeper) -> None:
    session_id = keeper.start("true")
    keeper.ended(session_id)
    keeper.call("forget", session_id=session_id)
    assert refusal(lambda: keeper.start("true", session_id=session_id)).code == Conflict.code


def test_describe_gives_the_request_back(keeper: RunningKeeper) -> None:
    session_id = keeper.start("sleep", "60", env={"TOKEN": "x"}, limits={"core_bytes": 0})
    request = keeper.session(session_id)["request"]
    assert request["env"]["TOKEN"] == "x"
    assert request["limits"] == {"core_bytes": 0}


def test_input_is_typed_once(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("cat", terminal=False)
    give = {"session_id": session_id, "source": "web"}
    assert keeper.call("input", **give, seq=5, blob=b"a")["accepted"] is True
    assert keeper.call("input", **give, seq=5, blob=b"a")["accepted"] is False
    assert keeper.call("input", **give, seq=4, blob=b"b")["accepted"] is False
    assert keeper.call("input", **give, seq=6, blob=b"c")["accepted"] is True
    assert keeper.call("input", session_id=session_id, source="cli", seq=5, blob=b"d")["accepted"] is True
    keeper.call("close_input", session_id=session_id)
    keeper.ended(session_id)
    assert keeper.output(session_id) == "acd"
    assert [(one.source, one.seq, one.data) for one in keeper.inputs(session_id)] == [
        ("web", 5, b"a"),
        ("web", 6, b"c"),
        ("cli", 5, b"d"),
    ]
    assert keeper.call("input", **give, seq=6, blob=b"c")["accepted"] is False


def test_input_that_is_not_taken_has_a_bound_and_is_whole_or_not_at_all(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("until [ -e go ]; do sleep 0.02; done; cat | wc -c", terminal=False)
    piece = b"x" * 300_000
    accepted = 0
    with pytest.raises(Exception, match="too much waits"):
        for seq in range(1, 20):
            keeper.call("input", session_id=session_id, source="t", seq=seq, blob=piece)
            accepted += 1
    assert 3 <= accepted <= 5
    (keeper.data / "go").touch()
    keeper.call("close_input", session_id=session_id)
    keeper.ended(session_id)
    assert int(keeper.output(session_id)) == accepted * len(piece)


def test_a_long_paste_reaches_a_slow_terminal_program_whole(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("stty raw -echo; echo go; sleep 0.5; head -c 200000 | md5sum")
    keeper.said(session_id, "go")
    keeper.type(session_id, "0123456789" * 20_000)
    assert hashlib.md5(b"0123456789" * 20_000, usedforsecurity=False).hexdigest() in keeper.said(session_id, " -", 30)


def test_replies_of_an_emulator_are_dropped_while_a_terminal_is_attached(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("cat", terminal=False)
    give = {"session_id": session_id, "source": "emulator", "reply": True}
    with keeper.connect() as other:
        other.call("attach", session_id=session_id)
        assert keeper.call("input", **give, seq=1, blob=b"no")["accepted"] is False
        assert other.call("input", session_id=session_id, source="tty", reply=True, seq=1, blob=b"yes")["accepted"]
        other.call("detach", session_id=session_id)
        assert keeper.call("input", **give, seq=2, blob=b"1")["accepted"] is True
        other.call("attach", session_id=session_id)
    until(
        lambda: keeper.call("input", **give, seq=time.monotonic_ns(), blob=b"2")["accepted"], what="a hang-up detaches"
    )


def test_a_new_size_is_told_and_recorded_once(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("trap 'stty size' WINCH; echo up; while :; do sleep 0.05; done")
    keeper.said(session_id, "up")
    for _ in range(2):
        keeper.call("resize", session_id=session_id, cols=100, rows=30)
    keeper.said(session_id, "30 100")
    assert [decode_resize(one.payload) for one in keeper.frames(session_id, Kind.RESIZE)] == [(100, 30)]
    assert (keeper.session(session_id)["cols"], keeper.session(session_id)["rows"]) == (100, 30)


def test_pipes_have_no_size(keeper: RunningKeeper) -> None:
    session_id = keeper.start("sleep", "60", terminal=False)
    assert refusal(lambda: keeper.call("resize", session_id=session_id, cols=1, rows=1)).code == NoTerminal.code
    foreground = {"session_id": session_id, "signal": "INT", "scope": "foreground"}
    assert refusal(lambda: keeper.call("signal", **foreground)).code == NoTerminal.code


def test_signals_reach_the_leader_the_foreground_or_all(keeper: RunningKeeper) -> None:
    script = (
        "trap 'echo leader' USR1; (trap 'echo child' USR1; echo up; while :; do sleep 0.02; done) & wait; wait; wait"
    )
    session_id = keeper.start("bash", "-c", script)
    keeper.said(session_id, "up")
    send = {"session_id": session_id, "signal": "SIGUSR1", "by": "me"}
    assert keeper.call("signal", **send, scope="leader")["processes"] == 1
    keeper.said(session_id, "leader")
    assert "child" not in keeper.output(session_id)
    assert keeper.call("signal", session_id=session_id, signal="CONT", scope="tree")["processes"] >= 2
    assert keeper.call("signal", session_id=session_id, signal="CONT", scope="foreground")["processes"] >= 2
    assert keeper.marks(session_id, Kind.SIGNAL)[0] == {"signal": "SIGUSR1", "scope": "leader", "by": "me"}


def test_a_signal_may_be_what_ends_the_agent(keeper: RunningKeeper) -> None:
    session_id = keeper.start("sleep", "60")
    keeper.call("signal", session_id=session_id, signal="TERM")
    ended = keeper.ended(session_id)
    assert (ended["signal"], ended["reason"]) == ("SIGTERM", "exited")
    for scope in ("leader", "tree"):
        again = {"session_id": session_id, "signal": "TERM", "scope": scope}
        assert refusal(lambda again=again: keeper.call("signal", **again)).code == AgentNotRunning.code  # type: ignore[misc]


def test_marks_are_recorded_also_after_the_end_and_after_forgetting(keeper: RunningKeeper) -> None:
    session_id = keeper.start("sleep", "60")
    end = keeper.call("mark", session_id=session_id, mark={"type": "note", "n": 1})["offset"]
    assert end == keeper.recording(session_id).stat().st_size
    keeper.call("kill", session_id=session_id)
    for number in (2, 3):
        end = keeper.call("mark", session_id=session_id, mark={"type": "note", "n": number})["offset"]
        assert end == keeper.recording(session_id).stat().st_size
    assert keeper.session(session_id)["offset"] == end
    keeper.call("forget", session_id=session_id)
    keeper.call("mark", session_id=session_id, mark={"type": "note", "n": 4})
    assert [mark["n"] for mark in keeper.marks(session_id) if mark["type"] == "note"] == [1, 2, 3, 4]
    times = [one.time_ns for one in keeper.frames(session_id)]
    assert times == sorted(times)


def test_a_mark_needs_a_recording(keeper: RunningKeeper) -> None:
    call = {"session_id": "never", "mark": {"type": "note"}}
    assert refusal(lambda: keeper.call("mark", **call)).code == SessionNotFound.code


def test_what_has_no_session_is_refused(keeper: RunningKeeper) -> None:
    for op in ("describe", "close_input", "pause", "resume", "stop", "kill", "attach", "detach", "forget"):
        assert refusal(lambda op=op: keeper.call(op, session_id="nobody")).code == SessionNotFound.code  # type: ignore[misc]


def test_only_ended_sessions_are_forgotten(keeper: RunningKeeper) -> None:
    session_id = keeper.start("sleep", "60")
    assert refusal(lambda: keeper.call("forget", session_id=session_id)).code == Conflict.code
    keeper.call("kill", session_id=session_id)
    keeper.call("forget", session_id=session_id)
    assert keeper.call("list")["sessions"] == []


@pytest.mark.parametrize("op", ["input", "resize", "pause", "close_input"])
def test_an_ended_session_takes_nothing(keeper: RunningKeeper, op: str) -> None:
    session_id = keeper.start("true")
    keeper.ended(session_id)
    more = {"input": {"source": "t", "seq": 1}, "resize": {"cols": 5, "rows": 5}}.get(op, {})
    assert refusal(lambda: keeper.call(op, session_id=session_id, **more)).code == AgentNotRunning.code


def test_status_says_how_the_keeper_is(keeper: RunningKeeper) -> None:
    keeper.start("sleep", "60")
    status = keeper.call("status")
    assert status["pid"] == keeper.process.pid
    assert (status["version"], status["sessions"], status["cgroup"]) == (__version__, 1, None)
    assert 5_000_000 < status["rss_bytes"] < 60_000_000
    assert status["data_free_bytes"] > 0
    assert status["disk_full"] is False


def test_counts_of_processes_follow_soon(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("sleep 60 & sleep 60 & wait")
    until(lambda: keeper.call("list")["sessions"][0]["processes"] == 3)
    assert keeper.session(session_id)["processes"] == 3


def test_watchers_hear_what_grew(keeper: RunningKeeper) -> None:
    with keeper.connect() as watcher:
        watcher.call("watch")
        session_id = keeper.shell("echo one; read x; echo two")
        keeper.said(session_id, "one")
        keeper.type(session_id, "\r")
        keeper.ended(session_id)
        size = keeper.recording(session_id).stat().st_size
        seen: list[int] = []
        told: list[dict[str, object]] = []

        def all_told() -> bool:
            for notice in watcher.notices(0.05):
                told.append(notice)
                if notice["notice"] == "advanced":
                    seen.append(notice["sessions"][session_id])
            return bool(seen) and seen[-1] == size

        until(all_told)
        assert seen == sorted(seen)
        end = {"session_id": session_id, "code": 0, "signal": None, "reason": "exited"}
        assert [one for one in told if one["notice"] == "ended" and one.items() >= end.items()]


def test_the_wall_clock_is_anchored_anew_after_a_step(start_keeper: object, tmp_path: Path) -> None:
    """A step cannot be made without harm to others, so the keeper's own bookkeeping is looked at from within."""
    from roost.keeper import log, settings, storage
    from roost.keeper.keeper import Keeper
    from roost.keeper.session import Session

    (tmp_path / "recordings").mkdir()
    fd = os.open(tmp_path, os.O_RDONLY)
    keeper = Keeper(settings.Settings(), storage.Storage(), log.Log(str(tmp_path / "log")), fd)
    args = {"session_id": "s", "agent": "a", "argv": ["x"], "cwd": "/", "terminal": True}
    target = os.open(tmp_path / "s.rec", os.O_RDWR | os.O_CREAT)
    session = Session(args | {"cols": 1, "rows": 1, "leftovers": "end"}, keeper.recorder(target))
    keeper.leaders[1] = session
    keeper._clock_offset_ns -= 2_000_000_000
    keeper._begin_round()
    keeper._begin_round()
    frame = os.pread(target, 1000, 0)
    assert frame[2] == Kind.CLOCK
    assert len(frame) == 28
    for one in (fd, target, keeper.recordings_fd):
        os.close(one)
    keeper.loop.close()
    keeper.log.close()


def test_a_flood_starves_nobody(keeper: RunningKeeper) -> None:
    flood = [keeper.start("yes", terminal=terminal) for terminal in (True, False)]
    quiet = keeper.shell("cat")
    for number in range(5):
        keeper.type(quiet, f"{number}\r")
        keeper.said(quiet, f"{number}\n{number}")
    for session_id in flood:
        assert keeper.call("kill", session_id=session_id)["reason"] == "killed"


def test_nothing_is_left_open_by_sessions_that_came_and_went(keeper: RunningKeeper) -> None:
    held = len(os.listdir(f"/proc/{keeper.process.pid}/fd"))
    sessions = [keeper.start("true", terminal=number % 2 == 0) for number in range(20)]
    for session_id in sessions:
        keeper.ended(session_id)
        keeper.call("forget", session_id=session_id)
    until(lambda: len(os.listdir(f"/proc/{keeper.process.pid}/fd")) == held)


def test_signal_numbers_are_checked_before_anything_is_sent(keeper: RunningKeeper) -> None:
    session_id = keeper.start("sleep", "60")
    assert refusal(lambda: keeper.call("signal", session_id=session_id, signal="SIGNOPE")).code == InvalidRequest.code
    found = procfs.status(keeper.session(session_id)["pid"])
    assert found is not None
    assert found.state not in procfs.DEAD
    assert signal.SIGTERM == 15
