"""A codec in our hands: lines as objects in, items out."""

from __future__ import annotations

import json
from typing import Any, TypeVar

import msgspec

from roost.agents.claude import ClaudeDriver
from roost.agents.driver import Item, Opening, Write
from roost.model.agents import Definition
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import Permission
from tests.agents.claude.transcripts import STREAMING

Told = TypeVar("Told")
HOME = "/home/me/project"


class Talk:
    """One session; `greeting` is what was written at its start."""

    def __init__(self, argv: list[str] | None = None) -> None:
        self.codec = ClaudeDriver().codec()
        opening = Opening(argv=argv or STREAMING, definition=Definition(command=[], cwd=HOME))
        self.greeting = self.codec.open(opening)

    def say(self, kind: str, **fields: Any) -> list[Item]:
        """The CLI writes a line."""
        return self.line(msgspec.json.encode({"type": kind, **fields}))

    def line(self, data: bytes) -> list[Item]:
        """The CLI writes bytes."""
        return self.codec.receive(data, 0)

    def system(self, subtype: str, **fields: Any) -> list[Item]:
        """The CLI writes a `system` line."""
        return self.say("system", subtype=subtype, **fields)

    def blocks(self, *content: dict[str, Any], kind: str = "assistant", **fields: Any) -> list[Item]:
        """A message of these blocks."""
        return self.say(kind, message={"id": "msg", "model": "opus", "content": list(content)}, **fields)

    def call(self, name: str, tool_use_id: str = "t1", **given: Any) -> list[Item]:
        """The model calls a tool."""
        return self.blocks({"type": "tool_use", "id": tool_use_id, "name": name, "input": given})

    def gives(self, content: Any = "", tool_use_id: str = "t1", is_error: bool = False, **fields: Any) -> list[Item]:
        """A tool gives its result."""
        block = {"type": "tool_result", "tool_use_id": tool_use_id, "content": content, "is_error": is_error}
        return self.blocks(block, kind="user", **fields)

    def asks(self, tool: str, request_id: str = "r1", **fields: Any) -> OpenApproval:
        """The CLI asks for permission; the approval as it stands then."""
        request = {"subtype": "can_use_tool", "tool_name": tool, "tool_use_id": "t1", "input": {}, **fields}
        event = only(self.say("control_request", request_id=request_id, request=request), Permission)
        approval = OpenApproval(request_id, event.tool, event.input, event.title, event.choices, event.kind, 0)
        return msgspec.structs.replace(approval, details=event.details, tool_use_id=event.tool_use_id)

    def prompts(self, turn_id: str, text: str = "x", *, steer: bool = False) -> str:
        """A prompt is written; its UUID."""
        give = self.codec.steer if steer else self.codec.prompt
        return str(written(give(PendingTurn(turn_id, text), []))["uuid"])

    def result(self, **fields: Any) -> list[Item]:
        """A turn ends."""
        return self.say("result", **({"subtype": "success", "is_error": False} | fields))

    def restart(self) -> None:
        """The codec is another, which knows what this one saved."""
        other = ClaudeDriver().codec()
        other.load(msgspec.msgpack.decode(msgspec.msgpack.encode(self.codec.save())))
        self.codec = other


def only(items: list[Item], kind: type[Told]) -> Told:
    """The one item of that kind."""
    (found,) = [item for item in items if isinstance(item, kind)]
    return found


def written(items: list[Item]) -> dict[str, Any]:
    """The one line that is to be written."""
    told: dict[str, Any] = json.loads(only(items, Write).data)
    return told
