"""A Server-Sent Events client that comes back after every loss, as browsers do: with `Last-Event-ID`.

It parses the stream by itself and trusts the server in nothing, so that tests can hold against it what they expect.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

from roost.client.discovery import Address
from roost.client.http import Connection
from roost.errors import RoostError

RETRY_S = 0.02
READ_TIMEOUT_S = 30.0


class StreamEvent(NamedTuple):
    """One event as it stood on the wire; `id` is empty where it had none."""

    id: str
    type: str
    data: bytes

    def decoded(self) -> dict[str, Any]:
        """The data as an object."""
        value = json.loads(self.data)
        assert isinstance(value, dict)
        return value


class Parser:
    """Cuts a stream's bytes into events, whatever pieces they come in."""

    def __init__(self) -> None:
        self._pending = b""

    def feed(self, data: bytes) -> list[StreamEvent]:
        """The events that are whole now."""
        *whole, self._pending = (self._pending + data).split(b"\n\n")
        return [event for block in whole if (event := _parse(block)) is not None]


def _parse(block: bytes) -> StreamEvent | None:
    """The event of one block; None for a comment."""
    event_id, event_type, data = b"", b"message", []
    for line in block.split(b"\n"):
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"id":
            event_id = value
        elif name == b"event":
            event_type = value
        elif name == b"data":
            data.append(value)
    return StreamEvent(event_id.decode(), event_type.decode(), b"\n".join(data)) if data else None


def read_stream(
    address: Address, target: str, *, after: str = "", timeout_s: float = READ_TIMEOUT_S
) -> Iterator[StreamEvent]:
    """The events of one connection, until the server ends it.

    Raises:
        RoostError: the server refused, went away in the middle, or said nothing for `timeout_s`.
    """
    headers = {"Accept": "text/event-stream"} | ({"Last-Event-ID": after} if after else {})
    parser = Parser()
    with Connection(address, timeout_s) as connection:
        connection.send("GET", target, headers=headers)
        if connection.status != 200:
            raise RoostError(f"{target} answered {connection.status}: {connection.read()[:500]!r}")
        for piece in connection.chunks():
            yield from parser.feed(piece)


class ResumingClient(threading.Thread):
    """Follows a stream through any number of losses, until `is_last` says so of an event or `stop` is called.

    `take` gets every event in the order of arrival, on this thread. `address` is asked for before every connection.
    """

    def __init__(
        self,
        address: Callable[[], Address],
        target: str,
        *,
        take: Callable[[StreamEvent], None],
        is_last: Callable[[StreamEvent], bool] = lambda event: event.type == "complete",
    ) -> None:
        super().__init__(daemon=True, name=f"stream {target}")
        self._address = address
        self._target = target
        self._take = take
        self._is_last = is_last
        self._stopping = threading.Event()
        self.connections = 0
        self.last_id = ""
        self.ended = False
        self.last_error = ""

    def run(self) -> None:
        while not self.ended and not self._stopping.is_set():
            try:
                self._follow()
            except RoostError as exc:
                self.last_error = str(exc)
                time.sleep(RETRY_S)

    def stop(self) -> None:
        """End at the next event or loss."""
        self._stopping.set()

    def _follow(self) -> None:
        for event in read_stream(self._address(), self._target, after=self.last_id, timeout_s=2.0):
            if event.type == "connected":
                self.connections += 1
                self.last_id = self.last_id or event.decoded()["data"]["position"]
            self.last_id = event.id or self.last_id
            self._take(event)
            if self._is_last(event):
                self.ended = True
            if self.ended or self._stopping.is_set():
                return
