"""What Claude Code says, calls and changes, beyond what the transcripts show."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roost.agents.driver import Stopped, Withdrawn
from roost.model.events import (
    Error,
    FileChange,
    Notice,
    Output,
    Progress,
    Thinking,
    ToolCall,
    ToolResult,
    Unknown,
)
from tests.agents.claude.talk import Talk, only


def test_a_message_may_have_many_blocks() -> None:
    told = Talk().blocks(
        {"type": "thinking", "thinking": "hm"},
        {"type": "text", "text": "hello"},
        {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}},
        {"type": "tool_use", "id": "t2", "name": "Bash", "input": {"command": "pwd"}},
    )
    assert [type(event) for event in told] == [Thinking, Output, ToolCall, ToolCall]


def test_a_message_may_be_mere_text() -> None:
    assert only(Talk().say("assistant", message={"id": "m", "content": "hello"}), Output).text == "hello"


@pytest.mark.parametrize("kind", ["assistant", "user"])
@pytest.mark.parametrize("message", [None, "text"])
def test_a_message_without_a_body_is_unknown(kind: str, message: object) -> None:
    assert only(Talk().say(kind, message=message), Unknown).reason == "a message without a body"


def test_text_and_thoughts_that_are_empty_are_not_told() -> None:
    assert Talk().blocks({"type": "text", "text": ""}, {"type": "redacted_thinking", "data": "x"}) == []


def test_blocks_that_nobody_knows_are_told_with_their_line() -> None:
    talk = Talk()
    said = only(talk.blocks({"type": "hologram", "x": 1}), Unknown)
    assert json.loads(said.line)["message"]["content"] == [{"type": "hologram", "x": 1}]
    assert isinstance(only(talk.blocks({"type": "image"}, kind="user"), Unknown), Unknown)
    assert talk.blocks({"type": "image"}, kind="user", isReplay=True) == []


def test_tools_that_the_models_own_server_runs_are_calls_too() -> None:
    talk = Talk()
    block = {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {"query": "x"}}
    assert only(talk.blocks(block), ToolCall).title == "Calling web_search"
    given = {"type": "web_search_tool_result", "tool_use_id": "s1", "content": [{"type": "web_search_result"}]}
    assert only(talk.blocks(given), ToolResult).content == "[web_search_result]"


def test_results_of_calls_made_at_once_come_in_any_order() -> None:
    talk = Talk()
    talk.call("Write", "a", file_path="/a", content="1")
    talk.call("Write", "b", file_path="/b", content="2")
    second = talk.gives("ok", "b", tool_use_result={"type": "create", "filePath": "/b", "content": "2"})
    first = talk.gives("ok", "a", tool_use_result={"type": "create", "filePath": "/a", "content": "1\n2\n"})
    assert [only(second, FileChange).tool_use_id, only(first, FileChange).tool_use_id] == ["b", "a"]
    assert only(first, FileChange).added == 2


def test_what_is_told_beside_many_results_is_of_none_of_them() -> None:
    talk = Talk()
    talk.call("Write", "a", file_path="/a", content="1")
    blocks = [{"type": "tool_result", "tool_use_id": name, "content": "ok"} for name in ("a", "b")]
    told = talk.blocks(*blocks, kind="user", tool_use_result={"type": "create", "filePath": "/a", "content": "1"})
    assert [type(event) for event in told] == [ToolResult, ToolResult]


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("plain", "plain"),
        (None, ""),
        ([{"type": "text", "text": "a"}, {"type": "image"}, "b"], "a\n[image]\nb"),
        ({"x": 1}, '{"x":1}'),
    ],
)
def test_results_are_told_as_text(content: object, text: str) -> None:
    assert only(Talk().gives(content), ToolResult).content == text


def test_a_result_tells_what_else_is_worth_knowing() -> None:
    beside = {"interrupted": True, "backgroundTaskId": "b1", "persistedOutputPath": "/tmp/x", "agentId": "a1"}
    told = only(Talk().gives("x", tool_use_result=beside), ToolResult)
    assert told.details == {
        "interrupted": True,
        "background_task": "b1",
        "whole_output": "/tmp/x",
        "agent_id": "a1",
    }


def test_who_denied_a_call_is_told() -> None:
    note = {"id": "t1", "permission_decision": {"decision": "reject", "source": "hook"}}
    told = only(Talk().gives("no", is_error=True, tool_result_meta=[note]), ToolResult)
    assert told.details == {"denied": True, "denied_by": "hook"}


@pytest.mark.parametrize("notes", [{"not": "a list"}, [1], [{"id": 7}]])
def test_notes_that_are_not_as_expected_are_passed_over(notes: object) -> None:
    assert only(Talk().gives("x", tool_result_meta=notes), ToolResult).content == "x"


@pytest.mark.parametrize("beside", ["Error: no", ["x"], 7, {"interrupted": "maybe", "agentId": 7}])
def test_reports_that_are_not_as_expected_are_passed_over(beside: object) -> None:
    assert only(Talk().gives("x", tool_use_result=beside), ToolResult).details == {}


def edited(tool: str, report: dict[str, Any]) -> FileChange | None:
    """The change that a tool's own report makes."""
    talk = Talk()
    talk.call(tool)
    found = [event for event in talk.gives("done", tool_use_result=report) if isinstance(event, FileChange)]
    return found[0] if found else None


