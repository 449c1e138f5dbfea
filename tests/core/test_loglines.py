"""Lines out of events."""

from typing import Any

import pytest

from roost.core.loglines import LineFilter, lines_form, lines_of, parse_time
from roost.core.ring import Entry
from roost.errors import InvalidRequest
from roost.model.blocks import Block
from roost.model.events import Log, Output, StateChange, ToolCall

BLOCK = Block(
    1,
    "s",
    "a",
    1,
    4,
    [
        Log(1, 1000, "one", 1),
        StateChange(2, 2000, "idle"),
        Log(3, 3000, "twö", 1, "stderr"),
        Log(4, 4000, "one two", 2),
    ],
)


@pytest.mark.parametrize(
    ("fields", "seqs"),
    [
        ({}, [1, 3, 4]),
        ({"since_ns": 3000}, [3, 4]),
        ({"until_ns": 3000}, [1]),
        ({"stream": "stderr"}, [3]),
        ({"grep": "one"}, [1, 4]),
        ({"grep": "o.e"}, []),
        ({"grep": "one", "since_ns": 2000}, [4]),
    ],
)
def test_filters_choose_lines(fields: dict[str, Any], seqs: list[int]) -> None:
    wanted = LineFilter(**fields)
    assert [line.seq for line in lines_of(BLOCK, 0, wanted)] == seqs
    assert [BLOCK.events[index].seq for index, _ in lines_form(wanted).frames(Entry(BLOCK), 0)] == seqs


def test_lines_begin_after_a_place() -> None:
    assert [line.line for line in lines_of(BLOCK, 1, LineFilter())] == ["twö", "one two"]


CONVERSATION = Block(
    1, "s", "a", 1, 3, [Output(1, 1000, "one\ntwo"), ToolCall(2, 2000, "c", "Bash"), Log(3, 3000, "err", 7, "stderr")]
)


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({}, [("one", 1), ("two", 2), ("● Bash", 1), ("err", 7)]),
        ({"since_ns": 2000}, [("● Bash", 1), ("err", 7)]),
        ({"until_ns": 2000}, [("one", 1), ("two", 2)]),
        ({"stream": "stderr"}, [("err", 7)]),
        ({"grep": "two"}, [("two", 1)]),
    ],
)
def test_a_transcript_has_every_event_in_lines(fields: dict[str, Any], lines: list[tuple[str, int]]) -> None:
    found = list(lines_of(CONVERSATION, 0, LineFilter(**fields, transcript=True)))
    assert [(line.line, line.line_num) for line in found] == lines


def test_what_was_printed_alone_is_no_transcript() -> None:
    assert [line.line for line in lines_of(CONVERSATION, 0, LineFilter())] == ["err"]


def test_lines_of_one_event_go_out_together() -> None:
    form = lines_form(LineFilter(transcript=True))
    assert next(iter(form.frames(Entry(CONVERSATION), 0))) == (0, b"one\ntwo\n")


def test_plain_text_is_the_line_and_a_line_feed() -> None:
    assert [text for _, text in lines_form(LineFilter()).frames(Entry(BLOCK), 1)] == ["twö\n".encode(), b"one two\n"]


def test_forms_that_ask_for_the_same_are_the_same() -> None:
    assert lines_form(LineFilter()) is lines_form(LineFilter())
    assert lines_form(LineFilter()) is not lines_form(LineFilter(grep="x"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000_000),
        ("1970-01-01T00:00:01.5Z", 1_500_000_000),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-02", 86_400_000_000_000),
        ("1970-01-01T00:00:01", 1_000_000_000),
    ],
)
def test_times(text: str, expected: int) -> None:
    assert parse_time(text, "since") == expected


def test_no_time_is_none() -> None:
    assert parse_time(None, "since") is None


@pytest.mark.parametrize("text", ["", "yesterday", "12", "2026-13-01T00:00:00Z", "2026-01-01T25:00:00Z"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parse_time(text, "until")
    assert caught.value.details["field"] == "until"
