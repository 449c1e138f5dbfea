"""Agents that run elsewhere and are only watched: what runs here is `roost.follow` on their transcript."""

from __future__ import annotations

from typing import Any

from roost.agents.claude_transcript import ClaudeTranscript
from roost.agents.codex_rollout import CodexRollout
from roost.agents.driver import Abilities, Codec, Item, Launch, Launched, Opening
from roost.agents.json_in import read_object
from roost.agents.reading import OnlyReads
from roost.errors import InvalidRequest
from roost.model.agents import AgentOptions


class AdoptedTranscript(OnlyReads):
    """Whoever's transcript it is: Codex has a `payload` in every line, and Claude Code in none."""

    def __init__(self) -> None:
        self._opening: Opening | None = None
        self._cli = ""
        self._inner: Codec = ClaudeTranscript()

    def open(self, opening: Opening) -> list[Item]:
        """Whose it is, its first line will tell."""
        self._opening = opening
        return self._inner.open(opening)

    def receive(self, line: bytes, now_ns: int) -> list[Item]:
        """A line of the transcript."""
        if not self._cli and (told := read_object(line)) is not None:
            self._choose("codex" if "payload" in told else "claude")
        return self._inner.receive(line, now_ns)

    def finish(self, exit_code: int | None = None) -> list[Item]:
        """What the one that reads has left."""
        return self._inner.finish(exit_code)

    def save(self) -> Any:
        """The state as plain values."""
        return [self._cli, self._inner.save()]

    def load(self, saved: Any) -> None:
        """Go on from what `save` gave."""
        cli, inner = saved
        self._choose(cli)
        self._inner.load(inner)

    def _choose(self, cli: str) -> None:
        self._cli = cli
        if cli == "codex":
            self._inner = CodexRollout()
            if self._opening is not None:
                self._inner.open(self._opening)


class AdoptedDriver:
    """Reads what an agent writes of itself. Stopping it stops the watching, not the agent."""

    name = "adopted"
    abilities = Abilities(prompts=False, thinking=True, subagents=True, usage=True)

    def launch(self, request: Launch) -> Launched:
        """As it is.

        Raises:
            InvalidRequest: options, of which there are none.
        """
        if request.options != AgentOptions():
            raise InvalidRequest("what is only watched has no options", field="options")
        return Launched(request.command, {})

    def codec(self) -> Codec:
        """A new session's codec."""
        return AdoptedTranscript()
