"""What is typed, as an answer to what an agent asks."""

from __future__ import annotations

from typing import Any

import pytest

from roost.cli.agent_options import agent_options
from roost.cli.answering import answer_to, choices_in_lines
from roost.cli.approvals import answers, read_input
from roost.cli.questions import questions
from roost.client.conversations import chosen, short_ids
from roost.errors import ApprovalNotFound, InvalidRequest, RoostError

TOOL: dict[str, Any] = {
    "kind": "tool",
    "input": {"command": "ls"},
    "choices": [
        {"id": "allow", "label": "Yes", "kind": "allow_once"},
        {"id": "always-1", "label": "Yes, and never ask", "kind": "allow_always"},
        {"id": "deny", "label": "No", "kind": "deny_once"},
    ],
}
QUESTION: dict[str, Any] = {
    "kind": "question",
    "input": {"questions": [{"question": "Which?"}]},
    "choices": [
        {"id": "1.1", "label": "Red", "kind": "answer", "question": "Which?", "description": "like blood"},
        {"id": "1.2", "label": "Green", "kind": "answer", "question": "Which?", "description": "Green"},
    ],
}
TWO: dict[str, Any] = {
    "kind": "question",
    "input": {"questions": [{"question": "Which?"}, {"question": "When?"}, "odd"]},
    "choices": [*QUESTION["choices"], {"id": "2.1", "label": "Now", "kind": "answer", "question": "When?"}],
}
BARE: dict[str, Any] = {"kind": "question", "input": {}, "choices": [{"id": "a", "label": "A", "kind": "answer"}]}


@pytest.mark.parametrize(
    ("view", "line", "body"),
    [
        (TOOL, "1", {"decision": "allow", "choice": "allow"}),
        (TOOL, "2", {"decision": "allow", "choice": "always-1"}),
        (TOOL, "3", {"decision": "deny", "choice": "deny"}),
        (TOOL, "4", None),
        (TOOL, "1 2", None),
        (TOOL, "y", {"decision": "allow"}),
        (TOOL, "Yes", {"decision": "allow"}),
        (TOOL, "yes please", None),
        (TOOL, "n", {"decision": "deny"}),
        (TOOL, "no, use the other one", {"decision": "deny", "reason": "use the other one"}),
        (TOOL, "perhaps", None),
        (QUESTION, "2", {"decision": "allow", "answers": {"Which?": "Green"}}),
        (QUESTION, "1, 2", {"decision": "allow", "answers": {"Which?": "Red, Green"}}),
        (QUESTION, "Blue", {"decision": "allow", "answers": {"Which?": "Blue"}}),
        (TWO, "1 3", {"decision": "allow", "answers": {"Which?": "Red", "When?": "Now"}}),
        (TWO, "whatever", {"decision": "allow", "reason": "whatever"}),
        (BARE, "1", {"decision": "allow", "choice": "a"}),
    ],
)
def test_a_line_is_an_answer_or_none(view: dict[str, Any], line: str, body: dict[str, Any] | None) -> None:
    assert answer_to(view, line) == body


def test_choices_are_numbered() -> None:
    assert choices_in_lines(TOOL) == ["  1  Yes", "  2  Yes, and never ask", "  3  No"]
    assert choices_in_lines(QUESTION) == ["  1  Red: like blood", "  2  Green"]
    assert choices_in_lines(TWO) == ["  Which?", "  1  Red: like blood", "  2  Green", "  When?", "  3  Now"]


def test_questions_are_told_by_the_input_or_by_the_choices() -> None:
    assert questions(TWO) == ["Which?", "When?"]
    assert questions(QUESTION | {"input": {}}) == ["Which?"]
    assert questions(BARE) == []


