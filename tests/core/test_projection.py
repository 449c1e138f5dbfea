"""From frames to events: what is told, in which order, and that it depends on the recording alone."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.core.projection import MAX_TIME_NS, SessionProjection
from roost.core.recording import Kind, Reader, encode_frame
from roost.core.shown import BUSY_NS, MAX_TEXT, SEED_BYTES
from roost.model.events import AnyEvent, Complete, Error, Log, Mark, ScreenShown, StateChange, encode_events
from tests.projection.tape import MS, STARTED_NS, Tape


def project(tape: Tape) -> tuple[list[AnyEvent], SessionProjection]:
    projection = SessionProjection("s1")
    return projection.feed(Reader().feed(tape.data)), projection


def events_of(tape: Tape) -> list[AnyEvent]:
    return project(tape)[0]


def only(events: list[AnyEvent], kind: type) -> list[AnyEvent]:
    return [event for event in events if type(event) is kind]


def lines_of(tape: Tape) -> list[str]:
    return [event.line for event in events_of(tape) if isinstance(event, Log)]


# What the header says


def test_a_header_defines_the_session_and_begins_it_as_starting() -> None:
    events, projection = project(Tape("worker"))
    session = projection.session
    assert events == [StateChange(1, STARTED_NS, "starting")]
    assert (session.agent_name, session.node, session.cols, session.rows) == ("worker", "box", 80, 24)
    assert session.definition.labels == {"team": "a"}
    assert session.started_ns == STARTED_NS


def test_a_header_without_definition_is_read_from_what_the_keeper_wrote() -> None:
    _, projection = project(Tape(definition={}, terminal=False))
    definition = projection.session.definition
    assert (definition.command, definition.driver, definition.env_names) == (["bash", "-c", "true"], "lines", ["PATH"])


def test_a_header_of_nonsense_leaves_a_session_that_can_be_shown() -> None:
    tape = Tape("../../etc", definition=7, argv="x", cols=-1, rows=10**9, started_at_ns="now", host=5, cwd=[])
    _, projection = project(tape)
    session = projection.session
    assert (session.agent_name, session.cols, session.rows, session.started_ns) == ("unknown", 80, 24, 0)
    assert session.definition.command == []


def test_a_second_header_is_told_as_a_mark() -> None:
    tape = Tape("one").raw(Tape("two").data)
    events, projection = project(tape)
    assert projection.session.agent_name == "one"
    assert [event.name for event in only(events, Mark)] == ["header"]


def test_without_a_header_host_the_session_is_on_the_node_that_projects_it() -> None:
    projection = SessionProjection("s1", "here")
    projection.feed(Reader().feed(Tape(host=None).data))
    assert projection.session.node == "here"


# Lines


def test_lines_are_numbered_and_timed_as_they_came() -> None:
    tape = Tape().started().at(5).out(b"one\r\ntw").at(9).out(b"o\r\n")
    assert only(events_of(tape), Log) == [
        Log(3, STARTED_NS + 5 * MS, "one", 1),
        Log(4, STARTED_NS + 9 * MS, "two", 2),
    ]


def test_standard_error_is_numbered_apart() -> None:
    tape = Tape(terminal=False).started().out(b"a\n").err(b"x\ny\n").out(b"b\n")
    found = [(event.line, event.line_num, event.stream) for event in only(events_of(tape), Log)]
    assert found == [("a", 1, "stdout"), ("x", 1, "stderr"), ("y", 2, "stderr"), ("b", 2, "stdout")]


def test_the_session_counts_bytes_lines_and_last_output() -> None:
    _, projection = project(Tape().started().at(7).out(b"one\r\ntwo\r\n"))
    session = projection.session
    assert (session.bytes, session.lines, session.last_output_ns) == (10, 2, STARTED_NS + 7 * MS)


def test_input_is_never_told() -> None:
    assert events_of(Tape().started().input(b"secret\n")) == events_of(Tape().started())


def test_output_before_the_start_mark_means_running() -> None:
    assert [event.state for event in only(events_of(Tape().out(b"x\r\n")), StateChange)] == ["starting", "running"]


def test_a_clock_frame_moves_wall_time_from_there_on() -> None:
    tape = Tape().started().at(10).out(b"a\r\n").at(20).clock(STARTED_NS + 10**12).at(30).out(b"b\r\n")
    times = [event.time_ns for event in only(events_of(tape), Log)]
    assert times == [STARTED_NS + 10 * MS, STARTED_NS + 10**12 + 10 * MS]


def test_frames_that_make_no_sense_are_passed_over() -> None:
    tape = Tape().started().frame(Kind.RESIZE, b"x").frame(Kind.CLOCK, b"y").out(b"a\r\n")
    assert lines_of(tape) == ["a"]


def test_a_time_beyond_belief_still_fits_every_store() -> None:
    tape = Tape()
    tape.time_ns = (1 << 64) - 1
    events = events_of(tape.out(b"a\r\n"))
    assert events[-1].time_ns == STARTED_NS + MAX_TIME_NS
    assert events[-1].time_ns < 1 << 63


# States


def states_of(tape: Tape) -> list[tuple[str, str | None]]:
    return [(event.state, event.reason) for event in only(events_of(tape), StateChange)]


def test_a_started_mark_means_running_with_a_process() -> None:
    events, projection = project(Tape().started(99))
    assert events[-1] == StateChange(2, STARTED_NS, "running", "starting")
    assert projection.session.pid == 99


def test_pausing_and_resuming_are_states() -> None:
    tape = Tape().started().mark("paused", by="ann").mark("resumed", by="bob")
    assert states_of(tape)[2:] == [("paused", "paused by ann"), ("running", "resumed by bob")]


def test_a_session_that_is_resumed_while_being_stopped_is_stopping() -> None:
    tape = Tape().started().mark("stopping", by="ann").mark("paused").mark("resumed")
    assert states_of(tape)[2:] == [("stopping", "stopped by ann"), ("paused", "paused"), ("stopping", "resumed")]


@pytest.mark.parametrize(
    ("exit_frame", "state", "reason"),
    [
        ({"code": 0}, "exited", "exit code 0"),
        ({"code": 3}, "failed", "exit code 3"),
        ({"code": None, "signal": "SIGSEGV"}, "failed", "signal SIGSEGV"),
        ({"code": None, "signal": "SIGTERM", "reason": "stopped"}, "exited", "stopped (signal SIGTERM)"),
        ({"code": None, "signal": "SIGKILL", "reason": "killed"}, "exited", "killed (signal SIGKILL)"),
        ({"code": None}, "failed", "unknown outcome"),
    ],
)
def test_how_a_session_ends(exit_frame: dict, state: str, reason: str) -> None:
    events = events_of(Tape().started().at(1500).exit(**exit_frame))
    assert (events[-2].state, events[-2].reason) == (state, reason)
    assert isinstance(events[-1], Complete)
    assert (events[-1].exit_code, events[-1].signal) == (exit_frame["code"], exit_frame.get("signal"))
    assert events[-1].duration_ms == 1500


def test_a_failure_after_a_requested_stop_is_no_failure() -> None:
    assert states_of(Tape().started().mark("stopping").exit(1))[-1][0] == "exited"


def test_the_end_tells_what_was_unfinished_then_the_state_then_complete() -> None:
    events, projection = project(Tape().started().out(b"no newline").at(40).exit(0))
    assert [type(event) for event in events[2:]] == [Log, StateChange, Complete]
    assert events[2].line == "no newline"
    assert projection.ended
    assert projection.session.ended_ns == STARTED_NS + 40 * MS


def test_marks_after_the_end_are_told_and_change_no_state() -> None:
    events, projection = project(Tape().started().exit(0).mark("note", text="well done").mark("paused"))
    assert events[-1] == Mark(5, STARTED_NS, "note", {"text": "well done"})
    assert projection.session.state == "exited"


def test_a_second_exit_is_told_as_a_mark() -> None:
    events, projection = project(Tape().started().exit(0).exit(9))
    assert len(only(events, Complete)) == 1
    assert events[-1].name == "exit"
    assert projection.session.exit_code == 0


def test_a_lost_session_says_why_and_is_complete() -> None:
    tape = Tape().started().at(70).out(b"half")
    _, projection = project(tape)
    events = projection.lose("the keeper was killed")
    assert [type(event) for event in events] == [Log, StateChange, Complete]
    assert events[1].state == "lost"
    assert events[2] == Complete(5, STARTED_NS + 70 * MS, None, None, 70, "the keeper was killed")
    assert projection.lose("again") == []


def test_an_exit_found_after_all_corrects_a_lost_session() -> None:
    tape = Tape().started()
    projection = SessionProjection("s1")
    reader = Reader()
    projection.feed(reader.feed(tape.data))
    projection.lose("thought so")
    known = len(tape.data)
    events = projection.feed(reader.feed(tape.exit(0).data[known:]))
    assert [type(event) for event in events] == [StateChange, Complete]
    assert projection.session.state == "exited"


# Marks, signals, damage


def test_signals_and_other_marks_are_marks() -> None:
    tape = Tape().started().signal("SIGINT").mark("annotation", text="here", by="ann")
    assert events_of(tape)[2:] == [
        Mark(3, STARTED_NS, "signal", {"signal": "SIGINT", "scope": "tree", "by": "cli"}),
        Mark(4, STARTED_NS, "annotation", {"text": "here", "by": "ann"}),
    ]


def test_a_mark_may_say_anything_and_still_be_stored() -> None:
    payload = rb'{"type": "odd", "a": "\ud800", "b": 1e999, "c": 123456789012345678901234567890, "d": ["\u0000"]}'
    (mark,) = only(events_of(Tape().frame(Kind.MARK, payload)), Mark)
    assert mark.data == {"a": "\ufffd\ufffd\ufffd", "b": "inf", "c": "0x18ee90ff6c373e0ee4e3f0ad2", "d": ["\ufffd"]}
    encode_events([mark])


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b'{"x": 1}', b'{"type": 7}', b"[" * 100_000])
def test_a_mark_of_nonsense_is_still_a_mark(payload: bytes) -> None:
    (mark,) = only(events_of(Tape().frame(Kind.MARK, payload)), Mark)
    assert mark.name in ("mark", "7")


def test_resizing_changes_the_session_and_is_no_event() -> None:
    events, projection = project(Tape().started().resize(120, 0).resize(65_535, 50))
    assert len(events) == 2
    assert (projection.session.cols, projection.session.rows) == (1000, 50)


def test_damage_is_an_error_that_says_where() -> None:
    tape = Tape().started().out(b"a\r\n")
    at = len(tape.data)
    events, projection = project(tape.raw(b"\xf5garbage!" + b"x" * 20).out(b"b\r\n"))
    (error,) = only(events, Error)
    assert error.code == "RECORDING_DAMAGED"
    assert error.details == {"offset": at, "length": 29, "reason": "bad-sync"}
    assert projection.session.damage == 29
    assert [event.line for event in only(events, Log)] == ["a", "b"]


def test_a_recording_that_became_shorter_says_so() -> None:
    _, projection = project(Tape().started())
    (error,) = projection.shortened(100, 150)
    assert (error.code, error.details) == ("RECORDING_SHORTENED", {"offset": 100, "length": 50})
    assert projection.session.offset == 100


# Full-screen programs

ENTER, LEAVE = b"\x1b[?1049h\x1b[H\x1b[2J", b"\x1b[?1049l"


def screens_of(tape: Tape) -> list[ScreenShown]:
    return [event for event in events_of(tape) if isinstance(event, ScreenShown)]


def test_a_screen_at_rest_is_told_once() -> None:
    tape = Tape().started().at(10).out(ENTER + b"top\r\n\x1b]2;title\x07bottom").at(400).mark("x").at(800).mark("y")
    (shown,) = screens_of(tape)
    assert (shown.text, shown.cols, shown.rows, shown.title) == ("top\nbottom", 80, 24, "title")
    assert shown.time_ns == STARTED_NS + 310 * MS


def test_an_unchanged_screen_is_not_told_again() -> None:
    tape = Tape().started().at(10).out(ENTER + b"same").at(500).out(b"\x1b[Hsame").at(1000).out(b"\x1b[Hnext")
    assert [shown.text for shown in screens_of(tape.at(2000).mark("x"))] == ["same", "next"]


def test_a_busy_screen_is_told_every_few_seconds() -> None:
    tape = Tape().started().out(ENTER)
    for ms in range(0, 11_000, 100):
        tape.at(ms).out(b"\x1b[H%d" % ms)
    assert [shown.text for shown in screens_of(tape)] == ["5000", "10000"]
    assert BUSY_NS == 5_000 * MS


def test_lines_go_on_after_a_full_screen_program() -> None:
    tape = Tape().started().out(b"before\r\n" + ENTER + b"inside\r\n").out(LEAVE + b"after\r\n")
    assert lines_of(tape) == ["before", "after"]


def test_a_screen_is_told_at_the_end_too() -> None:
    events = events_of(Tape().started().out(ENTER + b"last words").exit(0))
    assert [type(event) for event in events[2:]] == [ScreenShown, StateChange, Complete]


def test_a_program_that_leaves_and_enters_at_once_has_a_new_screen() -> None:
    tape = Tape().started().out(ENTER + b"one").at(400).out(LEAVE + ENTER + b"two").at(900).mark("x")
    assert [shown.text for shown in screens_of(tape)] == ["one", "two"]


def test_a_screen_follows_the_terminals_size() -> None:
    tape = Tape().started().out(ENTER).resize(10, 3).out(b"\x1b[3;1Hlow").at(900).mark("x")
    (shown,) = screens_of(tape)
    assert (shown.text, shown.cols, shown.rows) == ("\n\nlow", 10, 3)


def test_what_is_told_of_a_screen_is_bounded() -> None:
    tape = Tape(cols=1000, rows=1000).started().out(ENTER + b"x" * 200_000).at(900).mark("x")
    assert len(screens_of(tape)[0].text) == MAX_TEXT


def test_standard_error_and_pipes_have_no_screen() -> None:
    assert screens_of(Tape(terminal=False).started().out(ENTER + b"x").at(900).mark("x")) == []


# The same events however it is cut

FRAMES = st.one_of(
    st.binary(max_size=40).map(lambda data: ("out", data)),
    st.sampled_from(
        [
            b"line\r\n",
            b"a\rb\r\n",
            b"50%\r",
            b"\x1b[31mred\x1b[0m\r\n",
            b"\xe2\x82",
            b"\xac\r\n",
            b"\x1b[2K",
            ENTER,
            LEAVE,
        ]
    ).map(lambda data: ("out", data)),
    st.sampled_from([b"error\n", b"half"]).map(lambda data: ("err", data)),
    st.sampled_from(["started", "paused", "resumed", "stopping", "note"]).map(lambda name: ("mark", name)),
    st.integers(1, 900).map(lambda ms: ("wait", ms)),
    st.tuples(st.integers(1, 200), st.integers(1, 60)).map(lambda size: ("resize", size)),
    st.binary(min_size=1, max_size=30).map(lambda data: ("raw", data)),
    st.integers(STARTED_NS, STARTED_NS + 10**12).map(lambda ns: ("clock", ns)),
)


def build(frames: list[tuple]) -> Tape:
    tape, ms = Tape(), 0
    for what, value in frames:
        if what == "wait":
            ms += value
            tape.at(ms)
        elif what == "resize":
            tape.resize(*value)
        else:
            getattr(tape, what)(value)
    return tape.exit(0)


def test_numbers_have_no_gaps_and_begin_with_one() -> None:
    tape = build([("out", b"a\r\n"), ("raw", b"junk"), ("mark", "note"), ("wait", 500), ("out", ENTER)])
    events = events_of(tape)
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


@settings(deadline=None, max_examples=150)
@given(st.lists(FRAMES, max_size=25), st.data())
def test_no_cut_and_no_restart_changes_the_events(frames: list[tuple], data: st.DataObject) -> None:
    tape = build(frames)
    whole, expected = project(tape)
    projection, reader, at, found = SessionProjection("s1"), Reader(), 0, []
    while at < len(tape.data):
        step = data.draw(st.integers(1, 200))
        found += projection.feed(reader.feed(tape.data[at : at + step]))
        at += step
        if data.draw(st.booleans()):
            at = reader.offset
            projection = _restarted(projection, tape, at)
            reader = Reader(at)
    assert found == whole
    assert projection.session == expected.session


def _restarted(projection: SessionProjection, tape: Tape, offset: int) -> SessionProjection:
    session, seed = copy.deepcopy(projection.session), projection.screen_seed
    session.offset = offset
    made = SessionProjection.restore(session, projection.state(), seed)
    if seed:
        made.redraw(Reader(seed.offset).feed(tape.data[seed.offset : offset]))
    return made


def test_a_long_lived_screen_is_taken_up_from_its_seed() -> None:
    tape = Tape().started().out(ENTER + b"\x1b[5;10r\x1b[31m")
    for number in range(30):
        tape.at(number * 50).out(
            b"\x1b[H" + b"x" * (SEED_BYTES // 10) + b"\x1b[%d;1Hn%d\x1b[K" % (number % 24 + 1, number)
        )
    reader, projection, found = Reader(), SessionProjection("s1"), []
    tape.resize(90, 20).at(9000).exit(0)
    whole = events_of(tape)
    for at in range(0, len(tape.data), 5000):
        found += projection.feed(reader.feed(tape.data[at : at + 5000]))
        projection = _restarted(projection, tape, reader.offset)
        reader = Reader(reader.offset)
        reader.feed(tape.data[reader.offset : at + 5000])
    assert found == whole
    assert [event for event in whole if type(event) is ScreenShown]


@settings(deadline=None, max_examples=60)
@given(st.lists(FRAMES, max_size=15))
def test_told_live_or_from_the_file_a_rest_is_the_same(frames: list[tuple]) -> None:
    """Live, `rest` is called before the next frame comes; from the file, the next frame's time tells."""
    tape = build(frames)
    live, last_ns, found = SessionProjection("s1"), 0, []
    for item in Reader().feed(tape.data):
        time_ns = getattr(item, "time_ns", last_ns)
        if time_ns - last_ns >= 1_000 * MS:
            found += live.rest()
        found += live.feed([item])
        last_ns = time_ns
    assert found == events_of(tape)


