"""The fake model endpoint: one server on loopback that speaks every maker's API."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple

from roost.testing.models.anthropic import Messages
from roost.testing.models.gemini import Generate
from roost.testing.models.openai import Chat, Responses
from roost.testing.models.playing import Player
from roost.testing.models.script import Answer, Fail
from roost.testing.models.wire import Asked, BreakOff, Event, Pause, Wire

Json = dict[str, Any]
SECRET_HEADERS = ("x-api-key", "authorization", "x-goog-api-key")
WIRES: tuple[tuple[str, Wire], ...] = (
    ("/messages", Messages()),
    ("/responses", Responses()),
    ("/chat/completions", Chat()),
    (":generateContent", Generate()),
    (":streamGenerateContent", Generate()),
)


class Recorded(NamedTuple):
    """A request that came in. `tools` are the names that were offered; keys are left out of `headers`."""

    method: str
    path: str
    model: str
    tools: tuple[str, ...]
    headers: dict[str, str]
    body: Json


class FakeModel:
    """A model endpoint on a free port of loopback, until `close`. Also a context manager.

    Without `script` every conversation is answered as its prompts say (`roost.testing.models.script`); with it, the
    answers are taken from there one after the other. `log` is a file that gets a line for each request.
    """

    def __init__(self, script: list[Answer] | None = None, *, port: int = 0, log: Path | None = None) -> None:
        self.requests: list[Recorded] = []
        self.player = Player(script)
        self._log = log
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", port), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """Where it is, without a path."""
        return f"http://127.0.0.1:{self.port}"

    def record(self, request: Recorded) -> None:
        """Note a request; called by the server."""
        with self._lock:
            self.requests.append(request)
            if self._log is not None:
                with self._log.open("a") as file:
                    file.write(json.dumps(request._asdict()) + "\n")

    def close(self) -> None:
        """Stop listening; answers that are on their way are broken off."""
        self._server.shutdown()
        self._server.end_connections()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> FakeModel:
        return self

    def __exit__(self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None) -> None:
        self.close()


@contextmanager
def fake_models(script: list[Answer] | None = None) -> Iterator[FakeModel]:
    """A fake model endpoint for a test."""
    with FakeModel(script) as model:
        yield model


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], fake: FakeModel) -> None:
        self.fake = fake
        self.is_ending = threading.Event()
        self._open: set[socket.socket] = set()
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever hangs up in the middle of an answer does no harm."""

    def end_connections(self) -> None:
        """Break off what is on its way."""
        self.is_ending.set()
        for connection in list(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""

    def do_GET(self) -> None:
        path = self._begin()[0]
        if path.endswith("/models"):
            # Codex wants its own list here and is content with an empty one; the others want OpenAI's.
            known = [{"id": "fake-model", "object": "model", "owned_by": "roost"}]
            is_codex = "client_version" in self.path or "codex" in self.headers.get("user-agent", "")
            self._whole(200, {"models": []} if is_codex else {"object": "list", "data": known})
        else:
            self._whole(404, Messages().refusal(404, "there is nothing here"))

    do_HEAD = do_GET

    def do_POST(self) -> None:
        path, body = self._begin()
        if path.endswith("/count_tokens") or path.endswith(":countTokens"):
            count = max(1, len(json.dumps(body)) // 4)
            self._whole(200, {"input_tokens": count} if path.endswith("/count_tokens") else {"totalTokens": count})
            return
        for ending, wire in WIRES:
            if path.endswith(ending):
                self._answer(wire, path, body)
                return
        self._whole(404, Messages().refusal(404, "there is nothing here"))

    def _begin(self) -> tuple[str, Json]:
        body = self._body()
        path = self.path.partition("?")[0]
        wire = next((wire for ending, wire in WIRES if path.endswith(ending)), None)
        asked = wire.read(path, body) if wire else None
        headers = {name.lower(): value for name, value in self.headers.items() if name.lower() not in SECRET_HEADERS}
        model, tools = (asked.model, asked.tools) if asked else ("", ())
        self.server.fake.record(Recorded(self.command, self.path, model, tools, headers, body))
        return path, body

    def _body(self) -> Json:
        if self.headers.get("transfer-encoding", "").lower() == "chunked":
            data = b"".join(self._chunks())
        else:
            data = self.rfile.read(int(self.headers.get("content-length") or 0))
        if self.headers.get("content-encoding") == "gzip":
            data = gzip.decompress(data)
        try:
            found = json.loads(data or b"{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    def _chunks(self) -> Iterator[bytes]:
        while size := int(self.rfile.readline().split(b";")[0], 16):
            yield self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()

    def _answer(self, wire: Wire, path: str, body: Json) -> None:
        asked = wire.read(path, body)
        steps = self.server.fake.player.answer(asked)
        if isinstance(steps, Fail):
            self._whole(steps.status, wire.refusal(steps.status, "scripted: no answer"), {"retry-after-ms": "10"})
        elif asked.is_streamed:
            self._stream(lambda: wire.streamed(asked, steps))
        else:
            self._wait_as_told(steps, asked)
            self._whole(200, wire.whole(asked, steps))

    def _wait_as_told(self, steps: Answer, asked: Asked) -> None:
        for step in steps:
            self.server.is_ending.wait(getattr(step, "seconds", 0))

    def _whole(self, status: int, value: Json, headers: dict[str, str] | None = None) -> None:
        data = json.dumps(value).encode()
        self._head(status, {"content-type": "application/json", "content-length": str(len(data)), **(headers or {})})
        if self.command != "HEAD":
            self.wfile.write(data)

    def _stream(self, events: Callable[[], Iterator[Event | Pause | BreakOff]]) -> None:
        self._head(200, {"content-type": "text/event-stream", "transfer-encoding": "chunked"})
        for event in events():
            if isinstance(event, Pause):
                self.server.is_ending.wait(event.seconds)
            elif isinstance(event, BreakOff):
                self._break_off()
                return
            else:
                self._chunk(_as_text(event))
        self.wfile.write(b"0\r\n\r\n")

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "request-id": f"req_{uuid.uuid4().hex[:24]}"}.items():
            self.send_header(name, value)
        self.end_headers()

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(b"%x\r\n%b\r\n" % (len(data), data))
        self.wfile.flush()

    def _break_off(self) -> None:
        # What has been written should arrive before the connection does not.
        time.sleep(0.02)
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)


def _as_text(event: Event) -> bytes:
    data = event.data if isinstance(event.data, str) else json.dumps(event.data, ensure_ascii=False)
    head = f"event: {event.name}\n" if event.name else ""
    return f"{head}data: {data}\n\n".encode()
