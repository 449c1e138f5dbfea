"""`codex exec --json` is listened to; nothing is said to it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roost.agents.codex_exec import ONE_SHOT, CodexExec
from roost.agents.driver import Busy, Decision, Finished, Item, Opening, Ready, Refused, Stopped
from roost.model.agents import AgentOptions, Definition
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import Conversation, Notice, Output, Progress, Unknown, Usage


def opened(*args: str, model: str | None = None, partial: bool = False) -> CodexExec:
    codec = CodexExec()
    options = AgentOptions(model=model, partial=partial)
    definition = Definition(command=["codex"], driver="codex", cwd="/p", options=options)
    assert codec.open(Opening(argv=["codex", "exec", *args], definition=definition)) == [Ready(), Busy(True)]
    return codec


def say(codec: CodexExec, **message: Any) -> list[Item]:
    return codec.receive(json.dumps(message).encode(), 1)


def test_prompts_are_refused_and_told_why() -> None:
    codec, turn = opened("--json", "x"), PendingTurn("t", "more")
    assert codec.prompt(turn, []) == codec.steer(turn, []) == [Refused("t", ONE_SHOT)]


def test_what_it_cannot_do_is_told() -> None:
    codec = opened("--json", "x")
    told = [*codec.interrupt(), *codec.change("model", "m")]
    assert [one.code for one in told if isinstance(one, Notice)] == ["CANNOT_INTERRUPT", "CHANGE_REFUSED"]
    assert codec.answer(OpenApproval("a", "", {}, "", [], "tool", 0), Decision(allow=True)) == []


@pytest.mark.parametrize(
    ("args", "option", "model"),
    [
        (["--json", "-m", "a", "x"], None, "a"),
        (["--json", "-m", "a", "x"], "b", "b"),
        (["--json", "x"], None, "unknown"),
    ],
)
def test_the_model_is_the_one_asked_for(args: list[str], option: str | None, model: str) -> None:
    codec = opened(*args, model=option)
    said = say(codec, type="thread.started", thread_id="t")
    assert said == [Conversation(0, 0, "t", None if model == "unknown" else model)]
    told = say(codec, type="turn.completed", usage={"input_tokens": 5, "output_tokens": 1})
    assert told[0] == Usage(0, 0, model, 5, 1)


def test_what_a_turn_spent_is_what_came_on_top() -> None:
    codec = opened("--json", "x")
    say(codec, type="turn.completed", usage={"input_tokens": 5})
    told = say(codec, type="turn.completed", usage={"input_tokens": 12, "cached_input_tokens": 4})
    assert told[0] == Usage(0, 0, "unknown", 3, 0, 4)
    again = say(codec, type="turn.completed", usage={"input_tokens": 12, "cached_input_tokens": 4})
    assert [one for one in again if isinstance(one, Usage)] == []


def test_what_a_turn_spent_that_went_on_is_not_known() -> None:
    codec = opened("--json", "resume", "id", "x")
    told = say(codec, type="turn.completed", usage={"input_tokens": 50000})
    assert [one.code for one in told if isinstance(one, Notice)] == ["USAGE_NOT_KNOWN"]


def test_a_to_do_list_is_progress_as_it_changes() -> None:
    codec = opened("--json", "x")
    todo = [{"text": "a", "completed": True}, {"text": "b", "completed": False}, {"text": "c", "completed": False}]
    item = {"id": "i", "type": "todo_list", "items": todo}
    states = [{"text": "a", "state": "done"}, {"text": "b", "state": "active"}, {"text": "c", "state": "pending"}]
    for word in ("started", "updated", "completed"):
        assert say(codec, type=f"item.{word}", item=item) == [Progress(0, 0, 1, 3, "b", states)]
    done = {**item, "items": [{"text": "a", "completed": True}]}
    assert say(codec, type="item.updated", item=done) == [Progress(0, 0, 1, 1, None, [{"text": "a", "state": "done"}])]


def test_of_other_items_only_beginning_and_end_are_told() -> None:
    item = {"id": "i", "type": "command_execution", "command": "ls"}
    assert say(opened("--json", "x"), type="item.updated", item=item) == []


def test_pieces_of_a_plan_are_told_only_where_they_are_wanted() -> None:
    message = {"type": "item.plan.delta", "item_id": "i", "delta": "first"}
    assert say(opened("--json", "x", partial=True), **message) == [Output(0, 0, "first", "i", partial=True)]
    assert say(opened("--json", "x"), **message) == []


def test_a_question_that_nobody_can_answer_is_told() -> None:
    told = say(opened("--json", "x"), type="request_user_input", call_id="c", questions=[{"question": "Which?"}])
    assert [(one.code, one.message) for one in told if isinstance(one, Notice)] == [
        ("QUESTION_NOT_ANSWERED", "codex exec cannot be answered, and asks: Which?")
    ]


def test_a_turn_that_failed_for_want_of_quota_waits_for_it() -> None:
    codec = opened("--json", "x")
    told = say(codec, type="turn.failed", error={"message": "You've hit your usage limit."})
    message = "You've hit your usage limit."
    assert told == [Stopped("quota", message), Busy(False), Finished("failed", "", message)]


@pytest.mark.parametrize(
    "message",
    [{"type": "from.tomorrow"}, {"type": "item.started", "item": {"type": "tea"}}, {"type": 1}, {}],
)
def test_what_is_not_understood_is_told_as_it_was(message: dict[str, Any]) -> None:
    told = say(opened("--json", "x"), **message)
    assert [one.line for one in told if isinstance(one, Unknown)] == [json.dumps(message)]
