"""What a codec gives, made safe to store: an agent may say numbers too large, NUL, or a thousand brackets."""

from __future__ import annotations

import re
from typing import Any

import msgspec
from msgspec import Struct

from roost.agents.driver import Finished, Item
from roost.core.soundness import sound
from roost.model.events import Error, Notice, Permission, ToolCall

MANY_BRACKETS = 200
"""A line with more of them may be nested deeper than everybody can read."""

_has_nul = re.compile(rb"\\u0000").search
_encode = msgspec.msgpack.Encoder().encode
_OPEN: dict[type, str] = {
    Error: "details",
    Finished: "details",
    Notice: "details",
    ToolCall: "input",
    Permission: "",
}
"""Fields that hold values as the agent gave them; the whole of a permission."""


def sound_items(items: list[Item], line: bytes) -> list[Item]:
    """The items of a line; in the rare case that something in them could not be kept, made so that it can."""
    if _has_nul(line) is not None or not _can_be_kept(items, line):
        return [_sound(item) for item in items]
    return items


def _can_be_kept(items: list[Item], line: bytes) -> bool:
    for item in items:
        field = _OPEN.get(type(item))
        if field is not None:
            value = getattr(item, field) if field else item
            try:
                size = len(_encode(value))
            except (OverflowError, ValueError):
                return False
            if size > MANY_BRACKETS and not _is_flat(value) and _brackets(line) > MANY_BRACKETS:
                return False
    return True


def _is_flat(value: object) -> bool:
    if not isinstance(value, dict):
        return False
    for each in value.values():
        if isinstance(each, dict | list):
            return False
    return True


def _brackets(line: bytes) -> int:
    return line.count(b"{") + line.count(b"[")


def _sound(item: Item) -> Item:
    if isinstance(item, Struct):
        return msgspec.structs.replace(item, **_changed({name: getattr(item, name) for name in item.__struct_fields__}))
    return item._replace(**_changed(item._asdict()))


def _changed(values: dict[str, Any]) -> dict[str, Any]:
    return {name: sound(value) for name, value in values.items() if isinstance(value, str | dict | list)}
