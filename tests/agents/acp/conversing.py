"""A codec and whoever speaks to it by hand: the agent's answers are written out."""

from __future__ import annotations

import json
from typing import Any

from roost.agents.acp_codec import AcpCodec
from roost.agents.driver import Codec
from roost.core.recording import Input
from roost.model.agents import AgentOptions
from roost.model.conversations import ConversationState
from roost.model.events import AnyEvent
from tests.agents.goldens import NO_OPTIONS, definition, make_decoder

ABLE = {"loadSession": True}


class Conversing:
    """A session's decoder, and the agent's side by hand."""

    def __init__(self, options: AgentOptions = NO_OPTIONS, codec: Codec | None = None) -> None:
        self.decoder = make_decoder(codec or AcpCodec())
        self.events: list[AnyEvent] = []
        self.said: list[dict[str, Any]] = []
        self.turns = 0
        self._take(self.decoder.open(["agent"], definition(options, "/w"), 0))

    @property
    def state(self) -> ConversationState:
        """How it stands."""
        return self.decoder.state

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of a type."""
        return [event for event in self.events if isinstance(event, kind)]

    def hear(self, message: object) -> list[AnyEvent]:
        """A line of the agent's."""
        return self.hear_bytes(json.dumps(message).encode() + b"\n")

    def hear_bytes(self, data: bytes) -> list[AnyEvent]:
        """Bytes of the agent's."""
        return self._take(self.decoder.output(data, 0))

    def answer(self, result: dict[str, Any], number: int | None = None) -> list[AnyEvent]:
        """The agent's answer to our last request."""
        return self.hear({"jsonrpc": "2.0", "id": self.last["id"] if number is None else number, "result": result})

    def fail(self, **error: Any) -> list[AnyEvent]:
        """The agent's error for our last request."""
        return self.hear({"jsonrpc": "2.0", "id": self.last["id"], "error": error})

    def update(self, kind: str, /, **fields: Any) -> list[AnyEvent]:
        """A `session/update`."""
        params = {"sessionId": "new-1", "update": {"sessionUpdate": kind, **fields}}
        return self.hear({"jsonrpc": "2.0", "method": "session/update", "params": params})

    def say(self, text: str, **fields: Any) -> list[AnyEvent]:
        """A piece of a message."""
        return self.update("agent_message_chunk", content={"type": "text", "text": text}, **fields)

    def call(self, call_id: str, /, **fields: Any) -> list[AnyEvent]:
        """A tool call begins."""
        return self.update("tool_call", toolCallId=call_id, **fields)

    def called(self, call_id: str, /, **fields: Any) -> list[AnyEvent]:
        """A tool call goes on."""
        return self.update("tool_call_update", toolCallId=call_id, **fields)

    def ask(self, request_id: Any = 0, /, **call: Any) -> list[AnyEvent]:
        """The agent wants a permission."""
        options = [{"optionId": "y", "name": "Yes", "kind": "allow_once"}, {"optionId": "n", "kind": "reject_once"}]
        params = {"sessionId": "new-1", "options": options, "toolCall": {"toolCallId": "c", **call}}
        return self.hear({"jsonrpc": "2.0", "id": request_id, "method": "session/request_permission", "params": params})

    def mark(self, name: str, **data: Any) -> list[AnyEvent]:
        """Somebody asks for something."""
        return self._take(self.decoder.mark(name, data, 0) or [])

    def prompt(self, text: str = "go", **more: Any) -> list[AnyEvent]:
        """A prompt."""
        self.turns += 1
        return self.mark("prompt", turn_id=f"turn-{self.turns}", prompt=text, **more)

    def decide(self, **decision: Any) -> list[AnyEvent]:
        """A decision of what is asked first."""
        return self.mark("decision", approval_id=self.state.approvals[0].approval_id, decision=decision)

    def finish(self) -> list[AnyEvent]:
        """The process ends."""
        return self._take(self.decoder.finish(0))

    @property
    def last(self) -> dict[str, Any]:
        """What we said last."""
        return self.said[-1]

    def _take(self, events: list[AnyEvent]) -> list[AnyEvent]:
        self.events += events
        for item in self.decoder.state.outgoing:
            assert item.data.endswith(b"\n")
            assert item.data.count(b"\n") == 1
            self.said.append(json.loads(item.data))
            self.decoder.input(Input("conversation", item.number, item.data), 0)
        return events


def begun(options: AgentOptions = NO_OPTIONS, able: dict[str, Any] = ABLE, **session: Any) -> Conversing:
    """A conversation with an agent that is ready, unless the options ask for more."""
    talk = Conversing(options)
    talk.answer({"protocolVersion": 1, "agentCapabilities": able})
    talk.answer({"sessionId": "new-1", **session})
    return talk


def running(**session: Any) -> Conversing:
    """The same in a turn."""
    talk = begun(**session)
    talk.prompt()
    return talk
