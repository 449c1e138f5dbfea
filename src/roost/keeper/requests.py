"""What each operation takes, and the checks that nothing else gets past. Pure.

A check is a function of the value and its name that returns the value, or raises `InvalidRequest` with words that
say what is wrong. Fields that no operation knows are ignored, so that a newer client can speak to an older keeper.
"""

from __future__ import annotations

import math
import signal
from collections.abc import Callable
from typing import Any, NamedTuple

from roost.errors import InvalidName, InvalidRequest

Check = Callable[[Any, str], Any]

ID_CHARACTERS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-")
NAME_CHARACTERS = ID_CHARACTERS | {"."}
MAX_ID = 64
MAX_SOURCE = 255
MAX_GRACE_S = 86_400.0
MAX_SEQ = (1 << 64) - 1
MAX_LIMIT = (1 << 63) - 1
LIMIT_NAMES = ("nofile", "memory_bytes", "cpu_s", "fsize_bytes", "nproc", "core_bytes", "processes")
SCOPES = ("tree", "leader", "foreground")
LEFTOVERS = ("end", "keep")


class Field(NamedTuple):
    """One field of an operation; without a default it must be there."""

    check: Check
    default: Any = ...


class Request(NamedTuple):
    """A checked request: its operation and its fields, every one present."""

    op: str
    args: dict[str, Any]
    blob: bytes


def text(value: Any, name: str) -> str:
    """A string without NUL that can be given to the operating system."""
    if not isinstance(value, str):
        raise InvalidRequest(f"{name} must be a string", field=name)
    if "\0" in value:
        raise InvalidRequest(f"{name} must not hold a NUL", field=name)
    try:
        value.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError as exc:
        raise InvalidRequest(f"{name} is not valid Unicode", field=name) from exc
    return value


def flag(value: Any, name: str) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise InvalidRequest(f"{name} must be true or false", field=name)
    return value


