"""The tables of drivers in the reference: what each can do, and which options it takes."""

from __future__ import annotations

from typing import Any

from msgspec.structs import fields

from roost.agents.driver import Abilities, Driver, Launch
from roost.agents.registry import DRIVERS
from roost.errors import InvalidRequest
from roost.model.agents import AgentOptions

MEANINGS = {
    "prompts": "takes prompts while it runs",
    "approvals": "asks before it uses a tool, and waits for an answer",
    "questions": "asks questions of its own",
    "edited_input": "an approval may change the tool's input",
    "interrupt": "a turn can be ended without ending the agent",
    "steer": "a prompt can go into the turn that runs",
    "resume": "goes on with an earlier conversation",
    "fork": "goes on with a copy of one",
    "chosen_id": "roost chooses a new conversation's id",
    "images": "takes pictures with a prompt",
    "thinking": "shows its reasoning",
    "partial": "text can come in pieces while it is made",
    "plan": "tells its plan or to-do list",
    "subagents": "tells whose sub-agent did what",
    "usage": "tells the tokens it used",
    "cost": "tells by itself what was spent",
    "change_model": "takes another model while it runs",
    "change_mode": "takes another permission mode while it runs",
}
SAMPLES: dict[str, Any] = {
    "model": "maker/model",
    "fallback_model": "maker/model",
    "permission_mode": "plan",
    "dangerously_skip_permissions": True,
    "allowed_tools": ["Read"],
    "disallowed_tools": ["Read"],
    "append_system_prompt": "Be brief.",
    "mcp_config": {"mcpServers": {"demo": {"command": "demo"}}},
    "strict_mcp_config": True,
    "add_dirs": ["/tmp"],
    "partial": True,
    "max_turns": 3,
    "max_budget_usd": 1.0,
    "resume": "id",
    "fork": True,
}
"""A value of every option, to see which driver takes it."""
YES, NO = "yes", "–"


Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
"""A heading and rows, with a column a driver."""


def abilities() -> Table:
    """A row an ability."""
    return _heading("can be done"), [
        (f"{MEANINGS[field.name]} (`{field.name}`)", *(_mark(getattr(of.abilities, field.name)) for of in _drivers()))
        for field in fields(Abilities)
    ]


def options() -> Table:
    """A row an option."""
    return _heading("option"), [
        (f"`{field.name}`", *(_mark(takes(of, field.name)) for of in _drivers())) for field in fields(AgentOptions)
    ]


def _heading(first: str) -> tuple[str, ...]:
    return (first, *(f"`{of.name}`" for of in _drivers()))


def takes(driver: Driver, name: str) -> bool:
    """Whether a driver takes an option, whatever it says of the value."""
    given = {name: SAMPLES[name]} | ({"resume": "id"} if name == "fork" else {})
    try:
        driver.launch(Launch(command=[driver.name], options=AgentOptions(**given), cwd="/"))
    except InvalidRequest as refusal:
        return f"has no option {name}" not in refusal.message
    return True


def _drivers() -> list[Driver]:
    return [DRIVERS[name] for name in sorted(DRIVERS)]


def _mark(has: bool) -> str:
    return YES if has else NO
