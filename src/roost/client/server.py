"""The back end that a running server is: REST, Server-Sent Events and WebSocket."""

from __future__ import annotations

import contextlib
import json
import os
import time
from binascii import b2a_base64
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from roost.client.backend import ENDED, Event, LineQuery
from roost.client.http import Connection, call, error_of
from roost.core.positions import Position, parse_position
from roost.errors import ServerUnavailable, TimedOut

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from roost.client.discovery import Address
    from roost.client.link import Link
    from roost.client.outbox import Outbox

    Json = dict[str, Any]

PAGE = 10_000
END_MARGIN_S = 30.0
PASTE_PAUSE_S = 0.15
"""Between a paste and the Enter behind it: some programs take a key that comes at once for part of the paste."""
SILENCE_S = 60.0
"""A stream says every few seconds that it lives; one that says nothing for so long is broken."""
SETTLE_S = 5.0
INPUT_PIECE = 65_536
MOST_CONTINUATIONS = 3
"""Bytes behind the first of a character in UTF-8."""
WITHOUT_POSITION = frozenset({"ping", "connected", "skipped"})


class ServerClient:
    """Speaks to one server. Connections are made for each request, so there is nothing to keep alive."""

    kind = "server"

    def __init__(
        self, address: Address, environ: Mapping[str, str] | None = None, env_allow: Collection[str] = ()
    ) -> None:
        self.address = address
        self._environ = os.environ if environ is None else environ
        self._env_allow = env_allow
        self._client_id = f"cli-{os.urandom(8).hex()}"
        self._input_seq = 0

    @property
    def is_local(self) -> bool:
        return self.address.is_local

    def call(self, method: str, target: str, value: Any = None, *, timeout_s: float | None = 30.0) -> Any:
        """Any request; the answer decoded.

        Raises:
            RoostError: what the server refused, as the class of its code.
        """
        return call(self.address, method, target, value=value, timeout_s=timeout_s)

    # Knowing

    def agents(self) -> list[Json]:
        found: list[Json] = []
        cursor: str | None = None
        while True:
            page = self.call("GET", _target("/api/agents", limit=PAGE, cursor=cursor))
            found += page["agents"]
            cursor = page.get("next_cursor")
            if not cursor:
                return found

    def agent(self, name: str) -> Json:
        return _object(self.call("GET", _agent(name)))

    def attention(self, name: str) -> Json:
        return _object(self.call("GET", f"{_agent(name)}/attention"))

    # Starting and ending

    def start(self, request: Json) -> Json:
        """Start an agent. A server on this machine gives it our environment, as far as that is let through."""
        if self.address.is_local and not isinstance(request.get("env"), str):
            from roost.core.environment import agent_environment

            ours = agent_environment(self._environ, request.get("env") or {}, self._env_allow)
            request = request | {"env": ours}
        return _object(self.call("POST", "/api/agents", request, timeout_s=60.0))

    def stop(self, name: str, grace_s: float | None) -> Json:
        target = _target(_agent(name), grace_s=grace_s)
        return _object(self.call("DELETE", target, timeout_s=(grace_s or 60.0) + END_MARGIN_S))

    def kill(self, name: str) -> Json:
        return self._post(name, "kill")

    def pause(self, name: str) -> Json:
        return self._post(name, "pause")

    def resume(self, name: str) -> Json:
        return self._post(name, "resume")

    def signal(self, name: str, signal: str, scope: str) -> Json:
        return self._post(name, "signal", {"signal": signal, "scope": scope})

    def restart(self, name: str) -> Json:
        return self._post(name, "restart")

    def remove(self, name: str) -> None:
        self.call("DELETE", _target(_agent(name), purge="true"))

    # Steering

    def send_text(self, name: str, text: bytes, *, enter: bool) -> None:
        if not enter:
            for piece in _pieces(text):
                self._input(name, _typed("input", piece))
            return
        if text:
            self._input(name, _typed("paste", text))
            time.sleep(PASTE_PAUSE_S)
        self._input(name, {"input": "", "enter": True})

    def end_input(self, name: str) -> None:
        self._post(name, "close-input")

    def send_keys(self, name: str, keys: list[str]) -> None:
        self._input(name, {"keys": keys})

    def _input(self, name: str, body: Json) -> None:
        self._input_seq += 1
        self._post(name, "input", body | {"client_id": self._client_id, "seq": self._input_seq})

    # Reading

    def screen(self, name: str) -> Json:
        return _object(self.call("GET", _target(f"{_agent(name)}/screen", format="json")))

    def _settled(self, name: str) -> Json:
        """The agent, once the server has read its recording to the end if it has ended.

        That an agent ended is told at once; what it said last may still be on its way into the store.
        """
        view = self.agent(name)
        if view["state"] not in ENDED:
            return view
        place = f"{view['session_id']}:{view.get('last_seq') or 0}"
        with contextlib.suppress(TimedOut):
            for _ in self.stream(_target(f"{_agent(name)}/stream", after=place), timeout_s=SETTLE_S):
                pass
        return self.agent(name)

    def lines(self, name: str, query: LineQuery) -> Iterator[Json]:
        self._settled(name)
        asked = {"since": query.since or None, "until": query.until or None, "stream": query.stream or None}
        path = f"{_agent(name)}/logs"
        if query.tail is not None:
            yield from self.call("GET", _target(path, tail=min(query.tail, PAGE), **asked))["lines"]
            return
        cursor: str | None = None
        while True:
            page = self.call("GET", _target(path, limit=PAGE, cursor=cursor, **asked))
            yield from page["lines"]
            cursor = page.get("next_cursor")
            if not cursor:
                return

    def events(self, name: str, after: str, *, follow: bool) -> Iterator[Event]:
        view = self._settled(name)
        last = int(view.get("last_seq") or 0)
        start = after or f"{view['session_id']}:0"
        end = Position(view["session_id"], last)
        if not follow and not _is_before(parse_position(start), end):
            return
        for event in self.stream(_target(f"{_agent(name)}/stream", after=start)):
            yield event
            if not follow and not _is_before(parse_position(event.position), end):
                return

    def fleet_events(self, after: str, *, follow: bool) -> Iterator[Event]:
        if follow:
            target = _target("/api/stream", after=after or None, tail=None if after else 0)
            yield from self.stream(target, connected=True)
            return
        found = [event for view in self.agents() for event in self.events(view["name"], "", follow=False)]
        yield from sorted(found, key=lambda event: str(event.body["timestamp"]))

    def stream(self, target: str, *, connected: bool = False, timeout_s: float = SILENCE_S) -> Iterator[Event]:
        """The events of a stream, until the server ends it; with `connected` also the first, which says where it began.

        Raises:
            ServerUnavailable, TimedOut: it broke off; it can be taken up again behind the last event's position.
        """
        from roost.client.sse import Parser

        parser = Parser()
        with Connection(self.address, timeout_s) as connection:
            connection.send("GET", target, headers={"Accept": "text/event-stream", "Cache-Control": "no-store"})
            if connection.status == 204:
                return
            if connection.status != 200:
                raise error_of(self.address, connection.status, connection.read())
            for data in connection.chunks():
                for message in parser.feed(data):
                    body = json.loads(message.data)
                    if message.event == "connected" and connected:
                        yield Event(body["data"]["position"], body)
                    elif message.event not in WITHOUT_POSITION:
                        yield Event(message.id, body)
                    if message.event == "complete" and not connected:
                        return
        raise ServerUnavailable(f"the server at {self.address.url} ended the stream")

    def attach(
        self, name: str, size: tuple[int, int], outbox: Outbox, *, fresh: bool = False, read_only: bool = False
    ) -> Link:
        from roost.client.serverlink import ServerLink

        return ServerLink(self.address, name, size, outbox, read_only=read_only)

    def close(self) -> None:
        """Nothing is held."""

    def _post(self, name: str, action: str, value: Json | None = None) -> Json:
        return _object(self.call("POST", f"{_agent(name)}/{action}", value, timeout_s=90.0))


def _agent(name: str) -> str:
    return f"/api/agents/{quote(name, safe='')}"


def _target(path: str, **parameters: Any) -> str:
    given = {key: value for key, value in parameters.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _typed(way: str, data: bytes) -> Json:
    """The field of an input's body: as text where it is text."""
    try:
        return {way: data.decode()}
    except UnicodeDecodeError:
        return {f"{way}_base64": b2a_base64(data, newline=False).decode()}


def _pieces(data: bytes) -> Iterator[bytes]:
    """Cut where no character of UTF-8 is cut."""
    at = 0
    while at < len(data):
        end = at + INPUT_PIECE
        while end < len(data) and at + INPUT_PIECE - end < MOST_CONTINUATIONS and data[end] & 0xC0 == 0x80:
            end -= 1
        yield data[at:end]
        at = end


def _object(value: Any) -> Json:
    return value if isinstance(value, dict) else {}


def _is_before(position: Position, end: Position) -> bool:
    """Whether events are left in a session up to its `end`; those of older sessions are given out whole."""
    return position.session_id != end.session_id or position.seq < end.seq
