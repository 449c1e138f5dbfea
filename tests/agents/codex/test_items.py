"""Items of codex become calls, results and what was said; a tool has the name that the model calls it by."""

from __future__ import annotations

from typing import Any

import pytest

from roost.agents.codex_changes import counted
from roost.agents.codex_items import MAX_OPEN, ItemReader, ItemState, from_exec
from roost.agents.codex_titles import unwrapped
from roost.agents.driver import Item
from roost.model.events import FileChange, Notice, Output, Thinking, ToolCall, ToolResult


def reader() -> ItemReader:
    return ItemReader(ItemState(cwd="/p"))


def called(item: dict[str, Any]) -> ToolCall:
    """The call that an item which begins tells of."""
    told = reader().started({"id": "c", **item}, "t") or []
    assert isinstance(told[0], ToolCall)
    return told[0]


def whole(item: dict[str, Any]) -> list[Item]:
    """What an item tells that was not seen to begin."""
    return reader().completed({"id": "c", **item}, "t") or []


def result(item: dict[str, Any]) -> ToolResult:
    told = whole(item)[1]
    assert isinstance(told, ToolResult)
    return told


CALLS: list[tuple[dict[str, Any], str, str]] = [
    ({"type": "commandExecution", "command": "/bin/bash -lc 'npm test'"}, "shell", "Running npm test"),
    ({"type": "commandExecution", "command": "make"}, "shell", "Running make"),
    (
        {"type": "commandExecution", "commandActions": [{"type": "read", "path": "/p/src/a.py"}]},
        "shell",
        "Reading src/a.py",
    ),
    ({"type": "commandExecution", "commandActions": [{"type": "read", "name": "a.py"}]}, "shell", "Reading a.py"),
    ({"type": "commandExecution", "commandActions": [{"type": "listFiles"}]}, "shell", "Listing files"),
    (
        {"type": "commandExecution", "commandActions": [{"type": "search", "query": "foo", "path": "/p/src"}]},
        "shell",
        "Searching for foo in src",
    ),
    (
        {"type": "commandExecution", "commandActions": [{"type": "search", "query": "foo"}]},
        "shell",
        "Searching for foo",
    ),
    ({"type": "fileChange"}, "apply_patch", "Editing a file"),
    ({"type": "fileChange", "changes": [{"path": "/p/a", "kind": "add"}]}, "apply_patch", "Writing a"),
    ({"type": "fileChange", "changes": [{"path": "/p/a", "kind": {"type": "delete"}}]}, "apply_patch", "Deleting a"),
    (
        {"type": "fileChange", "changes": [{"path": "/p/a", "kind": "add"}, {"path": "/p/b", "kind": "update"}]},
        "apply_patch",
        "Editing a and 1 more",
    ),
    ({"type": "mcpToolCall", "server": "demo", "tool": "echo"}, "mcp__demo__echo", "Calling echo of demo"),
    ({"type": "dynamicToolCall", "namespace": "ours", "tool": "sum"}, "ours.sum", "Calling ours.sum"),
    (
        {"type": "collabAgentToolCall", "tool": "spawnAgent", "prompt": "count\nthem"},
        "spawn_agent",
        "Asking sub-agent: count them",
    ),
    ({"type": "collabAgentToolCall", "tool": "wait"}, "wait", "Waiting for sub-agents"),
    (
        {"type": "collabAgentToolCall", "tool": "sendMessage", "prompt": "hi"},
        "send_message",
        "Telling sub-agent: hi",
    ),
    ({"type": "collabAgentToolCall", "tool": "hug"}, "hug", "Calling hug"),
    ({"type": "subAgentActivity", "agentPath": "/p/a", "kind": "started"}, "sub_agent", "Sub-agent /p/a started"),
    ({"type": "webSearch", "query": "roost"}, "web_search", "Searching the web for roost"),
    (
        {"type": "webSearch", "action": {"type": "openPage", "url": "http://a/b"}},
        "web_search",
        "Fetching http://a/b",
    ),
    (
        {"type": "webSearch", "action": {"type": "open_page", "url": "http://a/b"}},
        "web_search",
        "Fetching http://a/b",
    ),
    (
        {"type": "webSearch", "action": {"type": "findInPage", "url": "http://a/b", "pattern": "x"}},
        "web_search",
        "Searching for x in http://a/b",
    ),
    ({"type": "imageView", "path": "/p/a.png"}, "view_image", "Reading a.png"),
    ({"type": "imageGeneration", "revisedPrompt": "a hen"}, "image_generation", "Making an image"),
    ({"type": "sleep", "durationMs": 1500}, "sleep", "Sleeping 1.5 s"),
    ({"type": "functionCallOutput", "name": "lookup"}, "lookup", "Calling lookup"),
]


