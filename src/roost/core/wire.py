"""Events as clients see them: the JSON envelope, and Server-Sent Events frames.

The envelope is `{"type", "timestamp", "agent_name", "session_id", "data": {…}}`. Every client gets the same bytes, so
they are made once a block. Log lines are by far the most, hence the hand-laid path for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from roost.model.events import AnyEvent, Complete, Error, Log, Mark, ScreenShown, StateChange, event_type

_json = msgspec.json.Encoder()


def timestamp(time_ns: int) -> str:
    """RFC 3339 in UTC with milliseconds and a `Z`."""
    return f"{_to_the_second(time_ns // 1_000_000_000)}.{time_ns // 1_000_000 % 1000:03d}Z"


@lru_cache(4096)
def _to_the_second(time_s: int) -> str:
    return f"{datetime.fromtimestamp(time_s, UTC):%Y-%m-%dT%H:%M:%S}"


def event_data(event: AnyEvent) -> dict[str, Any]:
    """The `data` object of an event."""
    describe: Callable[[Any], dict[str, Any]] = _DATA.get(type(event), _fields)
    return describe(event)


def envelope(agent: str, session_id: str, event: AnyEvent) -> dict[str, Any]:
    """An event as an object."""
    return {
        "type": event_type(event),
        "timestamp": timestamp(event.time_ns),
        "agent_name": agent,
        "session_id": session_id,
        "data": event_data(event),
    }


def encode_json(agent: str, session_id: str, events: Iterable[AnyEvent]) -> list[bytes]:
    """Each event's envelope as JSON."""
    encoder = _BlockEncoder(agent, session_id)
    return [encoder.encode(event) for event in events]


def sse_frame(event: AnyEvent, position: str, body: bytes) -> bytes:
    """One Server-Sent Events frame; `body` is the envelope as JSON, which holds no line break."""
    return b"id: %b\nevent: %b\ndata: %b\n\n" % (position.encode(), event_type(event).encode(), body)


def sse_message(name: str, data: dict[str, Any]) -> bytes:
    """A frame that has no position, such as `connected` or `ping`."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), _json.encode(data))


class _BlockEncoder:
    """Encodes the events of one session; neighbours share their timestamp's text."""

    def __init__(self, agent: str, session_id: str) -> None:
        names = b'","agent_name":%b,"session_id":%b,"data":' % (_json.encode(agent), _json.encode(session_id))
        self._after_time = names
        self._millisecond = -1
        self._time = b""

    def encode(self, event: AnyEvent) -> bytes:
        millisecond = event.time_ns // 1_000_000
        if millisecond != self._millisecond:
            self._millisecond = millisecond
            self._time = timestamp(event.time_ns).encode() + self._after_time
        if type(event) is Log:
            return b'{"type":"log","timestamp":"%b{"line":%b,"line_num":%d,"stream":"%b"}}' % (
                self._time,
                _json.encode(event.line),
                event.line_num,
                b"stdout" if event.stream == "stdout" else b"stderr",
            )
        data = _json.encode(event_data(event))
        return b'{"type":"%b","timestamp":"%b%b}' % (event_type(event).encode(), self._time, data)


def _log(event: Log) -> dict[str, Any]:
    return {"line": event.line, "line_num": event.line_num, "stream": event.stream}


def _state(event: StateChange) -> dict[str, Any]:
    return {"state": event.state, "previous": event.previous, "reason": event.reason}


def _complete(event: Complete) -> dict[str, Any]:
    return {
        "exit_code": event.exit_code,
        "signal": event.signal,
        "duration_ms": event.duration_ms,
        "reason": event.reason,
    }


def _error(event: Error) -> dict[str, Any]:
    return {"code": event.code, "message": event.message, "details": event.details}


def _screen(event: ScreenShown) -> dict[str, Any]:
    return {"text": event.text, "cols": event.cols, "rows": event.rows, "title": event.title}


def _mark(event: Mark) -> dict[str, Any]:
    return {"name": event.name, "data": event.data}


def _fields(event: AnyEvent) -> dict[str, Any]:
    """Fields under their own names, without those that say nothing."""
    found = msgspec.structs.asdict(event)
    del found["seq"], found["time_ns"]
    return {name: value for name, value in found.items() if value is not None}


_DATA: dict[type, Callable[[Any], dict[str, Any]]] = {
    Log: _log,
    StateChange: _state,
    Complete: _complete,
    Error: _error,
    ScreenShown: _screen,
    Mark: _mark,
}
