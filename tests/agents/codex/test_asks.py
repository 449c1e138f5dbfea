"""What codex asks can be chosen about, and each decision becomes the answer that codex understands."""

from __future__ import annotations

from typing import Any

import pytest

from roost.agents.driver import Item, Stopped
from roost.model.events import Notice, Permission
from tests.agents.codex.talk import Talk

COMMAND = "item/commandExecution/requestApproval"
PATCH = "item/fileChange/requestApproval"
WIDER = "item/permissions/requestApproval"
QUESTIONS = "item/tool/requestUserInput"
ELICITATION = "mcpServer/elicitation/request"
RULE = {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": ["/bin/bash", "-lc", "npm test"]}}


def ids(asked: Permission) -> list[tuple[str, str]]:
    return [(one["id"], one["kind"]) for one in asked.choices]


def test_a_command_is_shown_with_what_may_be_chosen() -> None:
    offered = ["accept", RULE, "cancel"]
    asked = Talk().ask(COMMAND, kind="command", command="bash -lc 'npm test'", cwd="/p", availableDecisions=offered)
    assert (asked.tool, asked.title, asked.tool_use_id) == ("shell", "Running npm test", "call-1")
    assert asked.input == {"command": "bash -lc 'npm test'", "cwd": "/p"}
    assert [one["label"] for one in asked.choices][1] == "Yes, and never ask again about: npm test"
    assert ids(asked) == [
        ("accept", "allow_once"),
        ("acceptAlways", "allow_always"),
        ("decline", "deny_once"),
        ("cancel", "deny_once"),
    ]


WIDE: list[tuple[dict[str, Any], str, str]] = [
    ({"cwd": "/elsewhere"}, "shell", "Running npm test"),
    ({"reason": "it needs the network"}, "shell", "Running npm test"),
    ({"additionalPermissions": {"network": {"enabled": True}}}, "shell", "Running npm test"),
    ({"networkApprovalContext": {"host": "a.example"}}, "network", "Connecting to a.example"),
    ({"kind": "writeStdin"}, "write_stdin", "Writing to npm test"),
]


@pytest.mark.parametrize(("more", "tool", "says"), WIDE)
def test_what_is_more_than_a_command_here_is_nothing_that_a_rule_for_the_command_holds_for(
    more: dict[str, Any], tool: str, says: str
) -> None:
    asked = Talk().ask(COMMAND, **{"command": "npm test", "cwd": "/p", **more})
    assert (asked.tool, asked.title) == (tool, says)
    assert (asked.input["command_line"], "command" in asked.input) == ("npm test", False)
    assert asked.details.get("reason") == more.get("reason") == asked.input.get("reason")


def test_without_a_list_the_choices_are_those_that_codex_always_takes() -> None:
    network = {"host": "a.example", "action": "allow"}
    asked = Talk().ask(
        COMMAND,
        command="curl a.example",
        networkApprovalContext={"host": "a.example"},
        proposedExecpolicyAmendment=["curl"],
        proposedNetworkPolicyAmendments=[network, {"host": "b.example", "action": "deny"}, {}],
    )
    assert asked.input["network"] == {"host": "a.example"}
    assert [one for one, _ in ids(asked)] == [
        "accept",
        "acceptForSession",
        "acceptAlways",
        "allow:a.example",
        "deny:b.example",
        "decline",
        "cancel",
    ]


DECISIONS: list[tuple[dict[str, Any], object]] = [
    ({"allow": True}, "accept"),
    ({"allow": True, "choice": "accept"}, "accept"),
    ({"allow": True, "choice": "acceptForSession"}, "acceptForSession"),
    ({"allow": True, "remember": True}, "acceptForSession"),
    ({"allow": True, "choice": "acceptAlways"}, RULE),
    ({"allow": True, "choice": "nobody knows this"}, "accept"),
    ({"allow": True, "choice": "decline"}, "decline"),
    ({"allow": True, "choice": "cancel"}, "cancel"),
    ({"allow": False}, "decline"),
    ({"allow": False, "choice": "accept"}, "decline"),
    ({"allow": False, "choice": "cancel"}, "cancel"),
    ({"allow": False, "interrupt": True}, "cancel"),
    ({"allow": True, "input": {"command": "npm test"}}, "accept"),
    ({"allow": True, "input": {"command": "rm -rf x"}}, "decline"),
]


@pytest.mark.parametrize(("decision", "written"), DECISIONS)
def test_a_decision_is_answered_in_codexs_word(decision: dict[str, Any], written: object) -> None:
    talk = Talk()
    asked = talk.ask(COMMAND, command="npm test", availableDecisions=["accept", "acceptForSession", RULE])
    assert talk.decide(asked, **decision) == {"decision": written}
    assert talk.written[-1]["id"] == 0


def test_that_edited_input_was_declined_is_told() -> None:
    talk = Talk()
    talk.decide(talk.ask(COMMAND, command="a"), allow=True, input={"command": "b"})
    assert [one.code for one in talk.items if isinstance(one, Notice)] == ["EDITED_INPUT_DECLINED"]


def test_a_patch_is_shown_with_what_it_would_change() -> None:
    talk = Talk()
    changes = [{"path": "/p/a", "kind": {"type": "add"}, "diff": "x\n"}]
    talk.tell("item/started", item={"type": "fileChange", "id": "call-1", "changes": changes})
    asked = talk.ask(PATCH, grantRoot="/p")
    assert (asked.tool, asked.title) == ("apply_patch", "Writing a")
    assert asked.input == {"changes": [{"path": "/p/a", "kind": "add", "diff": "x\n"}], "grant_root": "/p"}
    assert talk.decide(asked, allow=True, remember=True) == {"decision": "acceptForSession"}


def test_wider_permissions_are_given_for_a_turn_or_a_session_or_not() -> None:
    talk = Talk()
    wanted = {"network": {"enabled": True}, "fileSystem": None}
    asked = talk.ask(WIDER, permissions=wanted)
    assert asked.title == "Asking for the network"
    given = {"network": {"enabled": True}}
    assert talk.decide(asked, allow=True) == {"permissions": given, "scope": "turn"}
    assert talk.decide(asked, allow=True, remember=True) == {"permissions": given, "scope": "session"}
    assert talk.decide(asked, allow=False) == {"permissions": {}, "scope": "turn"}
    assert talk.ask(WIDER).title == "Asking for more permissions"


ONE: list[dict[str, Any]] = [
    {"id": "q1", "question": "Which?", "options": [{"label": "red", "description": "warm"}, {"label": "blue"}]}
]
TWO: list[dict[str, Any]] = [*ONE, {"id": "q2", "question": "How many?", "options": [{"label": "1"}]}]


def test_a_question_offers_its_options() -> None:
    asked = Talk().ask(QUESTIONS, questions=TWO)
    assert (asked.kind, asked.title, ids(asked)) == (
        "question",
        "Asking: Which?",
        [("1.1", "answer"), ("1.2", "answer"), ("2.1", "answer")],
    )
    assert asked.choices[0] == {
        "id": "1.1",
        "label": "red",
        "kind": "answer",
        "question": "Which?",
        "description": "warm",
        "several": False,
    }
    assert Talk().ask(QUESTIONS).title == "Asking a question"


ANSWERS: list[tuple[list[dict[str, Any]], dict[str, Any], dict[str, str]]] = [
    (ONE, {"allow": True, "choice": "red"}, {"q1": "red"}),
    (ONE, {"allow": True, "choice": "1.2"}, {"q1": "blue"}),
    (ONE, {"allow": True, "answers": {"q1": "green"}}, {"q1": "green"}),
    (ONE, {"allow": True, "answers": {"Which?": "green"}, "choice": "red"}, {"q1": "green"}),
    (ONE, {"allow": False, "choice": "red"}, {}),
    (ONE, {"allow": True}, {}),
    (TWO, {"allow": True, "choice": "2.1"}, {"q2": "1"}),
    (TWO, {"allow": True, "reason": "you choose"}, {"q1": "you choose", "q2": "you choose"}),
    (TWO, {"allow": True, "answers": {"q1": "red", "How many?": "2", "other": "?"}}, {"q1": "red", "q2": "2"}),
]


@pytest.mark.parametrize(("questions", "decision", "answers"), ANSWERS)
def test_answers_go_by_the_questions_id_or_text(
    questions: list[dict[str, Any]], decision: dict[str, Any], answers: dict[str, str]
) -> None:
    talk = Talk()
    result = talk.decide(talk.ask(QUESTIONS, questions=questions), **decision)
    assert result == {"answers": {key: {"answers": [value]} for key, value in answers.items()}}


def test_leave_for_a_tool_of_an_mcp_server_is_asked_about_its_call() -> None:
    talk = Talk()
    talk.tell("item/started", item={"type": "mcpToolCall", "id": "mcp-1", "server": "demo", "tool": "echo"})
    meta = {"tool_name": "echo", "tool_params": {"text": "hi"}, "persist": ["session", "always", "forever"]}
    asked = talk.ask(ELICITATION, itemId=None, serverName="demo", message="Allow echo?", _meta=meta)
    assert (asked.tool, asked.tool_use_id, asked.kind, asked.title) == (
        "mcp__demo__echo",
        "mcp-1",
        "tool",
        "Allow echo?",
    )
    assert asked.input["tool_params"] == {"text": "hi"}
    assert [one for one, _ in ids(asked)] == ["accept", "session", "always", "decline", "cancel"]
    accepted = {"action": "accept", "content": {}}
    assert talk.decide(asked, allow=True) == {**accepted, "_meta": None}
    assert talk.decide(asked, allow=True, remember=True) == {**accepted, "_meta": {"persist": "session"}}
    assert talk.decide(asked, allow=True, choice="always") == {**accepted, "_meta": {"persist": "always"}}
    assert talk.decide(asked, allow=False) == {"action": "decline", "content": None, "_meta": None}
    assert talk.decide(asked, allow=False, interrupt=True)["action"] == "cancel"


FORM: dict[str, Any] = {
    "n": {"type": "integer", "title": "How many?"},
    "x": {"type": "number", "description": "How far?", "title": "Distance"},
    "b": {"type": "boolean"},
    "s": {"type": "string", "enum": ["a", "b"], "enumNames": ["first"]},
    "t": {"type": "string", "oneOf": [{"const": "c", "title": "third"}]},
    "l": {"type": "array", "items": {"anyOf": [{"const": "d", "title": "fourth"}]}},
    "bad": {"type": "integer"},
    "odd": 1,
}


def test_a_form_of_an_mcp_server_is_questions() -> None:
    asked = Talk().ask(ELICITATION, serverName="demo", requestedSchema={"properties": FORM})
    assert (asked.kind, asked.title, asked.tool) == ("question", "Asking: demo", "mcp__demo")
    assert [one["question"] for one in asked.input["questions"]] == ["How many?", "How far?", "b", "s", "t", "l", "bad"]
    assert [(one["question"], one["label"], one["description"], one["several"]) for one in asked.choices] == [
        ("b", "true", "", False),
        ("b", "false", "", False),
        ("s", "a", "first", False),
        ("s", "b", "", False),
        ("t", "c", "third", False),
        ("l", "d", "fourth", True),
    ]


def test_a_form_is_filled_in_with_values_of_its_types() -> None:
    talk = Talk()
    asked = talk.ask(ELICITATION, serverName="demo", requestedSchema={"properties": FORM})
    answers = {"How many?": "3", "x": "1.5", "b": "true", "s": "b", "l": "d, e", "bad": "three", "none": "of these"}
    content = {"n": 3, "x": 1.5, "b": True, "s": "b", "l": ["d", "e"], "bad": "three"}
    assert talk.decide(asked, allow=True, answers=answers) == {"action": "accept", "content": content, "_meta": None}
    assert talk.decide(asked, allow=False)["action"] == "decline"


def refused(talk: Talk, method: str) -> list[Item]:
    return talk.say({"id": "seven", "method": method, "params": {}})


def test_what_nobody_can_answer_is_refused_at_once_so_that_codex_does_not_wait() -> None:
    talk = Talk()
    told = refused(talk, "attestation/generate")
    assert talk.written[-1] == {
        "id": "seven",
        "error": {"code": -32601, "message": "roost does not offer attestation/generate"},
    }
    assert [one.code for one in told if isinstance(one, Notice)] == ["REQUEST_REFUSED"]
    assert not any(isinstance(one, Stopped) for one in told)


def test_a_login_that_only_a_client_could_renew_is_waited_for() -> None:
    told = refused(Talk(), "account/chatgptAuthTokens/refresh")
    assert [one.problem for one in told if isinstance(one, Stopped)] == ["login"]
