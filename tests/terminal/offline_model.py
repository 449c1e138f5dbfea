"""Runs an agent's command line with a model that is none: on loopback, it gives back in capitals what it is told.

    unshare -n python offline_model.py HOME claude|codex PROGRAM [ARGUMENTS…]

The network namespace that `unshare -n` makes has nothing in it but loopback, so nobody else can be reached. The
program gets an environment made from nothing, with HOME and a key that is none. Only the standard library is used.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

Json = dict[str, Any]
KEY = "no-key"
CODEX_SETTINGS = """\
model = "gpt-5.5"
model_provider = "offline"
check_for_update_on_startup = false
[analytics]
enabled = false
[notice]
hide_gpt5_1_migration_prompt = true
[model_providers.offline]
name = "offline"
base_url = "http://127.0.0.1:{port}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
supports_websockets = false
[projects."{here}"]
trust_level = "trusted"
"""


def main() -> int:
    """Run the program; its exit code."""
    home, kind, program = Path(sys.argv[1]), sys.argv[2], sys.argv[3:]
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home.mkdir(parents=True, exist_ok=True)
    given = {"claude": _claude, "codex": _codex}[kind](home, server.server_port)
    terminal = {name: os.environ[name] for name in ("TERM", "COLORTERM") if name in os.environ}
    basic = {"HOME": str(home), "PATH": "/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}
    # Keys that interrupt are for the program alone.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    child = subprocess.Popen(program, env=basic | terminal | given, preexec_fn=_take_interrupts)  # noqa: PLW1509
    return child.wait()


def _take_interrupts() -> None:
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _claude(home: Path, port: int) -> dict[str, str]:
    """As if the first start's questions had been answered, and this directory been trusted."""
    known = {
        "hasCompletedOnboarding": True,
        "theme": "dark",
        "customApiKeyResponses": {"approved": [KEY], "rejected": []},
        "projects": {os.getcwd(): {"hasTrustDialogAccepted": True}},
    }
    (home / ".claude.json").write_text(json.dumps(known))
    off = ("DISABLE_TELEMETRY", "DISABLE_AUTOUPDATER", "DISABLE_ERROR_REPORTING")
    off += ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC",)  # type: ignore[assignment]
    where = {"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{port}", "ANTHROPIC_API_KEY": KEY}
    return where | dict.fromkeys(off, "1")


def _codex(home: Path, port: int) -> dict[str, str]:
    (home / ".codex").mkdir(exist_ok=True)
    settings = CODEX_SETTINGS.format(port=port, here=os.getcwd())
    (home / ".codex" / "config.toml").write_text(settings)
    return {"CODEX_HOME": str(home / ".codex"), "OPENAI_API_KEY": KEY}


class Model(BaseHTTPRequestHandler):
    """Anthropic's Messages and OpenAI's Responses, as far as they are needed."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers.get("content-length") or 0)) or b"{}")
        path = self.path.partition("?")[0]
        if path.endswith("/count_tokens"):
            self._answer(200, {"input_tokens": 1})
        elif path.endswith("/messages"):
            self._messages(asked)
        elif path.endswith("/responses"):
            self._responses(asked)
        else:
            self._answer(404, {"error": {"type": "not_found_error", "message": "not here"}})

    def do_GET(self) -> None:
        found = self.path.partition("?")[0].endswith("/models")
        self._answer(200 if found else 404, {"models": []} if found else {})

    do_HEAD = do_GET

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the terminal belongs to the program."""

    def _answer(self, status: int, value: Json) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(b"" if self.command == "HEAD" else body)

    def _stream(self, events: list[Json]) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for event in events:
            self.wfile.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())
            self.wfile.flush()
        self.close_connection = True

    def _messages(self, asked: Json) -> None:
        text = _reply(asked.get("messages") or [])
        usage = {"input_tokens": 1, "output_tokens": 1}
        head = {"id": "msg_1", "type": "message", "role": "assistant", "model": asked.get("model"), "usage": usage}
        if not asked.get("stream"):
            self._answer(200, head | {"content": [{"type": "text", "text": text}], "stop_reason": "end_turn"})
            return
        begun = head | {"content": [], "stop_reason": None, "stop_sequence": None}
        block = {"index": 0}
        self._stream(
            [
                {"type": "message_start", "message": begun},
                {"type": "content_block_start", **block, "content_block": {"type": "text", "text": ""}},
                *(
                    {"type": "content_block_delta", **block, "delta": {"type": "text_delta", "text": piece}}
                    for piece in _pieces(text)
                ),
                {"type": "content_block_stop", **block},
                {"type": "message_delta", "delta": {"stop_reason": "end_turn"}, "usage": usage},
                {"type": "message_stop"},
            ]
        )

    def _responses(self, asked: Json) -> None:
        given = asked.get("input") or []
        text = _reply(given if isinstance(given, list) else [{"role": "user", "content": given}])
        response: Json = {"id": "resp_1", "object": "response", "model": asked.get("model"), "output": []}
        item = {"type": "message", "id": "msg_1", "role": "assistant"}
        whole = item | {"status": "completed", "content": [{"type": "output_text", "text": text, "annotations": []}]}
        usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
        place = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
        added = item | {"status": "in_progress", "content": []}
        self._stream(
            [
                {"type": "response.created", "response": response | {"status": "in_progress"}},
                {"type": "response.output_item.added", "output_index": 0, "item": added},
                *({"type": "response.output_text.delta", **place, "delta": piece} for piece in _pieces(text)),
                {"type": "response.output_item.done", "output_index": 0, "item": whole},
                {
                    "type": "response.completed",
                    "response": response | {"status": "completed", "output": [whole], "usage": usage},
                },
            ]
        )


def _reply(messages: list[Json]) -> str:
    """The last thing a user said, in capitals."""
    for message in reversed(messages):
        if message.get("role") == "user":
            content = message.get("content")
            texts = [content] if isinstance(content, str) else [part.get("text") for part in content or []]
            said = [text for text in texts if text and not text.startswith("<")]
            if said:
                return said[-1].upper()
    return "NOTHING"


def _pieces(text: str) -> list[str]:
    return [text[at : at + 20] for at in range(0, len(text), 20)]


if __name__ == "__main__":
    sys.exit(main())
