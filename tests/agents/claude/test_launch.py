"""How Claude Code is started: our options as its real flags, wrong ones refused with the right spelling."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roost.agents.claude import MODES, ClaudeDriver
from roost.agents.claude_tools import TOOLS
from roost.agents.driver import Launch
from roost.agents.one_shot import NO_STDIN
from roost.errors import InvalidRequest
from roost.model.agents import AgentOptions
from roost.testing.agents.claude_flags import KNOWN
from roost.testing.agents.flags import read_flags

ID = "11111111-2222-4333-8444-555555555555"


def launched(command: list[str] | None = None, **given: Any) -> list[str]:
    """The argument list for these options, or for these fields of the request."""
    fields = {name: given.pop(name) for name in ("conversation_id", "resume", "fork") if name in given}
    request = Launch(command=command or ["claude"], options=AgentOptions(**given), cwd="/home/me", **fields)
    return ClaudeDriver().launch(request).argv


def test_it_is_spoken_to_in_lines_both_ways_and_asks_us_for_permission() -> None:
    assert launched() == [
        "claude",
        "--print",
        "--input-format=stream-json",
        "--output-format=stream-json",
        "--verbose",
        "--permission-prompt-tool=stdio",
        "--replay-user-messages",
    ]


def test_it_is_asked_to_say_when_it_is_busy() -> None:
    request = Launch(command=["claude"], options=AgentOptions(), cwd="/home/me")
    assert ClaudeDriver().launch(request).env == {"CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1"}


def test_every_option_is_a_flag_that_the_real_program_knows() -> None:
    options: dict[str, Any] = {
        "model": "opus",
        "fallback_model": "haiku",
        "permission_mode": "plan",
        "dangerously_skip_permissions": True,
        "allowed_tools": ["Read", "Bash(git log, --oneline)", "mcp__demo__echo"],
        "disallowed_tools": ["WebFetch"],
        "append_system_prompt": "--be brief",
        "mcp_config": {"mcpServers": {}},
        "strict_mcp_config": True,
        "add_dirs": ["/home/me/a", "/home/me/b"],
        "partial": True,
        "max_turns": 3,
        "max_budget_usd": 0.5,
    }
    flags = read_flags(launched(**options)[1:], KNOWN)
    assert flags.words == []
    assert {name: values for name, values in flags.values.items() if values and name not in STREAM} == {
        "--model": ["opus"],
        "--fallback-model": ["haiku"],
        "--permission-mode": ["plan"],
        "--allowedTools": ["Read,Bash(git log, --oneline),mcp__demo__echo"],
        "--disallowedTools": ["WebFetch"],
        "--append-system-prompt": ["--be brief"],
        "--mcp-config": [json.dumps({"mcpServers": {}}, separators=(",", ":"))],
        "--add-dir": ["/home/me/a", "/home/me/b"],
        "--max-turns": ["3"],
        "--max-budget-usd": ["0.5"],
    }
    assert flags.many("--allowedTools") == ["Read", "Bash(git log, --oneline)", "mcp__demo__echo"]
    assert all(
        flags.is_on(name)
        for name in ("--dangerously-skip-permissions", "--strict-mcp-config", "--include-partial-messages")
    )


STREAM = {"--input-format", "--output-format", "--permission-prompt-tool"}


def test_a_file_of_servers_is_given_as_it_is() -> None:
    assert "--mcp-config=servers.json" in launched(mcp_config="servers.json")


def test_a_conversation_begins_under_an_id_that_we_chose() -> None:
    assert f"--session-id={ID}" in launched(conversation_id=ID)


def test_a_conversation_goes_on_or_is_forked() -> None:
    assert launched(conversation_id=ID, resume=True)[1:2] == [f"--resume={ID}"]
    assert launched(conversation_id=ID, resume=True, fork=True)[1:3] == [f"--resume={ID}", "--fork-session"]


@pytest.mark.parametrize("said", [["--resume", "x"], ["-c"], ["--continue"], ["--session-id", "x"], ["--resume=x"]])
def test_a_conversation_that_the_command_names_is_left_alone(said: list[str]) -> None:
    argv = launched(["claude", *said], conversation_id=ID)
    assert not any(ID in word for word in argv)


@pytest.mark.parametrize(
    "said",
    [["-p", "do it"], ["do it", "--print"], ["-p", "x", "--output-format", "json"], ["--output-format=text", "x"]],
)
def test_a_command_that_holds_its_prompt_stays_as_it_is_and_waits_for_no_input(said: list[str]) -> None:
    argv = launched(["claude", *said], model="opus", partial=True)
    assert argv == [*NO_STDIN, "claude", "claude", *said, "--model=opus"]


def test_what_the_command_says_itself_is_not_said_twice() -> None:
    said = ["claude", "-p", "--input-format", "stream-json", "--output-format", "stream-json", "--verbose"]
    assert launched(said) == [*said, "--print", "--permission-prompt-tool=stdio", "--replay-user-messages"]


@pytest.mark.parametrize(
    "rule", ["Read", "Bash(git *)", "Bash(npm run test:*)", "mcp__demo__echo", "mcp__demo", "Edit(src/**)", *TOOLS]
)
def test_real_names_are_taken(rule: str) -> None:
    assert f"--allowedTools={rule}" in launched(allowed_tools=[rule])


@pytest.mark.parametrize(
    ("rule", "meant"),
    [
        ("read", "'Read'"),
        ("write", "'Write'"),
        ("run", "'Bash'"),
        ("bash(git *)", "'Bash(git *)'"),
        ("Wrte", "'Write'"),
        ("NotebookEdt", "'NotebookEdit'"),
        ("websearch", "'WebSearch'"),
        ("quux", "mcp__server__tool"),
        ("", "Read, Edit"),
        ("Read Write", "of its own"),
        ("Read,Write", "of its own"),
    ],
)
@pytest.mark.parametrize("option", ["allowed_tools", "disallowed_tools"])
def test_names_that_would_grant_nothing_are_refused_with_the_right_spelling(rule: str, meant: str, option: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        launched(**{option: [rule]})
    assert meant in refused.value.hint
    assert refused.value.details == {"field": f"options.{option}", "value": rule}


@pytest.mark.parametrize("mode", MODES)
def test_permission_modes_are_taken(mode: str) -> None:
    assert f"--permission-mode={mode}" in launched(permission_mode=mode)


@pytest.mark.parametrize(("mode", "meant"), [("acceptedits", "'acceptEdits'"), ("bypass", "bypassPermissions")])
def test_other_modes_are_refused(mode: str, meant: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        launched(permission_mode=mode)
    assert meant in refused.value.hint
