"""How codex is started: our options become its own, what it does not have is refused with what it has."""

from __future__ import annotations

from typing import Any

import pytest

from roost.agents.codex import CodexDriver
from roost.agents.codex_launch import as_toml, goes_on, is_exec, model_named
from roost.agents.codex_modes import config_of, mode_of
from roost.agents.driver import Launch, Opening, Refused
from roost.agents.one_shot import NO_STDIN
from roost.errors import InvalidRequest
from roost.model.agents import AgentOptions, Definition
from roost.model.conversations import PendingTurn

NONE = AgentOptions()


def argv(command: list[str], options: AgentOptions = NONE) -> list[str]:
    launched = CodexDriver().launch(Launch(command=command, options=options, cwd="/p"))
    assert launched.env == {}
    return launched.argv


def exec_argv(options: AgentOptions, *args: str) -> list[str]:
    """The arguments after the program, without what keeps standard input away."""
    made = argv(["codex", "exec", *args], options)
    assert tuple(made[: len(NO_STDIN)]) == NO_STDIN
    return made[len(NO_STDIN) + 2 :]


@pytest.mark.parametrize(
    ("command", "started"),
    [
        (["codex"], ["codex", "app-server"]),
        (["/opt/codex"], ["/opt/codex", "app-server"]),
        (["codex", "-c", "model=o3"], ["codex", "-c", "model=o3", "app-server"]),
        (["codex", "app-server"], ["codex", "app-server"]),
        (["npx", "-y", "@openai/codex@0.169.0"], ["npx", "-y", "@openai/codex@0.169.0", "app-server"]),
        (["python", "-m", "roost.testing.agents.codex"], ["python", "-m", "roost.testing.agents.codex", "app-server"]),
        (["my-own", "app-server", "codex"], ["my-own", "app-server", "codex"]),
        (["offline", "codex", "/home/me", "/opt/codex"], ["offline", "codex", "/home/me", "/opt/codex", "app-server"]),
    ],
)
def test_codex_is_an_app_server_by_default(command: list[str], started: list[str]) -> None:
    assert argv(command) == started


