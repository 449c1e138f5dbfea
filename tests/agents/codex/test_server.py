"""A conversation with `codex app-server`: what is asked of it when, and what becomes of what it says."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roost.agents.codex_server import DELTAS
from roost.agents.driver import Busy, Finished, Image, Item, Ready, Refused, Stopped, Taken, Withdrawn
from roost.model.agents import AgentOptions
from roost.model.conversations import PendingTurn
from roost.model.events import Conversation, Error, Notice, Output, Progress, Thinking, ToolResult, Unknown, Usage
from tests.agents.codex.talk import NATIVE, THREAD, Talk


def of(kind: type, items: list[Item]) -> list[Any]:
    return [item for item in items if isinstance(item, kind)]


def test_it_is_greeted_asked_for_a_thread_and_then_ready() -> None:
    talk = Talk(AgentOptions(model="gpt-5.5", permission_mode="on-request,read-only", append_system_prompt="Be brief."))
    hello, initialized, start = talk.written
    assert hello["method"] == "initialize"
    assert hello["params"]["clientInfo"]["name"] == "roost"
    assert set(DELTAS) <= set(hello["params"]["capabilities"]["optOutNotificationMethods"])
    assert initialized == {"method": "initialized"}
    assert (start["method"], start["params"]) == (
        "thread/start",
        {
            "cwd": "/p",
            "model": "gpt-5.5",
            "approvalPolicy": "on-request",
            "sandbox": "read-only",
            "developerInstructions": "Be brief.",
        },
    )
    assert of(Conversation, talk.items) == [Conversation(0, 0, THREAD, "gpt-5.5")]
    assert talk.items[-1] == Ready()


def test_pieces_are_asked_for_only_where_they_are_wanted() -> None:
    hello = Talk(AgentOptions(partial=True)).written[0]
    assert set(DELTAS).isdisjoint(hello["params"]["capabilities"]["optOutNotificationMethods"])


@pytest.mark.parametrize(
    ("options", "method"),
    [
        (AgentOptions(resume="old"), "thread/resume"),
        (AgentOptions(resume="old", fork=True), "thread/fork"),
    ],
)
def test_a_conversation_is_gone_on_with_or_copied(options: AgentOptions, method: str) -> None:
    asked = Talk(options).written[-1]
    assert (asked["method"], asked["params"]) == (method, {"threadId": "old", "excludeTurns": True, "cwd": "/p"})


@pytest.mark.parametrize("at", ["initialize", "thread"])
def test_without_a_thread_every_prompt_is_refused_and_told_why(at: str) -> None:
    talk = Talk(threaded=False)
    if at == "thread":
        talk.answer({})
    told = talk.fail("no rollout found")
    assert [(one.code, one.message) for one in of(Error, told)] == [("CONVERSATION_FAILED", "no rollout found")]
    assert told[-1] == Ready()
    assert talk.prompt() == [Refused("t1", "codex has no conversation: no rollout found")]


def test_an_answer_without_a_thread_is_as_good_as_none() -> None:
    talk = Talk(threaded=False)
    talk.answer({})
    assert of(Error, talk.answer({"thread": None}))
    assert of(Refused, talk.prompt())


def test_a_prompt_is_a_turn_and_its_last_message_the_answer() -> None:
    talk = Talk()
    assert talk.start() == [Taken("t1", NATIVE)]
    request = talk.written[-1]
    assert (request["method"], request["params"]) == (
        "turn/start",
        {"threadId": THREAD, "input": [{"type": "text", "text": "do it"}]},
    )
    assert talk.tell("turn/started", turn={"id": NATIVE}) == []
    for text in ("first", "last", ""):
        talk.tell("item/completed", item={"type": "agentMessage", "id": text, "text": text})
    assert talk.end() == [Stopped(None), Finished("completed", "last")]


def test_the_answer_that_the_end_itself_tells_is_believed_first() -> None:
    talk = Talk()
    talk.start()
    items = [{"type": "agentMessage", "text": "told"}, {"type": "tea"}]
    assert of(Finished, talk.end(items=items)) == [Finished("completed", "told")]


def test_pictures_go_with_a_prompt() -> None:
    talk = Talk()
    talk.take(talk.codec.prompt(PendingTurn("t", "see"), [Image("image/png", "aGk=")]))
    assert talk.written[-1]["params"]["input"][1] == {"type": "image", "url": "data:image/png;base64,aGk="}


def test_a_turn_that_codex_does_not_take_is_refused() -> None:
    talk = Talk()
    talk.prompt()
    assert talk.fail("no such model") == [Refused("t1", "no such model")]
    talk.prompt("t2")
    assert talk.say({"id": 4, "error": None}) == [Refused("t2", "codex refused, and did not say why")]


def test_the_start_may_be_told_before_the_answer() -> None:
    talk = Talk()
    talk.prompt()
    assert talk.tell("turn/started", turn={"id": NATIVE}) == [Taken(None, NATIVE)]
    assert talk.answer({"turn": {"id": NATIVE}}) == [Taken("t1", NATIVE)]


def test_an_answer_after_the_end_begins_nothing() -> None:
    talk = Talk()
    talk.prompt()
    talk.tell("turn/started", turn={"id": NATIVE})
    talk.end()
    assert talk.answer({"turn": {"id": NATIVE}}) == []


def test_turns_of_other_threads_are_not_ours() -> None:
    talk = Talk()
    talk.start()
    other = {"threadId": "sub", "turn": {"id": "other", "status": "completed"}}
    assert talk.tell("turn/started", **other) == []
    assert talk.tell("turn/completed", **other) == []
    assert talk.tell("turn/started", turn={}) == []


def test_a_prompt_is_added_to_the_turn_that_runs() -> None:
    talk = Talk()
    talk.start()
    talk.take(talk.codec.steer(PendingTurn("t2", "also"), []))
    request = talk.written[-1]
    assert (request["method"], request["params"]["expectedTurnId"]) == ("turn/steer", NATIVE)
    assert talk.answer({"turnId": NATIVE}) == [Taken("t2", NATIVE)]


def test_a_prompt_for_a_turn_that_has_just_ended_is_one_of_its_own() -> None:
    talk = Talk()
    talk.start()
    talk.take(talk.codec.steer(PendingTurn("t2", "also"), []))
    steer = talk.written[-1]["id"]
    talk.end()
    talk.say({"id": steer, "error": {"message": "no active turn to steer"}})
    assert (talk.written[-1]["method"], talk.written[-1]["params"]["input"]) == (
        "turn/start",
        [{"type": "text", "text": "also"}],
    )
    assert talk.answer({"turn": {"id": "next"}}) == [Taken("t2", "next")]


def test_a_prompt_that_the_running_turn_does_not_take_is_refused() -> None:
    talk = Talk()
    talk.start()
    talk.take(talk.codec.steer(PendingTurn("t2", "also"), []))
    assert talk.fail("a review cannot be steered") == [Refused("t2", "a review cannot be steered")]


def test_a_prompt_for_a_turn_that_codex_has_not_named_yet_follows_it() -> None:
    talk = Talk()
    talk.prompt()
    talk.take(talk.codec.steer(PendingTurn("t2", "also"), []))
    assert [one["method"] for one in talk.written[-2:]] == ["turn/start", "turn/start"]


def test_a_turn_is_interrupted() -> None:
    talk = Talk()
    talk.start()
    talk.take(talk.codec.interrupt())
    request = talk.written[-1]
    assert (request["method"], request["params"]) == ("turn/interrupt", {"threadId": THREAD, "turnId": NATIVE})
    assert talk.answer({}) == []
    assert of(Finished, talk.end("interrupted")) == [Finished("interrupted")]


@pytest.mark.parametrize("first", ["answer", "notification"])
def test_a_turn_that_codex_has_not_named_yet_is_interrupted_when_it_has(first: str) -> None:
    talk = Talk()
    talk.prompt()
    assert talk.take(talk.codec.interrupt()) == []
    if first == "answer":
        talk.answer({"turn": {"id": NATIVE}})
    else:
        talk.tell("turn/started", turn={"id": NATIVE})
    assert talk.written[-1]["method"] == "turn/interrupt"


def test_what_sub_agents_are_at_is_interrupted_too() -> None:
    talk = Talk()
    talk.start()
    talk.tell("turn/started", threadId="sub", turn={"id": "of-sub"})
    talk.take(talk.codec.interrupt())
    assert [one["params"]["turnId"] for one in talk.written[-2:]] == [NATIVE, "of-sub"]
    talk.end("interrupted")
    assert len(talk.take(talk.codec.interrupt())) == 1
    talk.tell("turn/completed", threadId="sub", turn={"id": "of-sub", "status": "interrupted"})
    assert talk.codec.interrupt() == []


def test_not_more_turns_of_sub_agents_are_remembered_than_there_is_room_for() -> None:
    talk = Talk()
    for number in range(300):
        talk.tell("turn/started", threadId=f"sub-{number}", turn={"id": "x"})
    assert len(talk.codec.save()["others"]) == 256


def test_that_codex_refuses_to_interrupt_is_told() -> None:
    talk = Talk()
    talk.start()
    talk.take(talk.codec.interrupt())
    assert talk.fail("nothing runs") == [Notice(0, 0, "REFUSED_BY_AGENT", "interrupt: nothing runs")]


def test_calls_of_an_interrupted_turn_have_a_result() -> None:
    talk = Talk()
    talk.start()
    talk.tell("item/started", item={"type": "commandExecution", "id": "c", "command": "sleep 9"})
    told = talk.end("interrupted")
    assert [(one.tool_use_id, one.details) for one in of(ToolResult, told)] == [("c", {"interrupted": True})]


def test_calls_that_outlive_a_completed_turn_are_left_open() -> None:
    talk = Talk()
    talk.start()
    talk.tell("item/started", item={"type": "commandExecution", "id": "c", "command": "serve"})
    assert of(ToolResult, talk.end()) == []
    assert [one.content for one in of(ToolResult, talk.codec.finish())] == ["codex ended"]


def test_a_turn_that_failed_says_why_and_what_is_waited_for() -> None:
    talk = Talk()
    talk.start()
    error = {"message": '{"error":{"message":"log in"}}', "codexErrorInfo": "unauthorized"}
    assert talk.end("failed", error=error) == [Stopped("login", "log in"), Finished("failed", "", "log in")]
    talk.start("t2")
    assert talk.end("failed", error={"message": "boom"}) == [Finished("failed", "", "boom")]
    talk.start("t3")
    assert of(Finished, talk.end("who knows")) == [Finished("completed")]


def test_another_model_and_mode_are_taken_with_the_next_turn() -> None:
    talk = Talk()
    assert [one.model for one in of(Conversation, talk.codec.change("model", "gpt-6"))] == ["gpt-6"]
    assert [one.mode for one in of(Conversation, talk.codec.change("mode", "never"))] == ["never"]
    talk.codec.change("mode", "workspace-write")
    talk.start()
    params = talk.written[-1]["params"]
    assert (params["model"], params["approvalPolicy"]) == ("gpt-6", "never")
    assert params["sandboxPolicy"] == {"type": "workspaceWrite"}
    spent = talk.tell("thread/tokenUsage/updated", tokenUsage={"last": {"inputTokens": 1}, "total": {"inputTokens": 1}})
    assert [one.model for one in of(Usage, spent)] == ["gpt-6"]
    talk.end()
    talk.start("t2")
    assert "model" not in talk.written[-1]["params"]


def test_a_mode_that_codex_does_not_know_is_told() -> None:
    told = Talk().codec.change("mode", "on-requst")
    assert [one.code for one in of(Notice, told)] == ["CHANGE_REFUSED"]
    assert "Did you mean on-request?" in of(Notice, told)[0].message


def test_a_question_that_codex_took_back_is_withdrawn() -> None:
    talk = Talk()
    asked = talk.ask("item/commandExecution/requestApproval", command="ls")
    told = talk.tell("serverRequest/resolved", requestId=0)
    assert told == [Withdrawn(asked.approval_id, "codex no longer waits for it")]


def test_questions_end_with_their_turn() -> None:
    talk = Talk()
    talk.start()
    command = "item/commandExecution/requestApproval"
    for number, thread in enumerate([THREAD, THREAD, "sub"]):
        talk.say({"id": number, "method": command, "params": {"threadId": thread}})
    talk.tell("serverRequest/resolved", requestId=0)
    assert of(Withdrawn, talk.end()) == [Withdrawn("1", "its turn is over")]


def test_pieces_are_told_only_where_they_are_wanted() -> None:
    for partial, kinds in ((True, [Output, Output, Thinking, Thinking]), (False, [])):
        talk = Talk(AgentOptions(partial=partial))
        told: list[Item] = []
        for method in ("agentMessage/delta", "plan/delta", "reasoning/summaryTextDelta", "reasoning/textDelta"):
            told += talk.tell(f"item/{method}", itemId="m", delta="a piece")
        assert [type(one) for one in told] == kinds
        assert all(one.partial and one.message_id == "m" for one in told if isinstance(one, Output | Thinking))


def test_a_plan_is_progress() -> None:
    talk = Talk()
    talk.start()
    plan = [{"step": "a", "status": "completed"}, {"step": "b", "status": "inProgress"}, {"step": "c"}]
    told = talk.tell("turn/plan/updated", plan=plan)
    items = [{"text": "a", "state": "done"}, {"text": "b", "state": "active"}, {"text": "c", "state": "pending"}]
    assert told == [Progress(0, 0, 1, 3, "b", items, "t1")]
    assert talk.tell("turn/plan/updated", threadId="sub", plan=[]) == [Progress(0, 0, 0, 0)]


def usage(talk: Talk, total: int, last: int, thread: str = THREAD, cached: int = 0) -> list[Any]:
    counts = {"inputTokens": total, "cachedInputTokens": cached, "outputTokens": total // 10}
    recent = {"inputTokens": last, "outputTokens": last // 10}
    told = talk.tell("thread/tokenUsage/updated", threadId=thread, tokenUsage={"total": counts, "last": recent})
    return [(one.input_tokens, one.cache_read_tokens, one.output_tokens) for one in of(Usage, told)]


def test_what_was_spent_is_told_once_though_codex_tells_sums() -> None:
    talk = Talk()
    talk.start()
    assert usage(talk, 100, 100) == [(100, 0, 10)]
    assert usage(talk, 100, 100) == []
    assert usage(talk, 250, 150, cached=50) == [(100, 50, 15)]


def test_what_a_conversation_had_spent_before_is_not_spent_again() -> None:
    talk = Talk(AgentOptions(resume="old"))
    assert usage(talk, 60000, 8000) == []
    talk.start()
    assert usage(talk, 68000, 8000) == [(8000, 0, 800)]


def test_where_the_old_sums_were_not_told_the_newest_call_counts() -> None:
    talk = Talk(AgentOptions(resume="old"))
    talk.start()
    assert usage(talk, 68000, 8000) == [(8000, 0, 800)]


def test_sums_that_begin_anew_are_counted_from_there() -> None:
    talk = Talk()
    talk.start()
    usage(talk, 500, 500)
    assert usage(talk, 40, 40) == [(40, 0, 4)]


def test_sub_agents_spend_too() -> None:
    talk = Talk()
    talk.start()
    assert usage(talk, 70, 70, "sub") == [(70, 0, 7)]
    assert usage(talk, 100, 30, "sub") == [(30, 0, 3)]
    for number in range(300):
        usage(talk, 10, 10, f"thread {number}")
    assert len(talk.codec.save()["sums"]) == 256


def test_it_works_as_long_as_any_of_its_threads() -> None:
    talk = Talk()
    active, idle = {"type": "active", "activeFlags": []}, {"type": "idle"}
    assert talk.tell("thread/status/changed", status=active) == [Busy(True)]
    assert talk.tell("thread/status/changed", threadId="sub", status=active) == [Busy(True)]
    assert talk.tell("thread/status/changed", status=idle) == [Busy(True)]
    assert talk.tell("thread/status/changed", threadId="sub", status=idle) == [Busy(False)]


def test_errors_that_are_tried_again_are_no_errors_yet() -> None:
    talk = Talk()
    error = {"message": "Reconnecting... 1/2", "additionalDetails": "busy"}
    assert talk.tell("error", error=error, willRetry=True) == [
        Notice(0, 0, "API_RETRY", "Reconnecting... 1/2", {"more": "busy"})
    ]
    final = {"message": "busy", "codexErrorInfo": "serverOverloaded"}
    assert talk.tell("error", error=final, willRetry=False) == [
        Error(0, 0, "SERVER_OVERLOADED", "busy", {"kind": "serverOverloaded"})
    ]


def test_another_model_in_place_of_the_one_asked_for_is_told() -> None:
    talk = Talk()
    told = talk.tell("model/rerouted", fromModel="a", toModel="b", reason="highRiskCyberActivity")
    assert [one.message for one in of(Notice, told)] == ["b in place of a"]
    assert of(Conversation, told) == [Conversation(0, 0, model="b")]
    assert talk.tell("model/rerouted", threadId="sub", fromModel="a", toModel="b") == []


def test_settings_that_changed_are_told() -> None:
    talk = Talk()
    settings = {"model": "b", "approvalPolicy": "never", "sandboxPolicy": {"type": "readOnly"}}
    assert talk.tell("thread/settings/updated", threadSettings=settings) == [
        Conversation(0, 0, model="b", mode="never,read-only")
    ]
    granular = {"approvalPolicy": {"granular": {}}, "sandboxPolicy": {"type": "externalSandbox"}}
    assert talk.tell("thread/settings/updated", threadSettings=granular) == [Conversation(0, 0, model="b")]
    assert talk.tell("thread/settings/updated", threadId="sub", threadSettings=settings) == []


@pytest.mark.parametrize(
    "line",
    [
        b"Listening on stdio",
        b'{"id":77,"result":{}}',
        b'{"method":"from/tomorrow"}',
        b'{"method":"item/started","params":{"item":{"type":"tea"}}}',
        b'{"method":"item/completed","params":{"item":{"type":"tea"}}}',
    ],
)
def test_what_is_not_understood_is_told_as_it_was(line: bytes) -> None:
    assert [one.line for one in of(Unknown, Talk().codec.receive(line, 1))] == [line.decode()]


def test_a_message_has_no_more_than_any_store_takes() -> None:
    talk = Talk()
    deep = json.dumps({"method": "item/started", "params": {"item": _nested(70)}}).encode()
    large = b'{"method":"item/started","params":{"item":{"type":"mcpToolCall","id":"c","arguments":{"n":%d}}}}' % 2**70
    assert of(Unknown, talk.codec.receive(deep, 1))
    call = talk.codec.receive(large, 1)[0]
    assert call.input == {"n": hex(2**70)}  # type: ignore[union-attr]


def _nested(depth: int) -> dict[str, Any]:
    return {"type": "tea", "in": _nested(depth - 1)} if depth else {}
