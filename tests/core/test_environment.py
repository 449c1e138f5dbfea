"""What an agent's environment holds."""

import pytest

from roost.core.environment import agent_environment
from roost.errors import InvalidRequest


def test_what_programs_need_is_let_through():
    base = {"HOME": "/home/me", "PATH": "/bin", "LC_ALL": "C.UTF-8", "XDG_CONFIG_HOME": "/c", "TZ": "UTC"}
    assert agent_environment(base, {}) == {**base, "TERM": "xterm-256color"}


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECRET_ACCESS_KEY",
        "ANTHROPIC_API_KEY",
        "GITHUB_TOKEN",
        "SSH_AUTH_SOCK",
        "ROOST_TOKEN",
        "LD_PRELOAD",
        "HOMEX",
    ],
)
def test_all_else_is_not(name):
    assert name not in agent_environment({name: "x"}, {})


def test_the_setting_lets_more_through():
    base = {"SSH_AUTH_SOCK": "/s", "MY_A": "1", "MY_B": "2", "OTHER": "3"}
    passed = agent_environment(base, {}, ["SSH_AUTH_SOCK", "MY_*"])
    assert passed == {"SSH_AUTH_SOCK": "/s", "MY_A": "1", "MY_B": "2", "TERM": "xterm-256color"}


def test_no_setting_lets_roosts_own_token_through():
    assert agent_environment({"ROOST_TOKEN": "t"}, {}, ["ROOST_TOKEN", "*"]) == {"TERM": "xterm-256color"}


def test_a_broad_setting_lets_no_exported_shell_function_through():
    assert "BASH_FUNC_x%%" not in agent_environment({"BASH_FUNC_x%%": "() { :; }"}, {}, ["*"])


def test_what_the_caller_asks_for_wins():
    passed = agent_environment({"PATH": "/bin"}, {"PATH": "/mine", "TERM": "dumb", "API_KEY": "k"})
    assert passed == {"PATH": "/mine", "TERM": "dumb", "API_KEY": "k"}


def test_the_terminal_is_ours_whatever_the_callers_is():
    assert agent_environment({"TERM": "tmux-256color"}, {})["TERM"] == "xterm-256color"


@pytest.mark.parametrize("name", ["", "1X", "A B", "A=B", "Ä"])
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(InvalidRequest, match="variable"):
        agent_environment({}, {name: "x"})


def test_a_nul_byte_in_a_value_is_refused():
    with pytest.raises(InvalidRequest, match="NUL"):
        agent_environment({}, {"A": "x\0y"})
