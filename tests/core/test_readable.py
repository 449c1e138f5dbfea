"""A conversation told as lines."""

from __future__ import annotations

from typing import Any

import pytest

from roost.core.loglines import told
from roost.core.readable import asked, lines_in, money, one_line, readable, took
from roost.model import events as e

SHOWN: list[tuple[e.AnyEvent, list[str]]] = [
    (e.Log(1, 0, "a line", 1, "stderr"), ["a line"]),
    (e.ScreenShown(1, 0, "one\ntwo", 80, 24), ["one", "two"]),
    (e.StateChange(1, 0, "idle"), []),
    (e.Turn(1, 0, "t", "queued", prompt="Fix it\nplease", by="owner"), ["› Fix it", "  please"]),
    (e.Turn(1, 0, "t", "queued"), ["› "]),
    (e.Turn(1, 0, "t", "sent"), []),
    (e.Turn(1, 0, "t", "started"), []),
    (e.Turn(1, 0, "t", "completed", text="Done", duration_ms=3210), ["✓ completed after 3.2 s"]),
    (e.Turn(1, 0, "t", "failed", reason="no credit\nat all", duration_ms=20), ["✗ failed after 20 ms: no credit"]),
    (e.Turn(1, 0, "t", "interrupted"), ["■ interrupted"]),
    (e.Turn(1, 0, "t", "refused", reason="full"), ["✗ the prompt was refused: full"]),
    (e.Turn(1, 0, "t", "cancelled"), ["– the prompt was taken back"]),
    (e.Turn(1, 0, "t", "steered"), ["↳ taken into the turn that runs"]),
    (e.Output(1, 0, "Hello\n\nthere\n"), ["Hello", "", "there"]),
    (e.Output(1, 0, "Hel", partial=True), []),
    (e.Output(1, 0, "below", parent_tool_use_id="x"), ["  below"]),
    (e.Thinking(1, 0, "Hm\nso"), ["∴ Hm", "  so"]),
    (e.Thinking(1, 0, " "), []),
    (e.Thinking(1, 0, "H", partial=True), []),
    (e.ToolCall(1, 0, "c", "Bash", title="Running ls"), ["● Running ls"]),
    (e.ToolCall(1, 0, "c", "Bash"), ["● Bash"]),
    (e.ToolResult(1, 0, "c", "Bash", "one\ntwo\nthree\n", duration_ms=300), ["  └ one (+2 lines) · 300 ms"]),
    (e.ToolResult(1, 0, "c", "Bash", "one\ntwo"), ["  └ one (+1 line)"]),
    (e.ToolResult(1, 0, "c", "Bash"), ["  └ done"]),
    (e.ToolResult(1, 0, "c", "Bash", is_error=True), ["  ✗ failed"]),
    (e.ToolResult(1, 0, "c", "Bash", "cut", True, 9, details={"interrupted": True}), ["  ■ interrupted · 9 ms"]),
    (e.ToolResult(1, 0, "c", "Bash", "no", True, details={"denied_as": "user-rejected"}), ["  ■ interrupted"]),
    (e.FileChange(1, 0, "a.py", "modified", added=3, removed=1), ["  ± a.py +3 −1"]),
    (e.FileChange(1, 0, "a.py", "created", added=3), ["  ± a.py created +3 −0"]),
    (e.FileChange(1, 0, "b.py", "renamed", renamed_from="a.py"), ["  ± a.py → b.py renamed"]),
    (e.Progress(1, 0, 1, 3, "Write tests"), ["▤ 1 of 3: Write tests"]),
    (e.Progress(1, 0, 3, 3), ["▤ 3 of 3"]),
    (e.Permission(1, 0, "s-1", "Bash", title="Running rm x"), ["? Running rm x?  [s-1]"]),
    (e.Permission(1, 0, "s-1", "Ask", title="Which one?", kind="question"), ["? Which one?  [s-1]"]),
    (
        e.Permission(1, 0, "s-1", "ExitPlanMode", {"plan": "# Do it\n1. look\n"}, title="A plan", kind="plan"),
        ["? A plan  [s-1]", "  # Do it", "  1. look"],
    ),
    (e.Permission(1, 0, "s-1", "ExitPlanMode", {"plan": 3}, title="A plan", kind="plan"), ["? A plan  [s-1]"]),
    (e.Permission(1, 0, "s-1", decision="allow", by="anna"), ["  ✓ allowed by anna"]),
    (
        e.Permission(1, 0, "s-1", decision="allow", by="anna", details={"input": {"command": "ls ä"}}),
        ['  ✓ allowed by anna, edited to {"command": "ls ä"}'],
    ),
    (
        e.Permission(1, 0, "s-1", decision="allow", kind="question", details={"input": {"answers": {}}}),
        ["  ✓ answered"],
    ),
    (e.Permission(1, 0, "s-1", decision="deny", by="anna", reason="no"), ["  ✗ denied by anna: no"]),
    (e.Permission(1, 0, "s-1", decision="withdrawn"), ["  – no longer asked"]),
    (e.Usage(1, 0, "m", 10, 5, 100, 7, cost_usd=0.04), ["∑ 117 tokens in, 5 out · $0.0400"]),
    (e.Usage(1, 0, "m", 10, 5), ["∑ 10 tokens in, 5 out"]),
    (e.Conversation(1, 0, "id", "opus", "default"), ["— id, opus, default"]),
    (e.Conversation(1, 0, details={"commands": []}), []),
    (e.Notice(1, 0, "API_RETRY", "trying again"), ["! trying again"]),
    (e.Notice(1, 0, "COMPACTED"), ["! COMPACTED"]),
    (e.Notice(1, 0, "TELEMETRY", "api_request", source="telemetry"), []),
    (e.Error(1, 0, "LOST", "gone"), ["✗ LOST: gone"]),
    (e.Unknown(1, 0, '{"odd": 1}'), ['… {"odd": 1}']),
    (e.Mark(1, 0, "name"), []),
    (e.Complete(1, 0, 3), ["— the agent ended with exit code 3"]),
    (e.Complete(1, 0, None, "SIGKILL"), ["— the agent ended with SIGKILL"]),
    (e.Complete(1, 0, reason="keeper ended"), ["— the agent ended: keeper ended"]),
]


