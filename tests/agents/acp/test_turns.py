"""Turns with an ACP agent: prompts, permissions, interrupts, changes, ends and what was used."""

import pytest

from roost.agents.acp_codec import AcpCodec
from roost.agents.driver import Image
from roost.model.conversations import PendingTurn
from roost.model.events import Conversation, Notice, Output, Permission, ToolCall, ToolResult, Turn, Usage
from tests.agents.acp.conversing import Conversing, begun, running

MODES = {"currentModeId": "ask", "availableModes": [{"id": "ask"}, {"id": "free"}]}


def ends(talk):
    """How its turns ended, and why."""
    return [(turn.state, turn.reason) for turn in talk.of(Turn) if turn.state not in ("queued", "sent", "started")]


def test_a_prompt_is_taken_when_the_agent_does_something():
    talk = running()
    assert talk.last["params"] == {"sessionId": "new-1", "prompt": [{"type": "text", "text": "go"}]}
    assert talk.of(Turn)[-1].state == "sent"
    talk.update("session_info_update", title="Going")
    assert talk.of(Turn)[-1].state == "sent"
    talk.update("user_message_chunk", content={"type": "text", "text": "go"})
    assert talk.of(Turn)[-1].state == "started"


@pytest.mark.parametrize(
    ("stop", "end"),
    [
        ("end_turn", ("completed", None)),
        ("cancelled", ("interrupted", None)),
        ("refusal", ("failed", "the agent refused to go on")),
        ("max_tokens", ("failed", "the answer grew longer than the model may give")),
        ("max_turn_requests", ("failed", "the turn took more requests to the model than the agent allows")),
        ("something_new", ("completed", None)),
    ],
)
def test_how_a_turn_ends(stop, end):
    talk = running()
    talk.answer({"stopReason": stop})
    assert ends(talk) == [end]
    assert talk.of(Turn)[-1].details == {"stop_reason": stop}


def test_an_answer_without_a_reason_is_an_end():
    talk = running()
    talk.answer({})
    assert (ends(talk), talk.of(Turn)[-1].details) == ([("completed", None)], {})


def test_the_answer_is_the_last_message():
    talk = running()
    talk.say("First")
    talk.call("c", status="in_progress", kind="read")
    talk.say("Last")
    talk.answer({"stopReason": "end_turn"})
    assert [event.text for event in talk.of(Output)] == ["First", "Last"]
    assert talk.of(Turn)[-1].text == "Last"


def test_a_sub_agents_words_are_not_the_answer():
    talk = running()
    talk.say("Mine")
    talk.say("Its", messageId="sub", _meta={"claudeCode": {"parentToolUseId": "call-1"}})
    talk.answer({"stopReason": "end_turn"})
    assert talk.of(Output)[-1].parent_tool_use_id == "call-1"
    assert talk.of(Turn)[-1].text == "Mine"


def test_what_is_said_between_turns_is_no_answer():
    talk = begun()
    talk.say("By the way")
    talk.prompt()
    talk.answer({"stopReason": "end_turn"})
    assert [event.text for event in talk.of(Output)] == ["By the way"]
    assert talk.of(Turn)[-1].text == ""


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"code": -32603, "message": "Internal error"}, "Internal error"),
        ({"code": -32603, "message": "Internal error", "data": {"message": "on fire"}}, "Internal error: on fire"),
        ({"code": -32603, "message": "it is on fire", "data": "on fire"}, "it is on fire"),
        ({"code": 400, "message": '{"error": {"code": 400, "message": "bad request"}}'}, "bad request"),
        ({"data": [1]}, "an error without a message"),
    ],
)
def test_an_error_fails_the_turn_with_its_reason(error, reason):
    talk = running()
    talk.fail(**error)
    assert ends(talk) == [("failed", reason)]
    assert talk.of(Turn)[-1].details == {"error": error}


