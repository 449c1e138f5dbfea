"""What an ACP agent tells of its work, kind by kind."""

import pytest

from roost.agents.acp_state import MAX_KEPT_OUTPUT
from roost.agents.line_diff import count_changed
from roost.model.agents import AgentOptions
from roost.model.events import Conversation, FileChange, Output, Progress, Thinking, ToolCall, ToolResult, Unknown
from tests.agents.acp.conversing import begun, running


def calls(talk):
    return [(one.tool, one.title, one.input) for one in talk.of(ToolCall)]


def results(talk):
    return [(one.content, one.is_error, one.details) for one in talk.of(ToolResult)]


def changes(talk):
    return [(one.path, one.change, one.added, one.removed) for one in talk.of(FileChange)]


def diff(old, new, path="/w/a.py", **more):
    return {"type": "diff", "path": path, "oldText": old, "newText": new, **more}


# Messages


def test_thoughts_and_words_are_kept_apart():
    talk = running()
    talk.update("agent_thought_chunk", content={"type": "text", "text": "Hm, "})
    talk.update("agent_thought_chunk", content={"type": "text", "text": "well"})
    talk.say("Yes")
    talk.finish()
    assert talk.of(Thinking)[0].text == "Hm, well"
    assert talk.of(Output)[0].text == "Yes"


def test_another_id_is_another_message():
    talk = running()
    talk.say("One", messageId="a")
    talk.say("Two", messageId="b")
    talk.say(" and more")
    talk.finish()
    assert [(one.text, one.message_id) for one in talk.of(Output)] == [("One", "a"), ("Two and more", "b")]


def test_pieces_of_thoughts_are_told_where_that_is_wanted():
    talk = begun(AgentOptions(partial=True))
    talk.prompt()
    talk.update("agent_thought_chunk", content={"type": "text", "text": "Hm"})
    talk.say("")
    talk.finish()
    assert [(one.text, one.partial) for one in talk.of(Thinking)] == [("Hm", True), ("Hm", False)]
    assert not talk.of(Output)


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ({"type": "image", "data": "…"}, "[image]"),
        ({"type": "resource_link", "uri": "file:///a"}, "[file:///a]"),
        ({"type": "resource", "resource": {"uri": "file:///a", "text": "inside"}}, "inside"),
        ({"type": "resource", "resource": {"uri": "file:///a"}}, "[file:///a]"),
        ({"type": "resource"}, "[resource]"),
        ({}, "[nothing]"),
    ],
)
def test_what_is_no_text_is_named(content, text):
    talk = running()
    talk.update("agent_message_chunk", content=content)
    talk.finish()
    assert talk.of(Output)[0].text == text


def test_a_mode_said_in_words_is_a_mode():
    talk = running()
    talk.say("[MODE_UPDATE] autoEdit")
    talk.finish()
    assert talk.state.mode == "autoEdit"
    assert not talk.of(Output)


# The session


def test_kinds_that_are_not_known_are_told_as_they_are():
    talk = running()
    talk.update("weather_update", is_="fine")
    talk.update(["odd"])
    assert len(talk.of(Unknown)) == 2


def test_commands_are_told_when_they_are_others():
    talk = running()
    for name in ("help", "help", "init"):
        talk.update("available_commands_update", availableCommands=[{"name": name}, "odd"])
    assert [one.details for one in talk.of(Conversation)[1:]] == [{"commands": ["help"]}, {"commands": ["init"]}]


def test_a_title_is_told():
    talk = running()
    talk.update("session_info_update", title="Fixing it")
    talk.update("session_info_update", _meta={"codex": {}})
    assert [one.details for one in talk.of(Conversation)[1:]] == [{"title": "Fixing it"}]


def test_options_that_were_changed_are_told():
    talk = running()
    option = {"id": "m", "category": "model", "currentValue": "big", "options": [{"value": "big"}]}
    talk.update("config_option_update", configOptions=[option])
    talk.update("config_option_update", configOptions=[])
    talk.update("current_mode_update")
    assert talk.state.model == "big"
    assert len(talk.of(Conversation)) == 2


@pytest.mark.parametrize("kind", ["plan", "plan_update"])
def test_a_plan_is_progress(kind):
    entries = [
        {"content": "Look", "status": "completed"},
        {"content": "Leap", "status": "in_progress"},
        {"content": "X"},
    ]
    talk = running()
    talk.update(kind, **({"entries": entries} if kind == "plan" else {"plan": {"entries": entries}}))
    told = talk.of(Progress)[0]
    assert (told.done, told.total, told.current, told.turn) == (1, 3, "Leap", "turn-1")
    assert [one["state"] for one in told.items] == ["done", "active", "pending"]


