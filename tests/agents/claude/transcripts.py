"""Transcripts of the real Claude Code, and how they are played to our codec.

`NAME.stdout.jsonl` is what it wrote; `NAME.duplex.jsonl` both directions with times, for what people did meanwhile is
asked of the decoder as marks, and what it then writes must be what was written to the CLI at the time.
"""

from __future__ import annotations

import json
from typing import Any

from msgspec.structs import replace

from roost.agents.claude import ClaudeDriver
from roost.agents.claude_control import native_id
from roost.agents.conversation import ConversationDecoder
from roost.core.recording import Input
from roost.model.agents import Definition
from roost.model.conversations import OpenApproval
from roost.model.events import AnyEvent, Conversation
from tests.agents.goldens import GOLDENS, make_decoder
from tests.agents.readings import restarted

FOLDER = GOLDENS / "claude"
NOW = 1_795_000_000_000_000_000
STEP = 10_000_000
STREAMING = ["claude", "--print", "--input-format=stream-json", "--output-format=stream-json"]
NOT_OURS = {"mcp_status", "get_settings", "get_context_usage", "list_models", "get_session_cost", "get_usage"}
NOT_OURS |= {"get_binary_version", "background_tasks", "get_plan", "file_suggestions", "no_such_subtype"}
NOT_OURS |= {"set_max_thinking_tokens", "rename_session", "end_session"}


def names(kind: str) -> list[str]:
    """Transcripts of the kind `stdout` or `duplex`."""
    return sorted(path.name.partition(".")[0] for path in FOLDER.glob(f"*.{kind}.jsonl"))


def written(name: str) -> bytes:
    """What the CLI wrote to its standard output."""
    path = FOLDER / f"{name}.stdout.jsonl"
    if path.exists():
        return path.read_bytes()
    return b"".join(json.dumps(one["msg"]).encode() + b"\n" for one in duplex(name) if one["dir"] == "out")


def all_lines() -> list[list[bytes]]:
    """The lines of every transcript."""
    return [written(name).split(b"\n")[:-1] for name in sorted({*names("stdout"), *names("duplex")})]


def duplex(name: str) -> list[dict[str, Any]]:
    """Both directions: `{"t": seconds, "dir": "in" or "out", "msg": …}`."""
    return [json.loads(line) for line in (FOLDER / f"{name}.duplex.jsonl").read_text().splitlines()]


def opened(argv: list[str] | None = None, cwd: str = "/home/me/lab") -> ConversationDecoder:
    """A decoder at its session's start, with nothing told so far."""
    decoder = make_decoder(ClaudeDriver().codec(), can_steer=True)
    decoder.open(argv or ["claude", "-p", "x", "--output-format", "stream-json"], Definition(command=[], cwd=cwd), NOW)
    return decoder


def read(data: bytes, argv: list[str] | None = None, exit_code: int | None = None) -> list[AnyEvent]:
    """The events of a whole output, one line each 10 ms."""
    decoder = opened(argv)
    events = []
    for number, line in enumerate(data.splitlines(keepends=True)):
        events += decoder.output(line, NOW + number * STEP)
    return events + decoder.finish(NOW, exit_code)


def brief(events: list[AnyEvent]) -> list[AnyEvent]:
    """The events with long lists of names cut short, for goldens that can be read."""
    return [_brief(event) if isinstance(event, Conversation) else event for event in events]


def _brief(event: Conversation) -> Conversation:
    return replace(event, details={name: _cut(value) for name, value in event.details.items()})


def _cut(value: object) -> object:
    is_long = isinstance(value, list) and len(value) > 4
    return [*value[:2], f"… {len(value)} in all"] if is_long and isinstance(value, list) else value