@pytest.mark.parametrize("word", ["resume", "fix the tests", "look at /opt/codex"])
def test_what_an_app_server_cannot_be_given_is_refused(word: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        argv(["codex", word])
    assert word in refusal.value.message
    assert "prompt the agent" in refusal.value.hint


@pytest.mark.parametrize(
    "options",
    [
        AgentOptions(fallback_model="m"),
        AgentOptions(allowed_tools=["Bash"]),
        AgentOptions(disallowed_tools=["Bash"]),
        AgentOptions(strict_mcp_config=True),
        AgentOptions(max_turns=3),
        AgentOptions(max_budget_usd=1.0),
    ],
)
@pytest.mark.parametrize("command", [["codex"], ["codex", "exec", "--json", "x"]])
def test_options_that_codex_has_nothing_for_are_refused(options: AgentOptions, command: list[str]) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        argv(command, options)
    assert "permission_mode" in refusal.value.hint


@pytest.mark.parametrize(
    ("mode", "approval", "sandbox"),
    [
        (None, None, None),
        ("never", "never", None),
        ("read-only", None, "read-only"),
        ("on-request,workspace-write", "on-request", "workspace-write"),
        (" danger-full-access , untrusted ", "untrusted", "danger-full-access"),
    ],
)
def test_a_mode_is_when_to_ask_and_what_may_be_touched(
    mode: str | None, approval: str | None, sandbox: str | None
) -> None:
    found = mode_of(mode)
    assert (found.approval, found.sandbox) == (approval, sandbox)


@pytest.mark.parametrize(
    ("mode", "meant"),
    [
        ("onrequest", "on-request"),
        ("READ_ONLY", "read-only"),
        ("plan", "read-only"),
        ("acceptedits", "on-request,workspace-write"),
        ("auto_edit", "on-request,workspace-write"),
        ("on-failure", "on-request"),
        ("workspace_wrte", "workspace-write"),
        ("bypassPermissions", "never,danger-full-access"),
    ],
)
def test_a_mode_that_codex_does_not_know_is_refused_with_the_one_that_may_be_meant(mode: str, meant: str) -> None:
    with pytest.raises(InvalidRequest) as refusal:
        argv(["codex"], AgentOptions(permission_mode=mode))
    assert refusal.value.hint.startswith(f"Did you mean {meant}? ")


def test_where_nothing_is_near_the_modes_are_listed() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        mode_of("xyzzy")
    assert refusal.value.hint.startswith("It is untrusted, on-request or never")


@pytest.mark.parametrize(
    "options",
    [
        AgentOptions(dangerously_skip_permissions=True, permission_mode="never"),
        AgentOptions(fork=True),
        AgentOptions(mcp_config="servers.json"),
        AgentOptions(mcp_config="[]"),
        AgentOptions(mcp_config={"mcpServers": []}),
        AgentOptions(mcp_config={"demo": "python3"}),
    ],
)
def test_options_that_contradict_or_say_nothing_are_refused(options: AgentOptions) -> None:
    with pytest.raises(InvalidRequest):
        argv(["codex"], options)


SERVER = {"command": "python3", "args": ["demo.py"]}


@pytest.mark.parametrize(
    "given",
    [
        {"mcpServers": {"demo": {**SERVER, "type": "stdio"}}},
        {"mcp_servers": {"demo": SERVER}},
        {"demo": SERVER},
        '{"mcpServers": {"demo": {"command": "python3", "args": ["demo.py"]}}}',
    ],
)
def test_mcp_servers_are_taken_as_claude_or_codex_writes_them(given: str | dict[str, Any]) -> None:
    assert config_of(AgentOptions(mcp_config=given)) == {"mcp_servers": {"demo": SERVER}}


def test_exec_is_kept_from_its_standard_input() -> None:
    assert argv(["codex", "exec", "--json", "x"]) == [*NO_STDIN, "codex", "codex", "exec", "--json", "x"]
    assert argv(["codex", "e", "--experimental-json", "x"])[-3:] == ["e", "--experimental-json", "x"]


def test_exec_without_json_is_refused() -> None:
    with pytest.raises(InvalidRequest) as refusal:
        argv(["codex", "exec", "x"])
    assert "add --json" in refusal.value.hint


def test_options_become_flags_of_exec() -> None:
    options = AgentOptions(
        model="gpt-5.5",
        permission_mode="workspace-write",
        add_dirs=["/a", "/b"],
        append_system_prompt='say "hi"\n',
        mcp_config={"demo": SERVER},
    )
    assert exec_argv(options, "--json", "x") == [
        "exec",
        *("--model", "gpt-5.5"),
        *("--sandbox", "workspace-write"),
        *("--add-dir", "/a", "--add-dir", "/b"),
        *("--config", 'mcp_servers={"demo" = {"command" = "python3", "args" = ["demo.py"]}}'),
        *("--config", 'developer_instructions="say \\"hi\\"\\n"'),
        "--json",
        "x",
    ]


def test_exec_can_be_let_do_anything() -> None:
    options = AgentOptions(dangerously_skip_permissions=True)
    assert exec_argv(options, "--json", "x") == ["exec", "--dangerously-bypass-approvals-and-sandbox", "--json", "x"]


def test_exec_asks_nobody() -> None:
    assert exec_argv(AgentOptions(permission_mode="never"), "--json", "x") == ["exec", "--json", "x"]
    with pytest.raises(InvalidRequest) as refusal:
        exec_argv(AgentOptions(permission_mode="on-request"), "--json", "x")
    assert "asks nobody" in refusal.value.message


def test_exec_goes_on_with_a_conversation_or_a_copy() -> None:
    assert exec_argv(AgentOptions(resume="id"), "--json", "-m", "m", "x") == "exec --json -m m resume id x".split()
    assert exec_argv(AgentOptions(resume="id", fork=True), "--json") == ["exec", "--json", "fork", "id"]
    with pytest.raises(InvalidRequest):
        exec_argv(AgentOptions(resume="id"), "--json", "resume", "other", "x")


def test_a_command_line_tells_what_it_is() -> None:
    for program in ("codex", "/opt/my-own"):
        wrapped = argv([program, "exec", "--json", "resume", "id", "x", "-m", "m"])
        assert (is_exec(wrapped), goes_on(wrapped), model_named(wrapped)) == (True, True, "m")
    assert not is_exec(["codex", "-c", "exec", "app-server"])
    assert not is_exec(["some/other"])
    assert not goes_on(["codex", "exec", "--json", "-"])


@pytest.mark.parametrize(
    ("value", "toml"),
    [(True, "true"), (1.5, "1.5"), (["a", {"b": "c"}], '["a", {"b" = "c"}]'), ("tab\t", '"tab\\t"')],
)
def test_values_become_toml(value: object, toml: str) -> None:
    assert as_toml(value) == toml


def test_a_codec_speaks_the_language_of_its_command_line() -> None:
    codec = CodexDriver().codec()
    definition = Definition(command=["codex"], driver="codex")
    codec.open(Opening(argv=["codex", "exec", "--json", "x"], definition=definition))
    again = CodexDriver().codec()
    again.load(codec.save())
    assert isinstance(again.prompt(PendingTurn("t", "p"), [])[0], Refused)
