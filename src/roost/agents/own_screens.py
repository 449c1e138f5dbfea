"""Coding agents in their own screen: whose program it is, and where it keeps the conversation that is had there.

Claude Code writes `projects/FOLDER/SESSION.jsonl` in `$CLAUDE_CONFIG_DIR`, else `~/.claude`; FOLDER is the working
directory with every sign but letters and digits as a dash. Codex writes `sessions/YYYY/MM/DD/rollout-*.jsonl` in
`$CODEX_HOME`, else `~/.codex`, wherever it works. Source: Claude Code 2.1 and Codex 0.163, measured.
"""

from __future__ import annotations

import json
import posixpath
import re
import shlex
from collections.abc import Mapping
from typing import NamedTuple

CHOOSING = (
    "-p",
    "--print",
    "-c",
    "--continue",
    "-r",
    "--resume",
    "--session-id",
    "--fork-session",
    "--from-pr",
    "--bg",
)
"""Arguments that say which conversation it is, or that there is no screen."""

CODEX_COMMANDS = frozenset(
    {
        "agents",
        "app-server",
        "apply",
        "cloud",
        "completion",
        "debug",
        "exec-server",
        "features",
        "help",
        "login",
        "logout",
        "mcp",
        "mcp-server",
        "plugin",
        "remote-control",
        "sandbox",
        "update",
    }
)
"""Codex's commands that have no conversation of their own."""
NOTED: dict[str, tuple[bytes, ...]] = {
    "claude": (b'"type":"user"', b'"type":"assistant"', b'"type":"system"'),
    "codex": (
        b'"type":"session_meta"',
        b'"type":"turn_context"',
        b'"type":"event_msg"',
        b'"type":"compacted"',
        b'"payload":{"type":"function_call',
        b'"payload":{"type":"custom_tool_call',
        b'"payload":{"type":"local_shell_call',
    ),
}
"""What lines that are worth noting hold; the rest is the CLI's own bookkeeping."""

MOMENTS = ("Notification", "PermissionRequest", "PostToolUse", "Stop", "UserPromptSubmit")
"""Claude Code's names of the moments at which it runs a hook of ours."""
HOOK_S = 5
"""Seconds after which it ends a hook."""


class Place(NamedTuple):
    """Where a conversation is kept: a folder, and the file in it, where its name is known."""

    cli: str
    folder: str
    file: str | None
    cwd: str | None = None
    """The working directory, where files of all directories lie in the folder."""
    resumes: bool = False
    """Whether the conversation, and so the file, is older than the agent."""


def cli_of(command: list[str]) -> str | None:
    """The agent that a command starts in its own screen, if its conversations can be read."""
    name = posixpath.basename(command[0]) if command else ""
    if name == "codex":
        return None if command[1:2] and command[1] in CODEX_COMMANDS else name
    return name if name == "claude" else None


def takes_session_id(command: list[str]) -> bool:
    """Whether the conversation's id can be said: a new one, and no command of the program's such as `claude mcp`."""
    if cli_of(command) != "claude":
        return False
    words = command[1:]
    chooses = any(word.partition("=")[0] in CHOOSING for word in words)
    return not chooses and (not words or words[0].startswith("-"))


def with_session_id(command: list[str], conversation_id: str) -> list[str]:
    """The command that begins a conversation under this id."""
    return [command[0], f"--session-id={conversation_id}", *command[1:]]


def takes_hooks(command: list[str]) -> bool:
    """Whether settings of ours, in which hooks are, can be added to the person's own."""
    words = command[1:]
    given = any(word.partition("=")[0] in ("--settings", "-p", "--print", "--bg") for word in words)
    return cli_of(command) == "claude" and not given and (not words or words[0].startswith("-"))


def with_hooks(command: list[str], hook: list[str]) -> list[str]:
    """The command, with `hook` to be run at the moments worth knowing; the agent does not wait for it."""
    run = {"type": "command", "command": shlex.join(hook), "timeout": HOOK_S}
    hooks = {moment: [{"hooks": [run | {"async": True}]}] for moment in MOMENTS}
    # What ends would not be waited for.
    hooks["SessionEnd"] = [{"hooks": [run]}]
    return [command[0], f"--settings={json.dumps({'hooks': hooks})}", *command[1:]]


def place_of(command: list[str], cwd: str, env: Mapping[str, str], conversation_id: str | None) -> Place | None:
    """Where the conversation is kept that a command has; `env` is the agent's whole environment."""
    cli = cli_of(command)
    if cli == "codex":
        return _rollouts(command, cwd, env)
    home = env.get("CLAUDE_CONFIG_DIR") or (posixpath.join(env["HOME"], ".claude") if env.get("HOME") else None)
    if cli is None or home is None:
        return None
    folder = posixpath.join(home, "projects", re.sub(r"[^A-Za-z0-9]", "-", cwd))
    return Place(cli, folder, f"{conversation_id}.jsonl" if conversation_id else None)


def _rollouts(command: list[str], cwd: str, env: Mapping[str, str]) -> Place | None:
    home = env.get("CODEX_HOME") or (posixpath.join(env["HOME"], ".codex") if env.get("HOME") else None)
    return (
        None if home is None else Place("codex", posixpath.join(home, "sessions"), None, cwd, "resume" in command[1:])
    )
