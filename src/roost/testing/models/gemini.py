"""Google's Gemini API: `…/models/NAME:generateContent` and `:streamGenerateContent`."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

from roost.testing.models.script import Call, Cut, Say, Step, Think, Tokens, Wait
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
    output_tokens,
    pieces,
    texts_of,
)

Json = dict[str, Any]
STATES = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 429: "RESOURCE_EXHAUSTED", 503: "UNAVAILABLE"}


class Generate:
    """The wire that Gemini CLI speaks."""

    def read(self, path: str, body: Json) -> Asked:
        model = path.rpartition("/")[2].partition(":")[0]
        turns = [turn for content in body.get("contents") or [] for turn in _turns(content)]
        declared = [one for tool in body.get("tools") or [] for one in tool.get("functionDeclarations") or []]
        told = json.dumps([body.get("systemInstruction"), body.get("contents")], ensure_ascii=False)
        tools = tuple(str(one["name"]) for one in declared)
        return Asked(model, ":streamGenerateContent" in path, turns, tools, told)

    def whole(self, asked: Asked, steps: list[Step]) -> Json:
        parts = [part for step in steps for part in _parts(step, asked)]
        return _response(asked, steps, parts, "STOP")

    def streamed(self, asked: Asked, steps: list[Step]) -> Iterator[Event | Pause | BreakOff]:
        for step in steps:
            if isinstance(step, Wait):
                yield Pause(step.seconds)
            elif isinstance(step, Cut):
                yield BreakOff()
                return
            for part in _parts(step, asked):
                yield Event("", _response(asked, steps, [part], None))
                if isinstance(step, Say) and step.pause_s:
                    yield Pause(step.pause_s)
        yield Event("", _response(asked, steps, [{"text": ""}], "STOP"))

    def refusal(self, status: int, message: str) -> Json:
        return {"error": {"code": status, "status": STATES.get(status, "INTERNAL"), "message": message}}


def _turns(content: Json) -> list[Turn]:
    parts = content.get("parts") or []
    if content.get("role") == "model":
        return [Turn(MODEL, texts_of(parts))]
    answered = [Turn(TOOL, ())] if any("functionResponse" in part for part in parts) else []
    texts = texts_of(parts)
    return [*answered, Turn(USER, texts)] if texts else answered


def _parts(step: Step, asked: Asked) -> list[Json]:
    match step:
        case Say():
            return [{"text": piece} for piece in pieces(step.text)]
        case Think():
            return [{"text": step.text, "thought": True}]
        case Call():
            name, given = made(step, asked.tools, asked.about)
            return [{"functionCall": {"name": name, "args": given}}]
        case _:
            return []


def _response(asked: Asked, steps: list[Step], parts: list[Json], reason: str | None) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
    candidate |= {"finishReason": reason} if reason else {}
    named = [step for step in steps if isinstance(step, Tokens)]
    read, written = named[-1] if named else Tokens(asked.input_tokens, output_tokens(steps))
    usage = {"promptTokenCount": read, "candidatesTokenCount": written, "totalTokenCount": read + written}
    known = {"modelVersion": asked.model, "responseId": uuid.uuid4().hex[:16]}
    return {"candidates": [candidate], "usageMetadata": usage, **known}
