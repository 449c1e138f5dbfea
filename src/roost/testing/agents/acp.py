"""An agent without a model that speaks the Agent Client Protocol, version 1: `python -m roost.testing.agents.acp`.

With `--ask` every command and every change of a file waits for permission; with `--client-files` files are read and
written through the client where it can do that.
"""

from __future__ import annotations

import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from roost.testing.agents.acp_session import AcpSession, Unknown
from roost.testing.agents.acp_turn import AcpTurn
from roost.testing.agents.flags import ON, ONE, BadFlag, Flags, read_flags
from roost.testing.agents.output import Output, complain, die
from roost.testing.agents.rpc import INVALID_PARAMS, METHOD_NOT_FOUND, Peer, RpcError

Json = dict[str, Any]
VERSION = "1.0.0"
KNOWN = {"--acp": ON, "--experimental-acp": ON, "--ask": ON, "--client-files": ON, "--model -m": ONE, "--version": ON}
COMMANDS = [{"name": "help", "description": "Show what can be asked for"}]
MODES = [
    {"id": "default", "name": "Ask", "description": "Asks before commands and changes"},
    {"id": "yolo", "name": "Allow", "description": "Asks for nothing"},
]


class Agent:
    """All sessions of one process. A prompt is answered when its turn is over."""

    def __init__(self, flags: Flags) -> None:
        self._flags = flags
        self._output = Output()
        self._peer = Peer(self._output, {"jsonrpc": "2.0"})
        self._sessions: dict[str, AcpSession] = {}
        self._turns: dict[str, AcpTurn] = {}
        self._workers: list[threading.Thread] = []
        self._capabilities: Json = {}

    def serve(self) -> int:
        """Until the end of input; the exit code. Turns that run then are ended."""
        self._peer.serve(self._handle)
        for turn in list(self._turns.values()):
            turn.interrupt()
        for worker in self._workers:
            worker.join(1.0)
        return 0

    def kill_tools(self) -> None:
        """End what runs."""
        for turn in list(self._turns.values()):
            turn.kill_tools()

    def _handle(self, method: str, params: Json, request_id: Any) -> None:
        if method == "session/cancel":
            self._cancel(params)
        elif request_id is not None:
            handler = self._methods().get(method)
            if handler is None:
                raise RpcError(METHOD_NOT_FOUND, f'"Method not found": {method}', {"method": method})
            handler(request_id, params)

    def _methods(self) -> dict[str, Callable[[Any, Json], None]]:
        return {
            "initialize": self._initialize,
            "authenticate": lambda request_id, _: self._peer.respond(request_id, {}),
            "session/new": self._new,
            "session/load": self._load,
            "session/prompt": self._prompt,
            "session/set_mode": self._set_mode,
            "session/set_model": self._set_model,
        }

    def _initialize(self, request_id: Any, params: Json) -> None:
        self._capabilities = params.get("clientCapabilities") or {}
        prompts = {"image": True, "audio": False, "embeddedContext": True}
        known = {"loadSession": True, "promptCapabilities": prompts, "mcpCapabilities": {"http": True, "sse": True}}
        agent = {"name": "scripted", "title": "Scripted agent", "version": VERSION}
        answer = {"protocolVersion": 1, "agentCapabilities": known, "agentInfo": agent, "authMethods": []}
        self._peer.respond(request_id, answer)

    def _new(self, request_id: Any, params: Json) -> None:
        session = AcpSession(_cwd(params), mode="default" if self._flags.is_on("--ask") else "yolo")
        session.begin()
        self._sessions[session.id] = session
        self._peer.respond(request_id, {"sessionId": session.id, "modes": self._modes(session)})
        self._tell_commands(session)

    def _load(self, request_id: Any, params: Json) -> None:
        session_id = str(params.get("sessionId"))
        try:
            session = AcpSession.loaded(session_id, _cwd(params))
        except Unknown as exc:
            raise RpcError(INVALID_PARAMS, f"session not found: {exc}") from exc
        session.mode = "default" if self._flags.is_on("--ask") else "yolo"
        self._sessions[session.id] = session
        for update in session.history:
            self._peer.notify("session/update", {"sessionId": session.id, "update": update})
        self._peer.respond(request_id, {"modes": self._modes(session)})
        self._tell_commands(session)

    def _tell_commands(self, session: AcpSession) -> None:
        """As every one of the real agents does once a session stands."""
        update = {"sessionUpdate": "available_commands_update", "availableCommands": COMMANDS}
        self._peer.notify("session/update", {"sessionId": session.id, "update": update})

    def _prompt(self, request_id: Any, params: Json) -> None:
        session = self._session(params)
        if session.id in self._turns:
            raise RpcError(INVALID_PARAMS, "a prompt is already running")
        can_write = self._flags.is_on("--client-files") and self._capabilities.get("fs", {}).get("writeTextFile")
        turn = AcpTurn(session, self._peer, self._output, through_client=bool(can_write))
        self._turns[session.id] = turn
        worker = threading.Thread(target=self._run, args=(turn, request_id, params), daemon=True)
        self._workers.append(worker)
        worker.start()

    def _run(self, turn: AcpTurn, request_id: Any, params: Json) -> None:
        try:
            answer = turn.run(_text(params.get("prompt") or []))
        except RpcError as exc:
            self._turns.pop(turn.session.id, None)
            self._peer.refuse(request_id, exc)
        else:
            self._turns.pop(turn.session.id, None)
            self._peer.respond(request_id, answer)

    def _cancel(self, params: Json) -> None:
        turn = self._turns.get(str(params.get("sessionId")))
        if turn is not None:
            turn.interrupt()
            self._peer.cancel()

    def _set_mode(self, request_id: Any, params: Json) -> None:
        session = self._session(params)
        session.mode = str(params.get("modeId"))
        self._peer.respond(request_id, {})
        update = {"sessionUpdate": "current_mode_update", "currentModeId": session.mode}
        self._peer.notify("session/update", {"sessionId": session.id, "update": update})

    def _set_model(self, request_id: Any, params: Json) -> None:
        self._session(params).model = str(params.get("modelId"))
        self._peer.respond(request_id, {})

    def _modes(self, session: AcpSession) -> Json:
        return {"currentModeId": session.mode, "availableModes": MODES}

    def _session(self, params: Json) -> AcpSession:
        session = self._sessions.get(str(params.get("sessionId")))
        if session is None:
            raise RpcError(INVALID_PARAMS, f"session not found: {params.get('sessionId')}")
        return session


def main(arguments: list[str]) -> int:
    """Run; the exit code."""
    try:
        flags = read_flags(arguments, KNOWN)
    except BadFlag as exc:
        complain(f"error: unknown option '{exc}'")
        return 2
    if flags.is_on("--version"):
        sys.stdout.write(f"{VERSION}\n")
        return 0
    agent = Agent(flags)
    for name in ("TERM", "INT"):
        signal.signal(signal.Signals["SIG" + name], lambda *_, name=name: _terminated(agent, name))
    return agent.serve()


def _terminated(agent: Agent, name: str) -> None:
    agent.kill_tools()
    die(name)


def _cwd(params: Json) -> Path:
    cwd = Path(str(params.get("cwd") or "."))
    if not cwd.is_absolute():
        raise RpcError(INVALID_PARAMS, "cwd must be an absolute path")
    return cwd


def _text(prompt: list[Json]) -> str:
    return "\n".join(part["text"] for part in prompt if part.get("type") == "text")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
