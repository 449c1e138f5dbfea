"""Names and ids: what they may look like wherever they become a path, a subject or a metric label."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from roost.errors import InvalidName

AGENT_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}\Z")
ID = re.compile(r"[A-Za-z0-9_-]{1,64}\Z")


def check_agent_name(name: str) -> str:
    """`name`, if an agent may bear it.

    Raises:
        InvalidName: it is not one to 64 letters, digits, dots, dashes and underscores, the first a letter or digit.
    """
    if AGENT_NAME.match(name):
        return name
    raise InvalidName(
        f"{name[:80]!r} cannot be an agent's name",
        hint="use 1 to 64 letters, digits, '.', '_' or '-', beginning with a letter or digit",
        name=name[:80],
    )


def check_id(value: str, what: str = "id") -> str:
    """`value`, if it is safe as a file name.

    Raises:
        InvalidName: it is not one to 64 letters, digits, dashes and underscores.
    """
    if ID.match(value):
        return value
    raise InvalidName(f"{value[:80]!r} is not a valid {what}", value=value[:80])


def session_id(now: datetime, suffix: str) -> str:
    """A session's id: read by people and sorted by the microsecond: `20261121-061500-1e240ab12`.

    Args:
        now: when the session begins.
        suffix: a few random hex digits, so that two sessions of one microsecond differ.
    """
    return f"{now.astimezone(UTC):%Y%m%d-%H%M%S}-{now.microsecond:05x}{suffix}"
