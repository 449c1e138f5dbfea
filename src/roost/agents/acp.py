"""Any program that speaks the Agent Client Protocol: the command is the user's, the language is known."""

from __future__ import annotations

from roost.agents.acp_codec import AcpCodec
from roost.agents.acp_requests import servers_of
from roost.agents.driver import Abilities, Codec, Launch, Launched
from roost.agents.refusals import refuse_options
from roost.errors import InvalidRequest
from roost.model.agents import AgentOptions

ABILITIES = Abilities(
    approvals=True,
    interrupt=True,
    resume=True,
    fork=True,
    images=True,
    thinking=True,
    partial=True,
    plan=True,
    usage=True,
    cost=True,
    change_model=True,
    change_mode=True,
)
"""What the protocol has; whether an agent has it too, it says when it begins."""
TAKEN = frozenset({"model", "permission_mode", "mcp_config", "add_dirs", "partial", "resume", "fork"})


class AcpDriver:
    """The driver `acp`."""

    name = "acp"
    abilities = ABILITIES

    def launch(self, request: Launch) -> Launched:
        """The command as it is: all that is asked for is said in the protocol."""
        refuse_options(request.options, TAKEN, "an ACP agent")
        check_servers(request.options)
        return Launched(list(request.command), {})

    def codec(self) -> Codec:
        """A new session's."""
        return AcpCodec()


def check_servers(options: AgentOptions) -> None:
    """Raises:
    InvalidRequest: the MCP servers are no object and no JSON text of one.
    """
    try:
        servers_of(options.mcp_config)
    except ValueError as exc:
        hint = 'Give them as {"mcpServers": {"name": {"command": "…", "args": []}}}, not as the path of a file.'
        raise InvalidRequest("mcp_config is not what it should be.", hint=hint) from exc
