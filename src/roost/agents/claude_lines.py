"""The lines that Claude Code writes (`--output-format stream-json`), as far as roost reads them.

`Line` holds what the frequent ones have; the rare ones are decoded a second time, into a type of their own or, of the
kind `system`, a plain object. Fields that are not named are passed over, and those that may be anything are `Raw` or
`Any`: a line of a later release is to be understood as far as possible.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, Raw, Struct, UnsetType

Count = Annotated[int, Meta(ge=0, le=1 << 53)]


class Block(Struct, gc=False):
    """A piece of a message's content: `text`, `thinking`, `tool_use`, `tool_result` and others."""

    type: str = ""
    text: str | None = None
    thinking: str | None = None
    id: str = ""
    name: str = ""
    input: Any = None
    tool_use_id: str = ""
    content: Any = None
    is_error: bool | None = None


class Message(Struct, gc=False):
    """What the model or the user said."""

    id: str = ""
    model: str = ""
    content: list[Block] | str = ""


class Delta(Struct, gc=False):
    """A piece of a block that is being made."""

    type: str = ""
    text: str = ""
    thinking: str = ""


class Piece(Struct, gc=False):
    """One event of the model's own stream."""

    type: str = ""
    delta: Delta | None = None
    message: Message | None = None


class McpServer(Struct, gc=False):
    """A server of tools, and whether it is there."""

    name: str = ""
    status: str = ""


class Line(Struct, gc=False):
    """Any line."""

    type: str = ""
    subtype: str | None = None
    uuid: str | None = None
    session_id: str | None = None
    parent_tool_use_id: str | None = None
    message: Message | str | None = None
    event: Piece | str | None = None
    api_message_id: str | None = None
    error: Any = None
    is_api_error_message: Any = None
    api_error_status: Any = None
    api_error_type: Any = None
    isReplay: bool | None = None
    isSynthetic: bool | None = None
    tool_use_result: Raw | UnsetType = UNSET
    tool_result_meta: Raw | UnsetType = UNSET
    model: Any = None
    permissionMode: Any = None
    cwd: str | None = None
    claude_code_version: str | None = None
    apiKeySource: str | None = None
    tools: list[str] = []
    mcp_servers: list[McpServer] = []
    request_id: str | None = None
    request: Raw | UnsetType = UNSET
    response: Raw | UnsetType = UNSET


class Verdict(Struct, gc=False):
    """How a tool call was permitted."""

    decision: str | None = None
    source: str | None = None
    reason_type: str | None = None


class ResultNote(Struct, gc=False):
    """What a result's line says about one tool result."""

    id: str = ""
    permission_decision: Verdict | None = None
    non_execution_kind: str | None = None


class Hunk(Struct, gc=False):
    """One stretch of a file that a tool changed; lines begin with `+`, `-` or a space."""

    lines: list[str] = []


class Report(Struct, gc=False):
    """What a tool tells of its work beside the text for the model."""

    type: Any = None
    filePath: str | None = None
    notebook_path: str | None = None
    content: Any = None
    structuredPatch: list[Hunk] | None = None
    interrupted: Any = None
    backgroundTaskId: str | None = None
    persistedOutputPath: str | None = None
    agentId: str | None = None
    task: Any = None
    tasks: Any = None
    original_file: Any = None
    updated_file: Any = None


class Amounts(Struct, gc=False):
    """Tokens and money of one model."""

    inputTokens: Count = 0
    outputTokens: Count = 0
    cacheReadInputTokens: Count = 0
    cacheCreationInputTokens: Count = 0
    costUSD: float = 0.0


class TurnAmounts(Struct, gc=False):
    """Tokens of a turn's main thread."""

    input_tokens: Count = 0
    output_tokens: Count = 0
    cache_read_input_tokens: Count = 0
    cache_creation_input_tokens: Count = 0


class ResultLine(Struct, gc=False):
    """The line at a turn's end; what comes first is told as it is (`TOLD_OF_RESULT`)."""

    terminal_reason: Any = None
    num_turns: Any = None
    duration_api_ms: Any = None
    stop_reason: Any = None
    api_error_status: Any = None
    api_error_type: Any = None
    permission_denials: Any = None
    structured_output: Any = None
    local_command: Any = None
    origin: Any = None
    subtype: str = ""
    uuid: str | None = None
    is_error: bool = False
    result: Any = None
    errors: Any = None
    user_message_uuids: list[str] | None = None
    model_usage_since_last_result: dict[str, Amounts] | None = None
    usage: Raw | UnsetType = UNSET
    modelUsage: Raw | UnsetType = UNSET


TOLD_OF_RESULT: tuple[str, ...] = ResultLine.__struct_fields__[:10]


class Asked(Struct, gc=False):
    """What the CLI asks of us."""

    subtype: str = ""
    tool_name: str = ""
    display_name: str | None = None
    input: dict[str, Any] = {}
    description: Any = None
    permission_suggestions: list[dict[str, Any]] | None = None
    decision_reason: Any = None
    decision_reason_type: Any = None
    blocked_path: Any = None
    tool_use_id: str | None = None
    agent_id: Any = None
    title: Any = None


class Answered(Struct, gc=False):
    """What the CLI answered us."""

    subtype: str = ""
    request_id: str = ""
    error: Any = None
    error_code: Any = None
    response: Any = None


Kind = TypeVar("Kind", bound=Struct)


def read_as(kind: type[Kind], data: bytes | Raw) -> Kind:
    """A value of which those fields are left out that are other than expected.

    Raises:
        DecodeError: `data` is not a JSON object.
    """
    decode: Callable[[bytes | Raw], Kind] = _decoder(kind)
    try:
        return decode(data)
    except msgspec.ValidationError:
        return read_in_part(kind, data)


def read_amounts(data: Raw | UnsetType) -> dict[str, Amounts]:
    """What is told of each model, where that is as expected."""
    try:
        return {} if data is UNSET else _amounts(data)
    except msgspec.ValidationError:
        return {}


def read_used(data: Raw | UnsetType) -> TurnAmounts | None:
    """What a turn used, where that is as expected."""
    try:
        return None if data is UNSET else read_as(TurnAmounts, data)
    except msgspec.ValidationError:
        return None


def read_in_part(kind: type[Kind], data: bytes | Raw) -> Kind:
    """The same, for data of which it is known that something in it is."""
    known: dict[str, Any] = read_object(data)
    found: dict[str, Any] = {}
    for name, wanted in _types(kind).items():
        if name in known:
            with contextlib.suppress(msgspec.ValidationError):
                found[name] = msgspec.convert(known[name], wanted)
    return kind(**found)


@functools.cache
def _decoder(kind: type[Struct]) -> Callable[[bytes | Raw], Any]:
    return msgspec.json.Decoder(kind).decode


@functools.cache
def _types(kind: type[Struct]) -> dict[str, Any]:
    return {field.name: field.type for field in msgspec.structs.fields(kind) if field.type != Raw | UnsetType}


read_line = msgspec.json.Decoder(Line).decode
_amounts = msgspec.json.Decoder(dict[str, Amounts]).decode
read_notes = msgspec.json.Decoder(list[ResultNote]).decode
read_object = msgspec.json.Decoder(dict[str, Any]).decode
