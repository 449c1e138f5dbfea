"""What roost says in the Agent Client Protocol, version 1."""

from __future__ import annotations

from typing import Any

import msgspec

from roost.agents.driver import Image
from roost.agents.json_in import object_of, text_of

VERSION = 1
NOT_SERVED = -32601
NOT_OURS = ("fs/", "terminal/")
"""Requests for what we said that we do not serve; some agents try all the same and then do it themselves."""
LOGIN_NEEDED = -32000
CANCELLED = -32800
UNAUTHORIZED = 401
TOO_MANY = 429
"""Gemini CLI gives the model's own status."""


def initialize() -> dict[str, Any]:
    """Files and terminals are the agent's own affair: it works where they are, and no server need live for it."""
    return {
        "protocolVersion": VERSION,
        "clientCapabilities": {"fs": {"readTextFile": False, "writeTextFile": False}, "terminal": False},
        "clientInfo": {"name": "roost", "title": "roost", "version": "1"},
    }


def prompt_blocks(text: str, images: list[Image]) -> list[dict[str, Any]]:
    """A prompt's content."""
    pictures = [{"type": "image", "mimeType": image.media_type, "data": image.data} for image in images]
    return [{"type": "text", "text": text}, *pictures]


def selected(option_id: str) -> dict[str, Any]:
    """The answer to a permission's request."""
    return {"outcome": {"outcome": "selected", "optionId": option_id}}


def withdrawn() -> dict[str, Any]:
    """The answer to one that nobody will decide."""
    return {"outcome": {"outcome": "cancelled"}}


def servers_of(config: str | dict[str, Any] | None) -> list[dict[str, Any]]:
    """MCP servers as a session takes them, from `{"mcpServers": {name: server}}` or its text.

    Raises:
        ValueError: it is neither.
    """
    if config is None:
        return []
    given = msgspec.json.decode(config) if isinstance(config, str) else config
    servers = given.get("mcpServers") if isinstance(given, dict) else None
    if not isinstance(servers, dict) or not all(isinstance(server, dict) for server in servers.values()):
        raise ValueError("no object of MCP servers")
    return [_server(name, server) for name, server in servers.items()]


def _server(name: str, server: dict[str, Any]) -> dict[str, Any]:
    if url := text_of(server.get("url")):
        kind = "sse" if server.get("type") == "sse" else "http"
        return {"type": kind, "name": name, "url": url, "headers": _pairs(server.get("headers"))}
    given = server.get("args")
    words = [str(word) for word in given] if isinstance(given, list) else []
    return {"name": name, "command": text_of(server.get("command")), "args": words, "env": _pairs(server.get("env"))}


def _pairs(values: object) -> list[dict[str, str]]:
    return [{"name": name, "value": str(value)} for name, value in object_of(values).items()]