@pytest.mark.parametrize(
    ("error", "problem"),
    [
        ({"code": -32000, "message": "Authentication required"}, "login"),
        ({"code": 401, "message": "Unauthorized"}, "login"),
        ({"code": 429, "message": "Too many"}, "quota"),
        ({"code": -32603, "message": "x", "data": {"errorKind": "rate_limit"}}, "quota"),
        ({"code": -32603, "message": "x", "data": {"errorKind": "authentication_failed"}}, "login"),
    ],
)
def test_what_a_person_must_see_to_stands_until_the_agent_works_again(error, problem):
    talk = running()
    talk.fail(**error)
    assert talk.decoder.session_state == ("waiting", problem)
    talk.prompt()
    talk.say("Back")
    assert talk.decoder.session_state == ("running", None)


def test_an_interrupt_is_sent_once_there_is_a_turn():
    talk = running()
    talk.say("Hm")
    talk.mark("interrupt", by="ada")
    assert (talk.last["method"], talk.last["params"]) == ("session/cancel", {"sessionId": "new-1"})
    assert "id" not in talk.last
    talk.hear({"id": talk.said[2]["id"], "error": {"code": 1, "message": "aborted"}})
    assert ends(talk) == [("interrupted", "aborted")]


def test_without_a_turn_there_is_nothing_to_interrupt():
    assert AcpCodec().interrupt() == []


def test_calls_that_are_open_at_an_interrupt_end_with_it():
    talk = running()
    talk.call("a", status="in_progress", kind="execute", rawInput={"command": "sleep 9"})
    talk.mark("interrupt")
    talk.hear({"id": talk.said[2]["id"], "result": {"stopReason": "cancelled"}})
    result = talk.of(ToolResult)[0]
    assert (result.is_error, result.details) == (True, {"interrupted": True})
    assert talk.state.calls == ()


def test_calls_that_are_open_at_the_end_are_unfinished():
    talk = running()
    talk.call("a", status="in_progress")
    talk.answer({"stopReason": "end_turn"})
    assert talk.of(ToolResult)[0].details == {"unfinished": True}


def test_the_end_of_the_process_ends_the_turn():
    talk = running()
    talk.say("I was just")
    talk.finish()
    assert talk.of(Output)[0].text == "I was just"
    assert ends(talk) == [("failed", "the agent ended before the turn did")]
    assert talk.of(Turn)[-1].text == "I was just"


def test_the_exit_code_goes_with_the_end():
    talk = running()
    assert talk.decoder.finish(0, 3)[-1].details == {"exit_code": 3}


def test_the_end_of_the_process_between_turns_ends_none():
    talk = begun()
    talk.say("Bye")
    talk.finish()
    assert [type(event) for event in talk.events[1:]] == [Output]


def test_images_go_only_to_agents_that_take_them():
    talk = begun()
    talk.prompt(images=[{"media_type": "image/png", "data": ""}])
    assert ends(talk) == [("refused", "the agent takes no images")]
    talk = begun(able={"promptCapabilities": {"image": True}})
    talk.prompt(images=[{"media_type": "image/png", "data": "aGk="}])
    assert talk.last["params"]["prompt"][1] == {"type": "image", "mimeType": "image/png", "data": "aGk="}


def test_it_cannot_be_steered():
    told = AcpCodec().steer(PendingTurn("t", "go"), [Image("image/png", "")])
    assert told[0].reason == "the agent cannot be steered while it works"


# Permissions


def test_a_question_tells_its_call_first():
    talk = running()
    talk.ask(title="rm x", kind="execute", rawInput={"command": "rm x"})
    call, asked = talk.events[-2:]
    assert (type(call), type(asked)) == (ToolCall, Permission)
    assert (asked.title, asked.tool, asked.input) == ("Running rm x", "execute", {"command": "rm x"})
    assert asked.choices == [
        {"id": "y", "label": "Yes", "kind": "allow_once"},
        {"id": "n", "label": "n", "kind": "deny_once"},
    ]
    assert (asked.kind, asked.tool_use_id) == ("tool", "c")
    assert talk.state.running.state == "started"


def test_leaving_a_mode_is_a_plan_to_approve():
    talk = running()
    talk.ask(title="Ready to code?", kind="switch_mode", rawInput={"plan": "1. Go"})
    assert talk.of(Permission)[0].kind == "plan"
    assert talk.of(Permission)[0].title == "Ready to code?"


