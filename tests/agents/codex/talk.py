"""An app-server's side of a conversation, as far as a test needs it."""

from __future__ import annotations

import json
from typing import Any

from roost.agents.codex_server import CodexServer
from roost.agents.driver import Decision, Item, Opening, Write
from roost.model.agents import AgentOptions, Definition
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import Permission

THREAD = "thread-1"
NATIVE = "turn-native"


class Talk:
    """A codec that greeted, with a thread; what it gives is in `items`, what it wrote in `written`."""

    def __init__(self, options: AgentOptions | None = None, *, threaded: bool = True) -> None:
        self.codec = CodexServer()
        self.items: list[Item] = []
        definition = Definition(command=["codex"], driver="codex", cwd="/p", options=options or AgentOptions())
        self.take(self.codec.open(Opening(argv=["codex", "app-server"], definition=definition)))
        if threaded:
            self.answer({})
            self.answer({"thread": {"id": THREAD}, "model": "gpt-5.5"})

    def take(self, items: list[Item]) -> list[Item]:
        """Keep what the codec gave."""
        self.items += items
        return items

    @property
    def written(self) -> list[dict[str, Any]]:
        """What the codec wrote."""
        return [json.loads(item.data) for item in self.items if isinstance(item, Write)]

    def say(self, message: dict[str, Any]) -> list[Item]:
        """Codex says something."""
        return self.take(self.codec.receive(json.dumps(message).encode(), 1))

    def tell(self, method: str, **params: Any) -> list[Item]:
        """Codex notifies of something in its thread."""
        return self.say({"method": method, "params": {"threadId": THREAD, **params}})

    def answer(self, result: dict[str, Any]) -> list[Item]:
        """Codex answers the newest request."""
        return self.say({"id": self._newest(), "result": result})

    def fail(self, message: str) -> list[Item]:
        """Codex refuses the newest request."""
        return self.say({"id": self._newest(), "error": {"code": -32600, "message": message}})

    def _newest(self) -> int:
        return next(int(one["id"]) for one in reversed(self.written) if "method" in one and "id" in one)

    def prompt(self, turn_id: str = "t1", text: str = "do it") -> list[Item]:
        """Somebody prompts."""
        return self.take(self.codec.prompt(PendingTurn(turn_id, text), []))

    def start(self, turn_id: str = "t1") -> list[Item]:
        """A turn runs."""
        self.prompt(turn_id)
        return self.answer({"turn": {"id": NATIVE}})

    def end(self, status: str = "completed", **more: Any) -> list[Item]:
        """It is over."""
        return self.tell("turn/completed", turn={"id": NATIVE, "status": status, **more})

    def ask(self, method: str, **params: Any) -> Permission:
        """Codex asks; the question."""
        items = self.say({"id": 0, "method": method, "params": {"threadId": THREAD, "itemId": "call-1", **params}})
        asked = items[0]
        assert isinstance(asked, Permission)
        return asked

    def decide(self, asked: Permission, **decision: Any) -> dict[str, Any]:
        """Somebody decides; the result that is written."""
        approval = OpenApproval(
            asked.approval_id, asked.tool, asked.input, asked.title, asked.choices, asked.kind, 0, details=asked.details
        )
        self.take(self.codec.answer(approval, Decision(**decision)))
        result: dict[str, Any] = self.written[-1]["result"]
        return result
