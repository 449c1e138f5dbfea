"""Options of an agent in codex's words: approval policy, sandbox, and what a thread is begun with."""

from __future__ import annotations

import difflib
import re
from typing import Any

import msgspec
from msgspec import Struct

from roost.agents.codex_fields import object_of, text_of
from roost.agents.refusals import refuse_options
from roost.errors import InvalidRequest
from roost.model.agents import AgentOptions, Definition

APPROVALS = ("untrusted", "on-request", "never")
SANDBOXES = ("read-only", "workspace-write", "danger-full-access")
TAKEN = (
    "model",
    "permission_mode",
    "dangerously_skip_permissions",
    "append_system_prompt",
    "mcp_config",
    "add_dirs",
    "partial",
    "resume",
    "fork",
)
"""Options of ours that codex has something for."""

Object = dict[str, Any]


class Mode(Struct, frozen=True):
    """When codex asks, and what its commands may touch; none leaves it to codex's own configuration."""

    approval: str | None = None
    sandbox: str | None = None


class Setup(Struct, frozen=True):
    """How the conversation begins: the request for a thread."""

    method: str = "thread/start"
    params: Object = {}
    partial: bool = False


def mode_of(text: str | None) -> Mode:
    """A mode by name: an approval policy, a sandbox, or both with a comma between.

    Raises:
        InvalidRequest: a name that codex does not know.
    """
    found: dict[str, str] = {}
    for word in [part.strip() for part in (text or "").split(",") if part.strip()]:
        key = "approval" if word in APPROVALS else "sandbox" if word in SANDBOXES else None
        if key is None:
            raise _unknown_mode(word)
        found[key] = word
    return Mode(**found)


def _unknown_mode(word: str) -> InvalidRequest:
    plain = re.sub(r"[^a-z]", "", word.lower())
    near = difflib.get_close_matches(plain, _MEANT, 1)
    guess = f"Did you mean {_MEANT[near[0]]}? " if near else ""
    hint = f"{guess}It is {_listed(APPROVALS)}, or the sandbox {_listed(SANDBOXES)}, or both: on-request,read-only."
    return InvalidRequest(f"permission_mode cannot be {word!r}.", hint=hint, field="options.permission_mode")


def _listed(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


_MEANT = {mode.replace("-", ""): mode for mode in (*APPROVALS, *SANDBOXES)} | {
    "plan": "read-only",
    "default": "on-request",
    "manual": "untrusted",
    "acceptedits": "on-request,workspace-write",
    "autoedit": "on-request,workspace-write",
    "fullauto": "on-request,workspace-write",
    "bypasspermissions": "never,danger-full-access",
    "yolo": "never,danger-full-access",
    "dontask": "never",
    "onfailure": "on-request",
}
"""Codex's modes, and what other CLIs and older ones of its own call something near; letters only."""


def mode_wanted(options: AgentOptions) -> Mode:
    """The mode that an agent is started in."""
    if options.dangerously_skip_permissions:
        return Mode("never", "danger-full-access")
    return mode_of(options.permission_mode)


def turn_mode(mode: Mode) -> Object:
    """A mode as a turn is started with it."""
    made: Object = {"approvalPolicy": mode.approval} if mode.approval else {}
    if mode.sandbox:
        made["sandboxPolicy"] = {"type": _POLICIES[mode.sandbox]}
    return made


def mode_told(settings: Object) -> str | None:
    """The mode that `approvalPolicy` and the policy object `sandbox` are, where there is a name for it."""
    policy = text_of(object_of(settings, "sandbox"), "type")
    words = [text_of(settings, "approvalPolicy"), next((name for name, of in _POLICIES.items() if of == policy), "")]
    return ",".join(word for word in words if word) or None


_POLICIES = dict(zip(SANDBOXES, ("readOnly", "workspaceWrite", "dangerFullAccess"), strict=True))


def check(options: AgentOptions) -> None:
    """Refuse what codex does not have.

    Raises:
        InvalidRequest: an option codex has nothing for, or a value that it does not know.
    """
    refuse_options(options, TAKEN, "codex")
    if options.dangerously_skip_permissions and options.permission_mode:
        hint = "leave one of the two out"
        message = "dangerously_skip_permissions is a permission mode already."
        raise InvalidRequest(message, hint=hint, field="options.permission_mode")
    if options.fork and not options.resume:
        raise InvalidRequest(
            "A fork needs the conversation it goes on with.", hint="give resume too", field="options.fork"
        )
    mode_of(options.permission_mode)
    mcp_servers(options.mcp_config)


def mcp_servers(config: str | Object | None) -> Object:
    """MCP servers as codex's configuration names them, from the object that Claude Code takes or codex's own.

    Raises:
        InvalidRequest: it is neither; a file is not read.
    """
    if config is None:
        return {}
    if isinstance(config, str):
        config = _parsed(config)
    servers = config.get("mcpServers", config.get("mcp_servers", config))
    if not isinstance(servers, dict) or not all(isinstance(one, dict) for one in servers.values()):
        raise _no_servers()
    return {name: {key: value for key, value in one.items() if key != "type"} for name, one in servers.items()}


def _parsed(text: str) -> Object:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except ValueError:
        raise _no_servers() from None


def _no_servers() -> InvalidRequest:
    hint = 'give {"NAME": {"command": "…", "args": […]}}; codex reads servers from no file but its own config.toml'
    return InvalidRequest("mcp_config names no MCP servers.", hint=hint, field="options.mcp_config")


def config_of(options: AgentOptions) -> Object:
    """What is said in codex's own configuration keys, over what its file says."""
    config: Object = {}
    if servers := mcp_servers(options.mcp_config):
        config["mcp_servers"] = servers
    if options.add_dirs:
        config["sandbox_workspace_write.writable_roots"] = options.add_dirs
    return config


def setup_of(definition: Definition) -> Setup:
    """How the conversation of an agent begins."""
    options = definition.options
    mode = mode_wanted(options)
    asked = {
        "cwd": definition.cwd,
        "model": options.model or definition.model,
        "approvalPolicy": mode.approval,
        "sandbox": mode.sandbox,
        "developerInstructions": options.append_system_prompt,
        "config": config_of(options),
    }
    params = {key: value for key, value in asked.items() if value}
    if options.resume is None:
        return Setup(params=params, partial=options.partial)
    method = "thread/fork" if options.fork else "thread/resume"
    return Setup(method, {"threadId": options.resume, "excludeTurns": True, **params}, options.partial)