def test_rest_is_told_once() -> None:
    _, projection = project(Tape().started().out(ENTER + b"x"))
    assert projection.unfinished
    assert [event.text for event in projection.rest()] == ["x"]
    assert not projection.unfinished
    assert projection.rest() == []


@pytest.mark.parametrize("state", [b"", b"\x90", b"junk", encode_frame(Kind.OUT, 0, b"")])
def test_a_state_of_another_kind_is_refused(state: bytes) -> None:
    with pytest.raises(ValueError, match="state of a projection"):
        SessionProjection.restore(SessionProjection("s1").session, state)


def test_a_state_of_another_version_is_refused() -> None:
    state = bytearray(SessionProjection("s1").state())
    state[1] = 99
    with pytest.raises(ValueError, match="version 99"):
        SessionProjection.restore(SessionProjection("s1").session, bytes(state))


def test_a_state_whose_parts_are_missing_is_refused() -> None:
    _, projection = project(Tape().started().out(b"half"))
    state = projection.state().replace(b'"page"', b'"pale"')
    with pytest.raises(ValueError, match="incomplete"):
        SessionProjection.restore(projection.session, state)


def test_drawing_again_passes_over_what_draws_nothing() -> None:
    tape = Tape().started().out(ENTER + b"menu").frame(Kind.RESIZE, b"?").raw(b"junk").mark("note").resize(40, 10)
    _, projection = project(tape)
    restored = _restarted(projection, tape, len(tape.data))
    both = [after.feed(Reader(5000).feed(Tape().at(9000).mark("x").data[-90:])) for after in (projection, restored)]
    assert both[0] == both[1]
    _, plain = project(Tape().started())
    plain.redraw(Reader().feed(tape.data))
    assert plain.screen_seed is None


def test_without_a_usable_state_it_goes_on_after_reading_the_recording_again() -> None:
    tape = Tape().started().out(b"one\r\nhal")
    _, before = project(tape)
    _, after = project(tape)
    after.adopt(before.session)
    (event,) = after.feed(Reader().feed(encode_frame(Kind.OUT, 10 * MS, b"f\r\n")))
    assert (event.seq, event.line, event.line_num, event.time_ns) == (4, "half", 2, STARTED_NS + 10 * MS)


def test_without_state_and_without_the_beginning_it_goes_on_with_the_next_line() -> None:
    _, before = project(Tape().started().out(b"one\r\nhal"))
    after = SessionProjection("s1")
    after.adopt(before.session)
    (event,) = after.feed(Reader().feed(encode_frame(Kind.OUT, 10 * MS, b"f\r\n")))
    assert (event.seq, event.line, event.line_num, event.time_ns) == (4, "f", 2, STARTED_NS + 10 * MS)
