"""Transcripts of real ACP agents, played against the codec: what the client of that day said becomes marks.

The requests of ours have the same numbers as that client's, so the agent's answers fit them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from roost.agents.acp_codec import AcpCodec
from roost.agents.conversation import ConversationDecoder
from roost.core.recording import Input
from roost.model.agents import AgentOptions
from roost.model.events import AnyEvent
from tests.agents.goldens import GOLDENS, NO_OPTIONS, definition, make_decoder

NAMES = ("claude-agent-acp", "codex-acp", "gemini", "opencode")
SECOND = 1_000_000_000


class Played:
    """A transcript on its way through a decoder."""

    def __init__(self, name: str, options: AgentOptions = NO_OPTIONS) -> None:
        self.options = options
        self.events: list[AnyEvent] = []
        self.lines = [json.loads(line) for line in (GOLDENS / "acp" / f"{name}.duplex.jsonl").read_text().splitlines()]
        self.cwd = next(one["msg"]["params"]["cwd"] for one in self.lines if one["msg"].get("method") == "session/new")
        self.decoder = make_decoder(AcpCodec())
        self.turns = 0
        self.said: list[dict[str, Any]] = []
        self.events += self.decoder.open(["agent"], definition(options, self.cwd), 0)
        self.written()

    def play(self) -> list[AnyEvent]:
        """All of it, and the end of the process."""
        for _ in self.steps():
            pass
        return self.events

    def steps(self) -> Iterator[ConversationDecoder]:
        """One line after the other; the decoder may be replaced in between."""
        for line in self.lines:
            now = int(line["t"] * SECOND)
            if line["dir"] == "out":
                self.take(json.dumps(line["msg"]).encode() + b"\n", now)
            else:
                self.say(line["msg"], now)
            yield self.decoder
        self.events += self.decoder.finish(int(self.lines[-1]["t"] * SECOND))

    def take(self, data: bytes, now: int) -> None:
        """Bytes of the agent's."""
        self.events += self.decoder.output(data, now)
        self.written()

    def written(self) -> None:
        """What is to be said is said."""
        for item in self.decoder.state.outgoing:
            self.said.append(json.loads(item.data))
            self.decoder.input(Input("conversation", item.number, item.data), 0)

    def say(self, message: dict[str, Any], now: int) -> None:
        """What the client said, as a mark."""
        if message.get("method") == "session/prompt":
            self.turns += 1
            text = message["params"]["prompt"][0]["text"]
            self._mark("prompt", {"turn_id": f"turn-{self.turns}", "prompt": text, "by": "ada"}, now)
        elif message.get("method") == "session/set_mode":
            self._mark("change", {"what": "mode", "value": message["params"]["modeId"]}, now)
        elif message.get("method") == "session/cancel":
            self._mark("interrupt", {"by": "ada"}, now)
        elif "outcome" in message.get("result", {}) and self.decoder.state.approvals:
            choice = message["result"]["outcome"]["optionId"]
            decision = {"allow": choice not in ("reject", "cancel"), "choice": choice}
            approval_id = self.decoder.state.approvals[0].approval_id
            self._mark("decision", {"approval_id": approval_id, "decision": decision, "by": "ada"}, now)

    def _mark(self, name: str, data: dict[str, Any], now: int) -> None:
        self.events += self.decoder.mark(name, data, now) or []
        self.written()


class InPieces(Played):
    """The same, a byte at a time."""

    def take(self, data: bytes, now: int) -> None:
        """Bytes of the agent's."""
        for at in range(len(data)):
            super().take(data[at : at + 1], now)
