"""The options of `roost run` for coding agents that are spoken to in their own protocol."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from roost.client.backend import STRUCTURED
from roost.errors import InvalidRequest

if TYPE_CHECKING:
    import argparse

    Json = dict[str, Any]

TEXTS = ("model", "fallback_model", "permission_mode", "append_system_prompt", "resume")
LISTS = ("allowed_tools", "disallowed_tools", "add_dirs")
OTHERS = (
    "dangerously_skip_permissions",
    "mcp_config",
    "strict_mcp_config",
    "partial",
    "max_turns",
    "max_budget_usd",
    "fork",
)


def add_agent_options(parser: argparse.ArgumentParser) -> None:
    """Declare them."""
    group = parser.add_argument_group("coding agents", f"for --driver {', '.join(sorted(STRUCTURED))}")
    add = group.add_argument
    add("--prompt", metavar="TEXT", help="the first prompt; '-' reads it from standard input")
    add("--permission-mode", metavar="MODE", help="what it may do without asking, in its own words")
    add("--allow-tool", metavar="TOOL", action="append", default=[], help="a tool that it may use without asking")
    add("--resume", metavar="ID", help="go on with this conversation")
    add("--fork", action="store_true", help="with --resume: go on with a copy of it")
    text = f"more: {', '.join(name.replace('_', '-') for name in sorted((*LISTS, *OTHERS, *TEXTS)))}"
    add("--option", metavar="KEY=VALUE", action="append", default=[], help=text)


def agent_options(options: argparse.Namespace) -> Json:
    """The `options` of the request to start the agent.

    Raises:
        InvalidRequest: an option is unknown, has no value that makes sense, or is for another driver.
    """
    found: Json = {}
    for item in options.option:
        name, value = _option(item)
        found[name] = [*found.get(name, []), *value] if name in LISTS else value
    if options.allow_tool:
        found["allowed_tools"] = [*found.get("allowed_tools", []), *options.allow_tool]
    found |= {name: value for name in ("permission_mode", "resume", "fork") if (value := getattr(options, name))}
    if options.driver in STRUCTURED:
        return found | ({"model": options.model} if options.model else {})
    if found or options.prompt:
        raise InvalidRequest(
            f"the driver {options.driver} takes no prompts and no options of coding agents",
            hint=f"give --driver with one of {', '.join(sorted(STRUCTURED))}",
        )
    return {}


def _option(item: str) -> tuple[str, Any]:
    given, equals, value = item.partition("=")
    name = given.replace("-", "_")
    known = (*TEXTS, *LISTS, *OTHERS)
    if name not in known:
        from roost.cli.parser import nearest

        hint = nearest(name, known) or f"there are {', '.join(sorted(known))}"
        raise InvalidRequest(f"there is no option {given!r}", hint=hint)
    if name in TEXTS:
        return name, value
    if name in LISTS:
        return name, [part for part in value.split(",") if part]
    return name, _value(value, given) if equals else True


def _value(text: str, name: str) -> Any:
    """A switch, a number or an object as JSON; what is none of these is the path of a file, which only MCP has."""
    try:
        return json.loads(text)
    except ValueError:
        if name.startswith("mcp"):
            return text
        hint = "give a number" if name.startswith("max") else "give true or false, or nothing, which is true"
        raise InvalidRequest(f"the option {name} cannot be {text!r}", hint=hint) from None
