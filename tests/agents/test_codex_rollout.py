"""Codex's rollouts, as a session in its own screen, or `codex exec`, leaves them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roost.agents.codex_rollout import CodexRollout
from roost.agents.conversation import ConversationDecoder
from roost.agents.driver import Decision
from roost.agents.observer import SessionObserver
from roost.model.agents import Definition
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import (
    AnyEvent,
    Conversation,
    Error,
    Notice,
    Output,
    Progress,
    Thinking,
    ToolCall,
    ToolResult,
    Turn,
    Unknown,
    Usage,
)
from tests.agents.goldens import GOLDENS, check_golden

DEFINITION = Definition(command=["codex"], cwd="/home/dev/work")
NOW = 1_000_000_000
Json = dict[str, Any]


def reader() -> ConversationDecoder:
    return ConversationDecoder("s", CodexRollout(), can_steer=False, source="transcript")


def read(*lines: bytes | Json, end: bool = False) -> list[AnyEvent]:
    decoder = reader()
    events = decoder.open(["codex"], DEFINITION, NOW)
    for line in lines:
        data = line if isinstance(line, bytes) else json.dumps(line).encode()
        events += decoder.output(data + b"\n", NOW)
        saved, decoder = decoder.save(), reader()
        decoder.load(saved)
    return events + (decoder.finish(NOW) if end else [])


def event(kind: str, **fields: Any) -> Json:
    return {"type": "event_msg", "payload": {"type": kind} | fields}


def item(kind: str, **fields: Any) -> Json:
    return event("item_completed", item={"type": kind, "id": "i"} | fields)


def prompt(text: str) -> Json:
    return item("UserMessage", content=[{"type": "text", "text": text}])


def response(kind: str, key: str = "c", **fields: Any) -> Json:
    return {"type": "response_item", "payload": {"type": kind, "call_id": key} | fields}


def call(name: str, **given: Any) -> Json:
    return response("function_call", name=name, arguments=json.dumps(given))


def output(text: Any) -> Json:
    return response("function_call_output", output=text)


def spent(total: Json | None, last: Json | None = None) -> Json:
    return event("token_count", info=None if total is None else {"total_token_usage": total, "last_token_usage": last})


STARTED = event("task_started", turn_id="t1")
DONE = event("task_complete", turn_id="t1", last_agent_message="Done.")


def turns(events: list[AnyEvent]) -> list[tuple[str, str | None]]:
    return [(one.state, one.prompt or one.text or None) for one in events if isinstance(one, Turn)]


def of(kind: type, events: list[AnyEvent]) -> list[Any]:
    return [one for one in events if isinstance(one, kind)]


@pytest.mark.parametrize("name", ["screen", "exec"])
def test_a_real_rollout_becomes_events(name: str) -> None:
    events = read(*(GOLDENS / "codex_rollout" / f"{name}.jsonl").read_bytes().splitlines())
    assert {one.source for one in events} == {"transcript"}
    check_golden(f"codex_rollout/{name}", events)


def test_a_prompt_and_its_answer_are_a_turn() -> None:
    assert turns(read(STARTED, prompt("hello"), DONE)) == [("started", "hello"), ("completed", "Done.")]


def test_a_turn_without_a_prompt_begins_with_what_it_does() -> None:
    said = item("AgentMessage", content=[{"type": "Text", "text": "I tidy up."}])
    assert turns(read(STARTED, said, DONE)) == [("started", None), ("completed", "Done.")]
    assert turns(read(DONE)) == [("started", None), ("completed", "Done.")]


def test_a_prompt_during_a_turn_is_taken_into_it() -> None:
    assert turns(read(STARTED, prompt("one"), prompt("two"), DONE)) == [
        ("started", "one"),
        ("steered", "two"),
        ("completed", "Done."),
    ]


def test_a_turn_that_was_never_ended_ends_with_the_next() -> None:
    told = turns(read(STARTED, prompt("one"), event("task_started", turn_id="t2"), prompt("two")))
    assert told == [("started", "one"), ("interrupted", None), ("started", "two")]


def test_an_interrupt_ends_the_turn_and_its_calls() -> None:
    events = read(
        STARTED, prompt("x"), call("exec_command", cmd="sleep 9"), event("turn_aborted", reason="interrupted")
    )
    assert [(one.tool, one.is_error) for one in of(ToolResult, events)] == [("shell", True)]
    assert turns(events)[-1] == ("interrupted", None)


@pytest.mark.parametrize(
    ("error", "problem"), [({"message": "no"}, None), ({"message": "limit", "codex_error_info": "usage_limit"}, None)]
)
def test_a_turn_fails_of_what_the_error_says(error: Json, problem: str | None) -> None:
    events = read(STARTED, prompt("x"), event("task_complete", turn_id="t1", error=error))
    assert of(Turn, events)[-1].reason == error["message"]


def test_who_is_not_logged_in_waits_for_that() -> None:
    events = read(STARTED, prompt("x"), event("task_complete", turn_id="t1", error={"message": "401 Unauthorized"}))
    assert [one.code for one in of(Notice, events)] == ["WAITS_FOR_LOGIN"]


# Calls


def test_a_call_is_told_when_it_is_made_and_its_item_is_the_result() -> None:
    whole = item("CommandExecution", command=["bash", "-lc", "ls"], status="completed", aggregated_output="a\n") | {}
    whole["payload"]["item"] |= {"id": "c", "exit_code": 0, "duration": {"secs": 1, "nanos": 5_000_000}}
    events = read(STARTED, prompt("x"), call("exec_command", cmd="ls", workdir="/w"), whole, output("told again"))
    assert [(one.tool_use_id, one.title, one.input) for one in of(ToolCall, events)] == [
        ("c", "Running ls", {"command": "ls", "cwd": "/w"})
    ]
    assert [(one.content, one.duration_ms) for one in of(ToolResult, events)] == [("a\n", 1005)]


@pytest.mark.parametrize(
    ("made", "tool", "title"),
    [
        (call("shell", command=["bash", "-lc", "make it"]), "shell", "Running make it"),
        (call("apply_patch", input="*** Add File: /home/dev/work/a.py\n+x"), "apply_patch", "Writing a.py"),
        (response("custom_tool_call", name="apply_patch", input="x"), "apply_patch", "Editing a file"),
        (call("view_image", path="/home/dev/work/a.png"), "view_image", "Reading a.png"),
        (call("spawn_agent", message="look"), "spawn_agent", "Asking sub-agent: look"),
        (call("mcp__files__read"), "mcp__files__read", "Calling read of files"),
        (response("function_call", name="x", namespace="n", arguments="["), "n.x", "Calling n.x"),
        (response("function_call", name="x", namespace="mcp__n__", arguments="{}"), "mcp__n__x", "Calling x of n"),
        (response("local_shell_call", action={"command": ["ls"]}), "shell", "Running ls"),
    ],
)
def test_calls_have_readable_titles(made: Json, tool: str, title: str) -> None:
    (told,) = of(ToolCall, read(STARTED, made))
    assert (told.tool, told.title) == (tool, title)


@pytest.mark.parametrize(
    ("said", "content", "failed"),
    [
        ("Chunk ID: 1\nProcess exited with code 0\nOutput:\nhi\n", "hi\n", False),
        ("Exit code: 2\nnothing", "Exit code: 2\nnothing", True),
        ("unsupported call: x", "unsupported call: x", False),
        ("Wall time: 4.0 seconds\naborted by user", "Wall time: 4.0 seconds\naborted by user", True),
        ({"content": "no", "success": False}, "no", True),
        ([{"type": "input_text", "text": "a"}, {"type": "input_image"}], "a", False),
        (7, "", False),
    ],
)
def test_calls_without_an_item_have_the_result_that_the_model_was_told(said: Any, content: str, failed: bool) -> None:
    (told,) = of(ToolResult, read(STARTED, call("exec_command", cmd="x"), output(said)))
    assert (told.content, told.is_error) == (content, failed)


def test_a_command_that_goes_on_has_no_result_yet() -> None:
    told = output("Chunk ID: 1\nProcess running with session ID 7\nOutput:\n")
    assert of(ToolResult, read(STARTED, call("exec_command", cmd="x"), told)) == []
    (result,) = of(ToolResult, read(STARTED, call("exec_command", cmd="x"), told, end=True))
    assert (result.is_error, result.source) == (True, "transcript")


def test_a_plan_is_progress() -> None:
    steps = [{"step": "a", "status": "completed"}, {"step": "b", "status": "in_progress"}]
    events = read(STARTED, call("update_plan", plan=steps), output("Plan updated"))
    assert [(one.done, one.total, one.current) for one in of(Progress, events)] == [(1, 2, "b")]
    assert of(ToolCall, events) == []


def test_a_call_without_an_id_is_passed_over() -> None:
    assert read(response("function_call", "", name="x")) == []


# What else is told


def test_a_plan_that_is_proposed_is_said() -> None:
    told = read(item("Plan", text="First."), item("Plan", content=[{"text": "Then."}]))
    assert [one.text for one in of(Output, told)] == ["First.", "Then."]


def test_files_of_a_patch_are_changed() -> None:
    changes = {"/w/a": {"type": "update", "unified_diff": "@@ -1 +1 @@\n-a\n+b\n"}, "/w/b": "?"}
    (change,) = [one for one in read(item("FileChange", changes=changes, status="completed")) if "path" in dir(one)][
        -1:
    ]
    assert (change.path, change.change, change.added, change.removed) == ("/w/a", "modified", 1, 1)


def test_tokens_are_what_came_on_top() -> None:
    first, second = {"input_tokens": 10, "output_tokens": 1}, {"input_tokens": 30, "output_tokens": 2}
    context = {"type": "turn_context", "payload": {"model": "m", "approval_policy": "never"}}
    counted = of(Usage, read(context, spent(first, first), spent(first, first), spent(second), spent(None)))
    assert [(one.model, one.input_tokens, one.output_tokens) for one in counted] == [("m", 10, 1), ("m", 20, 1)]


def test_the_conversation_is_known_and_told_when_it_is_another() -> None:
    meta = {"type": "session_meta", "payload": {"id": "u", "cwd": "/w", "cli_version": "0.163.0"}}
    origin = {"type": "session_meta", "payload": {"id": "other", "cwd": "/w"}}
    context = {"type": "turn_context", "payload": {"model": "m", "approval_policy": "never"}}
    told = of(Conversation, read(meta, origin, context, context))
    assert [(one.conversation_id, one.model, one.mode) for one in told] == [("u", None, None), ("u", "m", "never")]


def test_older_releases_tell_messages_as_events() -> None:
    old = [
        event("user_message", message="hello"),
        event("agent_reasoning", text="hm"),
        event("agent_message", message="hi"),
    ]
    events = read(STARTED, *old, DONE)
    assert turns(events) == [("started", "hello"), ("completed", "Done.")]
    assert [one.text for one in events if isinstance(one, Output | Thinking)] == ["hm", "hi"]
    again = read(STARTED, prompt("hello"), *old)
    assert of(Output, again) == of(Thinking, again) == []


def test_trouble_is_told() -> None:
    events = read(
        event("error", message="bad"), event("stream_error", message="again"), event("warning", message="hot")
    )
    assert [one.code for one in of(Error, events)] == ["AGENT_ERROR"]
    assert [one.code for one in of(Notice, events)] == ["API_RETRY", "WARNING"]
    assert [one.code for one in read({"type": "compacted", "payload": {}})] == ["COMPACTED"]


# Damage


@pytest.mark.parametrize("line", [b"{half", b"[]", b"\xff"])
def test_what_is_no_json_is_kept(line: bytes) -> None:
    (told,) = read(line)
    assert isinstance(told, Unknown)
    assert told.source == "transcript"


def test_an_item_of_an_unknown_type_is_kept() -> None:
    assert len(of(Unknown, read(item("Novelty")))) == 1


@pytest.mark.parametrize("kind", ["session_meta", "turn_context", "response_item", "event_msg", "world_state", 7, None])
@pytest.mark.parametrize("payload", [None, 7, [], {}, {"type": 7}])
def test_lines_without_their_fields_say_nothing(kind: Any, payload: Any) -> None:
    assert read({"type": kind, "payload": payload}) == []


@pytest.mark.parametrize("kind", ["CommandExecution", "FileChange", "McpToolCall", "Reasoning", "UserMessage"])
def test_items_with_fields_of_other_types_break_nothing(kind: str) -> None:
    odd = {"command": 7, "cwd": [], "changes": [], "duration": 1, "content": 7, "summary_text": {}, "parsed_cmd": "x"}
    assert of(Unknown, read(item(kind, **odd))) == []


def test_every_line_cut_anywhere_is_read_without_raising() -> None:
    for line in (GOLDENS / "codex_rollout" / "screen.jsonl").read_bytes().splitlines():
        for at in range(0, len(line), 97):
            read(line[:at])


def test_nothing_is_ever_written() -> None:
    codec, turn = CodexRollout(), PendingTurn("t", "x")
    asked = OpenApproval("p", "shell", {}, "", [], "tool", 1)
    written = [codec.prompt(turn, []), codec.steer(turn, []), codec.interrupt(), codec.change("model", "x")]
    assert [*written, codec.answer(asked, Decision(allow=True)), codec.finish()] == [[]] * 6


def test_it_is_read_beside_a_screen() -> None:
    observer = SessionObserver(DEFINITION)
    mark = {"cli": "codex", "file": "r.jsonl", "offset": 0, "lines": [json.dumps(STARTED), json.dumps(prompt("hello"))]}
    assert turns(observer.mark("transcript", mark, None, NOW) or []) == [("started", "hello")]
