"""Codex: `codex app-server` by default, and `codex exec --json` where the command says so."""

from __future__ import annotations

from roost.agents.choosing import ChoosingCodec
from roost.agents.codex_exec import CodexExec
from roost.agents.codex_launch import exec_line, is_exec, server_line
from roost.agents.codex_modes import check
from roost.agents.codex_server import CodexServer
from roost.agents.driver import Abilities, Codec, Launch, Launched


class CodexDriver:
    """OpenAI Codex."""

    name = "codex"
    abilities = Abilities(
        approvals=True,
        questions=True,
        interrupt=True,
        steer=True,
        resume=True,
        fork=True,
        images=True,
        thinking=True,
        partial=True,
        plan=True,
        subagents=True,
        usage=True,
        change_model=True,
        change_mode=True,
    )

    def launch(self, request: Launch) -> Launched:
        """Codex's command line.

        Raises:
            InvalidRequest: an option that codex does not have, or a value that it does not know.
        """
        check(request.options)
        if is_exec(request.command):
            return Launched(exec_line(request.command, request.options), {})
        return Launched(server_line(request.command), {})

    def codec(self) -> Codec:
        """A new session's codec."""
        return ChoosingCodec(is_exec, CodexExec, CodexServer)