def whole(low: int, high: int) -> Check:
    """An integer between `low` and `high`, both included."""

    def check(value: Any, name: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise InvalidRequest(f"{name} must be a whole number from {low} to {high}", field=name)
        return value

    return check


def seconds(value: Any, name: str) -> float:
    """A finite number of seconds, not negative."""
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not math.isfinite(value) or not 0 <= value <= MAX_GRACE_S:
        raise InvalidRequest(f"{name} must be a number of seconds from 0 to {MAX_GRACE_S:.0f}", field=name)
    return float(value)


def one_of(choices: tuple[str, ...]) -> Check:
    """One of a few words."""

    def check(value: Any, name: str) -> str:
        if not isinstance(value, str) or value not in choices:
            raise InvalidRequest(f"{name} must be one of {', '.join(choices)}", field=name)
        return value

    return check


def session_id(value: Any, name: str) -> str:
    """`[A-Za-z0-9_-]{1,64}`: it becomes a file's name."""
    if not isinstance(value, str) or not 0 < len(value) <= MAX_ID or not ID_CHARACTERS.issuperset(value):
        raise InvalidName(f"{name} must match [A-Za-z0-9_-]{{1,64}}", field=name)
    return value


def agent_name(value: Any, name: str) -> str:
    """`[A-Za-z0-9][A-Za-z0-9._-]{0,63}`."""
    good = isinstance(value, str) and 0 < len(value) <= MAX_ID and NAME_CHARACTERS.issuperset(value)
    if not good or value[0] in "._-":
        raise InvalidName(f"{name} must match [A-Za-z0-9][A-Za-z0-9._-]{{0,63}}", field=name)
    return str(value)


def short_text(value: Any, name: str) -> str:
    """A string of at most 255 bytes."""
    if len(text(value, name).encode("utf-8", "surrogateescape")) > MAX_SOURCE:
        raise InvalidRequest(f"{name} must be at most {MAX_SOURCE} bytes long", field=name)
    return str(value)


def arguments(value: Any, name: str) -> list[str]:
    """A command line: a list of strings, the program first."""
    if not isinstance(value, list) or not value:
        raise InvalidRequest(f"{name} must be a list with the program first", field=name)
    for index, item in enumerate(value):
        text(item, f"{name}[{index}]")
    if not value[0]:
        raise InvalidRequest(f"{name}[0] must name a program", field=name)
    return value


def environment(value: Any, name: str) -> dict[str, str]:
    """An object of variables whose names are identifiers."""
    if not isinstance(value, dict):
        raise InvalidRequest(f"{name} must be an object of strings", field=name)
    for key, item in value.items():
        if not (key.isascii() and key.isidentifier()):
            raise InvalidRequest(f"{key!r} is no name for an environment variable", field=name, variable=key)
        text(item, f"{name}.{key}")
    return value


def json_object(value: Any, name: str) -> dict[str, Any]:
    """Any JSON object."""
    if not isinstance(value, dict):
        raise InvalidRequest(f"{name} must be an object", field=name)
    return value


def limits(value: Any, name: str) -> dict[str, int]:
    """The limits that are set, those left out or null not among them."""
    known = json_object(value, name)
    check = whole(0, MAX_LIMIT)
    return {key: check(known[key], f"{name}.{key}") for key in LIMIT_NAMES if known.get(key) is not None}


def mark(value: Any, name: str) -> dict[str, Any]:
    """An object whose `type` says what happened."""
    short_text(json_object(value, name).get("type"), f"{name}.type")
    return dict(value)


def signal_number(value: Any, name: str) -> int:
    """A signal by its name, with or without `SIG`."""
    label = value if isinstance(value, str) else ""
    label = label if label.startswith("SIG") else f"SIG{label}"
    found = signal.Signals.__members__.get(label)
    if found is None:
        raise InvalidRequest(f"{name} must be the name of a signal, such as SIGINT", field=name)
    return int(found)


def version_range(value: Any, name: str) -> tuple[int, int]:
    """The lowest and the highest protocol version that a client speaks."""
    check = whole(0, 1 << 31)
    if not isinstance(value, list) or len(value) != 2:
        raise InvalidRequest(f"{name} must be [lowest, highest]", field=name)
    return check(value[0], name), check(value[1], name)


def optional(check: Check) -> Check:
    """`check`, or null."""
    return lambda value, name: None if value is None else check(value, name)


_SESSION = Field(session_id)
_BY = Field(short_text, "")
_SIZE = whole(1, 65_535)

OPERATIONS: dict[str, dict[str, Field]] = {
    "hello": {"protocol": Field(version_range), "client": Field(short_text, "")},
    "start": {
        "session_id": _SESSION,
        "agent": Field(agent_name),
        "argv": Field(arguments),
        "cwd": Field(text),
        "env": Field(environment),
        "terminal": Field(flag, True),
        "cols": Field(_SIZE, 80),
        "rows": Field(_SIZE, 24),
        "umask": Field(optional(whole(0, 0o777)), None),
        "limits": Field(limits, {}),
        "oom_score_adj": Field(optional(whole(-1000, 1000)), None),
        "definition": Field(json_object, {}),
        "leftovers": Field(one_of(LEFTOVERS), "end"),
    },
    "list": {},
    "describe": {"session_id": _SESSION},
    "input": {
        "session_id": _SESSION,
        "source": Field(short_text),
        "seq": Field(whole(0, MAX_SEQ)),
        "reply": Field(flag, False),
    },
    "close_input": {"session_id": _SESSION, "by": _BY},
    "resize": {"session_id": _SESSION, "cols": Field(_SIZE), "rows": Field(_SIZE)},
    "signal": {
        "session_id": _SESSION,
        "signal": Field(signal_number),
        "scope": Field(one_of(SCOPES), "tree"),
        "by": _BY,
    },
    "pause": {"session_id": _SESSION, "by": _BY},
    "resume": {"session_id": _SESSION, "by": _BY},
    "stop": {"session_id": _SESSION, "grace_s": Field(seconds, 10.0), "by": _BY},
    "kill": {"session_id": _SESSION, "by": _BY},
    "mark": {"session_id": _SESSION, "mark": Field(mark)},
    "attach": {"session_id": _SESSION},
    "detach": {"session_id": _SESSION},
    "watch": {},
    "forget": {"session_id": _SESSION},
    "status": {},
    "upgrade": {"executable": Field(optional(text), None), "arguments": Field(optional(arguments), None)},
    "shutdown": {"force": Field(flag, False)},
}


def check(fields: dict[str, Any], blob: bytes) -> Request:
    """The request that a message makes.

    Raises:
        InvalidRequest: the operation is unknown, or a field is missing or wrong.
    """
    op = fields.get("op")
    wanted = OPERATIONS.get(op) if isinstance(op, str) else None
    if wanted is None:
        raise InvalidRequest("the request names no operation that this keeper knows", op=str(op)[:64])
    return Request(str(op), {name: _field(fields, name, field) for name, field in wanted.items()}, blob)


def _field(fields: dict[str, Any], name: str, field: Field) -> Any:
    if name in fields:
        return field.check(fields[name], name)
    if field.default is ...:
        raise InvalidRequest(f"{name} is missing", field=name)
    return field.default