def test_lines_are_counted_over_all_hunks() -> None:
    hunks = [{"lines": ["-a", "+b", "+c", " d"]}, {"lines": ["-e", "\\ No newline at end of file"]}]
    change = edited("MultiEdit", {"filePath": "/a", "structuredPatch": hunks})
    assert change is not None
    assert (change.change, change.added, change.removed) == ("modified", 2, 2)


def test_a_file_written_over_is_modified_and_its_size_known() -> None:
    patch = [{"lines": ["-a", "+ä"]}]
    report = {"type": "update", "filePath": "/a", "content": "ä\n", "structuredPatch": patch}
    change = edited("Write", report)
    assert change is not None
    assert (change.change, change.bytes, change.added, change.removed) == ("modified", 3, 1, 1)


def test_an_empty_file_created_has_no_lines() -> None:
    change = edited("Write", {"type": "create", "filePath": "/a", "content": ""})
    assert change is not None
    assert (change.bytes, change.added) == (0, 0)


def test_a_notebook_is_compared_whole() -> None:
    change = edited("NotebookEdit", {"notebook_path": "/n", "original_file": "a\nb\n", "updated_file": "a\nc\nd\n"})
    assert change is not None
    assert (change.path, change.added, change.removed) == ("/n", 2, 1)


def test_a_change_without_a_patch_is_told_without_counts() -> None:
    change = edited("Edit", {"filePath": "/a"})
    assert change is not None
    assert (change.added, change.removed) == (None, None)


def test_no_change_is_told_without_a_path_or_after_an_error_or_of_another_tool() -> None:
    assert edited("Edit", {"structuredPatch": []}) is None
    assert edited("Read", {"filePath": "/a"}) is None
    talk = Talk()
    talk.call("Edit")
    told = talk.gives("no", is_error=True, tool_use_result={"filePath": "/a"})
    assert [type(event) for event in told] == [ToolResult]


def test_a_to_do_list_is_progress() -> None:
    todos = [
        {"content": "find it", "status": "completed", "activeForm": "Finding it"},
        {"content": "mend it", "status": "in_progress"},
        {"content": "test it", "status": "someday"},
        {"content": ""},
        "x",
    ]
    progress = only(Talk().call("TodoWrite", todos=todos), Progress)
    assert (progress.done, progress.total, progress.current) == (1, 3, "mend it")
    assert [item["state"] for item in progress.items] == ["done", "active", "pending"]
    assert not [event for event in Talk().call("TodoWrite", todos="x") if isinstance(event, Progress)]


def test_a_to_do_list_may_come_task_by_task() -> None:
    talk = Talk()
    talk.call("TaskCreate", "c1", subject="find it")
    assert only(talk.gives("Task #1 created successfully: find it", "c1"), Progress).total == 1
    talk.call("TaskCreate", "c2", subject="mend it")
    talk.restart()
    assert only(talk.gives("made", "c2", tool_use_result={"task": {"id": "2"}}), Progress).total == 2
    assert only(talk.call("TaskUpdate", taskId="1", status="completed"), Progress).done == 1
    progress = only(talk.call("TaskUpdate", taskId="2", status="in_progress", subject="mend all"), Progress)
    assert (progress.done, progress.current) == (1, "mend all")
    assert only(talk.call("TaskUpdate", taskId="2", status="deleted"), Progress).total == 1
    talk.call("TaskList", "l1")
    listed = {"tasks": [{"id": "7", "subject": "rest", "status": "pending"}, 7]}
    assert only(talk.gives("", "l1", tool_use_result=listed), Progress).items == [{"text": "rest", "state": "pending"}]


