"""Codex: `codex app-server` by default, and `codex exec --json` where the command says so."""

from __future__ import annotations

from typing import Any

from roost.agents.codex_exec import CodexExec
from roost.agents.codex_launch import exec_line, is_exec, server_line
from roost.agents.codex_modes import check
from roost.agents.codex_server import CodexServer
from roost.agents.driver import Abilities, Codec, Decision, Image, Item, Launch, Launched, Opening
from roost.model.conversations import OpenApproval, PendingTurn


class CodexCodec:
    """The language that a command line makes codex speak."""

    def __init__(self) -> None:
        self._spoken: Codec = CodexServer()

    def open(self, opening: Opening) -> list[Item]:
        """Which language, and its beginning."""
        if is_exec(opening.argv):
            self._spoken = CodexExec()
        return self._spoken.open(opening)

    def receive(self, line: bytes, now_ns: int) -> list[Item]:
        """A line."""
        return self._spoken.receive(line, now_ns)

    def prompt(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """The next prompt."""
        return self._spoken.prompt(turn, images)

    def steer(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """A prompt for the turn that runs."""
        return self._spoken.steer(turn, images)

    def interrupt(self) -> list[Item]:
        """End the turn."""
        return self._spoken.interrupt()

    def answer(self, approval: OpenApproval, decision: Decision) -> list[Item]:
        """What was decided."""
        return self._spoken.answer(approval, decision)

    def change(self, what: str, value: str) -> list[Item]:
        """Another model or mode."""
        return self._spoken.change(what, value)

    def finish(self) -> list[Item]:
        """Codex ended."""
        return self._spoken.finish()

    def save(self) -> Any:
        """Which language, and its state."""
        return ["exec" if isinstance(self._spoken, CodexExec) else "server", self._spoken.save()]

    def load(self, saved: Any) -> None:
        """Go on from it."""
        language, state = saved
        self._spoken = CodexExec() if language == "exec" else CodexServer()
        self._spoken.load(state)


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

    def codec(self) -> CodexCodec:
        """A new session's codec."""
        return CodexCodec()