class Host:
    """What people and the server did while a duplex transcript was taken, done again."""

    def __init__(self, name: str, *, restarts: bool = False) -> None:
        self.decoder = opened(STREAMING)
        self.events: list[AnyEvent] = []
        self.differs: list[tuple[Any, Any]] = []
        """What was written and what the transcript has instead."""
        self._script = duplex(name)
        self._requests: dict[str, str] = {}
        self._replays: list[dict[str, Any]] = []
        self._now = NOW
        self._turns = 0
        self._restarts = restarts

    def play(self) -> list[AnyEvent]:
        """Everything, from the handshake to the end."""
        (hello,) = self._sent()
        commands = {"commands": [{"name": "compact"}], "models": [{"value": "default"}]}
        answer = {"subtype": "success", "request_id": hello["request_id"], "response": commands}
        self._receive({"type": "control_response", "response": answer})
        for entry in self._script:
            self._now = NOW + int(entry["t"] * 1e9)
            if self._restarts:
                self.decoder = restarted(self.decoder, opened)
            if entry["dir"] == "out":
                self._out(entry["msg"])
            elif isinstance(entry["msg"], dict):
                self._in(entry["msg"])
        self.events += self.decoder.finish(self._now)
        return self.events

    def _out(self, message: dict[str, Any]) -> None:
        if message["type"] == "control_response":
            request_id = self._requests.get(message["response"]["request_id"])
            if request_id is None:
                return
            message = message | {"response": message["response"] | {"request_id": request_id}}
        if message.get("isReplay") and any(replay["message"] == message["message"] for replay in self._replays):
            return
        self._receive(message)
        if message.get("subtype") == "init":
            for replay in self._replays:
                self._receive(replay)
            self._replays.clear()

    def _receive(self, message: dict[str, Any]) -> None:
        self.events += self.decoder.output(json.dumps(message).encode() + b"\n", self._now)

    def _in(self, message: dict[str, Any]) -> None:
        handler = {"user": self._prompt, "control_request": self._request, "control_response": self._answer}
        found = handler.get(message["type"])
        if found is not None:
            found(message)

    def _prompt(self, message: dict[str, Any]) -> None:
        content = message["message"].get("content")
        if not isinstance(content, list):
            return
        self._turns += 1
        turn_id = message.get("uuid") or f"turn-{self._turns}"
        policy = "steer" if self.decoder.state.running is not None else "queue"
        self._mark("prompt", {"turn_id": turn_id, "prompt": content[0]["text"], "by": "me", "policy": policy})
        self._compare([message | {"uuid": native_id(turn_id)}])
        if "uuid" not in message:
            self._replays.append(message | {"uuid": native_id(turn_id), "isReplay": True})

    def _request(self, message: dict[str, Any]) -> None:
        request = message["request"]
        kind = request["subtype"]
        if kind == "initialize" or kind in NOT_OURS:
            return
        if kind == "interrupt":
            self._mark("interrupt", {"by": "me"})
        else:
            what = "model" if kind == "set_model" else "mode"
            self._mark("change", {"what": what, "value": request[what]})
        (sent,) = self._sent()
        self._requests[message["request_id"]] = sent["request_id"]
        if sent["request"] != request:
            self.differs.append((sent, message))

    def _answer(self, message: dict[str, Any]) -> None:
        native, response = message["response"]["request_id"], message["response"]["response"]
        asked = next((one for one in self.decoder.state.approvals if one.native_id == native), None)
        if asked is not None:
            decision = _decision(asked, response)
            mark = {"approval_id": asked.approval_id, "decision": decision, "by": "me", "decision_id": native}
            self._mark("decision", mark)
        response.pop("toolUseID", None)
        self._compare([message])

    def _mark(self, name: str, data: dict[str, Any]) -> None:
        self.events += self.decoder.mark(name, data, self._now) or []

    def _compare(self, expected: list[dict[str, Any]]) -> None:
        sent = self._sent()
        if sent != expected:
            self.differs.append((sent, expected))

    def _sent(self) -> list[dict[str, Any]]:
        """What waits to be written; it is then said to be so."""
        outgoing = self.decoder.state.outgoing
        for one in outgoing:
            self.decoder.input(Input("conversation", one.number, one.data), self._now)
        return [json.loads(one.data) for one in outgoing]


def _decision(asked: OpenApproval, response: dict[str, Any]) -> dict[str, Any]:
    if response["behavior"] == "deny":
        return {"allow": False, "reason": response["message"]}
    given = response["updatedInput"]
    decision: dict[str, Any] = {"allow": True, "remember": "updatedPermissions" in response}
    if "answers" in given:
        return decision | {"answers": given["answers"]}
    return decision if given == asked.input else decision | {"input": given}
