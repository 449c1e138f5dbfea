"""Agents that go in circles."""

from __future__ import annotations

import pytest

from roost.core.loops import LINES_A_BLOCK, MAX_DIFFERENT, SPREAD_NS, WINDOW_NS, Loop, LoopWatch
from roost.model.events import AnyEvent, Log, StateChange, ToolCall, ToolResult, Turn

S = 1_000_000_000


def watch(*events: AnyEvent) -> LoopWatch:
    made = LoopWatch(calls=3, lines=4)
    made.take(events)
    return made


def call(time_s: int, command: str = "ls", result: str = "a") -> list[AnyEvent]:
    name = f"id-{time_s}"
    shown = f"Running {command}"
    return [
        ToolCall(1, time_s * S, name, "Bash", {"command": command}, title=shown),
        ToolResult(2, time_s * S, name, "Bash", result),
    ]


def error(time_s: int, text: str = "error: no space left") -> Log:
    return Log(1, time_s * S, text, time_s)


def test_the_same_call_with_the_same_result_is_a_loop() -> None:
    found = watch(*call(1), *call(2), *call(3))
    assert found.found(4 * S) == Loop("the same call with the same result: Running ls", 3, 1 * S)


def test_the_same_call_with_another_result_is_none() -> None:
    assert watch(*call(1), *call(2, result="b"), *call(3, result="c")).found(4 * S) is None


def test_other_calls_between_make_no_difference_until_there_are_many() -> None:
    mixed = [*call(1), *call(2, "pwd"), *call(3), *call(4, "id"), *call(5)]
    assert watch(*mixed).found(6 * S) is not None
    assert watch(*mixed, *call(6, "who")).found(7 * S) is None


def test_a_new_turn_begins_anew() -> None:
    assert watch(*call(1), *call(2), Turn(1, 1, "t2", "started"), *call(3)).found(4 * S) is None
    assert watch(*call(1), *call(2), Turn(1, 1, "t2", "queued"), *call(3)).found(4 * S) is not None


def test_a_result_without_its_call_is_passed_over() -> None:
    assert watch(ToolResult(1, 1, "x"), StateChange(1, 1, "running")).found(1) is None


def test_calls_without_results_do_not_pile_up() -> None:
    many: list[AnyEvent] = [ToolCall(1, 1, str(number), "Bash") for number in range(MAX_DIFFERENT + 1)]
    made = watch(*many)
    assert len(made._open) == 1


def test_the_same_error_line_over_a_while_is_a_loop() -> None:
    made = watch(*(error(10 * number) for number in range(4)))
    assert made.found(31 * S) == Loop("the same error line: error: no space left", 4, 0)
    assert made.found(31 * S + 4 * SPREAD_NS) is None


def test_numbers_in_a_line_do_not_make_it_another() -> None:
    assert watch(*(error(10 * number, f"Error 0xf{number} in try {number}") for number in range(4))).found(31 * S)


def test_a_burst_is_no_loop() -> None:
    assert watch(*(error(1) for _ in range(40))).found(2 * S) is None


def test_few_repeats_or_lines_that_are_no_errors_are_no_loop() -> None:
    assert watch(*(error(10 * number) for number in range(3))).found(21 * S) is None
    assert watch(*(error(10 * number, "all is well") for number in range(9))).found(91 * S) is None
    assert watch(error(1, "  ")).found(1) is None


@pytest.mark.parametrize(
    "line", ["Found 0 errors. Watching.", "12 passed, 0 failed", "failed=0 ok=3", "no type errors"]
)
def test_a_line_that_says_there_is_no_trouble_is_no_error(line: str) -> None:
    assert watch(*(error(10 * number, line) for number in range(9))).found(81 * S) is None


def test_repeats_with_a_long_while_between_begin_anew() -> None:
    apart = WINDOW_NS // S + 1
    assert watch(*(error(apart * number) for number in range(4))).found(apart * 3 * S) is None


def test_of_a_flood_only_the_newest_lines_are_looked_at() -> None:
    flood = [error(0, f"error: {'x' * number}") for number in range(LINES_A_BLOCK + 30)]
    assert len(watch(*flood)._errors) == LINES_A_BLOCK


def test_different_errors_do_not_pile_up() -> None:
    made = LoopWatch(calls=3, lines=4)
    for number in range(MAX_DIFFERENT + 50):
        made.take([error(0, f"error: {'x' * number}")])
    assert len(made._errors) == MAX_DIFFERENT
