"""A real uvicorn with our protocols around streams over a store in memory; on a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn

from roost.config import ServerSettings, Settings, StreamSettings
from roost.errors import AgentNotFound, RoostError
from roost.services.hub import Hub
from roost.web import sse
from roost.web.frame import send_error
from roost.web.http_protocol import make_protocols
from tests.services.stored import MemoryHistory, Recorder
from tests.waiting import scaled, until


class StoredAgents:
    """The newest session of each agent, as the store has it."""

    def __init__(self, history: MemoryHistory) -> None:
        self._history = history

    def resolve_session(self, name: str) -> Any:
        found = self._history.sessions(agent=name, limit=1)
        if not found:
            raise AgentNotFound(f"there is no agent {name!r}", name=name)
        return found[0]


class StreamServer:
    """Serves `/api/agents/{name}/stream`, `/api/stream`, `/hello`, and `/body`, which reads one and takes a while."""

    def __init__(self, settings: Settings, recorder: Recorder | None = None) -> None:
        self.settings = settings
        self.recorder = recorder or Recorder()
        self.port = 0
        self.thread = threading.Thread(target=self._run)
        self.loop: asyncio.AbstractEventLoop
        self.hub: Hub
        self.server: uvicorn.Server
        self._ready = threading.Event()

    def __enter__(self) -> StreamServer:
        self.thread.start()
        assert self._ready.wait(scaled(10))
        until(lambda: self.server.started)
        self.port = self.server.servers[0].sockets[0].getsockname()[1]
        return self

    def __exit__(self, *exc: object) -> None:
        self.do(self.hub.close)
        self.server.should_exit = True
        self.thread.join(scaled(20))
        assert not self.thread.is_alive()

    def do(self, call: Callable[[], Any]) -> Any:
        """Run something on the server's loop."""

        async def run() -> Any:
            return call()

        return asyncio.run_coroutine_threadsafe(run(), self.loop).result(scaled(10))

    def lines(self, session_id: str, count: int, text: str = "line") -> None:
        """Store lines and tell the hub."""
        self.do(lambda: (self.recorder.lines(session_id, count, text), self.recorder.publish(self.hub)))

    def end(self, session_id: str) -> None:
        """End a session and tell the hub."""
        self.do(lambda: (self.recorder.end(session_id), self.recorder.publish(self.hub)))

    def stats(self) -> Any:
        return self.do(self.hub.stats)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.hub = Hub(self.recorder.history, self.settings.stream, epoch=3)
        self.agent_stream = sse.agent_stream(self.hub, StoredAgents(self.recorder.history))
        self.fleet_stream = sse.fleet_stream(self.hub)
        protocol, websocket = make_protocols(self.settings)
        config = uvicorn.Config(
            self._app,
            port=0,
            http=protocol,
            ws=websocket,
            interface="asgi3",
            lifespan="off",
            log_config=None,
            timeout_graceful_shutdown=5,
        )
        self.server = uvicorn.Server(config)
        self._ready.set()
        with contextlib.suppress(KeyboardInterrupt):
            await self.server.serve()

    async def _app(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        try:
            if path == "/hello":
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
                await send({"type": "http.response.body", "body": b"hi"})
            elif path == "/body":
                while (await receive()).get("more_body"):
                    pass
                await asyncio.sleep(0.3)
                await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
                await send({"type": "http.response.body", "body": b""})
            elif path == "/api/stream":
                await self.fleet_stream(scope, receive, send)
            else:
                scope["path_params"] = {"name": path.split("/")[3]}
                await self.agent_stream(scope, receive, send)
        except RoostError as exc:
            await send_error(exc, "request", send)


def stream_server(
    recorder: Recorder | None = None, server: dict[str, Any] | None = None, **stream: Any
) -> StreamServer:
    """A server with these settings."""
    settings = Settings(data=Path("unused"), server=ServerSettings(**(server or {})), stream=StreamSettings(**stream))
    return StreamServer(settings, recorder)


class Stream:
    """One SSE client over a raw connection."""

    def __init__(self, port: int, path: str, headers: dict[str, str] | None = None, method: str = "GET") -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=scaled(10))
        self.connection.request(method, path, headers=headers or {})
        self.response = self.connection.getresponse()

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *exc: object) -> None:
        self.response.close()
        self.connection.close()

    @property
    def status(self) -> int:
        return self.response.status

    def error(self) -> dict[str, Any]:
        """The error that was answered."""
        found: dict[str, Any] = json.loads(self.response.read())["error"]
        return found

    def frame(self) -> dict[str, Any] | None:
        """The next frame: `event`, `id` where there is one, and `data` decoded; None at the end."""
        fields: dict[str, Any] = {}
        while line := self.response.readline():
            if line == b"\n":
                fields["data"] = json.loads(fields["data"])
                return fields
            name, _, value = line.decode().rstrip("\n").partition(": ")
            fields[name] = value
        return None

    def frames(self, count: int) -> list[dict[str, Any]]:
        """The next `count` frames."""
        found = [self.frame() for _ in range(count)]
        assert None not in found, "the stream ended early"
        return found  # type: ignore[return-value]

    def rest(self) -> list[dict[str, Any]]:
        """All frames to the end."""
        return list(iter(self.frame, None))


def raw_connection(port: int, *, receive_buffer: int | None = None) -> socket.socket:
    """A plain socket to the server."""
    found = socket.socket()
    if receive_buffer is not None:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    found.settimeout(scaled(10))
    found.connect(("127.0.0.1", port))
    return found
