"""Command lines as the real programs take them: flags that are on, flags with a value, flags with many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

ON, ONE, MANY, MAYBE = "on", "one", "many", "maybe"


class BadFlag(Exception):
    """A flag is not known, or its value is missing; the message is the flag."""


class Flags(NamedTuple):
    """A command line. `values` has every flag under its first name; `words` is all the rest."""

    values: dict[str, list[str]]
    words: list[str]

    def is_on(self, name: str) -> bool:
        """Whether the flag was given."""
        return name in self.values

    def one(self, name: str, default: str = "") -> str:
        """The last value of a flag."""
        found = self.values.get(name)
        return found[-1] if found else default

    def many(self, name: str) -> list[str]:
        """All values of a flag, parted at commas and blanks that are in no parentheses."""
        return [part for value in self.values.get(name, []) for part in split_list(value)]


def read_flags(arguments: Sequence[str], known: Mapping[str, str]) -> Flags:
    """Sort a command line. `known` maps the names of a flag, parted by blanks, to what follows it.

    Raises:
        BadFlag: a flag is not known or has no value.
    """
    names = {name: (group.split()[0], kind) for group, kind in known.items() for name in group.split()}
    flags = Flags({}, [])
    rest = list(arguments)
    while rest:
        word = rest.pop(0)
        if word == "--":
            flags.words.extend(rest)
            break
        if not word.startswith("-") or word == "-":
            flags.words.append(word)
            continue
        _take(word, rest, names, flags)
    return flags


def _take(word: str, rest: list[str], names: Mapping[str, tuple[str, str]], flags: Flags) -> None:
    name, equals, value = word.partition("=") if word.startswith("--") else (word, "", "")
    if name not in names:
        raise BadFlag(name)
    first, kind = names[name]
    values = flags.values.setdefault(first, [])
    if equals:
        values.append(value)
    elif kind == ONE:
        if not rest:
            raise BadFlag(name)
        values.append(rest.pop(0))
    elif kind in (MANY, MAYBE):
        while rest and not rest[0].startswith("-"):
            values.append(rest.pop(0))
            if kind == MAYBE:
                break


def split_list(text: str) -> list[str]:
    """`Read,Bash(git add *) Edit` as its three parts."""
    parts, depth = [""], 0
    for sign in text:
        depth += (sign == "(") - (sign == ")")
        if sign in ", " and not depth:
            parts.append("")
        else:
            parts[-1] += sign
    return [part for part in parts if part]
