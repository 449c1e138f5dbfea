"""The bytes that clients see."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.wire import encode_json, envelope, event_data, sse_frame, sse_message, timestamp
from roost.model.events import (
    EVENT_TYPES,
    AnyEvent,
    Complete,
    Conversation,
    Error,
    FileChange,
    Log,
    Mark,
    Notice,
    Output,
    Permission,
    Progress,
    ScreenShown,
    StateChange,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
    Unknown,
    Usage,
    decode_events,
    encode_events,
    event_type,
)

NOW = 1_795_240_000_123_456_789
EVENTS: list[AnyEvent] = [
    Log(1, NOW, "Line 2", 2),
    Log(2, NOW, 'quo"te \\ \t ünï \u2028', 1, "stderr"),
    StateChange(3, NOW, "running", "starting", None),
    Complete(4, NOW, 3, None, 1500, "exited"),
    Error(5, NOW, "RECORDING_DAMAGED", "broken", {"offset": 7}),
    ScreenShown(6, NOW, "a\nb", 80, 24, "title"),
    Mark(7, NOW + 1_000_000, "note", {"text": "x", "deep": [1, {"a": None}]}),
    Conversation(8, NOW, "c1", "m"),
    Turn(9, NOW, "t1", "queued", prompt="do it"),
    Output(10, NOW, "said", "m1"),
    Thinking(11, NOW, "thought"),
    ToolCall(12, NOW, "u1", "Bash", {"command": "ls"}, "Running ls"),
    ToolResult(13, NOW, "u1", "Bash", "a.txt", duration_ms=3),
    FileChange(14, NOW, "a.txt", "created", 3, 1, 0),
    Progress(15, NOW, 1, 2, "second"),
    Permission(16, NOW, "p1", "Bash", {}, "May I?"),
    Usage(17, NOW, "m", 1, 2),
    Notice(18, NOW, "API_RETRY"),
    Unknown(19, NOW, "{"),
]


def test_a_log_event_is_laid_out_as_promised() -> None:
    (body,) = encode_json("codex-1", "s1", EVENTS[:1])
    assert body == (
        b'{"type":"log","timestamp":"2026-11-21T05:46:40.123Z","agent_name":"codex-1","session_id":"s1",'
        b'"data":{"line":"Line 2","line_num":2,"stream":"stdout"}}'
    )


@pytest.mark.parametrize(
    ("event", "data"),
    [
        (EVENTS[1], {"line": 'quo"te \\ \t ünï \u2028', "line_num": 1, "stream": "stderr"}),
        (EVENTS[2], {"state": "running", "previous": "starting", "reason": None}),
        (EVENTS[3], {"exit_code": 3, "signal": None, "duration_ms": 1500, "reason": "exited"}),
        (EVENTS[4], {"code": "RECORDING_DAMAGED", "message": "broken", "details": {"offset": 7}}),
        (EVENTS[5], {"text": "a\nb", "cols": 80, "rows": 24, "title": "title"}),
        (EVENTS[6], {"name": "note", "data": {"text": "x", "deep": [1, {"a": None}]}}),
        (EVENTS[7], {"conversation_id": "c1", "model": "m", "details": {}, "source": "protocol"}),
    ],
)
def test_the_data_of_each_type(event: AnyEvent, data: dict) -> None:
    assert event_data(event) == data


def test_every_type_has_data_and_the_fast_path_says_the_same_as_the_plain_one() -> None:
    assert {event_type(event) for event in EVENTS} == set(EVENT_TYPES)
    for event, body in zip(EVENTS, encode_json("a.b", "s1", EVENTS), strict=True):
        assert json.loads(body) == envelope("a.b", "s1", event)


@given(st.lists(st.builds(Log, st.integers(1, 9), st.integers(0, 1 << 62), st.text(), st.integers(1, 9))))
def test_any_line_is_valid_json_without_line_breaks(events: list[Log]) -> None:
    for event, body in zip(events, encode_json("a", "s", events), strict=True):
        assert json.loads(body)["data"]["line"] == event.line
        assert not re.search(rb"[\r\n]", body)


def test_a_stream_frame_has_position_type_and_data() -> None:
    (body,) = encode_json("a", "s1", EVENTS[:1])
    assert sse_frame(EVENTS[0], "s1:1", body) == b"id: s1:1\nevent: log\ndata: " + body + b"\n\n"


def test_a_message_has_no_position() -> None:
    assert sse_message("ping", {"n": 1}) == b'event: ping\ndata: {"n":1}\n\n'


@pytest.mark.parametrize(
    ("time_ns", "text"),
    [(0, "1970-01-01T00:00:00.000Z"), (NOW, "2026-11-21T05:46:40.123Z"), (999_999, "1970-01-01T00:00:00.000Z")],
)
def test_times_are_rfc_3339_in_utc_with_milliseconds(time_ns: int, text: str) -> None:
    assert timestamp(time_ns) == text


def test_the_largest_time_a_projection_makes_can_be_shown() -> None:
    assert timestamp((1 << 62) + (1 << 61)) == "2189-03-16T23:50:27.641Z"
    assert timestamp(-(1 << 61)).startswith("1896-")


def test_events_come_back_from_a_block_as_they_were() -> None:
    assert decode_events(encode_events(EVENTS)) == EVENTS
