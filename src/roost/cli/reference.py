"""Reference pages that are written from the code: commands, exit codes, settings. `pages` is all of them."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from roost import config
from roost.cli import exits
from roost.cli.commands import GROUPS, Command
from roost.cli.parser import command_parser

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roost.config import Declared

WIDTH = "88"
MADE = "<!-- Written by scripts/generate-cli-reference; do not edit. -->"
SETTINGS_GROUP = "settings"

CLI_HEAD = """\
# Command line

What each command takes. Data goes to standard output, talk to standard error; `--json` prints one JSON document (one
object a line where a stream is followed). Colours appear on a terminal only, and never where `NO_COLOR` is set. Names
of agents are completed by the scripts that `roost completion` prints. [Exit codes](exit-codes.md) are stable.

Commands find the server of the data directory by themselves. Where none runs, they speak to the keeper and read the
recordings, so `run`, `attach`, `ps`, `logs` and most others work all the same.

| environment | what it does |
|---|---|
| `ROOST_DATA` | the data directory, as `--data` |
| `ROOST_URL` | the address of another server, which is then used instead of the data directory's own |
| `ROOST_TOKEN` | the token for it, instead of the one in the data directory |
| `NO_COLOR` | no colours |
| `BROWSER` | what `roost open` starts |
"""

EXIT_HEAD = """\
# Exit codes

They are stable: scripts may rely on them. `run`, `attach` and `wait` give back the code of the agent that ended,
128 + n where signal n ended it; a failure of roost itself is told apart by a line on standard error that begins with
`roost:`.

| code | meaning |
|---|---|
"""

EXIT_TAIL = """\
| 141 | Whoever read the output has gone (`roost logs NAME \\| head`); nothing is said. |

Where a command is done to several agents, it is done to all of them, and the code is that of the first that failed.

## Commands with more to say

| command | code | meaning |
|---|---|---|
| `roost wait --for STATE`, `--for output=TEXT` | 1 | the agent ended without it |
| `roost prompt --wait`, `--follow` | 0, 1, 6, 130 | the turn was completed; failed; refused; interrupted |
| `roost status` | 0, 1, 5 | healthy; degraded or unhealthy; no server answers |
| `roost doctor` | 1 | something is missing that roost cannot do without |
| `roost recording verify` | 1 | a recording is damaged |
| `roost reproject` | 1 | a recording could not be read |
| `roost serve` | 2, 5 | a setting cannot be used; port in use, data directory held or newer |

## How errors become codes

"""

SETTINGS_HEAD = """\
# Settings

Each setting has one name in three forms: the key in the settings file, an environment variable, a flag of `roost serve`
and `roost up`. Flags win over environment over file over default. `roost config show` prints every value and where it
comes from.

The file is `config.toml` in the data directory, or what `--config` or `ROOST_CONFIG` names:

```toml
[server]
port = 8151
allowed_hosts = ["roost.example.org"]
```

In the environment and in flags, lists are separated by commas and switches are `true` or `false`.

## Places

| key | environment | flag | default | |
|---|---|---|---|---|
| `data` | `ROOST_DATA` | `--data` | `$XDG_DATA_HOME/roost` | The data directory, which holds everything else. |
| `db` | `ROOST_DB` | `--db` | | The database's URL. Empty: SQLite in the data directory. |
"""


def pages() -> dict[str, str]:
    """Every page by its name in `docs/reference`."""
    return {"cli.md": cli_page(), "exit-codes.md": exit_codes_page(), "settings.md": settings_page()}


def cli_page() -> str:
    """Every command with its help."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = WIDTH
    try:
        sections = [text for group in GROUPS for text in _group(group.title, group.commands)]
    finally:
        os.environ.pop("COLUMNS")
        if before is not None:
            os.environ["COLUMNS"] = before
    return "\n".join([MADE, "", CLI_HEAD, *sections])


def _group(title: str, commands: tuple[Command, ...]) -> Iterator[str]:
    yield f"## {title[0].upper()}{title[1:]}\n"
    for command in commands:
        yield f"### roost {command.name}\n\n```text\n{_help(command).rstrip()}\n```\n"


def _help(command: Command) -> str:
    parser = command_parser(command)
    inner = _subparsers(parser)
    texts = [_without_settings(parser).format_help()]
    texts += [_without_settings(inner[name]).format_help() for name in inner]
    return "\n".join(texts)


def _subparsers(parser: argparse.ArgumentParser) -> dict[str, argparse.ArgumentParser]:
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            found.update(action.choices)
    return found


def _without_settings(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    """The parser with the flags of settings left to their own page."""
    for group in parser._action_groups:
        if group.title != SETTINGS_GROUP:
            continue
        for action in group._group_actions:
            action.help = argparse.SUPPRESS
        group.description = "a flag for every setting, such as --port; see settings.md"
    return parser


def exit_codes_page() -> str:
    """What each code means, and which errors become which."""
    rows = [f"| {code} | {text} |" for code, text in exits.MEANINGS.items()]
    return "\n".join([MADE, "", EXIT_HEAD + "\n".join(rows), EXIT_TAIL + "\n".join(_errors()) + "\n"])


def _errors() -> Iterator[str]:
    from roost.errors import by_code

    yield "| code | errors of the API |"
    yield "|---|---|"
    by_exit: dict[int, list[str]] = {}
    for code, cls in by_code().items():
        # Which others are known depends on what is imported; the page must not.
        if cls.__module__ != "roost.errors":
            continue
        by_exit.setdefault(exits.of_error(cls("")), []).append(code)
    for exit_code in sorted(by_exit):
        yield f"| {exit_code} | {', '.join(f'`{code}`' for code in sorted(by_exit[exit_code]))} |"


def settings_page() -> str:
    """Every setting."""
    parts = [MADE, "", SETTINGS_HEAD]
    for section, cls in config.SECTIONS.items():
        parts += [f"## {section}", "", (cls.__doc__ or "").strip(), ""]
        parts += ["| key | environment | flag | default | |", "|---|---|---|---|---|"]
        parts += [_setting(item) for item in config.declared() if item.key.startswith(f"{section}.")]
        parts.append("")
    return "\n".join(parts)


def _setting(item: Declared) -> str:
    names = ", ".join(f"`{name}`" for name in item.environment_names)
    flags = ", ".join(f"`{flag}`" for flag in ([f"--{item.short.lower()}"] if item.short else []) + [item.flag])
    doc = item.doc + (f" At least {item.minimum:g}." if item.minimum else "")
    return f"| `{item.key}` | {names} | {flags} | {_default(item.default)} | {doc} |"


def _default(value: Any) -> str:
    if value in ("", (), None):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"
