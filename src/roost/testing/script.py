"""The script of a fake agent: acts in the order in which they were given on its command line.

Standard library only, and little of it: a test may start hundreds of fake agents.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple


class Act(NamedTuple):
    """One thing a fake agent can do: `run(argument)`; `argument` is how help calls it, empty when there is none."""

    argument: str
    doc: str
    run: Callable[[str], None]


Table = dict[str, Act]
Step = tuple[Act, str]


class BadScript(Exception):
    """The command line is not a script; the message says why."""


def parse(arguments: Sequence[str], table: Table) -> list[Step]:
    """The acts that `arguments` name, with their arguments, in order; `--name value` and `--name=value` alike.

    Raises:
        BadScript: an act is unknown, or its argument is missing or superfluous.
    """
    rest = iter(arguments)
    return [_step(word, rest, table) for word in rest]


def _step(word: str, rest: Iterator[str], table: Table) -> Step:
    name, equals, value = word.partition("=")
    act = table.get(name.removeprefix("--")) if name.startswith("--") else None
    if act is None:
        raise BadScript(f"{word} is not an act; --help lists them")
    if not act.argument:
        if equals:
            raise BadScript(f"{name} takes no argument")
        return act, ""
    if not equals:
        value = next(rest, "")
        if not value:
            raise BadScript(f"{name} needs {act.argument}")
    return act, value


def perform(steps: Sequence[Step]) -> None:
    """Do one act after the other.

    Raises:
        BadScript: an act cannot make sense of its argument.
    """
    for act, value in steps:
        try:
            act.run(value)
        except ValueError as exc:
            raise BadScript(f"{value!r} is no {act.argument}: {exc}") from exc


def describe(table: Table, usage: str) -> str:
    """The text of `--help`."""
    rows = [(f"--{name} {act.argument}".rstrip(), act.doc) for name, act in table.items()]
    width = max(len(left) for left, _ in rows)
    return usage + "".join(f"  {left:<{width}}  {doc}\n" for left, doc in rows)


def write(data: bytes) -> None:
    """Write all of `data` to standard output at once, unbuffered."""
    _write_all(1, data)


def write_error(data: bytes) -> None:
    """Write all of `data` to standard error at once, unbuffered."""
    _write_all(2, data)


def _write_all(fd: int, data: bytes) -> None:
    while data:
        data = data[os.write(fd, data) :]


def program() -> list[str]:
    """The command that runs a fake agent with this Python; acts are to follow."""
    return [sys.executable, "-m", "roost.testing.fake_agent"]
