"""Codex's lines read so that whatever they hold can be stored and sent on, and their fields; nothing here raises."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from roost.core.soundness import integer_or_none, sound, sound_text
from roost.model.events import Unknown

DEEP = 64
"""Lines with more brackets than this are looked at more closely: how deep they nest is not known without reading."""
MAX_SHOWN = 1 << 16
"""Characters of a line that is not understood, as far as its event tells them; the recording has all of it."""

_decode = msgspec.json.Decoder().decode
_RISKY = re.compile(rb"\\u|\d{19}|\x00")


def read_object(line: bytes) -> dict[str, Any] | None:
    """The JSON object that a line holds; none where it holds something else or is damaged.

    What no store would take is made sound: NUL, numbers of more than 64 bits, depth.
    """
    try:
        value = _decode(line)
    except (ValueError, RecursionError):
        return None
    if _RISKY.search(line) or line.count(b"[") + line.count(b"{") > DEEP:
        value = sound(value)
    return value if isinstance(value, dict) else None


def unknown(line: bytes, reason: str) -> Unknown:
    """The event of a line that is not understood."""
    return Unknown(0, 0, sound_text(line[: MAX_SHOWN * 4].decode("utf-8", "replace")[:MAX_SHOWN]), reason)


def as_line(value: dict[str, Any]) -> bytes:
    """`value` as one line of JSON with its line feed."""
    return msgspec.json.encode(value) + b"\n"


def text_of(holder: dict[str, Any], key: str) -> str:
    """The text under `key`, or nothing."""
    value = holder.get(key)
    return value if isinstance(value, str) else ""


def object_of(holder: dict[str, Any], key: str) -> dict[str, Any]:
    """The object under `key`, or an empty one."""
    value = holder.get(key)
    return value if isinstance(value, dict) else {}


def objects_of(holder: dict[str, Any], key: str) -> list[dict[str, Any]]:
    """The objects in the list under `key`; what is no object is left out."""
    value = holder.get(key)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts_of(holder: dict[str, Any], key: str) -> list[str]:
    """The texts in the list under `key`."""
    value = holder.get(key)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def count_of(holder: dict[str, Any], key: str) -> int:
    """The whole number under `key`, not less than 0; 0 where there is none."""
    return integer_or_none(holder.get(key)) or 0
