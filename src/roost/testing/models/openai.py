"""OpenAI's APIs: Responses, which Codex speaks, and Chat Completions, which many others do."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Iterator
from typing import Any

from roost.testing.models.script import Call, Cut, Say, Step, Think, Tokens, Wait
from roost.testing.models.toolnames import FreeText, made
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
    said,
    texts_of,
)

Json = dict[str, Any]
CODES = {
    400: "invalid_request_error",
    401: "invalid_api_key",
    429: "rate_limit_exceeded",
    500: "server_error",
    529: "server_is_overloaded",
}
CALLS = ("function_call", "custom_tool_call", "local_shell_call", "reasoning")


def refusal(status: int, message: str) -> Json:
    """The body of an error, on both wires."""
    code = CODES.get(status, "server_error")
    return {"error": {"type": code, "code": code, "message": message}}


class Responses:
    """`POST /v1/responses`."""

    def read(self, path: str, body: Json) -> Asked:
        given = body.get("input") or []
        items = [{"role": "user", "content": given}] if isinstance(given, str) else given
        tools = tuple(str(tool.get("name") or tool.get("type")) for tool in body.get("tools") or [])
        told = json.dumps([body.get("instructions"), items], ensure_ascii=False)
        turns = [turn for item in items for turn in _item_turn(item)]
        return Asked(str(body.get("model")), bool(body.get("stream")), turns, tools, told)

    def whole(self, asked: Asked, steps: list[Step]) -> Json:
        items = [item for step in steps for item in _items(step, asked)]
        return {**_response(asked, "completed"), "output": items, "usage": _usage(asked, steps)}

    def streamed(self, asked: Asked, steps: list[Step]) -> Iterator[Event | Pause | BreakOff]:
        base = _response(asked, "in_progress")
        for number, event in enumerate(self._events(base, asked, steps)):
            if isinstance(event, Event) and isinstance(event.data, dict):
                event.data["sequence_number"] = number
            yield event

    def refusal(self, status: int, message: str) -> Json:
        return refusal(status, message)

    def _events(self, base: Json, asked: Asked, steps: list[Step]) -> Iterator[Event | Pause | BreakOff]:
        yield _event("response.created", response=base)
        yield _event("response.in_progress", response=base)
        output: list[Json] = []
        for step in steps:
            if isinstance(step, Wait):
                yield Pause(step.seconds)
            elif isinstance(step, Cut):
                yield BreakOff()
                return
            for item in _items(step, asked):
                yield from _streamed_item(len(output), item, step.pause_s if isinstance(step, Say) else 0.0)
                output.append(item)
        done = {**base, "status": "completed", "output": output, "usage": _usage(asked, steps)}
        yield _event("response.completed", response=done)


def _item_turn(item: Json) -> list[Turn]:
    kind = item.get("type", "message")
    if kind in CALLS or item.get("role") == "assistant":
        return [Turn(MODEL, texts_of(item.get("content")))]
    if str(kind).endswith("_output"):
        return [Turn(TOOL, ())]
    return [Turn(USER, texts_of(item.get("content")))] if item.get("role") == "user" else []


def _response(asked: Asked, status: str) -> Json:
    known = {"object": "response", "created_at": int(time.time()), "model": asked.model, "output": [], "usage": None}
    return {"id": _id("resp_"), **known, "status": status}


def _items(step: Step, asked: Asked) -> list[Json]:
    match step:
        case Say():
            content = [{"type": "output_text", "text": step.text, "annotations": []}]
            known = {"role": "assistant", "status": "completed", "content": content}
            return [{"type": "message", "id": _id("msg_"), **known}]
        case Think():
            summary = [{"type": "summary_text", "text": step.text}]
            return [{"type": "reasoning", "id": _id("rs_"), "summary": summary, "encrypted_content": None}]
        case Call():
            return [_call(step, asked)]
        case _:
            return []


def _call(call: Call, asked: Asked) -> Json:
    name, given = made(call, asked.tools, asked.about)
    known = {"call_id": _id("call_"), "name": name, "status": "completed"}
    if isinstance(given, FreeText):
        return {"type": "custom_tool_call", "id": _id("ctc_"), **known, "input": str(given)}
    return {"type": "function_call", "id": _id("fc_"), **known, "arguments": json.dumps(given)}


def _streamed_item(at: int, item: Json, pause_s: float) -> Iterator[Event | Pause]:
    begun: Json = {"message": {"content": []}, "reasoning": {"summary": []}, "function_call": {"arguments": ""}}
    empty = begun.get(item["type"], {"input": ""})
    yield _event("response.output_item.added", output_index=at, item={**item, **empty, "status": "in_progress"})
    place = {"item_id": item["id"], "output_index": at}
    for event in _pieces_of(item, place):
        yield event
        if pause_s and isinstance(event.data, dict) and "delta" in event.data:
            yield Pause(pause_s)
    yield _event("response.output_item.done", output_index=at, item=item)


def _pieces_of(item: Json, place: Json) -> Iterator[Event]:
    match item["type"]:
        case "message":
            part, place = item["content"][0], {**place, "content_index": 0}
            yield _event("response.content_part.added", **place, part={**part, "text": ""})
            for piece in pieces(part["text"]):
                yield _event("response.output_text.delta", **place, delta=piece)
            yield _event("response.output_text.done", **place, text=part["text"])
            yield _event("response.content_part.done", **place, part=part)
        case "reasoning":
            part, place = item["summary"][0], {**place, "summary_index": 0}
            yield _event("response.reasoning_summary_part.added", **place, part={**part, "text": ""})
            for piece in pieces(part["text"]):
                yield _event("response.reasoning_summary_text.delta", **place, delta=piece)
            yield _event("response.reasoning_summary_text.done", **place, text=part["text"])
        case "function_call":
            for piece in pieces(item["arguments"]):
                yield _event("response.function_call_arguments.delta", **place, delta=piece)
            yield _event("response.function_call_arguments.done", **place, arguments=item["arguments"])
        case _:
            for piece in pieces(item["input"]):
                yield _event("response.custom_tool_call_input.delta", **place, delta=piece)
            yield _event("response.custom_tool_call_input.done", **place, input=item["input"])


def _event(kind: str, **fields: Any) -> Event:
    return Event(kind, {"type": kind, **fields})


def _id(prefix: str) -> str:
    return prefix + uuid.uuid4().hex[:24]


def _counted(asked: Asked, steps: list[Step]) -> Tokens:
    named = [step for step in steps if isinstance(step, Tokens)]
    return named[-1] if named else Tokens(asked.input_tokens, output_tokens(steps))


def _usage(asked: Asked, steps: list[Step]) -> Json:
    read, written = _counted(asked, steps)
    details = {"input_tokens_details": {"cached_tokens": 0}, "output_tokens_details": {"reasoning_tokens": 0}}
    return {"input_tokens": read, "output_tokens": written, "total_tokens": read + written, **details}


class Chat:
    """`POST /v1/chat/completions`."""

    def read(self, path: str, body: Json) -> Asked:
        messages = body.get("messages") or []
        roles = {"assistant": MODEL, "tool": TOOL, "user": USER}
        turns = [Turn(roles[one["role"]], texts_of(one.get("content"))) for one in messages if one["role"] in roles]
        tools = tuple(str(tool["function"]["name"]) for tool in body.get("tools") or [])
        told = json.dumps(messages, ensure_ascii=False)
        return Asked(str(body.get("model")), bool(body.get("stream")), turns, tools, told)

    def whole(self, asked: Asked, steps: list[Step]) -> Json:
        calls = [_chat_call(step, asked) for step in steps if isinstance(step, Call)]
        message: Json = {"role": "assistant", "content": said(steps) or None}
        message |= {"tool_calls": calls} if calls else {}
        choice = {"index": 0, "message": message, "finish_reason": _finish(steps)}
        return {**_completion(asked, "chat.completion"), "choices": [choice], "usage": _chat_usage(asked, steps)}

    def streamed(self, asked: Asked, steps: list[Step]) -> Iterator[Event | Pause | BreakOff]:
        base = _completion(asked, "chat.completion.chunk")
        yield _chunk(base, {"role": "assistant", "content": ""})
        calls = 0
        for step in steps:
            if isinstance(step, Cut):
                yield BreakOff()
                return
            yield from _chat_step(base, step, asked, calls)
            calls += isinstance(step, Call)
        yield _chunk(base, {}, _finish(steps))
        yield Event("", {**base, "choices": [], "usage": _chat_usage(asked, steps)})
        yield Event("", "[DONE]")

    def refusal(self, status: int, message: str) -> Json:
        return refusal(status, message)


def _chat_step(base: Json, step: Step, asked: Asked, calls: int) -> Iterator[Event | Pause]:
    match step:
        case Wait():
            yield Pause(step.seconds)
        case Say():
            for piece in pieces(step.text):
                yield _chunk(base, {"content": piece})
                yield Pause(step.pause_s)
        case Think():
            for piece in pieces(step.text):
                yield _chunk(base, {"reasoning_content": piece})
        case Call():
            call = _chat_call(step, asked)
            function = call["function"]
            begun = {"index": calls, **call, "function": {**function, "arguments": ""}}
            yield _chunk(base, {"tool_calls": [begun]})
            for piece in pieces(function["arguments"]):
                yield _chunk(base, {"tool_calls": [{"index": calls, "function": {"arguments": piece}}]})


def _chat_call(call: Call, asked: Asked) -> Json:
    name, given = made(call, asked.tools, asked.about)
    return {"id": _id("call_"), "type": "function", "function": {"name": name, "arguments": json.dumps(given)}}


def _completion(asked: Asked, kind: str) -> Json:
    return {"id": _id("chatcmpl-"), "object": kind, "created": int(time.time()), "model": asked.model}


def _chunk(base: Json, delta: Json, finish: str | None = None) -> Event:
    return Event("", {**base, "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]})


def _finish(steps: list[Step]) -> str:
    return "tool_calls" if has_calls(steps) else "stop"


def _chat_usage(asked: Asked, steps: list[Step]) -> Json:
    read, written = _counted(asked, steps)
    return {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