@pytest.mark.parametrize(("event", "lines"), SHOWN, ids=str)
def test_an_event_is_told_in_lines(event: e.AnyEvent, lines: list[str]) -> None:
    assert told(event) == lines


def test_every_type_of_event_can_be_told() -> None:
    assert {e.event_type(event) for event, _ in SHOWN} == set(e.EVENT_TYPES)


def test_what_nobody_knows_is_not_told() -> None:
    assert readable("from_tomorrow", {"a": 1}) == []


@pytest.mark.parametrize(
    "text",
    [
        "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07red",
        "\x1b]8;;http://x\x1b\\red",
        "r\x07e\x9fd",
        "\x1b(Bred\x1b",
        "red\x7f",
    ],
)
def test_nothing_that_a_terminal_acts_on_is_left(text: str) -> None:
    assert lines_in(text) == ["red"]


def test_line_breaks_of_all_kinds_part_lines() -> None:
    assert lines_in("a\r\nb\rc\nd\te") == ["a", "b", "c", "d\te"]


def test_what_sums_up_is_cut_and_what_was_said_is_not() -> None:
    long = "x" * 5000
    assert len(one_line(long)) == 400
    assert one_line("\n\n  second  \nthird") == "second"
    assert told(e.Output(1, 0, long)) == [long]


@pytest.mark.parametrize(
    ("value", "shown"), [(None, ""), (40, "40 ms"), (3210, "3.2 s"), (59_990, "60.0 s"), (125_000, "2 min 5 s")]
)
def test_spans(value: float | None, shown: str) -> None:
    assert took(value) == shown


def test_money() -> None:
    assert [money(value) for value in (None, 0.04, 1.251)] == ["", "$0.0400", "$1.25"]


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({"kind": "tool", "tool": "Bash"}, "Bash?"),
        ({"kind": "plan", "title": "Proposing a plan"}, "Proposing a plan"),
        ({}, "something"),
    ],
)
def test_what_is_asked_in_a_line(data: dict[str, Any], line: str) -> None:
    assert asked(data) == line