@pytest.mark.parametrize(
    ("view", "given", "found"),
    [
        (QUESTION, ["Which?=Red"], {"Which?": "Red"}),
        (QUESTION, ["1=Red", "Green"], {"Which?": "Red, Green"}),
        (TWO, ["When?=Now", "1=Red"], {"When?": "Now", "Which?": "Red"}),
        (BARE, ["name=value"], {"name": "value"}),
    ],
)
def test_answers_go_by_text_number_or_alone(view: dict[str, Any], given: list[str], found: dict[str, str]) -> None:
    assert answers(view, given) == found


@pytest.mark.parametrize(("view", "given"), [(TWO, "Red"), (BARE, "Red"), (TWO, "Who?=Me")])
def test_an_answer_to_no_question_is_refused(view: dict[str, Any], given: str) -> None:
    with pytest.raises(InvalidRequest):
        answers(view, [given])


def test_an_edited_input_is_a_json_object(tmp_path: Any) -> None:
    (tmp_path / "input.json").write_text('{"a": 1}')
    assert read_input('{"a": 2}') == {"a": 2}
    assert read_input(f"@{tmp_path / 'input.json'}") == {"a": 1}
    for wrong in ("[1]", "{", f"@{tmp_path / 'none'}"):
        with pytest.raises(InvalidRequest):
            read_input(wrong)


def approval(approval_id: str, agent: str) -> dict[str, Any]:
    return {"approval_id": approval_id, "agent_name": agent}


ASKED = [approval("2026-11-abc-1", "a"), approval("2026-11-abc-2", "a"), approval("2026-12-abd-1", "b")]


@pytest.mark.parametrize(
    ("word", "found"),
    [("2026-11-abc-2", "2026-11-abc-2"), ("b", "2026-12-abd-1"), ("2", "2026-11-abc-2"), ("2026-12", "2026-12-abd-1")],
)
def test_as_much_of_an_id_as_is_clear_is_enough(word: str, found: str) -> None:
    assert chosen(ASKED, word)["approval_id"] == found


@pytest.mark.parametrize(("word", "error"), [("a", InvalidRequest), ("1", InvalidRequest), ("x", ApprovalNotFound)])
def test_what_is_not_clear_is_refused(word: str, error: type[RoostError]) -> None:
    with pytest.raises(error):
        chosen(ASKED, word)


def test_ids_are_shown_without_their_date_where_that_is_clear() -> None:
    assert list(short_ids(ASKED).values()) == ["abc-1", "abc-2", "abd-1"]
    alike = [approval("2026-11-x-1", "a"), approval("2026-12-x-1", "b"), approval("odd", "c")]
    assert list(short_ids(alike).values()) == ["2026-11-x-1", "2026-12-x-1", "odd"]


def given(*arguments: str) -> dict[str, Any]:
    from roost.cli.parser import Parser
    from roost.cli.run import configure_run

    parser = Parser(prog="roost run")
    configure_run(parser)
    return agent_options(parser.parse_args([*arguments, "name", "program"]))


def test_options_of_coding_agents() -> None:
    found = given(
        "--driver=claude",
        "--model=opus",
        "--permission-mode=plan",
        "--allow-tool=Read",
        "--option=allowed-tools=Bash,Edit",
        "--option=max_turns=3",
        "--option=partial",
        "--option=mcp_config=mcp.json",
        "--resume=abc",
        "--fork",
    )
    assert found == {
        "model": "opus",
        "permission_mode": "plan",
        "allowed_tools": ["Bash", "Edit", "Read"],
        "max_turns": 3,
        "partial": True,
        "mcp_config": "mcp.json",
        "resume": "abc",
        "fork": True,
    }


def test_other_drivers_have_none() -> None:
    assert given("--model=opus") == {}


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["--fork"], "--driver"),
        (["--prompt=x"], "--driver"),
        (["--driver=claude", "--option=max_turn=3"], "max_turns"),
        (["--driver=claude", "--option=zzz=3"], "there are"),
        (["--driver=claude", "--option=max_turns=many"], "number"),
    ],
)
def test_options_that_make_no_sense_are_refused(arguments: list[str], hint: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        given(*arguments)
    assert hint in refused.value.hint
