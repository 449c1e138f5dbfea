"""How turns end, whose turn it was, and what it cost."""

from __future__ import annotations

from typing import Any

import pytest

from roost.agents.driver import Finished, Item, Stopped, Taken
from roost.model.events import Turn, Usage
from tests.agents.claude.talk import Talk, only
from tests.agents.claude.transcripts import STREAMING


def amounts(tokens: int, cost: float) -> dict[str, Any]:
    """A model's use, as the CLI tells it."""
    return {"inputTokens": tokens, "outputTokens": tokens // 2, "costUSD": cost, "cacheReadInputTokens": 1}


def usages(items: list[Item]) -> list[tuple[str, int, float | None]]:
    """Model, input tokens and cost of each usage event."""
    return [(item.model, item.input_tokens, item.cost_usd) for item in items if isinstance(item, Usage)]


def ended(**fields: Any) -> Finished:
    """How a turn of that result ended."""
    return only(Talk().result(**fields), Finished)


# How it went


def test_whether_it_failed_is_what_the_error_flag_says() -> None:
    assert ended(result="done") == Finished("completed", "done", None, {})
    told = ended(result="API Error: 400", is_error=True, terminal_reason="api_error")
    assert told == Finished("failed", "", "API Error: 400", {"terminal_reason": "api_error"})


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        (
            {"subtype": "error_max_turns", "errors": ["Reached 2 turns"]},
            "Reached 2 turns",
        ),
        ({"subtype": "error_during_execution", "errors": ["[ede_diagnostic] x", 7, "a", "b"]}, "a; b"),
        ({"subtype": "error_max_turns"}, "error_max_turns"),
        ({"subtype": ""}, "the turn failed"),
    ],
)
def test_a_failure_has_a_reason(fields: dict[str, Any], reason: str) -> None:
    told = ended(is_error=True, **fields)
    assert (told.state, told.reason) == ("failed", reason)


@pytest.mark.parametrize("why", ["aborted_streaming", "aborted_tools"])
def test_an_interrupt_is_no_failure(why: str) -> None:
    assert ended(subtype="error_during_execution", is_error=True, terminal_reason=why).state == "interrupted"


def test_an_older_release_says_only_in_words_that_it_was_interrupted() -> None:
    talk = Talk()
    talk.blocks({"type": "text", "text": "[Request interrupted by user for tool use]"}, kind="user")
    failed = {"subtype": "error_during_execution", "is_error": True}
    assert only(talk.result(**failed), Finished).state == "interrupted"
    assert only(talk.result(**failed), Finished).state == "failed"


def test_a_result_that_is_odd_in_part_still_ends_the_turn() -> None:
    told = Talk().result(result=7, errors="x", usage="y", modelUsage={"opus": {"inputTokens": -1}}, is_error=False)
    assert only(told, Finished).state == "completed"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"api_error_status": 401}, "login"),
        ({"result": "Not logged in · Please run /login"}, "login"),
        ({"api_error_status": 429}, "quota"),
    ],
)
def test_a_failure_may_say_what_stops_the_agent(fields: dict[str, Any], problem: str) -> None:
    talk = Talk()
    assert only(talk.result(is_error=True, **fields), Stopped).problem == problem
    assert [item for item in talk.result(local_command="cost") if isinstance(item, Stopped)] == []
    assert only(talk.result(), Stopped).problem is None


# Whose turn


def test_a_turn_of_a_prompt_ends_it() -> None:
    talk = Talk()
    native = talk.prompts("turn-1")
    told = talk.result(user_message_uuids=[native])
    assert told[0] == Taken("turn-1", native)
    assert only(told, Finished).state == "completed"


def test_a_prompt_that_was_never_heard_of_again_ends_with_the_next_result() -> None:
    talk = Talk()
    talk.prompts("turn-1")
    assert [type(item) for item in talk.result()] == [Finished]
    assert talk.codec.save()["waiting"] == {}


def test_the_agent_may_have_turns_of_its_own() -> None:
    talk = Talk()
    assert talk.system("init", session_id="s")[0] == Taken()
    assert [type(item) for item in talk.result()] == [Finished]
    assert [type(item) for item in talk.result(origin={"kind": "task-notification"})] == [Taken, Finished]


