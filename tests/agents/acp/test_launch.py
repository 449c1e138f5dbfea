"""How agents that speak ACP are started, and what is refused before they are."""

import pytest

from roost.agents.acp import AcpDriver
from roost.agents.registry import DRIVERS
from tests.agents.launching import launch, refused

ACP = AcpDriver()


def test_the_command_is_the_users():
    assert launch(ACP, "bench", "--acp", model="m", permission_mode="p", fork=True) == (["bench", "--acp"], {})


@pytest.mark.parametrize(
    "options",
    [
        {"fallback_model": "m"},
        {"dangerously_skip_permissions": True},
        {"allowed_tools": ["x"]},
        {"disallowed_tools": ["x"]},
        {"append_system_prompt": "x"},
        {"strict_mcp_config": True},
        {"max_turns": 1},
        {"max_budget_usd": 1.0},
    ],
)
def test_what_the_protocol_does_not_have_is_refused(options):
    error = refused(ACP, "bench", **options)
    assert error.message == f"an ACP agent has no option {next(iter(options))}."
    assert error.hint == "It takes add_dirs, fork, mcp_config, model, partial, permission_mode, resume."


@pytest.mark.parametrize("config", ["/etc/mcp.json", "[]", "{}", {"mcpServers": []}])
def test_mcp_servers_are_an_object(config):
    assert "not as the path of a file" in refused(ACP, "bench", mcp_config=config).hint


@pytest.mark.parametrize("config", [None, '{"mcpServers": {}}', {"mcpServers": {"a": {"command": "x"}}}])
def test_mcp_servers_as_object_or_its_text(config):
    assert launch(ACP, "bench", mcp_config=config).argv == ["bench"]


def test_each_driver_is_known_by_its_name():
    assert {name: DRIVERS[name].name for name in ("acp", "gemini", "opencode")} == {
        "acp": "acp",
        "gemini": "gemini",
        "opencode": "opencode",
    }


def test_a_codec_belongs_to_one_session():
    assert all(driver.codec() is not driver.codec() for driver in DRIVERS.values())
