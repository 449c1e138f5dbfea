"""Server-Sent Events, the client's half. Pure: bytes in, events out."""

from __future__ import annotations

from typing import NamedTuple

MAX_EVENT_BYTES = 16 << 20


class Message(NamedTuple):
    """One event as it came; `id` is empty where it had none."""

    event: str
    id: str
    data: str


class Parser:
    """Cuts a stream into events, whatever pieces it comes in. Lines end as the standard allows: CR, LF or both."""

    def __init__(self) -> None:
        self._rest = b""
        self._event = ""
        self._id = ""
        self._data: list[str] = []
        self._first = True

    def feed(self, data: bytes) -> list[Message]:
        """The events that are whole now.

        Raises:
            ValueError: one line is longer than any event may be.
        """
        data = self._rest + data
        if self._first and data:
            data, self._first = data.removeprefix(b"\xef\xbb\xbf"), False
        lines = data.splitlines(keepends=True) if data else []
        # A carriage return at the very end may be half of a line end, so it waits too.
        self._rest = b"" if not lines or lines[-1].endswith(b"\n") else lines.pop()
        if len(self._rest) > MAX_EVENT_BYTES:
            raise ValueError("an event is too long")
        found = [self._take(line.rstrip(b"\r\n").decode("utf-8", "replace")) for line in lines]
        return [message for message in found if message is not None]

    def _take(self, line: str) -> Message | None:
        if not line:
            return self._dispatch()
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self._data.append(value)
        elif name == "event":
            self._event = value
        elif name == "id" and "\0" not in value:
            self._id = value
        return None

    def _dispatch(self) -> Message | None:
        message = Message(self._event or "message", self._id, "\n".join(self._data)) if self._data else None
        self._event, self._data = "", []
        return message
