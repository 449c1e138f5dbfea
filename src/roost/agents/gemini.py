"""Gemini CLI: `gemini --acp` by default, and one prompt told as JSON lines where the command gives it one (`-p`)."""

from __future__ import annotations

from msgspec.structs import replace

from roost.agents.acp import ABILITIES, check_servers
from roost.agents.acp_codec import AcpCodec
from roost.agents.choosing import ChoosingCodec
from roost.agents.driver import Codec, Launch, Launched
from roost.agents.gemini_stream import GeminiStream
from roost.agents.one_shot import NO_STDIN, OneShotCodec
from roost.agents.refusals import pick, refuse_options
from roost.errors import InvalidRequest
from roost.model.agents import AgentOptions

MODES = ("default", "auto_edit", "yolo", "plan")
ONCE = frozenset(
    {"model", "permission_mode", "dangerously_skip_permissions", "allowed_tools", "add_dirs", "partial", "resume"}
)
TAKEN = ONCE | {"mcp_config"}
BY_FLAGS = frozenset({"model", "mode", "directories"})
"""What is set on the command line, so not asked for in the protocol."""
_PROMPT = ("-p", "--prompt", "-o", "--output-format")
_ACP = ("--acp", "--experimental-acp")


class GeminiDriver:
    """The driver `gemini`."""

    name = "gemini"
    abilities = replace(ABILITIES, fork=False, cost=False, plan=False)

    def launch(self, request: Launch) -> Launched:
        """Gemini's command line.

        Raises:
            InvalidRequest: an option or a mode that Gemini CLI does not have.
        """
        options = request.options
        if is_one_shot(request.command):
            refuse_options(options, ONCE, "Gemini CLI with one prompt")
            return Launched(_once(request), {})
        refuse_options(options, TAKEN, "Gemini CLI")
        check_servers(options)
        acp = [] if _has(request.command, _ACP) else ["--acp"]
        return Launched([*request.command, *acp, *_flags(request.command, options)], {})

    def codec(self) -> Codec:
        """A new session's."""
        return ChoosingCodec(is_one_shot, lambda: OneShotCodec(GeminiStream()), _conversation)


def _conversation() -> Codec:
    return AcpCodec(BY_FLAGS, late_history=True)


def is_one_shot(argv: list[str]) -> bool:
    """Whether a command line gives one prompt."""
    return _has(argv, _PROMPT)


def _has(argv: list[str], names: tuple[str, ...]) -> bool:
    return any(word.partition("=")[0] in names for word in argv)


def _once(request: Launch) -> list[str]:
    """Raises:
    InvalidRequest: the output would be of another format.
    """
    formats = ("-o", "--output-format")
    told = [] if _has(request.command, formats) else ["--output-format", "stream-json"]
    if not told and "stream-json" not in " ".join(request.command).replace("=", " ").split():
        hint = "Leave the output's format away, or run it with the driver lines."
        raise InvalidRequest("Gemini CLI is understood only as stream-json.", hint=hint)
    resumed = ["--resume", request.conversation_id] if request.resume and request.conversation_id else []
    return [*NO_STDIN, "gemini", *request.command, *told, *_flags(request.command, request.options), *resumed]


def _flags(command: list[str], options: AgentOptions) -> list[str]:
    flags: list[str] = []
    if options.model and not _has(command, ("-m", "--model")):
        flags += ["--model", options.model]
    if mode := _mode(options):
        flags += ["--approval-mode", mode]
    for directory in options.add_dirs:
        flags += ["--include-directories", directory]
    for tool in options.allowed_tools:
        flags += ["--allowed-tools", tool]
    return flags


def _mode(options: AgentOptions) -> str | None:
    """The protocol writes `autoEdit` what the command line writes `auto_edit`: both are taken."""
    wanted = options.permission_mode
    mode = pick("permission_mode", "auto_edit" if wanted == "autoEdit" else wanted, MODES) if wanted else None
    if not options.dangerously_skip_permissions:
        return mode
    if mode not in (None, "yolo"):
        hint = "Leave one of the two away: to ask for nothing is the mode yolo."
        raise InvalidRequest(f"permission_mode {mode} and dangerously_skip_permissions contradict.", hint=hint)
    return "yolo"
