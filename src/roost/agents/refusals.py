"""Refusing what a CLI does not have, before it is started."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from msgspec.structs import fields

from roost.errors import InvalidRequest
from roost.model.agents import AgentOptions

_DEFAULTS = AgentOptions()


def refuse_options(options: AgentOptions, taken: Iterable[str], who: str) -> None:
    """Refuse options that are given but not among the `taken`.

    Raises:
        InvalidRequest: one of them is; the hint names those that may be given.
    """
    names = sorted(taken)
    for field in fields(AgentOptions):
        if field.name not in names and getattr(options, field.name) != getattr(_DEFAULTS, field.name):
            hint = f"It takes {', '.join(names)}."
            raise InvalidRequest(f"{who} has no option {field.name}.", hint=hint, option=field.name)


def pick(option: str, value: str, known: Iterable[str]) -> str:
    """`value`, which must be one of the `known`.

    Raises:
        InvalidRequest: it is not; the hint has the nearest that is, and all there are.
    """
    names = list(known)
    if value in names:
        return value
    near = get_close_matches(value, names, 1, 0.5)
    hint = (f"Did you mean {near[0]}? " if near else "") + f"There are {', '.join(names)}."
    raise InvalidRequest(f"{option} cannot be {value!r}.", hint=hint, option=option)
