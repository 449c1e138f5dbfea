"""JSON from agents: read without raising, and made safe to store.

What an agent says may be anything: halves of surrogate pairs, NUL, numbers too large, a thousand brackets. What comes
out of here can be kept as MessagePack and in any database; what is no JSON object comes out as none.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from roost.core.soundness import sound, sound_object, sound_text
from roost.model.events import Unknown

LONGEST_UNKNOWN = 1 << 16
"""Characters of a line that is not understood, as far as an event tells it; the recording has all of it."""

_decoder = msgspec.json.Decoder()
_encoder = msgspec.json.Encoder()


def read_object(line: bytes) -> dict[str, Any] | None:
    """The JSON object that a line is."""
    try:
        value = _decoder.decode(line)
    except (ValueError, RecursionError):
        value = sound(_read_leniently(line))
    else:
        if b"\\u0000" in line:
            value = sound(value)
    return value if isinstance(value, dict) else None


def _read_leniently(line: bytes) -> object:
    try:
        return json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None


def write_line(message: dict[str, Any]) -> bytes:
    """A message as one line."""
    return _encoder.encode(message) + b"\n"


def write_text(value: object) -> str:
    """A value as JSON text."""
    return _encoder.encode(value).decode()


def unknown(line: bytes, reason: str = "") -> Unknown:
    """The event of a line that nobody understands."""
    return Unknown(0, 0, sound_text(line.decode("utf-8", "replace")[:LONGEST_UNKNOWN]), reason)


def object_of(value: object) -> dict[str, Any]:
    """`value` when it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def kept(value: object) -> dict[str, Any]:
    """`object_of`, as any store takes it."""
    return dict(sound_object(object_of(value)))


def objects_of(value: object) -> list[dict[str, Any]]:
    """The objects in a list."""
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def text_of(value: object) -> str:
    """`value` when it is text, else none."""
    return value if isinstance(value, str) else ""


def count_of(value: object) -> int:
    """`value` when it is a number that can count something, else 0."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1 << 62:
        return 0
    return int(value)
