"""One turn of `codex app-server`: its notifications, and the questions that it puts to the client."""

from __future__ import annotations

import shlex
import threading
import time
from collections.abc import Callable
from typing import Any

from roost.testing.agents import codex_items as items
from roost.testing.agents.codex_thread import Thread
from roost.testing.agents.codex_voice import CodexVoice, error_of
from roost.testing.agents.output import Output
from roost.testing.agents.performing import Interrupted, Performance, TurnEnded, TurnFailed
from roost.testing.agents.prelude import prelude
from roost.testing.agents.rpc import Peer, RpcError
from roost.testing.agents.workshop import Tools
from roost.testing.models.script import BadStep, Call, Fault, Say, read_script

Json = dict[str, Any]
RATE_LIMITS = {
    "limitId": "codex",
    "limitName": None,
    "normalModelSlug": None,
    "primary": None,
    "secondary": None,
    "credits": None,
    "individualLimit": None,
    "spendControlReached": None,
    "planType": None,
    "rateLimitReachedType": None,
}


class ServerTurn:
    """A turn; `interrupt` and `steer` may be called from any thread."""

    def __init__(self, thread: Thread, peer: Peer, output: Output, text: str) -> None:
        self.id = items.time_id()
        self.thread = thread
        self._peer = peer
        self._output = output
        self._text = text
        self._lock = threading.Lock()
        self._said: list[str] = []
        self._begun: dict[str, int] = {}
        self._voice = CodexVoice(thread, self)
        self._tools = Tools(thread.cwd)
        self._performance = Performance(self._voice, self._tools)

    def interrupt(self) -> None:
        """End it."""
        self._performance.interrupt()

    def kill_tools(self) -> None:
        """End what runs."""
        self._tools.kill()

    def steer(self, text: str) -> None:
        """Say something to it."""
        with self._lock:
            self._said.append(text)

    def run(self, on_end: Callable[[], object]) -> None:
        """From the start to the end; `on_end` is called just before the end is told."""
        started = time.time()
        self._status({"type": "active", "activeFlags": []})
        self._note("turn/started", turn=turn_of(self.id, "inProgress", startedAt=int(started)))
        message = items.user_message(self._text)
        self.started(message)
        self.completed(message)
        self.thread.heard(self._text)
        self.thread.message("user", self._text)
        status = self._perform()
        on_end()
        self._status({"type": "idle"})
        self._note("turn/completed", turn=self._ended(status, started))

    def _perform(self) -> str:
        try:
            answers = read_script(self._text)
        except BadStep as exc:
            answers = [[Say(f"I do not understand: {exc}")]]
        try:
            self._performance.play([*prelude(), *answers])
        except Interrupted as exc:
            self._voice.interrupted(exc.pending)
            return "interrupted"
        except TurnEnded:
            return "interrupted"
        except TurnFailed:
            return "failed"
        return "completed"

    def _ended(self, status: str, started: float) -> Json:
        ended = {"startedAt": int(started), "completedAt": int(time.time()), "error": self._voice.error}
        ended["durationMs"] = int((time.time() - started) * 1000)
        said = self._voice.messages[-1:] if status == "completed" else []
        return turn_of(self.id, status, items=said, itemsView="summary" if said else "notLoaded", **ended)

    # What becomes of the items

    def started(self, item: Json) -> None:
        begun = self._begun[item["id"]] = items.now_ms()
        times = {"startedAtMs": begun, "completedAtMs": None}
        self._note("item/started", item={**item, **times}, startedAtMs=begun)

    def completed(self, item: Json) -> None:
        times = {"startedAtMs": self._begun[item["id"]], "completedAtMs": items.now_ms()}
        ended = times["completedAtMs"]
        self._note("item/completed", item={**item, **times}, contentTokenCount=None, completedAtMs=ended)

    def thought(self, item: Json, text: str) -> None:
        self._note("item/reasoning/summaryPartAdded", itemId=item["id"], summaryIndex=0)
        self._note("item/reasoning/summaryTextDelta", itemId=item["id"], delta=text, summaryIndex=0)

    def said(self, item: Json, text: str) -> None:
        self._note("item/agentMessage/delta", itemId=item["id"], delta=text)

    def printed(self, item: Json, text: str) -> None:
        self._note("item/commandExecution/outputDelta", itemId=item["id"], delta=text)

    def plan(self, steps: list[Json]) -> None:
        self._note("turn/plan/updated", explanation=None, plan=steps)

    def diff(self, text: str) -> None:
        self._note("turn/diff/updated", diff=text)

    def usage(self) -> None:
        self._note("thread/tokenUsage/updated", tokenUsage=self.thread.usage())
        self._peer.notify("account/rateLimits/updated", {"rateLimits": RATE_LIMITS}, emittedAtMs=items.now_ms())

    def error(self, message: str, info: Any, *, will_retry: bool) -> None:
        if not will_retry:
            self._status({"type": "systemError"})
        self._note("error", error=error_of(message, info), willRetry=will_retry)

    def fault(self, fault: Fault) -> None:
        self._output.fault(fault, {"method": "turn/never/heard", "params": {"threadId": self.thread.id}})

    def steered(self) -> list[str]:
        with self._lock:
            taken, self._said = self._said, []
        return taken

    # What the client is asked

    def approve(self, item: Json) -> str:
        kind = item["type"]
        if not self._needs_approval() or kind in self.thread.granted:
            return "accept"
        self._status({"type": "active", "activeFlags": ["waitingOnApproval"]})
        known = {"itemId": item["id"], "startedAtMs": self._begun[item["id"]]}
        if kind == "commandExecution":
            answer = self._ask("item/commandExecution/requestApproval", {"kind": "command", **known, **_command(item)})
        else:
            answer = self._ask("item/fileChange/requestApproval", {**known, "reason": None, "grantRoot": None})
        self._status({"type": "active", "activeFlags": []})
        return self._decided(kind, answer.get("decision"))

    def ask(self, item_id: str, call: Call) -> str:
        self._status({"type": "active", "activeFlags": ["waitingOnUserInput"]})
        options = [{"label": choice, "description": choice} for choice in call.input["choices"]]
        question = {"id": "q1", "header": "Question", "question": call.input["question"], "options": options}
        question |= {"isOther": False, "isSecret": False}
        known = {"itemId": item_id, "isBlocking": True, "questions": [question]}
        answer = self._ask("item/tool/requestUserInput", known)
        self._status({"type": "active", "activeFlags": []})
        return str(answer.get("answers"))

    def _needs_approval(self) -> bool:
        policy = self.thread.approval_policy
        if policy == "untrusted":
            return True
        return policy == "on-request" and self.thread.sandbox == "read-only"

    def _decided(self, kind: str, decision: Any) -> str:
        if decision == "acceptForSession":
            self.thread.granted.add(kind)
        if decision in ("accept", "acceptForSession") or isinstance(decision, dict):
            return "accept"
        return "cancel" if decision == "cancel" else "decline"

    def _ask(self, method: str, params: Json) -> Json:
        whole = {"threadId": self.thread.id, "turnId": self.id, **params}
        asked: list[int] = []
        try:
            answer = self._peer.ask(method, whole, asked.append)
        except RpcError:
            answer = {}
        resolved = {"threadId": self.thread.id, "requestId": asked[0]}
        self._peer.notify("serverRequest/resolved", resolved, emittedAtMs=items.now_ms())
        return answer

    def _status(self, status: Json) -> None:
        params = {"threadId": self.thread.id, "status": status}
        self._peer.notify("thread/status/changed", params, emittedAtMs=items.now_ms())

    def _note(self, method: str, **params: Any) -> None:
        known = {"threadId": self.thread.id}
        if "turn" not in params:
            known["turnId"] = self.id
        self._peer.notify(method, {**known, **params}, emittedAtMs=items.now_ms())


def turn_of(turn_id: str, status: str, **known: Any) -> Json:
    """A turn as its own protocol shows it."""
    empty: Json = {"items": [], "itemsView": "notLoaded", "status": status, "error": None}
    times = {"startedAt": None, "completedAt": None, "durationMs": None}
    return {"id": turn_id, "rootTurnId": turn_id, **empty, **times, **known}


def _command(item: Json) -> Json:
    words = shlex.split(item["command"])
    amendment = {"acceptWithExecpolicyAmendment": {"execpolicy_amendment": words}}
    return {
        "environmentId": "local",
        "command": item["command"],
        "cwd": item["cwd"],
        "commandActions": item["commandActions"],
        "proposedExecpolicyAmendment": words,
        "availableDecisions": ["accept", amendment, "cancel"],
    }