@pytest.mark.parametrize("request_id", [0, 7, "abc", '"', None, -1, 1.5])
def test_an_answer_bears_the_questions_own_id(request_id):
    talk = running()
    talk.ask(request_id)
    talk.decide(allow=True)
    assert talk.last == {
        "jsonrpc": "2.0",
        "id": request_id,
        "result": {"outcome": {"outcome": "selected", "optionId": "y"}},
    }


def test_an_option_that_is_not_there_is_answered_with_none():
    talk = running()
    params = {"options": [{"optionId": "y", "kind": "allow_once"}], "toolCall": {"toolCallId": "c"}}
    talk.hear({"id": 5, "method": "session/request_permission", "params": params})
    talk.decide(allow=False)
    assert talk.last["result"] == {"outcome": {"outcome": "cancelled"}}


def test_a_denial_may_end_the_turn_too():
    talk = running()
    talk.ask()
    talk.decide(allow=False, interrupt=True)
    assert [one.get("method") for one in talk.said[-2:]] == [None, "session/cancel"]


def test_several_questions_are_kept_apart():
    talk = running()
    talk.ask(1, toolCallId="a", title="one")
    talk.ask(2, toolCallId="b", title="two")
    talk.decide(allow=True)
    talk.decide(allow=False)
    assert [(one["id"], one["result"]["outcome"]["optionId"]) for one in talk.said[-2:]] == [(1, "y"), (2, "n")]
    talk.called("a", status="completed")
    talk.called("b", status="failed")
    assert [result.details for result in talk.of(ToolResult)] == [{}, {"denied": True}]


def test_an_interrupt_withdraws_every_question():
    talk = running()
    talk.ask(1)
    talk.ask(2)
    talk.mark("interrupt")
    outcomes = [one["result"]["outcome"]["outcome"] for one in talk.said[-3:-1]]
    assert outcomes == ["cancelled", "cancelled"]
    assert [one.reason for one in talk.of(Permission)[-2:]] == ["interrupted", "interrupted"]
    assert talk.state.approvals == ()


def test_the_end_of_a_turn_withdraws_its_questions():
    talk = running()
    talk.ask(1)
    talk.hear({"id": talk.said[2]["id"], "result": {"stopReason": "end_turn"}})
    assert (talk.of(Permission)[-1].decision, talk.of(Permission)[-1].reason) == ("withdrawn", "the turn ended")


def test_the_agent_may_take_a_question_back():
    talk = running()
    talk.ask(4)
    talk.hear({"method": "$/cancel_request", "params": {"requestId": 4}})
    assert talk.last["error"]["code"] == -32800
    assert talk.of(Permission)[-1].reason == "the agent no longer asks"
    assert [type(one).__name__ for one in talk.hear({"method": "$/cancel_request", "params": {}})] == ["Unknown"]


def test_an_answer_that_comes_too_late_is_not_said():
    talk = running()
    talk.ask(4)
    approval = talk.state.approvals[0]
    codec = AcpCodec()
    assert codec.answer(approval, None) == []


# Changes


def test_a_change_is_told_when_it_is_done():
    talk = begun(modes=MODES)
    talk.mark("change", what="mode", value="free")
    assert talk.last["params"]["modeId"] == "free"
    assert talk.state.mode == "ask"
    talk.answer({})
    assert talk.state.mode == "free"
    talk.update("current_mode_update", currentModeId="free")
    assert len(talk.of(Conversation)) == 2


def test_a_change_that_cannot_be_is_refused():
    talk = begun(modes=MODES)
    talk.mark("change", what="model", value="big")
    talk.mark("change", what="mode", value="wild")
    talk.mark("change", what="mode", value="free")
    talk.fail(code=-32602, message="not now")
    assert [(one.code, one.message) for one in talk.of(Notice)] == [
        ("CHANGE_REFUSED", "it has no way to change its model"),
        ("CHANGE_REFUSED", "it has no mode 'wild', but ask, free"),
        ("CHANGE_REFUSED", "it does not take 'free' as its mode: not now"),
    ]
    assert talk.state.problem is None