def test_a_to_do_list_is_progress_where_no_plan_is_told():
    todos = [{"content": "Look", "status": "cancelled"}]
    talk = running()
    talk.call("a", name="todowrite", status="completed", rawInput={"todos": todos})
    talk.update("plan", entries=[])
    talk.call("b", name="todowrite", status="completed", rawInput={"todos": todos})
    assert [(one.done, one.total) for one in talk.of(Progress)] == [(1, 1), (0, 0)]
    assert talk.of(ToolCall)[0].title == "Updating the plan"


# Calls


def test_a_call_with_its_input_is_told_at_once():
    talk = running()
    talk.call("a", title="ls", kind="execute", status="pending", rawInput={"command": ["ls", "-l"]})
    assert calls(talk) == [("execute", "Running ls -l", {"command": ["ls", "-l"]})]


def test_a_call_is_told_when_its_input_is_whole():
    talk = running()
    talk.call("a", title="edit", kind="edit", status="pending", rawInput={})
    talk.called("a", rawInput={"path": "x"})
    talk.called("a", rawInput={"path": "x", "text": "y"})
    assert calls(talk) == []
    talk.update("usage_update", used=1, size=2)
    assert calls(talk) == [("edit", "edit", {"path": "x", "text": "y"})]


def test_words_come_before_the_call_they_were_said_before():
    talk = running()
    talk.say("I will look")
    talk.call("a", kind="read", status="pending", rawInput={})
    talk.called("a", rawInput={"path": "x"})
    talk.say("And then")
    talk.finish()
    kinds = [type(one).__name__ for one in talk.events if isinstance(one, Output | ToolCall)]
    assert kinds == ["Output", "ToolCall", "Output"]


def test_a_call_without_input_is_told_when_it_ends():
    talk = running()
    talk.call("a", kind="fetch", status="pending")
    talk.say("Wait")
    assert calls(talk) == []
    talk.called("a", status="completed")
    assert calls(talk) == [("fetch", "Fetching a page", {})]


def test_input_that_grew_after_the_call_was_told_goes_with_its_result():
    talk = running()
    talk.call("a", status="in_progress", rawInput={"x": 1})
    talk.called("a", status="completed", rawInput={"x": 2})
    assert results(talk) == [("", False, {"input": {"x": 2}})]


def test_a_call_that_nobody_announced_is_told_with_its_end():
    talk = running()
    talk.called("a", title="make", kind="execute", status="failed", content=[{"content": {"text": "no rule"}}])
    assert calls(talk) == [("execute", "Running make", {})]
    assert results(talk) == [("no rule", True, {})]


def test_what_comes_after_the_end_of_a_call_is_passed_over():
    talk = running()
    talk.call("a", status="completed")
    assert talk.called("a", status="completed") == []
    assert len(talk.of(ToolResult)) == 1


def test_calls_of_sub_agents_say_whose_they_are():
    talk = running()
    talk.call("b", status="completed", _meta={"claudeCode": {"parentToolUseId": "a", "toolName": "Read"}})
    assert (talk.of(ToolCall)[0].parent_tool_use_id, talk.of(ToolCall)[0].tool) == ("a", "Read")
    assert talk.of(ToolResult)[0].parent_tool_use_id == "a"


@pytest.mark.parametrize(
    ("fields", "tool", "title"),
    [
        ({"kind": "read", "locations": [{"path": "/w/src/a.py"}]}, "read", "Reading src/a.py"),
        ({"kind": "edit", "locations": [{"path": "/etc/x"}], "name": "Write"}, "Write", "Writing /etc/x"),
        ({"kind": "edit", "title": "Editing files"}, "edit", "Editing files"),
        ({"kind": "edit", "locations": [{}], "title": "E"}, "edit", "E"),
        ({"kind": "search", "rawInput": {"pattern": "foo"}}, "search", "Searching for foo"),
        ({"kind": "search", "rawInput": {"pattern": 5, "query": "bar"}}, "search", "Searching for bar"),
        ({"kind": "fetch", "rawInput": {"url": "http://h/"}}, "fetch", "Fetching http://h/"),
        ({"kind": "execute", "title": "make\nall"}, "execute", "Running make all"),
        ({"kind": "execute"}, "execute", "Running a command"),
        ({"kind": "think", "title": "Pondering"}, "think", "Pondering"),
        ({"title": ""}, "other", "Calling a tool"),
        ({"name": "mcp.echo"}, "mcp.echo", "Calling mcp.echo"),
        (
            {"kind": "think", "rawInput": {"subagent_type": "x", "description": "look"}},
            "think",
            "Asking sub-agent: look",
        ),
    ],
)
def test_a_call_in_one_line(fields, tool, title):
    talk = running()
    talk.call("a", status="completed", **fields)
    assert (talk.of(ToolCall)[0].tool, talk.of(ToolCall)[0].title) == (tool, title)