def test_the_states_of_tasks_may_come_by_themselves() -> None:
    talk = Talk()
    talk.call("TaskCreate", "c1", subject="find it")
    talk.gives("Task #1 created successfully: find it", "c1")
    told = [{"id": "1", "status": "in_progress"}, {"id": "2", "status": "completed"}]
    assert only(talk.system("task_list_statuses", statuses=told), Progress).current == "find it"
    assert talk.system("task_list_statuses", statuses=told) == []
    assert talk.system("task_list_statuses", statuses=7) == []


def test_a_task_that_did_not_come_about_changes_nothing() -> None:
    talk = Talk()
    talk.call("TaskCreate", "c1", subject="find it")
    assert [type(event) for event in talk.gives("no", "c1", is_error=True)] == [ToolResult]
    talk.call("TaskList", "l1")
    assert [type(event) for event in talk.gives("no", "l1", is_error=True)] == [ToolResult]
    assert [type(event) for event in talk.call("TaskUpdate", taskId="1", status="completed")] == [ToolCall]


def test_what_the_cli_says_for_itself_is_a_notice() -> None:
    talk = Talk()
    text = {"type": "text", "text": "go on"}
    assert only(talk.blocks(text, kind="user", isSynthetic=True), Notice).code == "SYNTHETIC_PROMPT"
    assert only(talk.blocks(text, kind="user"), Notice).code == "USER_MESSAGE"
    assert talk.blocks({"type": "text"}, kind="user") == []
    sub = only(talk.blocks(text, kind="user", parent_tool_use_id="t1"), Notice)
    assert (sub.code, sub.details) == ("SUBAGENT_PROMPT", {"parent_tool_use_id": "t1"})


def test_prompts_said_again_are_not_told() -> None:
    assert Talk().blocks({"type": "text", "text": "hello"}, kind="user", isReplay=True, uuid="u") == []


def test_pieces_of_a_message_have_its_id_also_in_older_releases() -> None:
    talk = Talk()
    talk.say("stream_event", event={"type": "message_start", "message": {"id": "msg_1"}})
    talk.say("stream_event", event={"type": "message_start", "message": {"id": "msg_2"}}, parent_tool_use_id="t1")
    piece = {"type": "content_block_delta", "delta": {"type": "text_delta", "text": "a"}}
    assert only(talk.say("stream_event", event=piece), Output).message_id == "msg_1"
    assert only(talk.say("stream_event", event=piece, parent_tool_use_id="t1"), Output).message_id == "msg_2"
    talk.say("stream_event", event={"type": "message_stop"})
    assert only(talk.say("stream_event", event=piece), Output).message_id == ""


@pytest.mark.parametrize("event", [None, "ping", {"type": "ping"}, {"type": "content_block_delta"}])
def test_pieces_that_say_nothing_are_passed_over(event: object) -> None:
    assert Talk().say("stream_event", event=event) == []


def test_an_open_question_is_withdrawn_when_the_call_goes_on_without_an_answer() -> None:
    talk = Talk()
    talk.asks("Write", "r1")
    talk.restart()
    assert only(talk.gives("closed", is_error=True), Withdrawn).approval_id == "r1"
    assert [type(event) for event in talk.gives("again")] == [ToolResult]


@pytest.mark.parametrize(
    ("error", "problem"), [("authentication_failed", "login"), ("billing_error", "quota"), ("rate_limit", "quota")]
)
def test_what_the_agent_cannot_get_past_is_told_once_and_taken_back(error: str, problem: str) -> None:
    talk = Talk()
    failure = {"error": error, "is_api_error_message": True}
    told = talk.blocks({"type": "text", "text": "no"}, **failure)
    assert (only(told, Error).code, only(told, Stopped)) == ("API_ERROR", Stopped(problem, "no"))
    assert [type(event) for event in talk.blocks({"type": "text", "text": "no"}, **failure)] == [Error]
    assert only(talk.blocks({"type": "text", "text": "hello"}), Stopped) == Stopped(None)


@pytest.mark.parametrize("error", ["server_error", None, {"x": 1}])
def test_other_failures_stop_nobody(error: object) -> None:
    told = Talk().blocks({"type": "text", "text": "no"}, error=error, is_api_error_message=True)
    assert [type(event) for event in told] == [Error]
