"""Parsing the command line: the options that all commands share, and errors that say what to do next."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any, NoReturn

from roost.cli import exits
from roost.cli.commands import GROUPS, Command, all_commands
from roost.cli.output import terminal_width, visible

if TYPE_CHECKING:
    from collections.abc import Iterable


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Help that is the same with every version of Python: `-e, --env K=V`."""

    def __init__(self, prog: str) -> None:
        # Left to find the width, argparse loads `shutil` and every compression for it, before there is help to show.
        columns = os.environ.get("COLUMNS", "")
        super().__init__(prog, width=(int(columns) if columns.isdigit() else terminal_width()) - 2)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        metavar = self._get_default_metavar_for_optional(action)
        return f"{', '.join(action.option_strings)} {self._format_args(action, metavar)}"


class Parser(argparse.ArgumentParser):
    """An argument parser that speaks as roost does."""

    def __init__(self, prog: str | None = None, **kwargs: Any) -> None:
        kwargs.setdefault("formatter_class", Formatter)
        kwargs.setdefault("allow_abbrev", False)
        super().__init__(prog, **kwargs)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Options may stand between positional arguments, too, unless the command has sub-commands."""
        try:
            return self.parse_intermixed_args(args, namespace)
        except TypeError:
            return super().parse_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and end with the exit code for usage."""
        complain(message, f"see '{self.prog} --help'")
        sys.exit(exits.USAGE)


def complain(message: str, hint: str = "") -> None:
    """An error, and the next step, on standard error."""
    print(f"roost: {visible(message)}", file=sys.stderr)
    if hint:
        print(f"  {visible(hint)}", file=sys.stderr)


def command_parser(command: Command) -> Parser:
    """The parser of one command."""
    configure, _ = command.load()
    parser = Parser(prog=f"roost {command.name}", description=_sentence(command.help))
    configure(parser)
    return parser


def add_shared(parser: argparse.ArgumentParser, *, json: bool = True) -> None:
    """`--data`, and `--json` where the command has something to say in it."""
    parser.add_argument("--data", metavar="DIR", help="the data directory (default: $ROOST_DATA, or the user's)")
    if json:
        parser.add_argument("--json", action="store_true", help="print one JSON document")


def overview() -> str:
    """What `roost --help` prints."""
    width = max(len(command.name) for command in all_commands())
    lines = ["usage: roost [--data DIR] COMMAND [ARGUMENTS…]", ""]
    lines += ["Run, watch, steer and record command-line coding agents, and any program in a terminal.", ""]
    for group in GROUPS:
        lines.append(f"{group.title}:")
        lines += [f"  {command.name.ljust(width)}  {command.help}" for command in group.commands]
        lines.append("")
    lines += ["'roost COMMAND --help' says more. Exit codes: docs/reference/exit-codes.md"]
    return "\n".join(lines)


def nearest(word: str, known: Iterable[str]) -> str:
    """`did you mean 'ps'?`, or nothing."""
    import difflib

    close = difflib.get_close_matches(word, list(known), n=3, cutoff=0.6)
    return f"did you mean {' or '.join(repr(name) for name in close)}?" if close else ""


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:] + "."
