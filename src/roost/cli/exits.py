"""Exit codes: stable, documented in `docs/reference/exit-codes.md`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roost import errors

if TYPE_CHECKING:
    from collections.abc import Mapping

OK = 0
FAILED = 1
USAGE = 2
NOT_FOUND = 3
NOT_ALLOWED = 4
UNREACHABLE = 5
CONFLICT = 6
TIMED_OUT = 124
INTERRUPTED = 130

MEANINGS: Mapping[int, str] = {
    OK: "It was done. `attach` and `run`: you detached, and the agent lives on; or the agent ended with code 0.",
    FAILED: "It failed, for a reason that none of the others names.",
    USAGE: "The command line, a setting, or a value given with it cannot be used.",
    NOT_FOUND: "There is no agent or session of that name.",
    NOT_ALLOWED: "The token is missing, wrong, or its role may not do this.",
    UNREACHABLE: "The server or the keeper does not answer, or something else that roost needs is missing.",
    CONFLICT: "The state does not allow it: already running, not running, no terminal.",
    TIMED_OUT: "`--timeout` ran out.",
    INTERRUPTED: "Interrupted by Ctrl-C.",
}

_BY_CLASS: tuple[tuple[type[errors.RoostError], int], ...] = (
    (errors.NotFound, NOT_FOUND),
    (errors.InvalidRequest, USAGE),
    (errors.Refused, NOT_ALLOWED),
    (errors.Conflict, CONFLICT),
    (errors.TimedOut, TIMED_OUT),
    (errors.Unavailable, UNREACHABLE),
)


def of_error(error: errors.RoostError) -> int:
    """The exit code that stands for an error."""
    return next((code for cls, code in _BY_CLASS if isinstance(error, cls)), FAILED)


def of_agent(exit_code: int | None, signal_name: str | None) -> int:
    """The code to pass on for an agent's end: its own, or 128 + n where signal n ended it."""
    if exit_code is not None:
        return exit_code
    return 128 + signal_number(signal_name) if signal_name else FAILED


def signal_number(name: str) -> int:
    """The number of a signal such as `SIGTERM` or `TERM`; 0 where there is none of that name."""
    import signal

    label = name if name.startswith("SIG") else f"SIG{name}"
    return int(signal.Signals.__members__.get(label, 0))
