"""Agents that run elsewhere and are only watched: what runs here is `roost.follow` on their transcript."""

from __future__ import annotations

from roost.agents.claude_transcript import ClaudeTranscript
from roost.agents.driver import Abilities, Codec, Launch, Launched
from roost.errors import InvalidRequest
from roost.model.agents import AgentOptions


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
        return ClaudeTranscript()
