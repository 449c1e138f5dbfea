"""Codex's lines and their fields: an absent one, or one of another type, is an empty one."""

from __future__ import annotations

from typing import Any

from roost.agents import json_in
from roost.core.soundness import integer_or_none, sound

DEEP = 64
"""Lines with more brackets than this are looked at more closely: how deep they nest is not known without reading."""

_DIGITS = bytes(ord("0") if chr(code).isdecimal() and code < 128 else ord(" ") for code in range(256))
_LONG_NUMBER = b"0" * 19


def read_object(line: bytes) -> dict[str, Any] | None:
    """The JSON object that a line holds, as any store takes it; none where it holds something else or is damaged."""
    value = json_in.read_object(line)
    if value is not None and (_LONG_NUMBER in line.translate(_DIGITS) or line.count(b"[") + line.count(b"{") > DEEP):
        return {str(key): sound(one) for key, one in value.items()}
    return value


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
