"""opencode: `opencode acp` by default, and one prompt told as JSON lines where the command is `opencode run`."""

from __future__ import annotations

from roost.agents.acp import ABILITIES, check_servers
from roost.agents.acp_codec import AcpCodec
from roost.agents.choosing import ChoosingCodec
from roost.agents.driver import Codec, Launch, Launched
from roost.agents.one_shot import NO_STDIN, OneShotCodec
from roost.agents.opencode_stream import OpencodeStream
from roost.agents.refusals import refuse_options
from roost.errors import InvalidRequest
from roost.model.agents import AgentOptions

ONCE = frozenset({"model", "permission_mode", "dangerously_skip_permissions", "resume", "fork", "partial"})
TAKEN = ONCE | {"mcp_config"}
ALLOW_ALL = '{"*":"allow"}'


class OpencodeDriver:
    """The driver `opencode`."""

    name = "opencode"
    abilities = ABILITIES

    def launch(self, request: Launch) -> Launched:
        """opencode's command line.

        Raises:
            InvalidRequest: an option that opencode does not have, or a model without its provider.
        """
        options = request.options
        _check_model(options.model)
        if is_one_shot(request.command):
            refuse_options(options, ONCE, "opencode run")
            return Launched(_once(request), {})
        refuse_options(options, TAKEN, "opencode")
        check_servers(options)
        acp = [] if "acp" in request.command else ["acp"]
        env = {"OPENCODE_PERMISSION": ALLOW_ALL} if options.dangerously_skip_permissions else {}
        return Launched([*request.command, *acp], env)

    def codec(self) -> Codec:
        """A new session's."""
        return ChoosingCodec(is_one_shot, lambda: OneShotCodec(OpencodeStream()), AcpCodec)


def is_one_shot(argv: list[str]) -> bool:
    """Whether a command line gives one prompt: `run` comes first of the subcommands that we speak to."""
    return next((word for word in argv if word in ("run", "acp")), "") == "run"


def _check_model(model: str | None) -> None:
    if model and "/" not in model:
        hint = "Name the provider too, as in anthropic/claude-sonnet-5; `opencode models` lists them."
        raise InvalidRequest(f"opencode knows no model {model!r}.", hint=hint, option="model")


def _once(request: Launch) -> list[str]:
    """Flags go right behind `run`: what follows may be words of the prompt."""
    at = request.command.index("run") + 1
    head, rest = request.command[:at], request.command[at:]
    told = [] if "--format" in rest or "--format=json" in rest else ["--format", "json"]
    resumed = ["--session", request.conversation_id] if request.resume and request.conversation_id else []
    forked = ["--fork"] if resumed and request.fork else []
    return [*NO_STDIN, "opencode", *head, *told, *_flags(request.options), *resumed, *forked, *rest]


def _flags(options: AgentOptions) -> list[str]:
    flags = ["--model", options.model] if options.model else []
    flags += ["--agent", options.permission_mode] if options.permission_mode else []
    return flags + (["--auto"] if options.dangerously_skip_permissions else [])
