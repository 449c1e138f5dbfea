"""Codex's command line: what the user's own arguments ask for, and what our options add to it."""

from __future__ import annotations

import itertools
import re
from typing import Any, NamedTuple

import msgspec

from roost.agents.codex_modes import config_of, mode_wanted
from roost.agents.one_shot import NO_STDIN
from roost.errors import InvalidRequest
from roost.model.agents import AgentOptions

WITH_VALUE = frozenset(
    "-c --config -p --profile -m --model -s --sandbox -a --ask-for-approval -C --cd -i --image -o "
    "--output-last-message --add-dir --enable --disable --remote --remote-auth-token-env --local-provider "
    "--output-schema --color --thread-source --cyber-access-program".split()
)
"""Options whose value is the next argument."""
EXEC = frozenset({"exec", "e"})
SUBCOMMANDS = EXEC | {"app-server"}
JSON = frozenset({"--json", "--experimental-json"})
GOES_ON = frozenset({"resume", "fork"})

_CODEX = re.compile(r"(?:^|[/.])codex(?:\.js|\.exe|@\S*)?$")


class Words(NamedTuple):
    """Where the words that are neither options nor their values stand in the arguments."""

    at: list[int]
    args: list[str]

    def word(self, number: int) -> str | None:
        """The word of this number, from 0."""
        return self.args[self.at[number]] if number < len(self.at) else None


def words_of(args: list[str]) -> Words:
    """The words among `args`."""
    at, skipping = [], False
    for place, one in enumerate(args):
        if skipping:
            skipping = False
        elif one.startswith("-") and one != "-":
            skipping = one in WITH_VALUE
        else:
            at.append(place)
    return Words(at, args)


def is_exec(argv: list[str]) -> bool:
    """Whether a command line is of `codex exec`."""
    return words_of(split(argv)[1]).word(0) in EXEC


def goes_on(argv: list[str]) -> bool:
    """Whether `codex exec` goes on with a conversation that began before."""
    return words_of(split(argv)[1]).word(1) in GOES_ON


def model_named(argv: list[str]) -> str:
    """The model that a command line names, or nothing."""
    named = (value for flag, value in itertools.pairwise(split(argv)[1]) if flag in ("-m", "--model"))
    return next(named, "")


def split(argv: list[str]) -> tuple[list[str], list[str]]:
    """The program, with what it is run by such as `npx` but not what keeps standard input away, and its arguments."""
    if tuple(argv[: len(NO_STDIN)]) == NO_STDIN:
        argv = argv[len(NO_STDIN) + 1 :]
    end = 1
    if not _CODEX.search(argv[0]):
        before = itertools.takewhile(lambda word: word not in SUBCOMMANDS, argv)
        end = max((place + 1 for place, word in enumerate(before) if _CODEX.search(word)), default=1)
    return argv[:end], argv[end:]


def server_line(command: list[str]) -> list[str]:
    """The command line of an app-server.

    Raises:
        InvalidRequest: the command asks codex for something else.
    """
    program, args = split(command)
    word = words_of(args).word(0)
    if word == "app-server":
        return command
    if word is None:
        return [*program, *args, "app-server"]
    hint = "leave it out and prompt the agent, run `codex exec --json …`, or use the driver terminal"
    raise InvalidRequest(f"codex app-server cannot be given {word!r}.", hint=hint, field="command")


def exec_line(command: list[str], options: AgentOptions) -> list[str]:
    """The command line of `codex exec --json` with our options.

    Raises:
        InvalidRequest: it would not speak JSON, or is to go on with two conversations.
    """
    program, args = split(command)
    words = words_of(args)
    if not JSON & set(args):
        hint = "add --json, or leave exec out and prompt the agent"
        raise InvalidRequest("codex exec speaks to people without --json.", hint=hint, field="command")
    first = words.at[0] + 1
    after = words.at[1] if len(words.at) > 1 else len(args)
    going_on = _going_on(words, options)
    return [*NO_STDIN, "codex", *program, *args[:first], *_flags(options), *args[first:after], *going_on, *args[after:]]


def _going_on(words: Words, options: AgentOptions) -> list[str]:
    if options.resume is None:
        return []
    if words.word(1) in GOES_ON:
        hint = "give it in the command or in the options"
        raise InvalidRequest("The conversation to go on with is named twice.", hint=hint, field="options.resume")
    return ["fork" if options.fork else "resume", options.resume]


def _flags(options: AgentOptions) -> list[str]:
    flags = ["--model", options.model] if options.model else []
    mode = mode_wanted(options)
    if options.dangerously_skip_permissions:
        flags.append("--dangerously-bypass-approvals-and-sandbox")
    else:
        _check_never(mode.approval)
        flags += ["--sandbox", mode.sandbox] if mode.sandbox else []
    for folder in options.add_dirs:
        flags += ["--add-dir", folder]
    config = config_of(msgspec.structs.replace(options, add_dirs=[]))
    if options.append_system_prompt:
        config["developer_instructions"] = options.append_system_prompt
    for key, value in config.items():
        flags += ["--config", f"{key}={as_toml(value)}"]
    return flags


def _check_never(approval: str | None) -> None:
    if approval not in (None, "never"):
        message = f"codex exec asks nobody, so it cannot run {approval}."
        hint = "give a sandbox (read-only, workspace-write, danger-full-access), or leave exec out"
        raise InvalidRequest(message, hint=hint, field="options.permission_mode")


def as_toml(value: Any) -> str:
    """A value as TOML on one line; JSON's text, numbers and lists are TOML, its objects are not."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{as_toml(str(key))} = {as_toml(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(as_toml(one) for one in value) + "]"
    return msgspec.json.encode(value).decode()
