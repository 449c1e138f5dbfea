"""One prompt to opencode: lines that no transcript has, and the ways to end."""

import json

import pytest

from roost.agents.opencode import OpencodeDriver
from roost.agents.opencode_tools import call_title
from roost.model.events import Conversation, FileChange, Notice, Output, Progress, Thinking, ToolResult, Turn, Usage
from tests.agents.goldens import definition, make_decoder


def read(*lines, argv=("opencode", "run", "x")):
    """The events of these lines, and of the end of the process."""
    decoder = make_decoder(OpencodeDriver().codec())
    events = decoder.open(list(argv), definition(cwd="/w"), 0)
    for line in lines:
        events += decoder.output(json.dumps({"sessionID": "ses_1", **line}).encode() + b"\n", 0)
    return events + decoder.finish(0, 1)


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def step(reason, **part):
    return {"type": "step_finish", "part": {"reason": reason, **part}}


def end(*lines):
    turn = of(Turn, read(*lines))[-1]
    return turn.state, turn.reason


@pytest.mark.parametrize(
    ("lines", "how"),
    [
        ([step("stop")], ("completed", None)),
        ([step("something_new")], ("completed", None)),
        ([step("tool-calls")], ("failed", "a tool was not permitted, so the run ended")),
        ([step("length")], ("failed", "the answer grew longer than the model may give")),
        ([step("content-filter")], ("failed", "the model's provider held the answer back")),
        (
            [step("tool-calls"), {"type": "step_start"}],
            ("failed", "opencode ended with exit code 1 before its step was done"),
        ),
        ([], ("failed", "opencode ended with exit code 1 before it began")),
        ([{"type": "error"}], ("failed", "opencode says that it failed, not why")),
        ([{"type": "error", "error": {"name": "MessageAbortedError"}}], ("interrupted", None)),
    ],
)
def test_how_it_ended_is_read_from_its_last_step(lines, how):
    assert end(*lines) == how


def test_a_login_that_is_missing_is_said():
    error = {"name": "ProviderAuthError", "data": {"message": "no key"}}
    assert of(Notice, read({"type": "error", "error": error}))[0].code == "WAITS_FOR_LOGIN"


def test_a_step_that_ended_otherwise_says_so():
    assert end(step("tool-calls"), {"type": "step_start"})[0] == "failed"


def test_the_model_is_that_of_the_command_line():
    argv = ("opencode", "run", "-m", "p/m", "x")
    assert of(Conversation, read(step("stop"), argv=argv))[0].model == "p/m"


def test_what_a_step_used():
    tokens = {"input": 5, "output": 3, "reasoning": 2, "cache": {"read": 7, "write": 1}}
    used = of(Usage, read(step("stop", tokens=tokens, cost=0.25)))[0]
    assert (used.input_tokens, used.output_tokens, used.cache_read_tokens, used.cache_write_tokens) == (5, 5, 7, 1)
    assert used.cost_usd == 0.25


@pytest.mark.parametrize("cost", [0, None, "1", 10**400])
def test_money_that_says_nothing_is_not_told(cost):
    assert of(Usage, read(step("stop", cost=cost)))[0].cost_usd is None


def test_nothing_is_said_of_nothing():
    assert not of(Output, read({"type": "text", "part": {"text": ""}}))
    assert not of(Thinking, read({"type": "reasoning", "part": {"text": 5}}))


def tool(name, given, **state):
    part = {"tool": name, "callID": "c", "state": {"status": "completed", "input": given, **state}}
    return read({"type": "tool_use", "part": part})


@pytest.mark.parametrize(
    ("name", "given", "metadata", "change"),
    [
        ("edit", {"filePath": "/w/a", "oldString": "x", "newString": "y"}, {}, ("modified", None, 1, 1)),
        ("edit", {"filePath": "/w/a"}, {"filediff": {"additions": 4, "deletions": 2}}, ("modified", None, 4, 2)),
        ("write", {"filePath": "/w/a", "content": "x\n"}, {"exists": True}, ("modified", 2, None, None)),
        ("write", {"content": "x\n"}, {"exists": False, "filepath": "/w/a"}, ("created", 2, 1, 0)),
    ],
)
def test_what_tools_did_to_files(name, given, metadata, change):
    told = of(FileChange, tool(name, given, metadata=metadata))[0]
    assert (told.change, told.bytes, told.added, told.removed) == change
    assert (told.path, told.tool_use_id) == ("/w/a", "c")


def test_reading_and_failing_change_nothing():
    assert not of(FileChange, tool("read", {"filePath": "/w/a"}))
    assert not of(FileChange, tool("write", {"filePath": "/w/a"}, status="error", error="no"))


def test_a_tool_without_a_time_has_none_of_its_own():
    assert of(ToolResult, tool("read", {}, output="x"))[0].content == "x"


def test_a_to_do_list_is_progress():
    told = of(Progress, tool("todowrite", {"todos": [{"content": "Look", "status": "completed"}, {"content": "Leap"}]}))
    assert (told[0].done, told[0].total) == (1, 2)


@pytest.mark.parametrize(
    ("name", "given", "title"),
    [
        ("grep", {"pattern": "x"}, "Searching for x"),
        ("task", {"description": "look"}, "Asking sub-agent: look"),
        ("mcp_echo", {}, "Calling mcp_echo"),
    ],
)
def test_calls_in_one_line(name, given, title):
    assert call_title(name, given, "/w") == title