@pytest.mark.parametrize(("item", "tool", "title"), CALLS)
def test_a_call_has_the_models_name_and_a_readable_title(item: dict[str, Any], tool: str, title: str) -> None:
    call = called(item)
    assert (call.tool, call.title) == (tool, title)


def test_a_call_says_which_file_it_is_about() -> None:
    read = {"type": "commandExecution", "commandActions": [{"type": "read", "path": "/p/a"}]}
    assert called(read).path == "/p/a"
    assert called({"type": "commandExecution", "commandActions": [{"type": "listFiles", "path": "/p"}]}).path is None
    assert called({"type": "fileChange", "changes": [{"path": "/p/a", "kind": "add"}]}).path == "/p/a"


@pytest.mark.parametrize(
    ("given", "told"), [({"a": 1}, {"a": 1}), (None, {}), ([1], {"arguments": [1]}), ("x", {"arguments": "x"})]
)
def test_arguments_of_any_kind_are_told(given: object, told: dict[str, Any]) -> None:
    assert called({"type": "mcpToolCall", "server": "s", "tool": "t", "arguments": given}).input == told


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("/usr/bin/bash -lc 'echo it'\\''s'", "echo it's"),
        ('sh -c "echo \\"a\\" \\$b"', 'echo "a" $b'),
        ("zsh -c ls", "ls"),
        ("bash -c '", "'"),
        ("bash script.sh", "bash script.sh"),
    ],
)
def test_the_shell_around_a_script_is_left_out_of_titles(command: str, script: str) -> None:
    assert unwrapped(command) == script


def test_an_item_that_was_not_seen_to_begin_is_a_call_and_its_result() -> None:
    assert [type(told) for told in whole({"type": "webSearch", "query": "q"})] == [ToolCall, ToolResult]


RESULTS: list[tuple[dict[str, Any], str, bool, dict[str, Any]]] = [
    (
        {"type": "commandExecution", "aggregatedOutput": "no\n", "exitCode": 3, "status": "failed"},
        "no\n",
        True,
        {"exit_code": 3},
    ),
    ({"type": "commandExecution", "status": "declined"}, "", True, {"denied": True}),
    ({"type": "commandExecution", "exitCode": -9, "status": "failed"}, "", True, {"exit_code": -9}),
    (
        {"type": "mcpToolCall", "error": {"message": "gone"}, "status": "failed"},
        "gone",
        True,
        {},
    ),
    (
        {"type": "mcpToolCall", "result": {"content": [{"type": "text", "text": "a"}, {"type": "image", "n": 1}]}},
        'a\n{"type":"image","n":1}',
        False,
        {},
    ),
    (
        {"type": "dynamicToolCall", "contentItems": [{"type": "inputText", "text": "b"}], "success": False},
        "b",
        True,
        {},
    ),
    ({"type": "functionCallOutput", "output": "c"}, "c", False, {}),
    ({"type": "functionCallOutput", "output": [{"type": "text", "text": "d"}]}, "d", False, {}),
    ({"type": "webSearch", "results": [{"title": "e"}]}, '{"title":"e"}', False, {}),
    ({"type": "imageGeneration", "savedPath": "/p/hen.png", "result": "base64"}, "/p/hen.png", False, {}),
    (
        {
            "type": "collabAgentToolCall",
            "tool": "wait",
            "status": "interrupted",
            "agentsStates": {"a": {"message": "did it"}, "b": None},
        },
        "did it",
        True,
        {"interrupted": True, "agents": {"a": {"message": "did it"}, "b": None}},
    ),
]


@pytest.mark.parametrize(("item", "content", "failed", "details"), RESULTS)
def test_a_result_tells_what_came_of_a_call(
    item: dict[str, Any], content: str, failed: bool, details: dict[str, Any]
) -> None:
    told = result(item)
    assert (told.content, told.is_error, told.details) == (content, failed, details)


def test_codexs_own_duration_is_kept() -> None:
    assert result({"type": "commandExecution", "durationMs": 297}).duration_ms == 297


def test_only_a_patch_that_was_applied_changed_files() -> None:
    changes = [
        {"path": "/p/new", "kind": {"type": "add"}, "diff": "a\nb\n"},
        {"path": "/p/old", "kind": {"type": "delete"}, "diff": "a\n"},
        {"path": "/p/x", "kind": {"type": "update", "move_path": "/p/y"}, "diff": "@@ -1 +1 @@\n-a\n+b\n"},
        {"path": "/p/z", "kind": "update"},
        {"kind": "update"},
    ]
    told = whole({"type": "fileChange", "changes": changes, "status": "completed"})
    assert [one for one in told if isinstance(one, FileChange)] == [
        FileChange(0, 0, "/p/new", "created", None, 2, 0, "c"),
        FileChange(0, 0, "/p/old", "deleted", None, 0, 1, "c"),
        FileChange(0, 0, "/p/y", "renamed", None, 1, 1, "c", "/p/x"),
        FileChange(0, 0, "/p/z", "modified", None, None, None, "c"),
    ]
    declined = whole({"type": "fileChange", "changes": changes, "status": "declined"})
    assert [one for one in declined if isinstance(one, FileChange)] == []


