"""Content in the Agent Client Protocol, and what agents put under `_meta` beside it."""

from __future__ import annotations

from typing import Any

from roost.agents.json_in import object_of, text_of


def block_text(block: dict[str, Any]) -> str:
    """What a content block says; pictures, sounds and links as a word in brackets."""
    kind = text_of(block.get("type"))
    if kind == "text":
        return text_of(block.get("text"))
    if kind == "resource":
        resource = object_of(block.get("resource"))
        return text_of(resource.get("text")) or f"[{text_of(resource.get('uri')) or kind}]"
    return f"[{text_of(block.get('uri')) or kind or 'nothing'}]"


def told_by(update: dict[str, Any], name: str) -> str:
    """A text that an agent put under its own name in `_meta`, such as `_meta.claudeCode.toolName`."""
    meta = object_of(update.get("_meta"))
    return next((text for value in meta.values() if (text := text_of(object_of(value).get(name)))), "")