# What was used


def used(talk, **result):
    talk.answer({"stopReason": "end_turn", **result})
    return [
        (one.model, one.input_tokens, one.output_tokens, one.cache_read_tokens, one.cache_write_tokens, one.cost_usd)
        for one in talk.of(Usage)
    ]


@pytest.mark.parametrize(
    ("counts", "known"),
    [
        ({"inputTokens": 10, "outputTokens": 5, "totalTokens": 15}, (10, 5, 0, 0)),
        ({"inputTokens": 10, "outputTokens": 5, "cachedReadTokens": 4, "totalTokens": 15}, (6, 5, 4, 0)),
        ({"inputTokens": 10, "outputTokens": 5, "cachedReadTokens": 4, "totalTokens": 19}, (10, 5, 4, 0)),
        ({"inputTokens": 10, "outputTokens": 5, "thoughtTokens": 3, "totalTokens": 18}, (10, 8, 0, 0)),
        (
            {"inputTokens": 9, "outputTokens": 5, "thoughtTokens": 3, "cachedWriteTokens": 2, "totalTokens": 19},
            (9, 8, 0, 2),
        ),
        (
            {"inputTokens": 9, "outputTokens": 5, "thoughtTokens": 3, "cachedReadTokens": 2, "totalTokens": 17},
            (7, 8, 2, 0),
        ),
        ({"inputTokens": 9, "outputTokens": 5, "cachedReadTokens": 2}, (9, 5, 2, 0)),
    ],
)
def test_the_total_tells_what_is_counted_in_what(counts, known):
    assert used(running(), usage=counts) == [("", *known, None)]


def test_what_was_used_is_told_by_model_where_the_agent_does():
    quota = {"model_usage": [{"model": "a", "token_count": {"input_tokens": 1, "output_tokens": 2}}, {"model": "b"}]}
    assert used(running(), _meta={"quota": quota}) == [("a", 1, 2, 0, 0, None)]


def test_money_is_told_as_what_was_added():
    talk = running()
    counts = {"inputTokens": 1, "outputTokens": 1, "totalTokens": 2}
    talk.update("usage_update", used=5, size=9, cost={"amount": 0.5, "currency": "USD"})
    assert used(talk, usage=counts)[-1][-1] == 0.5
    assert talk.of(Turn)[-1].details == {"stop_reason": "end_turn", "context_tokens": 5, "context_size": 9}
    talk.prompt()
    talk.update("usage_update", used=5, size=9, cost={"amount": 0.75, "currency": "USD"})
    assert used(talk, usage=counts)[-1][-1] == 0.25
    talk.prompt()
    assert used(talk, usage=counts)[-1][-1] == 0.0
    assert talk.state.spent.cost_usd == 0.75


def test_money_without_tokens_is_told_alone():
    talk = running()
    talk.update("usage_update", used=5, size=9, cost={"amount": 0.5, "currency": "USD"})
    assert used(talk) == [("", 0, 0, 0, 0, 0.5)]
    talk.prompt()
    assert len(used(talk)) == 1


@pytest.mark.parametrize(
    "cost",
    [None, {"amount": 0, "currency": "USD"}, {"amount": 3, "currency": "EUR"}, {"amount": "3", "currency": "USD"}],
)
def test_money_that_says_nothing_is_not_told(cost):
    talk = running()
    talk.update("usage_update", used=True, size=-1, cost=cost)
    assert used(talk, usage={"inputTokens": 1, "outputTokens": 1}) == [("", 1, 1, 0, 0, None)]
    assert talk.of(Turn)[-1].details["context_tokens"] == 0


def test_all_of_it_can_be_saved_at_any_time():
    talk = running(modes=MODES)
    talk.say("Hm")
    talk.ask(4, rawInput={"deep": [[[1]]]})
    other = Conversing()
    other.decoder.load(talk.decoder.save())
    other.decide(allow=True)
    assert other.last["id"] == 4
