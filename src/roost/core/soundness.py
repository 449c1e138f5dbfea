"""Values from outside, made safe to store and send: a recording may come from anywhere and say anything."""

from __future__ import annotations

import math

MAX_DEPTH = 32
MAX_INTEGER = (1 << 63) - 1

Sound = str | int | float | bool | None | list["Sound"] | dict[str, "Sound"]


def sound(value: object, depth: int = MAX_DEPTH) -> Sound:
    """`value`, decoded from JSON, as any database and any JSON or MessagePack reader will take it.

    Halves of surrogate pairs become U+FFFD, numbers that fit no 64 bits become text, what lies deeper than `depth`
    is left out.
    """
    if isinstance(value, str):
        return sound_text(value)
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return value if abs(value) <= MAX_INTEGER else hex(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if depth == 0:
        return None
    if isinstance(value, dict):
        return {sound_text(str(key)): sound(item, depth - 1) for key, item in value.items()}
    if isinstance(value, list):
        return [sound(item, depth - 1) for item in value]
    return None


def sound_object(value: dict[str, object]) -> dict[str, Sound]:
    """`sound` of a JSON object."""
    return {sound_text(key): sound(item, MAX_DEPTH - 1) for key, item in value.items()}


def sound_text(text: str) -> str:
    """`text` without halves of surrogate pairs and without NUL, which no text column of PostgreSQL takes."""
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace").replace("\0", "\N{REPLACEMENT CHARACTER}")


def text_or_none(value: object, limit: int = 4096) -> str | None:
    """`value` when it is text, at most `limit` characters of it."""
    return sound_text(value[:limit]) if isinstance(value, str) else None


def integer_or_none(value: object, lowest: int = 0, highest: int = MAX_INTEGER) -> int | None:
    """`value` when it is a whole number in these bounds."""
    if isinstance(value, int) and not isinstance(value, bool) and lowest <= value <= highest:
        return value
    return None
