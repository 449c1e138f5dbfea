"""Events: the typed things that happen in a session, numbered without gaps from 1.

An event's position is `(session_id, seq)`. `time_ns` is wall time, nanoseconds since the Unix epoch, as the recording
says it. Events are stored in blocks as MessagePack arrays (`encode_events`); what clients see is made in `core.wire`.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec
from msgspec import Struct

Stream = Literal["stdout", "stderr"]


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


AnyEvent = Log | StateChange | Complete | Error | ScreenShown | Mark

EVENT_TYPES: tuple[str, ...] = ("log", "state", "complete", "error", "screen", "mark")

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
