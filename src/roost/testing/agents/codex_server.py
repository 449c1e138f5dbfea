"""`codex app-server`: threads and turns by JSON-RPC over standard input and output, without the `jsonrpc` key."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from roost.testing.agents import codex_items as items
from roost.testing.agents.codex_thread import VERSION, NoThread, Thread
from roost.testing.agents.codex_turn import ServerTurn, turn_of
from roost.testing.agents.output import Output
from roost.testing.agents.rpc import INVALID_REQUEST, Peer, RpcError
from roost.testing.agents.sessions import state_directory

Json = dict[str, Any]
SANDBOXES = {"read-only": "readOnly", "workspace-write": "workspaceWrite", "danger-full-access": "dangerFullAccess"}


class Server:
    """All threads of one process. Requests are answered by the reader; each turn has a thread of its own."""

    def __init__(self) -> None:
        self._output = Output()
        self._peer = Peer(self._output, {})
        self._threads: dict[str, Thread] = {}
        self._turns: dict[str, ServerTurn] = {}
        self._workers: list[threading.Thread] = []
        self._is_initialized = False

    def serve(self) -> int:
        """Until the end of input; the exit code. A turn that runs then is ended."""
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
        if request_id is None:
            return
        handler = self._methods().get(method)
        if handler is None:
            raise RpcError(INVALID_REQUEST, f"Invalid request: unknown variant `{method}`")
        if not self._is_initialized and method != "initialize":
            raise RpcError(INVALID_REQUEST, "Not initialized")
        handler(request_id, params)

    def _methods(self) -> dict[str, Callable[[Any, Json], None]]:
        return {
            "initialize": self._initialize,
            "thread/start": self._start,
            "thread/resume": self._resume,
            "thread/fork": self._fork,
            "thread/read": self._read,
            "thread/list": self._list,
            "turn/start": self._turn_start,
            "turn/steer": self._turn_steer,
            "turn/interrupt": self._turn_interrupt,
            "model/list": self._models,
        }

    def _initialize(self, request_id: Any, params: Json) -> None:
        if self._is_initialized:
            raise RpcError(INVALID_REQUEST, "Already initialized")
        self._is_initialized = True
        name = params.get("clientInfo", {}).get("name", "client")
        agent = f"{name}/{VERSION} (scripted)"
        home = str(state_directory("codex", "CODEX_HOME"))
        known = {"codexHome": home, "platformFamily": "unix", "platformOs": "linux"}
        self._peer.respond(request_id, {"userAgent": agent, **known})

    def _start(self, request_id: Any, params: Json) -> None:
        thread = Thread(Path(params.get("cwd") or Path.cwd()), is_kept=not params.get("ephemeral"))
        thread.begin()
        self._adopt(thread, params)
        self._peer.respond(request_id, self._opened(thread))
        self._note("thread/started", {"thread": describe(thread)})

    def _resume(self, request_id: Any, params: Json) -> None:
        try:
            thread = Thread.resumed(str(params.get("threadId")), Path(params.get("cwd") or Path.cwd()))
        except NoThread as exc:
            raise RpcError(INVALID_REQUEST, f"no rollout found for thread id {exc}") from exc
        self._adopt(thread, params)
        self._note("thread/status/changed", {"threadId": thread.id, "status": {"type": "idle"}})
        self._peer.respond(request_id, self._opened(thread))
        usage = {"threadId": thread.id, "turnId": items.time_id(), "tokenUsage": thread.usage()}
        self._note("thread/tokenUsage/updated", usage)

    def _fork(self, request_id: Any, params: Json) -> None:
        thread = self._thread(params).fork()
        self._adopt(thread, params)
        self._peer.respond(request_id, self._opened(thread))
        self._note("thread/started", {"thread": describe(thread)})

    def _read(self, request_id: Any, params: Json) -> None:
        self._peer.respond(request_id, {"thread": describe(self._thread(params))})

    def _list(self, request_id: Any, params: Json) -> None:
        data = [describe(thread) for thread in self._threads.values()][: params.get("limit") or 50]
        self._peer.respond(request_id, {"data": data, "nextCursor": None, "backwardsCursor": None})

    def _models(self, request_id: Any, params: Json) -> None:
        model = {"id": "gpt-5.5", "model": "gpt-5.5", "displayName": "GPT-5.5", "hidden": False, "isDefault": True}
        self._peer.respond(request_id, {"data": [model], "nextCursor": None})

    def _turn_start(self, request_id: Any, params: Json) -> None:
        thread = self._thread(params)
        running = self._turns.get(thread.id)
        text = text_of(params.get("input") or [])
        if running is not None:
            running.steer(text)
            self._peer.respond(request_id, {"turn": turn_of(running.id, "inProgress")})
            return
        self._apply(thread, params)
        turn = self._turns[thread.id] = ServerTurn(thread, self._peer, self._output, text)
        self._peer.respond(request_id, {"turn": turn_of(turn.id, "inProgress")})
        worker = threading.Thread(target=self._run, args=(turn,), daemon=True)
        self._workers.append(worker)
        worker.start()

    def _run(self, turn: ServerTurn) -> None:
        turn.run(lambda: self._turns.pop(turn.thread.id, None))

    def _turn_steer(self, request_id: Any, params: Json) -> None:
        turn = self._running(params)
        expected = params.get("expectedTurnId")
        if expected != turn.id:
            raise RpcError(INVALID_REQUEST, f"expected active turn id `{expected}` but found `{turn.id}`")
        turn.steer(text_of(params.get("input") or []))
        self._peer.respond(request_id, {"turnId": turn.id})

    def _turn_interrupt(self, request_id: Any, params: Json) -> None:
        turn = self._running(params)
        self._peer.respond(request_id, {})
        turn.interrupt()
        self._peer.cancel()

    def _running(self, params: Json) -> ServerTurn:
        turn = self._turns.get(self._thread(params).id)
        if turn is None:
            raise RpcError(INVALID_REQUEST, "no active turn to steer")
        return turn

    def _thread(self, params: Json) -> Thread:
        thread = self._threads.get(str(params.get("threadId")))
        if thread is None:
            raise RpcError(INVALID_REQUEST, f"thread not found: {params.get('threadId')}")
        return thread

    def _adopt(self, thread: Thread, params: Json) -> None:
        self._apply(thread, params)
        thread.sandbox = str(params.get("sandbox") or thread.sandbox)
        self._threads[thread.id] = thread

    def _apply(self, thread: Thread, params: Json) -> None:
        thread.model = str(params.get("model") or thread.model)
        thread.approval_policy = params.get("approvalPolicy") or thread.approval_policy
        thread.cwd = Path(params.get("cwd") or thread.cwd)

    def _note(self, method: str, params: Json) -> None:
        self._peer.notify(method, params, emittedAtMs=items.now_ms())

    def _opened(self, thread: Thread) -> Json:
        return {
            "thread": describe(thread),
            "model": thread.model,
            "modelProvider": "scripted",
            "serviceTier": None,
            "disabledPluginIds": [],
            "cwd": str(thread.cwd),
            "runtimeWorkspaceRoots": [str(thread.cwd)],
            "instructionSources": [],
            "approvalPolicy": thread.approval_policy,
            "approvalsReviewer": "user",
            "sandbox": {"type": SANDBOXES.get(thread.sandbox, thread.sandbox)},
            "activePermissionProfile": None,
            "reasoningEffort": None,
            "multiAgentMode": "explicitRequestOnly",
        }


def describe(thread: Thread) -> Json:
    """A thread as its own protocol shows it."""
    created = int(thread.created_at.timestamp())
    roots = [str(thread.cwd)]
    return {
        "id": thread.id,
        "environments": [{"environmentId": "local", "cwd": str(thread.cwd), "runtimeWorkspaceRoots": roots}],
        "extra": None,
        "sessionId": thread.id,
        "forkedFromId": None,
        "attachedToThreadId": None,
        "parentThreadId": None,
        "preview": thread.preview,
        "ephemeral": False,
        "section": None,
        "sectionEnteredAt": None,
        "projectId": None,
        "historyMode": "paginated",
        "modelProvider": "scripted",
        "model": thread.model,
        "reasoningEffort": None,
        "createdAt": created,
        "updatedAt": created,
        "recencyAt": created,
        "status": {"type": "idle"},
        "path": str(thread.path),
        "cwd": str(thread.cwd),
        "cliVersion": VERSION,
        "originator": "scripted",
        "source": "vscode",
        "canAcceptDirectInput": True,
        "threadSource": None,
        "agentNickname": None,
        "agentRole": None,
        "gitInfo": None,
        "name": None,
        "daybreakEnabled": None,
        "turns": [],
    }


def text_of(given: list[Json]) -> str:
    """The text of a turn's input."""
    return "\n".join(part["text"] for part in given if part.get("type") == "text")
