"""What is asked of us and what we ask: permissions, questions, plans, interrupts, changes, prompts."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest

from roost.agents.claude_state import REMEMBERED
from roost.agents.driver import Decision, Finished, Image, Ready, Refused, Taken, Withdrawn, Write
from roost.agents.one_shot import NO_STDIN
from roost.model.conversations import PendingTurn
from roost.model.events import Conversation, Notice, Output, Unknown
from tests.agents.claude.talk import Talk, only, written

SUGGESTIONS = [
    {"type": "setMode", "mode": "acceptEdits", "destination": "session"},
    {"type": "addRules", "rules": [{"toolName": "Bash", "ruleContent": "ls"}], "destination": "localSettings"},
]
QUESTIONS = [
    {"question": "Which colour?", "options": [{"label": "Red"}, {"label": "Blue", "description": "cold"}]},
    {"question": "Which sizes?", "multiSelect": True, "options": [{"label": "S"}, {"label": "L"}, {"x": 1}]},
]


def answered(talk: Talk, approval: Any, **decision: Any) -> dict[str, Any]:
    """What the CLI is told of a decision."""
    line = written(talk.codec.answer(approval, Decision(**decision)))
    assert (line["type"], line["response"]["subtype"]) == ("control_response", "success")
    assert line["response"]["request_id"] == approval.approval_id
    answer: dict[str, Any] = line["response"]["response"]
    return answer


def refused(talk: Talk, request_id: str, error: str) -> Notice:
    """The notice that comes of a request of ours that is refused."""
    answer = {"subtype": "error", "request_id": request_id, "error": error}
    return only(talk.say("control_response", response=answer), Notice)


# The handshake


def test_a_session_begins_with_a_handshake_and_takes_prompts_after_it() -> None:
    talk = Talk()
    assert written(talk.greeting)["request"] == {"subtype": "initialize", "hooks": None}
    abilities = {"commands": [{"name": "compact"}, 7], "models": "x", "agents": [{"name": "Explore"}]}
    told = talk.say("control_response", response={"subtype": "success", "request_id": "req_1", "response": abilities})
    assert only(told, Conversation).details == {"commands": ["compact"], "agents": ["Explore"]}
    assert told[-1] == Ready()


@pytest.mark.parametrize("response", [None, {}, "x"])
def test_a_handshake_may_say_nothing(response: object) -> None:
    answer = {"subtype": "success", "request_id": "req_1", "response": response}
    assert Talk().say("control_response", response=answer) == [Ready()]


def test_a_refused_handshake_is_told_and_prompts_are_taken_all_the_same() -> None:
    told = Talk().say("control_response", response={"subtype": "error", "request_id": "req_1"})
    assert only(told, Notice).code == "INITIALIZE_REFUSED"
    assert told[-1] == Ready()


def test_a_session_that_holds_its_prompt_is_only_read() -> None:
    talk = Talk(["claude", "-p", "x", "--output-format=stream-json"])
    assert talk.greeting == []
    assert talk.codec.interrupt() == []
    assert talk.codec.change("model", "opus") == []


@pytest.mark.parametrize(("more", "resumed"), [([], False), (["-c"], True)])
def test_that_it_reads_no_input_does_not_look_as_if_it_went_on(more: list[str], resumed: bool) -> None:
    talk = Talk([*NO_STDIN, "claude", "claude", "-p", "x", *more])
    assert (talk.codec._state.plain, talk.codec._state.resumed) == (True, resumed)


def test_a_plain_answer_is_output() -> None:
    talk = Talk(["claude", "-p", "x"])
    assert talk.line(b"Hello\xff") == [Taken(), Output(0, 0, "Hello\ufffd")]
    talk.restart()
    assert talk.line(b"") == [Output(0, 0, "")]
    assert talk.codec.finish(0) == [Finished("completed", "Hello\ufffd")]


def test_a_plain_answer_with_another_exit_code_is_a_failure() -> None:
    talk = Talk(["claude", "-p", "x"])
    talk.line(b"API Error: 400")
    assert talk.codec.finish(1) == [Finished("failed", "", "API Error: 400")]
    assert talk.codec.finish(None) == [Finished("failed", "", "API Error: 400")]


def test_a_session_without_a_plain_answer_ends_without_a_word() -> None:
    assert Talk(["claude", "-p", "x"]).codec.finish(0) == []
    assert Talk().codec.finish(0) == []


def test_lines_that_are_no_json_are_told_where_json_is_expected() -> None:
    talk = Talk()
    assert only(talk.line(b"[SandboxDebug] x"), Unknown).reason == "no JSON"
    assert talk.line(b"  ") == []


# Permission


def test_the_choices_are_those_that_the_cli_suggests() -> None:
    approval = Talk().asks("Write", permission_suggestions=SUGGESTIONS, decision_reason="why", blocked_path="/x")
    assert [(one["id"], one["kind"], one["label"]) for one in approval.choices] == [
        ("allow", "allow_once", "Yes"),
        ("always-1", "allow_always", "Yes, and switch to acceptEdits for this session"),
        ("always-2", "allow_always", "Yes, and allow Bash(ls) in this project, for me"),
        ("deny", "deny_once", "No"),
    ]
    assert approval.details == {"reason": "why", "blocked_path": "/x", "suggestions": SUGGESTIONS}


@pytest.mark.parametrize(
    ("suggestion", "label"),
    [
        (
            {"type": "addDirectories", "directories": ["/a", "/b"], "destination": "cliArg"},
            "allow /a, /b for this process",
        ),
        ({"type": "addRules", "rules": [{"toolName": "WebFetch"}], "behavior": "deny"}, "deny WebFetch"),
        ({"type": "dance", "destination": "userSettings"}, "dance everywhere"),
        ({"type": "addRules", "rules": None}, "allow "),
    ],
)
def test_every_suggestion_is_told_in_words(suggestion: dict[str, Any], label: str) -> None:
    approval = Talk().asks("Write", permission_suggestions=[suggestion])
    assert approval.choices[1]["label"] == f"Yes, and {label}"


def test_allowing_sends_the_input_back() -> None:
    talk = Talk()
    approval = talk.asks("Bash", input={"command": "ls"})
    assert answered(talk, approval, allow=True) == {"behavior": "allow", "updatedInput": {"command": "ls"}}


def test_the_input_may_be_edited() -> None:
    talk = Talk()
    approval = talk.asks("Bash", input={"command": "rm"})
    assert answered(talk, approval, allow=True, input={"command": "ls"})["updatedInput"] == {"command": "ls"}


@pytest.mark.parametrize(
    ("decision", "wanted"),
    [
        ({}, None),
        ({"remember": True}, SUGGESTIONS),
        ({"choice": "always-2"}, SUGGESTIONS[1:]),
        ({"choice": "always-2", "remember": True}, SUGGESTIONS[1:]),
        ({"choice": "always-3"}, None),
        ({"choice": "always-0"}, None),
        ({"choice": "always-²"}, None),
        ({"choice": "allow"}, None),
    ],
)
def test_what_is_remembered_is_what_was_suggested_and_chosen(decision: dict[str, Any], wanted: object) -> None:
    talk = Talk()
    approval = talk.asks("Bash", permission_suggestions=SUGGESTIONS)
    assert answered(talk, approval, allow=True, **decision).get("updatedPermissions") == wanted


def test_nothing_is_remembered_that_was_not_suggested() -> None:
    talk = Talk()
    assert "updatedPermissions" not in answered(talk, talk.asks("Bash"), allow=True, remember=True)


def test_a_denial_says_why_and_may_end_the_turn() -> None:
    talk = Talk()
    told = answered(talk, talk.asks("Bash"), allow=False, reason="too dangerous", interrupt=True)
    assert told == {"behavior": "deny", "message": "too dangerous", "interrupt": True}
    assert answered(talk, talk.asks("Bash"), allow=False)["message"] == "The user does not allow this."


def test_a_question_that_is_of_no_call_is_asked_too() -> None:
    talk = Talk()
    assert talk.asks("Bash", tool_use_id=None).tool_use_id is None


def test_an_answered_question_is_not_withdrawn_by_its_result() -> None:
    talk = Talk()
    answered(talk, talk.asks("Bash"), allow=True)
    assert [item for item in talk.gives("done") if isinstance(item, Withdrawn)] == []


def test_the_cli_may_take_its_question_back() -> None:
    talk = Talk()
    talk.asks("Bash")
    assert talk.say("control_cancel_request", request_id="r1") == [Withdrawn("r1", "the agent no longer asks")]
    assert talk.say("control_cancel_request") == [Withdrawn("", "the agent no longer asks")]


# Questions and plans


def test_a_question_offers_its_answers() -> None:
    approval = Talk().asks("AskUserQuestion", input={"questions": QUESTIONS})
    assert approval.kind == "question"
    assert [(one["id"], one["label"], one["question"], one["several"]) for one in approval.choices] == [
        ("1.1", "Red", "Which colour?", False),
        ("1.2", "Blue", "Which colour?", False),
        ("2.1", "S", "Which sizes?", True),
        ("2.2", "L", "Which sizes?", True),
    ]
    assert {one["kind"] for one in approval.choices} == {"answer"}


@pytest.mark.parametrize(
    ("decision", "answers"),
    [
        ({"answers": {"Which colour?": "Red"}}, {"Which colour?": "Red"}),
        ({"answers": {"Which sizes?": "S, L"}, "choice": "1.1"}, {"Which sizes?": "S, L", "Which colour?": "Red"}),
        ({"choice": "1.2"}, {"Which colour?": "Blue"}),
        ({"choice": "Blue"}, {"Which colour?": "Blue"}),
        ({"choice": "2.1", "reason": "green"}, {"Which colour?": "green", "Which sizes?": "S"}),
        ({}, {}),
    ],
)
def test_answers_are_given_by_question(decision: dict[str, Any], answers: dict[str, str]) -> None:
    talk = Talk()
    approval = talk.asks("AskUserQuestion", input={"questions": QUESTIONS})
    told = answered(talk, approval, allow=True, **decision)
    assert told["updatedInput"] == {"questions": QUESTIONS, "answers": answers}


@pytest.mark.parametrize("questions", [None, "x", [7, {"question": 7}, {"question": "Why?", "options": None}]])
def test_a_question_may_offer_nothing(questions: object) -> None:
    assert Talk().asks("AskUserQuestion", input={"questions": questions}).choices == []


def test_a_plan_is_to_be_approved() -> None:
    approval = Talk().asks("ExitPlanMode", input={"plan": "1. Do it"})
    assert (approval.kind, approval.title) == ("plan", "Proposing a plan")
    assert [one["label"] for one in approval.choices] == ["Yes, go ahead", "No, keep planning"]


# What else it asks


def test_hooks_get_an_answer_that_changes_nothing() -> None:
    told = Talk().say("control_request", request_id="r1", request={"subtype": "hook_callback", "callback_id": "c"})
    assert written(told)["response"] == {"subtype": "success", "request_id": "r1", "response": {}}


def test_what_nobody_knows_is_refused_at_once_and_told() -> None:
    told = Talk().say("control_request", request_id="r1", request={"subtype": "mcp_message", "x": 1})
    assert written(told)["response"] == {
        "subtype": "error",
        "request_id": "r1",
        "error": "mcp_message is not supported",
    }
    assert json.loads(only(told, Unknown).line)["request"] == {"subtype": "mcp_message", "x": 1}


@pytest.mark.parametrize(
    "fields",
    [{}, {"request_id": "r1"}, {"request": {}}, {"request_id": 7, "request": {}}, {"request_id": "r1", "request": 7}],
)
def test_a_request_without_id_or_body_is_unknown(fields: dict[str, Any]) -> None:
    assert [type(item) for item in Talk().say("control_request", **fields)] == [Unknown]


def test_a_request_that_is_odd_in_part_is_still_asked() -> None:
    approval = Talk().asks("Bash", permission_suggestions="x", description=["y"])
    assert [one["id"] for one in approval.choices] == ["allow", "deny"]


def test_an_answer_to_what_was_not_asked_is_unknown() -> None:
    assert only(Talk().say("control_response", response={"request_id": "x"}), Unknown)
    assert only(Talk().say("control_response"), Unknown)
    assert only(Talk().say("control_response", response=7), Unknown)


def test_our_own_answers_come_back_and_are_passed_over() -> None:
    for told in ({"behavior": "allow", "updatedInput": {}}, {"behavior": "deny", "message": "no"}):
        body = {"subtype": "success", "request_id": "2dd1f40c", "response": told}
        assert Talk().say("control_response", response=body) == []


# What we ask


def test_an_interrupt_is_a_request() -> None:
    talk = Talk()
    asked = written(talk.codec.interrupt())
    assert asked["request"] == {"subtype": "interrupt"}
    done = {"subtype": "success", "request_id": asked["request_id"], "response": {"still_queued": []}}
    assert talk.say("control_response", response=done) == []


def test_a_refused_interrupt_is_told() -> None:
    talk = Talk()
    assert refused(talk, written(talk.codec.interrupt())["request_id"], "no").code == "INTERRUPT_REFUSED"


@pytest.mark.parametrize(
    ("what", "value", "request_"),
    [
        ("model", "opus", {"subtype": "set_model", "model": "opus"}),
        ("mode", "plan", {"subtype": "set_permission_mode", "mode": "plan"}),
    ],
)
def test_model_and_mode_can_be_changed(what: str, value: str, request_: dict[str, str]) -> None:
    talk = Talk()
    asked = written(talk.codec.change(what, value))
    assert asked["request"] == request_
    talk.restart()
    done = {"subtype": "success", "request_id": asked["request_id"]}
    changed = only(talk.say("control_response", response=done), Conversation)
    assert getattr(changed, what) == value


def test_the_model_is_the_one_that_the_cli_says() -> None:
    talk = Talk()
    asked = written(talk.codec.change("model", "default"))
    done = {"subtype": "success", "request_id": asked["request_id"], "response": {"model": "claude-opus-5-5"}}
    assert only(talk.say("control_response", response=done), Conversation).model == "claude-opus-5-5"
    assert talk.say("control_response", response=done)[0].__class__ is Unknown


def test_a_refused_change_says_what_was_wanted() -> None:
    talk = Talk()
    notice = refused(talk, written(talk.codec.change("mode", "dance"))["request_id"], "no such mode")
    assert (notice.code, notice.message, notice.details) == ("MODE_REFUSED", "no such mode", {"value": "dance"})


def test_requests_that_are_never_answered_are_forgotten_in_the_end() -> None:
    talk = Talk()
    for _ in range(REMEMBERED + 10):
        talk.codec.interrupt()
    assert len(talk.codec.save()["requests"]) == REMEMBERED


# Prompts


def test_a_prompt_is_written_with_its_pictures() -> None:
    turn = PendingTurn("turn-1", "look")
    told = written(Talk().codec.prompt(turn, [Image("image/png", "aGk=")]))
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
    assert told["message"] == {"role": "user", "content": [picture, {"type": "text", "text": "look"}]}
    assert uuid.UUID(told["uuid"])


def test_a_turn_that_has_a_uuid_keeps_it() -> None:
    own = "22222222-2222-4222-8222-222222222222"
    assert Talk().prompts(own) == own
    assert Talk().prompts("turn-1") == Talk().prompts("turn-1") != Talk().prompts("turn-2")


def test_a_prompt_is_one_line_whatever_is_in_it() -> None:
    (write,) = Talk().codec.prompt(PendingTurn("t", 'a\nb\r\n\u2028"\\'), [])
    assert isinstance(write, Write)
    assert write.data.count(b"\n") == 1
    assert json.loads(write.data)["message"]["content"][0]["text"] == 'a\nb\r\n\u2028"\\'


def fares(talk: Talk, native: str, state: str) -> list[Any]:
    """What the CLI says of how a prompt fares."""
    return talk.say("command_lifecycle", command_uuid=native, state=state)


def test_a_prompt_is_taken_up_once() -> None:
    talk = Talk()
    native = talk.prompts("turn-1")
    assert fares(talk, native, "queued") == []
    talk.restart()
    assert fares(talk, native, "started") == [Taken("turn-1", native)]
    assert fares(talk, native, "started") == []
    assert talk.say("user", message={"content": "x"}, uuid=native, isReplay=True) == []


def test_a_steered_prompt_may_be_done_with_before_it_is_said_to_be_begun() -> None:
    talk = Talk()
    native = talk.prompts("turn-1", steer=True)
    assert fares(talk, native, "completed") == [Taken("turn-1", native)]


@pytest.mark.parametrize("fate", ["cancelled", "discarded", "refused"])
@pytest.mark.parametrize("steer", [True, False])
def test_a_prompt_that_was_dropped_is_told_so(steer: bool, fate: str) -> None:
    talk = Talk()
    native = talk.prompts("turn-1", steer=steer)
    assert fares(talk, native, fate) == [Refused("turn-1", f"the agent {fate} it")]


def test_a_prompt_that_was_passed_over_ends_without_a_result() -> None:
    talk = Talk()
    native = talk.prompts("turn-1")
    talk.say("user", message={"content": "x"}, uuid=native, isReplay=True)
    talk.restart()
    ended = only(fares(talk, native, "completed"), Finished)
    assert (ended.state, "already" in (ended.reason or "")) == ("failed", True)
    assert fares(talk, native, "completed") == []


def test_a_prompt_that_has_its_result_is_over() -> None:
    talk = Talk()
    native = talk.prompts("turn-1")
    fares(talk, native, "started")
    talk.result(user_message_uuids=[native])
    assert fares(talk, native, "completed") == []
    assert fares(talk, native, "cancelled") == []


def test_a_prompt_said_again_was_taken_up() -> None:
    talk = Talk()
    native = talk.prompts("turn-1", steer=True)
    assert talk.say("user", message={"content": "x"}, uuid=native, isReplay=True) == [Taken("turn-1", native)]


@pytest.mark.parametrize("native", [None, 7, "x"])
def test_commands_that_are_not_ours_change_nothing(native: object) -> None:
    assert Talk().say("command_lifecycle", command_uuid=native, state="started") == []
