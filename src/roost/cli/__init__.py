"""The `roost` command.

One module a group of commands, each thin: parse, call a client, print. Nothing is imported before it is needed, because
a command that takes long to start is a command that is not used.
"""

from __future__ import annotations

import sys

# As `typing` has it, but that takes a while to load, and `roost --version` needs nothing else of it.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from roost.cli.commands import Command
    from roost.errors import RoostError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns its exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given in (["--version"], ["-V"]):
        from roost import __version__

        print(f"roost {__version__}")
        return 0
    try:
        return _run(given)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return _reader_gone()
    except SystemExit as exc:
        return exc.code if isinstance(exc.code, int) else 1


def _run(given: list[str]) -> int:
    from roost.cli.parser import command_parser, overview
    from roost.errors import RoostError

    shared, rest = _leading_options(given)
    if not rest or rest[0] in ("-h", "--help", "help"):
        print(overview())
        return 0
    command = _find(rest[0])
    if command is None:
        return 2
    _, function = command.load()
    try:
        code = function(command_parser(command).parse_args([*shared, *rest[1:]]))
        sys.stdout.flush()
    except RoostError as error:
        return report(error)
    return code


def _find(name: str) -> Command | None:
    from roost.cli.commands import all_commands, find
    from roost.cli.parser import complain, nearest

    command = find(name)
    if command is None:
        known = [item.name for item in all_commands()]
        complain(f"there is no command {name!r}", nearest(name, known) or "see 'roost --help'")
    return command


def _leading_options(given: list[str]) -> tuple[list[str], list[str]]:
    """`--data DIR` may stand before the command too."""
    if len(given) > 1 and given[0] == "--data":
        return given[:2], given[2:]
    if given and given[0].startswith("--data="):
        return given[:1], given[1:]
    return [], given


def report(error: RoostError) -> int:
    """Show an error and the next step; says which exit code stands for it."""
    from roost.cli.exits import of_error
    from roost.cli.parser import complain, nearest

    similar = error.details.get("similar")
    hint = error.hint
    if not hint and isinstance(similar, list):
        hint = nearest(str(error.details.get("name", "")), map(str, similar)) or "see 'roost ps -a'"
    complain(error.message, hint)
    return of_error(error)


def _reader_gone() -> int:
    """Whoever read our output has gone: say nothing, also when Python flushes what is left."""
    import os

    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 141
