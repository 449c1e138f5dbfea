"""Coding agents in their own screens."""

from __future__ import annotations

import pytest

from roost.agents.own_screens import Place, cli_of, place_of, takes_session_id, with_session_id

HOME = {"HOME": "/home/me"}


@pytest.mark.parametrize(
    ("command", "cli"), [(["claude"], "claude"), (["/opt/bin/claude", "-c"], "claude"), (["vim"], None), ([], None)]
)
def test_whose_screen_it_is(command: list[str], cli: str | None) -> None:
    assert cli_of(command) == cli


@pytest.mark.parametrize(
    ("words", "takes"),
    [
        ([], True),
        (["--model", "opus"], True),
        (["--resume", "x"], False),
        (["--session-id=x"], False),
        (["-c"], False),
        (["-p", "hello"], False),
        (["mcp", "list"], False),
    ],
)
def test_a_new_conversation_takes_the_id_we_choose(words: list[str], takes: bool) -> None:
    assert takes_session_id(["claude", *words]) is takes


def test_other_programs_take_none() -> None:
    assert not takes_session_id(["vim"])


def test_the_id_is_one_argument() -> None:
    assert with_session_id(["claude"], "u") == ["claude", "--session-id=u"]


@pytest.mark.parametrize(
    ("env", "folder"),
    [
        (HOME, "/home/me/.claude/projects/-home-me-my-app"),
        ({**HOME, "CLAUDE_CONFIG_DIR": "/conf"}, "/conf/projects/-home-me-my-app"),
    ],
)
def test_where_a_conversation_is_kept(env: dict[str, str], folder: str) -> None:
    assert place_of(["claude"], "/home/me/my.app", env, "u") == Place("claude", folder, "u.jsonl")
    assert place_of(["claude"], "/home/me/my.app", env, None) == Place("claude", folder, None)


def test_nowhere_is_said_where_nothing_is_known() -> None:
    assert place_of(["claude"], "/", {}, None) is None
    assert place_of(["vim"], "/", HOME, None) is None


@pytest.mark.parametrize(
    ("words", "resumes"), [([], False), (["--no-daemon"], False), (["exec", "hello"], False), (["resume", "u"], True)]
)
def test_codex_keeps_conversations_of_all_directories_in_one_folder(words: list[str], resumes: bool) -> None:
    place = Place("codex", "/home/me/.codex/sessions", None, "/w", resumes)
    assert place_of(["codex", *words], "/w", HOME, None) == place
    assert place_of(["codex", *words], "/w", {**HOME, "CODEX_HOME": "/c"}, None) == place._replace(folder="/c/sessions")
    assert place_of(["codex", *words], "/w", {}, None) is None


def test_codex_takes_no_id_and_some_of_its_commands_have_no_conversation() -> None:
    assert not takes_session_id(["codex"])
    assert cli_of(["codex", "login"]) is None
