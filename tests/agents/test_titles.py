"""Titles of tool calls: one readable line, whatever the call is about."""

from __future__ import annotations

import pytest

from roost.agents.claude_tools import TOOLS, call_path, call_title
from roost.agents.titles import KINDS, LONGEST, nearer, one_line, title

HOME = "/home/me/project"


@pytest.mark.parametrize(
    ("tool", "given", "told"),
    [
        ("Read", {"file_path": f"{HOME}/src/config.ts"}, "Reading src/config.ts"),
        ("Read", {"file_path": "/etc/hosts"}, "Reading /etc/hosts"),
        ("Bash", {"command": "npm test", "description": "Run the tests"}, "Running npm test"),
        ("Edit", {"file_path": f"{HOME}/a.py"}, "Editing a.py"),
        ("NotebookEdit", {"notebook_path": f"{HOME}/a.ipynb"}, "Editing a.ipynb"),
        ("Write", {"file_path": f"{HOME}/a.py"}, "Writing a.py"),
        ("Grep", {"pattern": "foo"}, "Searching for foo"),
        ("Glob", {"pattern": "**/*.py"}, "Looking for **/*.py"),
        ("LS", {"path": HOME}, f"Listing {HOME}"),
        ("Task", {"description": "find bugs", "prompt": "…"}, "Asking sub-agent: find bugs"),
        ("Agent", {"prompt": "find bugs"}, "Asking sub-agent: find bugs"),
        ("WebFetch", {"url": "https://example.org"}, "Fetching https://example.org"),
        ("WebSearch", {"query": "weather"}, "Searching the web for weather"),
        ("AskUserQuestion", {"questions": [{"question": "Which colour?"}]}, "Asking: Which colour?"),
        ("AskUserQuestion", {"questions": []}, "Asking a question"),
        ("ExitPlanMode", {"plan": "1. Do it"}, "Proposing a plan"),
        ("EnterPlanMode", {}, "Switching to plan mode"),
        ("TodoWrite", {"todos": []}, "Updating the plan"),
        ("Bash", {}, "Running a command"),
        ("Bash", {"command": 7}, "Running a command"),
        ("mcp__demo__echo", {"text": "x"}, "Calling echo of demo"),
        ("mcp__demo", {}, "Calling mcp__demo"),
        ("Unheard", {}, "Calling Unheard"),
        ("", {}, "Calling a tool"),
    ],
)
def test_calls_of_claude_code_have_titles(tool: str, given: dict[str, object], told: str) -> None:
    assert call_title(tool, given, HOME) == told


@pytest.mark.parametrize("tool", TOOLS)
def test_every_tool_has_a_title_also_without_input(tool: str) -> None:
    assert call_title(tool, {}, "")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_every_kind_has_a_title_with_and_without_a_subject(kind: str) -> None:
    assert title(kind)
    assert title(kind, "x")


def test_a_kind_that_is_not_known_is_a_call() -> None:
    assert title("dance", "tango") == "Calling tango"


def test_a_title_is_one_line_without_controls() -> None:
    assert one_line("a\nb\t c\x1b[31m\x07d\u202ee") == "a b c[31mde"


def test_a_long_subject_is_cut() -> None:
    told = one_line("x" * 1000)
    assert len(told) == LONGEST
    assert told.endswith("…")


@pytest.mark.parametrize(
    ("path", "cwd", "told"),
    [
        ("/home/me/a", "/home/me", "a"),
        ("/home/me/a", "/home/me/", "a"),
        ("/home/me-too", "/home/me", "/home/me-too"),
        ("/home/me/", "/home/me", "."),
        ("a", "", "a"),
        ("/a", "/", "a"),
    ],
)
def test_paths_are_told_as_seen_from_the_working_directory(path: str, cwd: str, told: str) -> None:
    assert nearer(path, cwd) == told


def test_the_path_of_a_call_is_the_file_it_is_about() -> None:
    assert call_path({"file_path": "/a"}) == "/a"
    assert call_path({"notebook_path": "/b"}) == "/b"
    assert call_path({"path": ""}) is None
