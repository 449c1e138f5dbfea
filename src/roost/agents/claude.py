"""Claude Code: how it is started. Its language is in `claude_codec`."""

from __future__ import annotations

import difflib
from typing import Any

import msgspec

from roost.agents.claude_codec import ClaudeCodec, goes_on, takes_prompts, value_of
from roost.agents.claude_tools import check_rules
from roost.agents.driver import Abilities, Launch, Launched
from roost.agents.one_shot import NO_STDIN
from roost.errors import InvalidRequest
from roost.model.agents import AgentOptions

MODES = ("default", "manual", "acceptEdits", "plan", "auto", "dontAsk", "bypassPermissions")
_STREAM = [
    "--print",
    "--input-format=stream-json",
    "--output-format=stream-json",
    "--verbose",
    "--permission-prompt-tool=stdio",
    "--replay-user-messages",
]
_ENVIRONMENT = {"CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1"}


class ClaudeDriver:
    """Anthropic's `claude`, spoken to as its own SDKs do."""

    name = "claude"
    abilities = Abilities(
        approvals=True,
        questions=True,
        edited_input=True,
        interrupt=True,
        steer=True,
        resume=True,
        fork=True,
        chosen_id=True,
        images=True,
        thinking=True,
        partial=True,
        plan=True,
        subagents=True,
        usage=True,
        cost=True,
        change_model=True,
        change_mode=True,
    )

    def launch(self, request: Launch) -> Launched:
        """How it is started; where the command says itself what is asked, it stays as it is and is only read.

        Raises:
            InvalidRequest: an unknown tool or permission mode, or options that exclude each other.
        """
        options = request.options
        _check(options)
        said = request.command[1:]
        argv = [*request.command, *_flags(options), *_conversation(request)]
        if is_one_shot(said):
            # It would wait three seconds for more of its prompt on standard input, which stays open.
            return Launched([*NO_STDIN, "claude", *argv], dict(_ENVIRONMENT))
        argv += [flag for flag in _STREAM if not _has(said, flag)]
        argv += ["--include-partial-messages"] if options.partial else []
        return Launched(argv, dict(_ENVIRONMENT))

    def codec(self) -> ClaudeCodec:
        """A new session's codec."""
        return ClaudeCodec()


def is_one_shot(said: list[str]) -> bool:
    """Whether the user's own arguments hold the prompt, or choose another output than we read."""
    if takes_prompts(said):
        return False
    return "-p" in said or "--print" in said or value_of(said, "--output-format") is not None


def _check(options: AgentOptions) -> None:
    check_rules(options.allowed_tools, "allowed_tools")
    check_rules(options.disallowed_tools, "disallowed_tools")
    mode = options.permission_mode
    if mode is not None and mode not in MODES:
        near = difflib.get_close_matches(mode, MODES, n=1, cutoff=0.5)
        hint = f"Write {near[0]!r}." if near else f"It has {', '.join(MODES)}."
        raise InvalidRequest(
            f"Claude Code has no permission mode {mode!r}.", hint=hint, field="options.permission_mode", value=mode
        )


def _flags(options: AgentOptions) -> list[str]:
    """The options in the CLI's own words; each value is part of its flag, so that none is taken for another flag."""
    valued = {
        "--model": options.model,
        "--fallback-model": options.fallback_model,
        "--permission-mode": options.permission_mode,
        "--append-system-prompt": options.append_system_prompt,
        "--mcp-config": _servers(options.mcp_config),
        "--allowedTools": ",".join(options.allowed_tools) or None,
        "--disallowedTools": ",".join(options.disallowed_tools) or None,
        "--max-turns": options.max_turns,
        "--max-budget-usd": options.max_budget_usd,
    }
    flags = [f"{flag}={value}" for flag, value in valued.items() if value is not None]
    flags += [f"--add-dir={folder}" for folder in options.add_dirs]
    flags += ["--dangerously-skip-permissions"] if options.dangerously_skip_permissions else []
    return flags + (["--strict-mcp-config"] if options.strict_mcp_config else [])


def _servers(config: str | dict[str, Any] | None) -> str | None:
    return msgspec.json.encode(config).decode() if isinstance(config, dict) else config


def _conversation(request: Launch) -> list[str]:
    if request.conversation_id is None or goes_on(request.command) or _has(request.command, "--session-id"):
        return []
    if request.resume:
        return [f"--resume={request.conversation_id}", *(["--fork-session"] if request.fork else [])]
    return [f"--session-id={request.conversation_id}"]


def _has(said: list[str], flag: str) -> bool:
    name = flag.partition("=")[0]
    return any(word == name or word.startswith(name + "=") for word in said)