def test_a_turn_of_its_own_does_not_end_that_of_a_prompt_that_waits() -> None:
    talk = Talk()
    native = talk.prompts("turn-1")
    assert Taken() not in talk.system("init", session_id="s")
    talk.restart()
    told = talk.result(origin={"kind": "task-notification"}, result="Done.", uuid="u1")
    turn = only(told, Turn)
    assert (turn.turn_id, turn.state, turn.text) == ("own-u1", "completed", "Done.")
    assert [item for item in told if isinstance(item, Finished | Taken)] == []
    assert only(talk.result(user_message_uuids=[native]), Finished).state == "completed"


def test_a_prompt_steered_too_late_does_not_end_that_of_the_next() -> None:
    talk = Talk()
    first = talk.prompts("turn-1")
    talk.say("command_lifecycle", command_uuid=first, state="started")
    late = talk.prompts("late", steer=True)
    talk.result(user_message_uuids=[first])
    talk.prompts("turn-2")
    talk.say("command_lifecycle", command_uuid=late, state="started")
    assert only(talk.result(user_message_uuids=[late]), Turn).state == "completed"
    assert only(talk.result(), Finished).state == "completed"


@pytest.mark.parametrize("fields", [{"local_command": "cost"}, {"origin": {"kind": "human"}}, {"origin": "x"}])
def test_other_results_end_the_prompt_that_waits(fields: dict[str, Any]) -> None:
    talk = Talk()
    talk.prompts("turn-1")
    assert only(talk.result(**fields), Finished).state == "completed"


# What it cost


def test_what_came_since_the_last_result_is_told_by_model() -> None:
    since = {"opus": amounts(10, 0.5), "haiku": amounts(4, 0.1), "idle": {}}
    told = Talk().result(modelUsage={"opus": amounts(100, 5.0)}, model_usage_since_last_result=since)
    assert usages(told) == [("opus", 10, 0.5), ("haiku", 4, 0.1)]


def test_totals_of_older_releases_are_made_differences() -> None:
    talk = Talk()
    assert usages(talk.result(modelUsage={"opus": amounts(10, 0.5)})) == [("opus", 10, 0.5)]
    talk.restart()
    told = talk.result(modelUsage={"opus": amounts(14, 0.6), "haiku": amounts(2, 0.1)})
    assert usages(told) == [("opus", 4, 0.1), ("haiku", 2, 0.1)]
    assert usages(talk.result(modelUsage={"opus": amounts(14, 0.6), "haiku": amounts(2, 0.1)})) == []


def test_a_total_that_begins_anew_is_whole() -> None:
    talk = Talk()
    talk.result(modelUsage={"opus": amounts(10, 0.5)})
    assert usages(talk.result(modelUsage={"opus": amounts(4, 0.2)})) == [("opus", 4, 0.2)]


def resumed(total: dict[str, Any], used: int) -> list[Item]:
    """The first result of an older release that goes on with a conversation."""
    talk = Talk([*STREAMING, "--resume=x"])
    talk.system("init", model="opus")
    return talk.result(modelUsage=total, usage={"input_tokens": used, "output_tokens": 1})


def test_a_total_over_the_whole_conversation_does_not_count_for_this_process() -> None:
    assert usages(resumed({"opus": amounts(500, 9.0)}, 10)) == [("opus", 10, None)]
    assert usages(resumed({"fable": amounts(500, 9.0)}, 10)) == [("fable", 10, None)]


def test_a_total_of_the_process_alone_counts_although_the_conversation_goes_on() -> None:
    assert usages(resumed({"opus": amounts(10, 0.5)}, 10)) == [("opus", 10, 0.5)]
    assert usages(resumed({}, 10)) == []


@pytest.mark.parametrize("usage", ["x", None, [1]])
def test_a_turns_own_use_may_be_missing(usage: object) -> None:
    talk = Talk([*STREAMING, "--resume=x"])
    told = talk.result(modelUsage={"opus": amounts(10, 0.5)}, usage=usage)
    assert usages(told) == [("opus", 10, 0.5)]


@pytest.mark.parametrize("total", ["x", None, {"opus": {"inputTokens": "many"}}])
def test_totals_that_are_odd_tell_nothing(total: object) -> None:
    assert [type(item) for item in Talk().result(modelUsage=total)] == [Taken, Finished]


def test_after_the_first_result_totals_are_differences_again() -> None:
    talk = Talk([*STREAMING, "--resume=x"])
    talk.result(modelUsage={"opus": amounts(500, 9.0)}, usage={"input_tokens": 10})
    assert usages(talk.result(modelUsage={"opus": amounts(510, 9.5)})) == [("opus", 10, 0.5)]
