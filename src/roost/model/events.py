"""Events: the typed things that happen in a session, numbered without gaps from 1.

An event's position is `(session_id, seq)`. `time_ns` is wall time, nanoseconds since the Unix epoch, as the recording
says it. Events are stored in blocks as MessagePack arrays (`encode_events`); what clients see is made in `core.wire`.
"""

from __future__ import annotations

from typing import Any, Literal, get_args

import msgspec
from msgspec import Struct

Stream = Literal["stdout", "stderr"]
Source = Literal["protocol", "transcript", "hook", "watcher", "screen", "telemetry"]
"""Who told of what an agent did: the protocol it is spoken to in, or somebody who looked over its shoulder."""
TurnState = Literal[
    "queued", "sent", "started", "steered", "completed", "failed", "interrupted", "refused", "cancelled"
]
ChangeKind = Literal["created", "modified", "deleted", "renamed"]


class Event(Struct, frozen=True, array_like=True, gc=False):
    """What every event has."""

    seq: int
    time_ns: int


class Log(Event, frozen=True, array_like=True, gc=False, tag="log"):
    """A clean line of output; `line_num` counts from 1 in its stream."""

    line: str
    line_num: int
    stream: Stream = "stdout"


class StateChange(Event, frozen=True, array_like=True, gc=False, tag="state"):
    """The session's state is another."""

    state: str
    previous: str | None = None
    reason: str | None = None


class Complete(Event, frozen=True, array_like=True, gc=False, tag="complete"):
    """The session is over; `exit_code` is null when a signal ended it or nobody saw how it ended."""

    exit_code: int | None = None
    signal: str | None = None
    duration_ms: int = 0
    reason: str | None = None


class Error(Event, frozen=True, array_like=True, tag="error"):
    """Something went wrong in the session or in reading it, such as a damaged stretch of the recording."""

    code: str
    message: str
    details: dict[str, Any] = {}


class ScreenShown(Event, frozen=True, array_like=True, gc=False, tag="screen"):
    """What a full-screen program shows once it has come to rest: the rows, right-trimmed, joined by line feeds."""

    text: str
    cols: int
    rows: int
    title: str = ""


class Mark(Event, frozen=True, array_like=True, tag="mark"):
    """A mark that somebody made on the session."""

    name: str
    data: dict[str, Any] = {}


class Conversation(Event, frozen=True, array_like=True, tag="conversation"):
    """What an agent said of the conversation it is in: at its start, and whenever that changed."""

    conversation_id: str | None = None
    model: str | None = None
    mode: str | None = None
    """The permission mode or approval policy, in the CLI's own word."""
    details: dict[str, Any] = {}
    """What else is worth knowing, such as `cwd`, `version`, `tools`."""
    source: Source = "protocol"


class Turn(Event, frozen=True, array_like=True, tag="turn"):
    """A prompt on its way to its result.

    `queued` it waits; `sent` it was written to the agent; `started` the agent took it up; `steered` it was taken into
    the turn that ran. The others are ends: `text` is then the answer, `reason` why it failed, was refused or cancelled.
    """

    turn_id: str
    state: TurnState
    prompt: str | None = None
    by: str | None = None
    text: str | None = None
    reason: str | None = None
    duration_ms: int | None = None
    details: dict[str, Any] = {}
    source: Source = "protocol"


class Output(Event, frozen=True, array_like=True, gc=False, tag="output"):
    """Text that an agent said; `partial` pieces of a message come before the whole of it."""

    text: str
    message_id: str = ""
    partial: bool = False
    parent_tool_use_id: str | None = None
    source: Source = "protocol"


class Thinking(Event, frozen=True, array_like=True, gc=False, tag="thinking"):
    """What an agent showed of its reasoning."""

    text: str
    message_id: str = ""
    partial: bool = False
    parent_tool_use_id: str | None = None
    source: Source = "protocol"


