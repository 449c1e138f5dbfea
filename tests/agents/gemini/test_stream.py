"""One prompt to Gemini CLI: lines that no transcript has, and all the ways not to end."""

import json

import pytest

from roost.agents.driver import Opening
from roost.agents.gemini import GeminiDriver
from roost.agents.gemini_tools import call_title
from roost.model.conversations import PendingTurn
from roost.model.events import Error, FileChange, Notice, Output, Progress, ToolCall, ToolResult, Turn, Usage
from tests.agents.goldens import definition, make_decoder

INIT = {"type": "init", "session_id": "s", "model": "m"}


def read(*lines, end=True, exit_code=0):
    """The events of these lines, and of the end of the process."""
    decoder = make_decoder(GeminiDriver().codec())
    events = decoder.open(["gemini", "-p", "x"], definition(cwd="/w"), 0)
    for line in lines:
        events += decoder.output(json.dumps(line).encode() + b"\n", 0)
    return events + (decoder.finish(0, exit_code) if end else [])


def of(kind, events):
    return [event for event in events if isinstance(event, kind)]


def result(**fields):
    return {"type": "result", **fields}


def test_the_turn_begins_with_the_process():
    assert [event.state for event in of(Turn, read(end=False))] == ["started"]


@pytest.mark.parametrize(
    ("code", "lines", "reason"),
    [
        (41, [], "Gemini CLI has neither an API key nor a login"),
        (144, [INIT], "the model answered with the status 400"),
        (173, [INIT], "the model answered with the status 429"),
        (0, [INIT], "Gemini CLI ended with exit code 0 and without a result"),
        (None, [INIT], "Gemini CLI ended by a signal and without a result"),
        (1, [], "Gemini CLI ended with exit code 1 before it began"),
    ],
)
def test_without_a_result_the_turn_has_failed_whatever_the_exit_code(code, lines, reason):
    end = of(Turn, read(*lines, exit_code=code))[-1]
    assert (end.state, end.reason) == ("failed", reason)


def test_a_to_do_list_is_progress():
    todos = [{"description": "Look", "status": "completed"}, {"description": "Leap", "status": "in_progress"}]
    told = of(Progress, call("write_todos", todos=todos))[0]
    assert (told.done, told.total, told.current) == (1, 2, "Leap")


def test_an_error_it_told_is_the_reason():
    events = read(INIT, {"type": "error", "severity": "error", "message": "Loop detected"})
    assert of(Error, events)[0].message == "Loop detected"
    assert of(Turn, events)[-1].reason == "Loop detected"


def test_a_warning_is_a_notice():
    assert of(Notice, read({"type": "error", "severity": "warning", "message": "Slow"}))[0].code == "WARNING"


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        ({"type": "FatalAuthenticationError", "message": "no key"}, "no key"),
        (None, "Gemini CLI says that it failed, not why"),
    ],
)
def test_a_result_that_is_an_error(error, reason):
    events = read(INIT, result(status="error", error=error))
    assert (of(Turn, events)[-1].state, of(Turn, events)[-1].reason) == ("failed", reason)
    assert [event.code for event in of(Notice, events)] == (["WAITS_FOR_LOGIN"] if error else [])


def test_a_message_that_is_no_piece_is_whole():
    events = read(INIT, {"type": "message", "role": "assistant", "content": "Hi"}, end=False)
    assert of(Output, events)[0].text == "Hi"


def test_thoughts_are_counted_though_only_the_total_has_them():
    stats = {"input_tokens": 100, "output_tokens": 10, "total_tokens": 150, "cached": 40}
    used = of(Usage, read(INIT, result(status="success", stats=stats)))[0]
    assert (used.model, used.input_tokens, used.output_tokens, used.cache_read_tokens) == ("m", 60, 50, 40)


def call(tool, **given):
    use = {"type": "tool_use", "tool_id": "c", "tool_name": tool, "parameters": given}
    return read(use, {"type": "tool_result", "tool_id": "c", "status": "success", "output": "ok"})


@pytest.mark.parametrize(
    ("tool", "given", "change"),
    [
        ("replace", {"file_path": "/w/a", "old_string": "x\ny", "new_string": "x\nz\nw"}, ("modified", None, 2, 1)),
        ("replace", {"file_path": "/w/a", "old_string": "", "new_string": "x"}, ("created", None, 1, 0)),
        ("write_file", {"file_path": "/w/a", "content": "é"}, ("modified", 2, None, None)),
    ],
)
def test_what_tools_did_to_files(tool, given, change):
    told = of(FileChange, call(tool, **given))[0]
    assert (told.change, told.bytes, told.added, told.removed) == change
    assert (told.path, told.tool_use_id) == ("/w/a", "c")


@pytest.mark.parametrize(
    ("tool", "given", "title"),
    [
        ("read_file", {"file_path": "/w/src/a"}, "Reading src/a"),
        ("read_file", {"absolute_path": "/w/b"}, "Reading b"),
        ("read_many_files", {"include": ["a", "b", 3]}, "Reading a, b"),
        ("list_directory", {"path": "/w"}, "Listing files"),
        ("google_web_search", {"query": "x"}, "Searching the web for x"),
        ("write_todos", {"todos": []}, "Updating the plan"),
        ("echo", {}, "Calling echo"),
    ],
)
def test_calls_in_one_line(tool, given, title):
    assert call_title(tool, given, "/w") in (title, "Listing /w")


def test_a_result_that_nobody_waits_for_is_told():
    events = read({"type": "tool_result", "tool_id": "x", "status": "success", "output": "ok"})
    assert (of(ToolResult, events)[0].content, of(ToolCall, events)) == ("ok", [])


def test_it_takes_one_prompt_only_and_says_so():
    decoder = make_decoder(GeminiDriver().codec())
    decoder.open(["gemini", "-p", "x"], definition(), 0)
    assert decoder.session_state == ("running", None)
    decoder.output(json.dumps(result(status="success")).encode() + b"\n", 0)
    told = decoder.mark("prompt", {"turn_id": "t", "prompt": "more"}, 0)
    assert (told[-1].state, told[-1].reason) == ("refused", "it was started for one prompt, which it has")
    assert not decoder.state.outgoing


def test_it_does_not_listen():
    codec = GeminiDriver().codec()
    codec.open(Opening(argv=["gemini", "-p", "x"], definition=definition()))
    assert codec.interrupt()[0].code == "INTERRUPT_REFUSED"
    assert codec.change("model", "m")[0].message == "it was started for one prompt: its model stays"
    assert codec.steer(PendingTurn("t", ""), [])[0].turn_id == "t"
    assert codec.answer(None, None) == []
