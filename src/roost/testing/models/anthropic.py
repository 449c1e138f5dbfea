"""Anthropic's Messages API: `POST /v1/messages`, streamed and whole."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

from roost.testing.models.script import Call, Cut, Say, Step, Stop, Think, Tokens, Wait
from roost.testing.models.toolnames import made
from roost.testing.models.wire import (
    MODEL,
    TOOL,
    USER,
    Asked,
    BreakOff,
    Event,
    Pause,
    Turn,
    has_calls,
    output_tokens,
    pieces,
    texts_of,
)

Json = dict[str, Any]
SIGNATURE = "c2lnbmVk"
SAID_MEANWHILE = re.compile(r"while you were working:\n(.*?)\n\n", re.DOTALL)
TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    529: "overloaded_error",
}


class Messages:
    """The wire that Claude Code speaks."""

    def read(self, path: str, body: Json) -> Asked:
        turns = [turn for message in body.get("messages") or [] for turn in _turns(message)]
        tools = tuple(str(tool.get("name")) for tool in body.get("tools") or [])
        told = json.dumps([body.get("system"), body.get("messages")], ensure_ascii=False)
        return Asked(str(body.get("model")), bool(body.get("stream")), turns, tools, told)

    def whole(self, asked: Asked, steps: list[Step]) -> Json:
        content = [block for step in steps for block in _block(step, asked)]
        usage = _usage(asked, steps)
        return {**_message(asked), "content": content, "stop_reason": _reason(steps), "usage": usage}

    def streamed(self, asked: Asked, steps: list[Step]) -> Iterator[Event | Pause | BreakOff]:
        usage = {**_usage(asked, steps), "output_tokens": 1}
        yield _event("message_start", message={**_message(asked), "usage": usage})
        yield _event("ping")
        index = 0
        for step in steps:
            if isinstance(step, Wait):
                yield Pause(step.seconds)
            elif isinstance(step, Cut):
                yield BreakOff()
                return
            for block in _block(step, asked):
                yield from _streamed_block(index, block, step.pause_s if isinstance(step, Say) else 0.0)
                index += 1
        delta = {"stop_reason": _reason(steps), "stop_sequence": None}
        yield _event("message_delta", delta=delta, usage=_usage(asked, steps))
        yield _event("message_stop")

    def refusal(self, status: int, message: str) -> Json:
        return {"type": "error", "error": {"type": TYPES.get(status, "api_error"), "message": message}}


def _turns(message: Json) -> list[Turn]:
    content = message.get("content")
    if message.get("role") == "system":
        # What is said to Claude Code in the middle of a turn reaches its model in this way.
        said = tuple(match[1] for text in texts_of(content) for match in SAID_MEANWHILE.finditer(text))
        return [Turn(USER, said)] if said else []
    if message.get("role") == "assistant":
        return [Turn(MODEL, texts_of(content))]
    results = [part for part in content if part.get("type") == "tool_result"] if isinstance(content, list) else []
    texts = texts_of(content)
    found = [Turn(TOOL, texts_of(results[0].get("content")))] if results else []
    return [*found, Turn(USER, texts)] if texts else found


def _message(asked: Asked) -> Json:
    known: Json = {"content": [], "stop_reason": None, "stop_sequence": None}
    return {"id": f"msg_{uuid.uuid4().hex[:24]}", "type": "message", "role": "assistant", "model": asked.model, **known}


def _block(step: Step, asked: Asked) -> list[Json]:
    match step:
        case Say():
            return [{"type": "text", "text": step.text}]
        case Think():
            return [{"type": "thinking", "thinking": step.text, "signature": SIGNATURE}]
        case Call():
            name, given = made(step, asked.tools, asked.about)
            return [{"type": "tool_use", "id": f"toolu_{uuid.uuid4().hex[:24]}", "name": name, "input": given}]
        case _:
            return []


def _streamed_block(index: int, block: Json, pause_s: float) -> Iterator[Event | Pause]:
    empty, deltas = _parts(block)
    yield _event("content_block_start", index=index, content_block=empty)
    for delta in deltas:
        yield _event("content_block_delta", index=index, delta=delta)
        if pause_s:
            yield Pause(pause_s)
    yield _event("content_block_stop", index=index)


def _parts(block: Json) -> tuple[Json, list[Json]]:
    """A block as it begins, and its pieces."""
    match block["type"]:
        case "text":
            return {**block, "text": ""}, [{"type": "text_delta", "text": piece} for piece in pieces(block["text"])]
        case "thinking":
            deltas = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(block["thinking"])]
            signed = {"type": "signature_delta", "signature": block["signature"]}
            return {**block, "thinking": "", "signature": ""}, [*deltas, signed]
        case _:
            text = json.dumps(block["input"], ensure_ascii=False)
            return {**block, "input": {}}, [{"type": "input_json_delta", "partial_json": part} for part in pieces(text)]


def _event(kind: str, **fields: Any) -> Event:
    return Event(kind, {"type": kind, **fields})


def _reason(steps: list[Step]) -> str:
    named = [step.reason for step in steps if isinstance(step, Stop)]
    return named[-1] if named else "tool_use" if has_calls(steps) else "end_turn"


def _usage(asked: Asked, steps: list[Step]) -> Json:
    counted = [step for step in steps if isinstance(step, Tokens)] or [Tokens(asked.input_tokens, output_tokens(steps))]
    return {
        "input_tokens": counted[-1].input,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": counted[-1].output,
        "service_tier": "standard",
    }
