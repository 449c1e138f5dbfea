"""Lines of the kind `system` and the rare types: states, retries, tasks, limits, and what nobody knows."""

from __future__ import annotations

from typing import Any

import pytest

from roost.agents.driver import Busy, Stopped, Taken
from roost.model.events import Conversation, Notice, Unknown
from tests.agents.claude.talk import Talk, only

INIT = {"session_id": "s1", "model": "opus", "permissionMode": "default", "cwd": "/home/me", "tools": ["Read"]}


def notice(subtype: str, **fields: Any) -> Notice:
    """The notice that a `system` line becomes."""
    return only(Talk().system(subtype, **fields), Notice)


def test_a_conversation_is_told_where_something_of_it_is_new() -> None:
    talk = Talk()
    first = only(talk.system("init", **INIT, claude_code_version="2.1.329"), Conversation)
    assert (first.conversation_id, first.model, first.mode) == ("s1", "opus", "default")
    assert first.details == {"cwd": "/home/me", "version": "2.1.329", "tools": ["Read"]}
    talk.restart()
    assert talk.system("init", **INIT) == []
    servers = [{"name": "demo", "status": "connected", "x": 1}]
    assert only(talk.system("init", **INIT, mcp_servers=servers), Conversation).details["mcp_servers"] == {
        "demo": "connected"
    }
    assert only(talk.system("init", **{**INIT, "session_id": "s2"}), Conversation).conversation_id == "s2"


def test_a_beginning_that_is_odd_in_part_is_one() -> None:
    told = Talk().system("init", model=7, permissionMode=["x"], tools="x", session_id="s1", cwd=None)
    assert told[0] == Taken()
    assert only(told, Conversation).conversation_id == "s1"


def test_the_mode_may_change_meanwhile() -> None:
    talk = Talk()
    assert only(talk.system("status", permissionMode="plan"), Conversation).mode == "plan"
    assert talk.system("status", permissionMode="plan") == []
    assert talk.system("status", status="requesting") == []


def test_shortening_the_conversation_is_told() -> None:
    assert notice("status", status="compacting").code == "COMPACTING"
    assert notice("status", compact_result="failed", compact_error="too short").message == "too short"
    assert notice("status", compact_result="failed").message == "failed"
    assert notice("compact_boundary", compact_metadata={"pre_tokens": 9, "post_tokens": 4}).message.endswith(
        "9 tokens to 4"
    )
    assert notice("compact_boundary", compact_metadata={"pre_tokens": 9}).message.endswith("9 tokens")
    assert notice("compact_boundary", compact_metadata=7).details == {}


@pytest.mark.parametrize(("state", "busy"), [("running", True), ("requires_action", True), ("idle", False)])
def test_whether_it_is_busy_is_what_it_says(state: str, busy: bool) -> None:
    assert Talk().system("session_state_changed", state=state) == [Busy(busy)]


def test_a_title_is_of_the_conversation() -> None:
    assert only(Talk().system("session_title_changed", title="A\nB"), Conversation).details == {"title": "A B"}


def test_retries_are_told() -> None:
    told = notice("api_retry", attempt=1, max_retries=10, retry_delay_ms=503, error="rate_limit", error_status=429)
    assert told.message == "attempt 1 of 10 failed: rate_limit; the next in 0.5 s"
    assert notice("api_retry", attempt=1, max_retries=2, error={}).message == "attempt 1 of 2 failed: unknown"


def test_credentials_that_are_refused_stop_it() -> None:
    told = Talk().system("api_retry", error="authentication_failed")
    assert only(told, Stopped).problem == "login"


def test_another_model_in_its_place_is_told() -> None:
    fallback = {"original_model": "opus", "fallback_model": "haiku", "trigger": "overloaded"}
    assert notice("model_fallback", **fallback).message == "opus gives way to haiku"
    assert notice("model_fallback", **fallback, content="Switched").message == "Switched"


def test_what_it_says_beside_the_conversation_is_told_in_its_words() -> None:
    assert notice("informational", content="so it is", level="info").details == {"level": "info"}
    assert notice("notification", text="look", priority="high").message == "look"
    assert notice("memory_saved", written_paths=["/m.md"]).details == {"written_paths": ["/m.md"]}
    refused = notice("model_refusal_no_fallback", content="it will not", original_model="opus")
    assert (refused.code, refused.message) == ("MODEL_REFUSED", "it will not")


def test_tasks_and_hooks_are_told() -> None:
    assert notice("task_updated", task_id="1", patch={"status": "failed"}).message == "task 1: failed"
    assert notice("task_updated", task_id="1", patch={}).message == "task 1: goes on"
    assert notice("task_updated", patch={"status": "failed"}).message == "failed"
    assert notice("background_tasks_changed", tasks=[{}, {}]).message == "2 tasks in the background"
    assert notice("background_tasks_changed", tasks=None).message == "0 tasks in the background"
    assert notice("hook_response", hook_name="Stop", outcome="error", exit_code=2).message == "Stop: error"


@pytest.mark.parametrize(
    "line", [{"type": "keep_alive"}, {"type": "tool_progress"}, {"type": "system", "subtype": "ui_invalidate"}]
)
def test_what_is_only_for_the_moment_is_not_told(line: dict[str, Any]) -> None:
    assert Talk().say(**{"kind": line.pop("type"), **line}) == []


def limit(talk: Talk, **info: Any) -> list[Any]:
    """What a limit's line becomes."""
    return talk.say("rate_limit_event", rate_limit_info=info)


def test_a_limit_that_is_reached_stops_it_until_it_is_lifted() -> None:
    talk = Talk()
    told = limit(talk, status="rejected", rateLimitType="five_hour", resetsAt=1)
    assert only(told, Notice).message == "five_hour: rejected"
    assert only(told, Stopped) == Stopped("quota", "five_hour: rejected")
    assert limit(talk, status="allowed") == [Stopped(None)]
    assert limit(talk, status="allowed") == []


def test_a_limit_that_is_near_or_that_money_lifts_is_only_told() -> None:
    talk = Talk()
    assert [type(item) for item in limit(talk, status="allowed_warning")] == [Notice]
    assert [type(item) for item in limit(talk, status="rejected", overageStatus="allowed")] == [Notice]
    assert [type(item) for item in talk.say("rate_limit_event", rate_limit_info=7)] == [Notice]


def test_a_login_that_goes_wrong_stops_it() -> None:
    assert Talk().say("auth_status", error="expired") == [Stopped("login", "expired")]
    assert (
        only(Talk().say("auth_status", isAuthenticating=True, output=["see", "browser"]), Notice).message
        == "see\nbrowser"
    )
    assert only(Talk().say("auth_status", output=7), Notice).code == "LOGIN"


@pytest.mark.parametrize("subtype", ["levitated", None, "x\ny"])
def test_kinds_that_nobody_knows_are_told_as_they_were(subtype: str | None) -> None:
    assert "a system line of the kind" in only(Talk().say("system", subtype=subtype), Unknown).reason


def test_types_that_nobody_knows_are_told_as_they_were() -> None:
    told = only(Talk().line(b'{"type":"post_turn_summary","x":1}'), Unknown)
    assert told.line == '{"type":"post_turn_summary","x":1}'
    assert told.reason == "a line of the type 'post_turn_summary'"