class ToolCall(Event, frozen=True, array_like=True, tag="tool_call"):
    """An agent calls a tool; `title` says so in one readable line, `parent_tool_use_id` is the sub-agent's call."""

    tool_use_id: str
    tool: str
    input: dict[str, Any] = {}
    title: str = ""
    path: str | None = None
    parent_tool_use_id: str | None = None
    source: Source = "protocol"


class ToolResult(Event, frozen=True, array_like=True, tag="tool_result"):
    """What a tool gave back; `duration_ms` counts from the call."""

    tool_use_id: str
    tool: str = ""
    content: str = ""
    is_error: bool = False
    duration_ms: int | None = None
    parent_tool_use_id: str | None = None
    details: dict[str, Any] = {}
    """What the CLI says besides, such as `exit_code`, `denied`, `interrupted`."""
    source: Source = "protocol"


class FileChange(Event, frozen=True, array_like=True, gc=False, tag="file_change"):
    """A file is another; `added` and `removed` count lines, `bytes` is its size now."""

    path: str
    change: ChangeKind
    bytes: int | None = None
    added: int | None = None
    removed: int | None = None
    tool_use_id: str | None = None
    renamed_from: str | None = None
    source: Source = "protocol"


class Progress(Event, frozen=True, array_like=True, tag="progress"):
    """An agent's own plan or to-do list; each item has `text` and `state`: `pending`, `active` or `done`."""

    done: int
    total: int
    current: str | None = None
    items: list[dict[str, Any]] = []
    turn: str | None = None
    source: Source = "protocol"


class Permission(Event, frozen=True, array_like=True, tag="permission"):
    """An agent asks and waits, and later, with `decision`, the same once more: what became of it.

    `kind` is `tool`, `question` or `plan`; a choice has `id`, `label` and `kind`: `allow_once`, `allow_always`,
    `deny_once`, `deny_always` or `answer`. A decision is `allow`, `deny`, or `withdrawn` when it is not waited for.
    """

    approval_id: str
    tool: str = ""
    input: dict[str, Any] = {}
    title: str = ""
    choices: list[dict[str, Any]] = []
    kind: str = "tool"
    tool_use_id: str | None = None
    decision: str | None = None
    by: str | None = None
    reason: str | None = None
    details: dict[str, Any] = {}
    source: Source = "protocol"


class Usage(Event, frozen=True, array_like=True, tag="usage"):
    """Tokens and money spent since the last of these events of the same model; never cumulative but for the total.

    `cost_usd` is null where neither the CLI nor a price list says it.
    """

    model: str
    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float | None = None
    total_cost_usd: float | None = None
    turn_id: str | None = None
    source: Source = "protocol"


class Notice(Event, frozen=True, array_like=True, tag="notice"):
    """Something worth knowing that is no error, such as `API_RETRY`, `MODEL_FALLBACK`, `COMPACTED`."""

    code: str
    message: str = ""
    details: dict[str, Any] = {}
    source: Source = "protocol"


class Unknown(Event, frozen=True, array_like=True, gc=False, tag="unknown"):
    """A line that no driver understands, as it was."""

    line: str
    reason: str = ""
    source: Source = "protocol"


AnyEvent = (
    Log
    | StateChange
    | Complete
    | Error
    | ScreenShown
    | Mark
    | Conversation
    | Turn
    | Output
    | Thinking
    | ToolCall
    | ToolResult
    | FileChange
    | Progress
    | Permission
    | Usage
    | Notice
    | Unknown
)

EVENT_TYPES: tuple[str, ...] = tuple([cls.__struct_config__.tag for cls in get_args(AnyEvent)])

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[AnyEvent])


def event_type(event: Event) -> str:
    """The type's name on the wire, such as `log`."""
    tag = type(event).__struct_config__.tag
    return tag if isinstance(tag, str) else ""


def encode_events(events: list[AnyEvent]) -> bytes:
    """A block's payload."""
    return _encoder.encode(events)


def decode_events(payload: bytes) -> list[AnyEvent]:
    """The events of a block's payload."""
    return _decoder.decode(payload)