def test_names_of_tools_that_agents_hide():
    talk = running()
    talk.call("read_file__read_file_17_0", status="completed")
    talk.call("b", title="bash", status="pending")
    talk.called("b", title="ls", status="completed", kind="execute")
    assert [one.tool for one in talk.of(ToolCall)] == ["read_file", "bash"]


@pytest.mark.parametrize(
    ("fields", "content", "details"),
    [
        ({"rawOutput": "said"}, "said", {}),
        ({"rawOutput": {"output": "said"}, "content": [{"content": {"text": "shown"}}]}, "said", {}),
        ({"rawOutput": {"rows": 3}}, '{"rows":3}', {}),
        ({"rawOutput": {"rows": 3}, "content": [{"content": {"text": "3 rows"}}, {"type": "terminal"}]}, "3 rows", {}),
        ({"rawOutput": {"output": "x", "metadata": {"exit": 0}}}, "x", {"exit_code": 0}),
        ({"_meta": {"terminal_output": {"data": "all"}, "terminal_exit": {"exit_code": 0}}}, "all", {"exit_code": 0}),
    ],
)
def test_what_a_tool_gave_back(fields, content, details):
    talk = running()
    talk.call("a", status="completed", **fields)
    assert results(talk) == [(content, False, details)]


def test_output_told_in_pieces_is_kept_to_a_size():
    talk = running()
    for _ in range(3):
        talk.called("a", _meta={"terminal_output_delta": {"data": "x" * (MAX_KEPT_OUTPUT // 2)}})
    talk.called("a", status="completed")
    assert len(talk.of(ToolResult)[0].content) == MAX_KEPT_OUTPUT


def test_a_command_that_fails_is_an_error():
    talk = running()
    talk.call("a", status="completed", rawOutput={"output": "no", "metadata": {"exit": 2}})
    assert results(talk) == [("no", True, {"exit_code": 2})]


def test_calls_beyond_all_bounds_do_not_grow_the_state():
    talk = running()
    for number in range(600):
        talk.call(f"call-{number}", status="in_progress")
    for number in range(600):
        talk.called(f"call-{number}", status="completed")
    assert len(talk.of(ToolCall)) >= 600
    assert len(talk.decoder.save()) < 200_000


# Files


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (diff(None, "a\nb\n"), ("/w/a.py", "created", 2, 0)),
        (diff("", "a\n"), ("/w/a.py", "created", 1, 0)),
        (diff("a\nb\nc\n", "a\nx\nc\n"), ("/w/a.py", "modified", 1, 1)),
        (diff("a\n", "", _meta={"kind": "delete"}), ("/w/a.py", "deleted", 0, 1)),
        (diff("a\n", "b\n", _meta={"kind": "update"}), ("/w/a.py", "modified", 1, 1)),
    ],
)
def test_a_diff_is_a_changed_file(content, told):
    talk = running()
    talk.call("a", kind="edit", status="pending", content=[content])
    assert changes(talk) == []
    talk.called("a", status="completed")
    assert changes(talk) == [told]
    assert talk.of(FileChange)[0].tool_use_id == "a"


def test_a_diff_without_a_path_and_one_of_a_failed_call_change_nothing():
    talk = running()
    talk.call("a", status="completed", content=[diff("a", "b", path=None)])
    talk.call("b", status="failed", content=[diff("a", "b")])
    assert changes(talk) == []


@pytest.mark.parametrize(
    ("kind", "output", "change"),
    [("edit", None, "modified"), ("edit", {"metadata": {"exists": False}}, "created"), ("delete", None, "deleted")],
)
def test_a_change_without_a_diff_is_told_without_its_lines(kind, output, change):
    talk = running()
    talk.call("a", kind=kind, status="completed", locations=[{"path": "/w/a"}], rawOutput=output)
    assert changes(talk) == [("/w/a", change, None, None)]


def test_reading_changes_nothing():
    talk = running()
    talk.call("a", kind="read", status="completed", locations=[{"path": "/w/a"}])
    talk.call("b", kind="execute", status="completed", locations=[{"path": "/w"}])
    assert changes(talk) == []
    assert [one.path for one in talk.of(ToolCall)] == ["/w/a", None]


# Lines


@pytest.mark.parametrize(
    ("old", "new", "counts"),
    [
        ("", "", (0, 0)),
        ("a\n", "a\n", (0, 0)),
        ("a\nb\nc\n", "a\nc\n", (0, 1)),
        ("a\nb\n", "b\na\n", (1, 1)),
        ("x\na\nb\nc\ny", "z\na\nb\nc\nw", (2, 2)),
    ],
)
def test_lines_added_and_removed(old, new, counts):
    assert count_changed(old, new) == counts


def test_very_long_texts_are_counted_without_their_order():
    old = "\n".join(f"old {number}" for number in range(2000))
    assert count_changed(old, old.replace("old 7", "new 7")) == (111, 111)
    assert count_changed(old, "\n".join(reversed(old.split("\n")))) == (0, 0)
