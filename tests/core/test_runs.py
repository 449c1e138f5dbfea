"""Neighbouring frames of whole lines, taken at once: nobody can tell it from the events."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.core.projection import MAX_TIME_NS, REST_NS, SessionProjection
from roost.core.recording import Damage, Frame, Kind, Reader
from roost.core.runs import MOST_FRAMES, join, times, whole_lines
from roost.core.text import Cleaner, Line
from roost.model.events import Log
from tests.core.test_text_cuts import PARTS, SIZES
from tests.projection.tape import MS, Tape

PAUSE_NS = 10

LINE_PARTS = st.sampled_from([*PARTS, b"plain", b"\x1b[32mgreen\x1b[0m", b"a\r\n", b"\x1b[1mb\x1b[m\r\n", b"c\n"])
CHUNKS = st.lists(
    st.tuples(st.lists(LINE_PARTS, max_size=4).map(b"".join), st.sampled_from([b"\r\n", b"\r\n", b"\n", b""])).map(
        b"".join
    ),
    max_size=12,
)


def frame(payload: bytes, time_ns: int = 0, kind: int = Kind.OUT) -> Frame:
    return Frame(0, kind, time_ns, payload)


# Which frames are a run


def test_a_run_is_frames_of_one_stream_that_end_with_a_line_feed() -> None:
    queue: list = [frame(b"a\n"), frame(b"b\nc\n"), frame(b"d")]
    assert whole_lines(queue, 0, PAUSE_NS) == queue[:2]
    assert whole_lines(queue, 1, PAUSE_NS) == queue[1:2]
    assert whole_lines(queue, 2, PAUSE_NS) == []


@pytest.mark.parametrize(
    "other",
    [frame(b"b\n", kind=Kind.ERR), frame(b"b\n", kind=Kind.IN), frame(b""), frame(b"b\n", PAUSE_NS), Damage(0, 1, "x")],
)
def test_a_run_ends_before_what_is_no_neighbour(other: Frame | Damage) -> None:
    assert whole_lines([frame(b"a\n"), other], 0, PAUSE_NS) == [frame(b"a\n")]


def test_a_run_ends_where_time_steps_back() -> None:
    assert whole_lines([frame(b"a\n", 2), frame(b"b\n", 1)], 0, PAUSE_NS) == [frame(b"a\n", 2)]


@pytest.mark.parametrize("other", [frame(b"a\n", kind=Kind.IN), Damage(0, 1, "x")])
def test_what_is_no_output_begins_no_run(other: Frame | Damage) -> None:
    assert whole_lines([other, frame(b"a\n")], 0, PAUSE_NS) == []


def test_a_run_is_not_endless() -> None:
    assert len(whole_lines([frame(b"a\n")] * (MOST_FRAMES + 1), 0, PAUSE_NS)) == MOST_FRAMES


def test_each_line_has_the_time_of_its_frame() -> None:
    run = [frame(b"a\n", 1), frame(b"b\nc\n", 2)]
    assert join(run) == b"a\nb\nc\n"
    assert join(run[:1]) == b"a\n"
    assert times(run, 100, 3) == [101, 102, 102]
    assert times(run[:1], 100, 1) == [101]


# What comes of them


@settings(max_examples=300, deadline=None)
@given(chunks=CHUNKS, size=SIZES)
def test_rows_taken_at_once_are_the_lines_that_come_one_by_one(chunks: list[bytes], size: tuple[int, int, int]) -> None:
    at_once, singly = (Cleaner(size[2], columns=size[0], rows=size[1]) for _ in range(2))
    for now, chunk in enumerate(chunks):
        rows = at_once.take_rows(chunk, now, now)
        if rows is None:
            assert at_once.feed(chunk, now) == singly.feed(chunk, now)
        else:
            assert [Line(row, now) for row in rows] == singly.feed(chunk, now)
        assert at_once.state() == singly.state()


@settings(max_examples=150, deadline=None)
@given(chunks=CHUNKS, gaps=st.lists(st.sampled_from([0, 1, 5 * MS, REST_NS]), min_size=12, max_size=12))
def test_frames_fed_together_give_the_events_of_frames_fed_one_by_one(chunks: list[bytes], gaps: list[int]) -> None:
    tape = Tape()
    for chunk, gap in zip(chunks, gaps, strict=False):
        tape.time_ns += gap
        tape.out(chunk)
    frames = Reader().feed(tape.data)
    together, singly = SessionProjection("s1"), SessionProjection("s1")
    assert together.feed(frames) == [event for each in frames for event in singly.feed(iter([each]))]
    assert together.session == singly.session
    assert together.state() == singly.state()


def test_a_time_beyond_belief_is_cut_in_a_run_too() -> None:
    tape = Tape().out(b"first\r\n")
    frames = [*Reader().feed(tape.data), frame(b"a\r\n", MAX_TIME_NS + 5)]
    projection = SessionProjection("s1")
    assert [event.line for event in projection.feed(frames) if isinstance(event, Log)] == ["first", "a"]
    assert projection.session.last_output_ns is not None


def test_lines_that_are_too_long_are_not_taken_at_once() -> None:
    assert Cleaner(8).take_rows(b"x" * 5 + b"\n", 0, 0) is None
    assert Cleaner(8).take_rows(b"x" * 4 + b"\n", 0, 0) == ["xxxx"]
