"""Hooks of Claude Code beside its screen: how its command gets them, and what is made of what they tell."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roost.agents.observer import SessionObserver
from roost.agents.own_screens import MOMENTS, takes_hooks, with_hooks
from roost.model.agents import Definition
from roost.model.attention import Attention
from roost.model.events import AnyEvent, Notice

DEFINITION = Definition(command=["claude"], cwd="/home/dev/work")
NOW = 1_000_000_000
BASH = {"tool_name": "Bash", "tool_input": {"command": "npm test"}}


def told(observer: SessionObserver, moment: object, **fields: Any) -> tuple[list[AnyEvent] | None, Attention | None]:
    events = observer.mark("hook", {"cli": "claude", "hook_event_name": moment} | fields, None, NOW)
    return events, observer.noticed()


def asking() -> SessionObserver:
    observer = SessionObserver(DEFINITION)
    told(observer, "PermissionRequest", **BASH)
    return observer


@pytest.mark.parametrize(
    ("words", "takes"),
    [
        ([], True),
        (["--resume", "x"], True),
        (["--settings", "mine.json"], False),
        (["--settings={}"], False),
        (["-p", "x"], False),
        (["mcp", "list"], False),
    ],
)
def test_hooks_are_given_where_the_person_has_no_settings_there(words: list[str], takes: bool) -> None:
    assert takes_hooks(["claude", *words]) is takes
    assert not takes_hooks(["codex", *words])


def test_hooks_are_one_argument_before_all_others() -> None:
    command = with_hooks(["claude", "--", "x"], ["py", "a b"])
    assert [command[0], *command[2:]] == ["claude", "--", "x"]
    hooks = json.loads(command[1].removeprefix("--settings="))["hooks"]
    assert set(hooks) == {*MOMENTS, "SessionEnd"}
    assert hooks["Stop"] == [{"hooks": [{"type": "command", "command": "py 'a b'", "timeout": 5, "async": True}]}]
    assert "async" not in hooks["SessionEnd"][0]["hooks"][0]


def test_who_asks_waits_for_permission() -> None:
    events, attention = told(SessionObserver(DEFINITION), "PermissionRequest", **BASH)
    details = {"tool": "Bash", "input": {"command": "npm test"}}
    assert events == [Notice(0, 0, "WAITS_FOR_PERMISSION", "Running npm test", details, source="hook")]
    assert attention is not None
    assert (attention.kind, attention.wants, attention.source) == ("waits", "permission", "hook")
    assert attention.summary == "Running npm test"


@pytest.mark.parametrize(
    ("tool", "wants"),
    [("AskUserQuestion", "question"), ("ExitPlanMode", "plan"), ("New", "permission"), (7, "permission")],
)
def test_what_it_wants_is_seen_by_the_tool(tool: object, wants: str) -> None:
    _, attention = told(SessionObserver(DEFINITION), "PermissionRequest", tool_name=tool, tool_input=7)
    assert attention is not None
    assert attention.wants == wants


def test_a_notification_alone_says_so_too_and_is_not_told_twice() -> None:
    prompt = {"notification_type": "permission_prompt", "message": "Claude needs your permission"}
    events, attention = told(SessionObserver(DEFINITION), "Notification", **prompt)
    assert events == [Notice(0, 0, "WAITS_FOR_PERMISSION", prompt["message"], source="hook")]
    assert attention is not None
    assert told(asking(), "Notification", **prompt) == ([], None)


@pytest.mark.parametrize(("kind", "details"), [("idle_prompt", {"kind": "idle_prompt"}), (None, {})])
def test_other_notifications_are_told(kind: str | None, details: dict[str, Any]) -> None:
    events, attention = told(SessionObserver(DEFINITION), "Notification", notification_type=kind, message="Hello")
    assert events == [Notice(0, 0, "NOTIFICATION", "Hello", details, source="hook")]
    assert attention is None


@pytest.mark.parametrize(
    ("moment", "kind"),
    [("PostToolUse", "works"), ("UserPromptSubmit", "works"), ("Stop", "idle"), ("SessionEnd", "idle")],
)
def test_what_comes_after_the_answer_ends_the_waiting(moment: str, kind: str) -> None:
    observer = asking()
    saved, observer = observer.save(), SessionObserver(DEFINITION)
    observer.load(saved)
    events, attention = told(observer, moment)
    assert events == []
    assert attention is not None
    assert (attention.kind, attention.source) == (kind, "hook")
    assert told(observer, moment) == ([], None)


@pytest.mark.parametrize("moment", [None, 7, {}, "PreCompact"])
def test_other_moments_say_nothing(moment: object) -> None:
    assert told(asking(), moment) == ([], None)


def line(*blocks: dict[str, Any]) -> dict[str, Any]:
    text = json.dumps({"type": "user", "sessionId": "s", "message": {"role": "user", "content": list(blocks)}})
    return {"cli": "claude", "file": "s.jsonl", "offset": 0, "lines": [text]}


@pytest.mark.parametrize(("is_error", "over"), [(True, True), (False, False)])
def test_a_refusal_stands_in_the_transcript_alone(is_error: bool, over: bool) -> None:
    observer = asking()
    result = {"type": "tool_result", "tool_use_id": "t", "content": "no", "is_error": is_error}
    observer.mark("transcript", line(result), None, NOW)
    assert (observer.noticed() is not None) is over


def test_an_interrupt_ends_the_waiting() -> None:
    observer = SessionObserver(DEFINITION)
    observer.mark("transcript", line({"type": "text", "text": "hello"}), None, NOW)
    told(observer, "PermissionRequest", **BASH)
    interrupted = line({"type": "text", "text": "[Request interrupted by user]"}) | {"offset": 1000}
    observer.mark("transcript", interrupted, None, NOW)
    found = observer.noticed()
    assert found is not None
    assert found.kind == "works"