def test_lines_before_the_first_hunk_are_not_counted() -> None:
    assert counted("update", "--- a/x\n+++ b/x\n@@ -1,2 +1,2 @@\n--- dashes\n+++ plusses\n same\n") == (1, 1)


def test_the_shell_and_its_kin_are_told_by_their_threads_sub_agent() -> None:
    items = reader()
    spawn = {"type": "collabAgentToolCall", "id": "spawn", "tool": "spawnAgent", "receiverThreadIds": []}
    items.started(spawn, "main")
    items.completed({**spawn, "receiverThreadIds": ["sub"]}, "main")
    told = items.started({"type": "commandExecution", "id": "c", "command": "ls"}, "sub") or []
    said = items.completed({"type": "agentMessage", "id": "m", "text": "done"}, "sub") or []
    assert [one.parent_tool_use_id for one in [*told, *said] if isinstance(one, ToolCall | Output)] == ["spawn"] * 2


def test_the_first_call_that_names_a_sub_agent_is_its_parent() -> None:
    items = reader()
    for key in ("first", "second"):
        items.completed({"type": "subAgentActivity", "id": key, "agentThreadId": "sub"}, "main")
    assert items.state.parents == {"sub": "first"}


def test_calls_that_will_have_no_result_get_one() -> None:
    items = reader()
    items.started({"type": "fileChange", "id": "a", "changes": [{"path": "/p/a"}]}, "t")
    items.started({"type": "sleep", "id": "b"}, "other")
    told = items.abandon("t", "the turn was interrupted")
    assert told == [
        ToolResult(0, 0, "a", "apply_patch", "the turn was interrupted", is_error=True, details={"interrupted": True})
    ]
    assert (list(items.state.open), items.state.patches) == (["b"], {})


def test_not_more_calls_are_remembered_than_there_is_room_for() -> None:
    items = reader()
    for number in range(MAX_OPEN + 3):
        items.started({"type": "fileChange", "id": str(number), "agentThreadId": str(number)}, "t")
    assert len(items.state.open) == len(items.state.patches) == len(items.state.parents) == MAX_OPEN


TOLD: list[tuple[dict[str, Any], list[Item]]] = [
    ({"type": "agentMessage", "text": "hi"}, [Output(0, 0, "hi", "c")]),
    ({"type": "agentMessage", "text": ""}, []),
    ({"type": "plan", "text": "first this"}, [Output(0, 0, "first this", "c")]),
    ({"type": "reasoning", "summary": ["a", "b"]}, [Thinking(0, 0, "a\n\nb", "c")]),
    ({"type": "reasoning", "summary": [], "content": ["raw"]}, [Thinking(0, 0, "raw", "c")]),
    ({"type": "reasoning"}, []),
    ({"type": "contextCompaction"}, [Notice(0, 0, "COMPACTED", "the conversation was made shorter")]),
    ({"type": "enteredReviewMode", "review": "of main"}, [Notice(0, 0, "REVIEW_STARTED", "of main")]),
    ({"type": "exitedReviewMode", "review": "fine"}, [Notice(0, 0, "REVIEW_ENDED", "fine")]),
    ({"type": "hookPrompt", "fragments": [{"text": "a"}, {"text": "b"}]}, [Notice(0, 0, "HOOK_PROMPT", "a\nb")]),
    ({"type": "error", "message": "careful"}, [Notice(0, 0, "WARNING", "careful")]),
    ({"type": "userMessage"}, []),
]


@pytest.mark.parametrize(("item", "told"), TOLD)
def test_what_is_no_call_is_told_when_it_is_whole(item: dict[str, Any], told: list[Item]) -> None:
    assert reader().started({"id": "c", **item}, "t") == []
    assert whole(item) == told


def test_an_item_of_an_unknown_type_is_known_to_nobody() -> None:
    assert reader().started({"type": "tea"}, "t") is None
    assert reader().completed({"type": "tea"}, "t") is None


def test_items_of_exec_are_the_same_in_another_spelling() -> None:
    made = from_exec({"type": "collab_tool_call", "receiver_thread_ids": ["a"], "status": "in_progress"})
    assert made == {"type": "collabAgentToolCall", "receiverThreadIds": ["a"], "status": "inProgress"}
    assert from_exec({"type": "command_execution", "exit_code": 0, "status": "completed"})["exitCode"] == 0
