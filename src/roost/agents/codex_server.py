"""`codex app-server`: JSON-RPC without its version field, one message a line, both ways.

We ask `initialize`, then for a thread, then for turns in it; codex tells of items and asks for approvals. Sub-agents
run in threads of their own, whose items come over the same pipe.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from roost import __version__
from roost.agents.codex_asks import ASKS, Asked
from roost.agents.codex_fields import object_of, objects_of, read_object, text_of
from roost.agents.codex_items import ItemReader
from roost.agents.codex_modes import mode_of, mode_told, setup_of, turn_mode
from roost.agents.codex_notices import QUIET, TOLD
from roost.agents.codex_state import Pending, ServerState
from roost.agents.codex_trouble import trouble_of
from roost.agents.codex_usage import added, sums_of, usage_of
from roost.agents.driver import (
    Busy,
    Decision,
    Finished,
    Image,
    Item,
    Opening,
    Ready,
    Refused,
    Stopped,
    Taken,
    Withdrawn,
    Write,
)
from roost.agents.json_in import unknown, write_line
from roost.agents.plans import progress
from roost.errors import InvalidRequest
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import Conversation, Error, Notice, Output, Thinking

MAX_THREADS = 256
METHOD_NOT_FOUND = -32601
DELTAS = (
    "item/agentMessage/delta",
    "item/plan/delta",
    "item/reasoning/summaryTextDelta",
    "item/reasoning/textDelta",
    "item/reasoning/summaryPartAdded",
    "item/commandExecution/outputDelta",
)
REPEATED = ("turn/diff/updated", "item/fileChange/patchUpdated", "item/fileChange/outputDelta")
"""Not asked for: each repeats all that came before, and the items say the same once."""

Object = dict[str, Any]


class CodexServer:
    """The codec of `codex app-server`."""

    def __init__(self) -> None:
        self._state = ServerState()
        self._items = ItemReader(self._state.items)

    # What people want

    def open(self, opening: Opening) -> list[Item]:
        """Greet it."""
        definition = opening.definition
        self._state.setup = setup_of(definition)
        self._state.items.cwd = definition.cwd
        self._state.model = definition.options.model or definition.model or ""
        quiet = REPEATED if definition.options.partial else (*REPEATED, *DELTAS)
        capabilities = {"experimentalApi": False, "optOutNotificationMethods": list(quiet)}
        client = {"name": "roost", "title": "roost", "version": __version__}
        return [
            self._request("initialize", {"clientInfo": client, "capabilities": capabilities}, Pending("initialize"))
        ]

    def prompt(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """Start a turn."""
        if self._state.thread is None:
            return [Refused(turn.turn_id, self._state.trouble)]
        self._state.interrupting = False
        return [self._start(turn.turn_id, _input(turn.prompt, images))]

    def steer(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """Add to the turn that runs; where codex has not yet said which that is, the prompt follows as one of its own:
        codex itself adds it to the turn."""
        given = _input(turn.prompt, images)
        if self._state.turn is None:
            return [self._start(turn.turn_id, given)]
        params = {"threadId": self._state.thread, "expectedTurnId": self._state.turn, "input": given}
        return [self._request("turn/steer", params, Pending("steer", turn.turn_id, given))]

    def interrupt(self) -> list[Item]:
        """End the turn, now or as soon as codex has said which it is, and what sub-agents are at."""
        state = self._state
        state.interrupting = state.turn is None and any(one.what == "turn" for one in state.pending.values())
        running: list[tuple[str | None, str]] = [*state.others.items()]
        if state.turn is not None:
            running.insert(0, (state.thread, state.turn))
        return [
            self._request("turn/interrupt", {"threadId": thread, "turnId": turn}, Pending("interrupt"))
            for thread, turn in running
        ]

    def answer(self, approval: OpenApproval, decision: Decision) -> list[Item]:
        """Tell codex what was decided."""
        ask = ASKS[text_of(approval.details, "method")]
        native = msgspec.json.decode(approval.approval_id)
        self._state.asked.pop(approval.approval_id, None)
        told: list[Item] = [Write(write_line({"id": native, "result": ask.answer(approval, decision)}))]
        if decision.allow and decision.input is not None and decision.input != approval.input:
            message = "codex runs what it asked about and nothing else, so edited input was declined"
            told.append(Notice(0, 0, "EDITED_INPUT_DECLINED", message))
        return told

    def change(self, what: str, value: str) -> list[Item]:
        """Codex takes another model or mode with the next turn."""
        if what == "model":
            self._state.change["model"] = value
            return [Conversation(0, 0, model=value, details={"from": "the next turn on"})]
        try:
            mode = mode_of(value)
        except InvalidRequest as error:
            return [Notice(0, 0, "CHANGE_REFUSED", f"{error.message} {error.hint}")]
        self._state.change.update(turn_mode(mode))
        return [Conversation(0, 0, mode=value, details={"from": "the next turn on"})]

    # What codex says

    def receive(self, line: bytes, now_ns: int) -> list[Item]:
        """A response, a request or a notification."""
        message = read_object(line)
        if message is None:
            return [unknown(line, "not a JSON object")]
        method = text_of(message, "method")
        if not method:
            return self._response(message, line)
        if "id" in message:
            return self._asked(message, method)
        handler = _NOTIFICATIONS.get(method)
        if handler is not None:
            told = handler(self, object_of(message, "params"))
            return [unknown(line, "an item of an unknown type")] if told is None else told
        if method in TOLD:
            return TOLD[method](object_of(message, "params"))
        return [] if method in QUIET else [unknown(line, f"notification {method}")]

    def finish(self, exit_code: int | None = None) -> list[Item]:
        """Calls that ran have no result."""
        return self._items.abandon(None, "codex ended")

    # Stopping and going on

    def save(self) -> Any:
        """The state."""
        return msgspec.to_builtins(self._state)

    def load(self, saved: Any) -> None:
        """Go on from it."""
        self._state = msgspec.convert(saved, ServerState)
        self._items = ItemReader(self._state.items)

    # Requests of ours

    def _request(self, method: str, params: Object, pending: Pending) -> Write:
        self._state.number += 1
        self._state.pending[str(self._state.number)] = pending
        return Write(write_line({"id": self._state.number, "method": method, "params": params}))

    def _start(self, turn_id: str, given: list[Object]) -> Write:
        params = {"threadId": self._state.thread, "input": given, **self._state.change}
        self._state.model = text_of(self._state.change, "model") or self._state.model
        self._state.change = {}
        return self._request("turn/start", params, Pending("turn", turn_id))

    def _response(self, message: Object, line: bytes) -> list[Item]:
        pending = self._state.pending.pop(str(message.get("id")), None)
        if pending is None:
            return [unknown(line, "a response to no request")]
        if "error" in message:
            return _FAILED[pending.what](self, pending, _complaint(object_of(message, "error")))
        return _ANSWERED[pending.what](self, pending, object_of(message, "result"))

    def _greeted(self, pending: Pending, result: Object) -> list[Item]:
        setup = self._state.setup
        hello = Write(write_line({"method": "initialized"}))
        return [hello, self._request(setup.method, setup.params, Pending("thread"))]

    def _threaded(self, pending: Pending, result: Object) -> list[Item]:
        thread, state = object_of(result, "thread"), self._state
        state.thread = text_of(thread, "id") or None
        state.model = text_of(result, "model") or state.model
        state.items.cwd = text_of(result, "cwd") or state.items.cwd
        if state.thread is None:
            return self._unthreaded(pending, "codex gave no thread")
        details = {key: thread[of] for key, of in _THREAD_DETAILS if thread.get(of)}
        mode = mode_told(result)
        return [Conversation(0, 0, state.thread, state.model or None, mode, details), Ready()]

    def _unthreaded(self, pending: Pending, complaint: str) -> list[Item]:
        """No thread: nothing can be asked of this codex, and every prompt is told so."""
        self._state.trouble = f"codex has no conversation: {complaint}"
        return [Error(0, 0, "CONVERSATION_FAILED", complaint, {"method": self._state.setup.method}), Ready()]

    def _started(self, pending: Pending, result: Object) -> list[Item]:
        native = text_of(object_of(result, "turn"), "id") or None
        if native is not None and native == self._state.ended:
            return []
        if self._state.turn is None:
            self._state.answer = ""
        self._state.turn, self._state.turn_id = native, pending.turn_id
        return [Taken(pending.turn_id, native), *self._interrupt_late()]

    def _interrupt_late(self) -> list[Item]:
        return self.interrupt() if self._state.interrupting and self._state.turn else []

    def _refused(self, pending: Pending, complaint: str) -> list[Item]:
        return [Refused(pending.turn_id, complaint)]

    def _steered(self, pending: Pending, result: Object) -> list[Item]:
        return [Taken(pending.turn_id, text_of(result, "turnId") or None)]

    def _unsteered(self, pending: Pending, complaint: str) -> list[Item]:
        """The turn may have ended meanwhile: then the prompt is one of its own."""
        if self._state.turn is None and pending.turn_id is not None:
            return [self._start(pending.turn_id, pending.input)]
        return [Refused(pending.turn_id, complaint)]

    def _complained(self, pending: Pending, complaint: str) -> list[Item]:
        return [Notice(0, 0, "REFUSED_BY_AGENT", f"{pending.what}: {complaint}")]

    def _done(self, pending: Pending, result: Object) -> list[Item]:
        return []

    # Requests of codex

    def _asked(self, message: Object, method: str) -> list[Item]:
        params, native = object_of(message, "params"), msgspec.json.encode(message["id"]).decode()
        ask = ASKS.get(method)
        if ask is None:
            error = {"code": METHOD_NOT_FOUND, "message": f"roost does not offer {method}"}
            told = Notice(0, 0, "REQUEST_REFUSED", f"codex asked for {method}, which roost does not offer")
            stop = [Stopped("login", told.message)] if method.startswith("account/") else []
            return [Write(write_line({"id": message["id"], "error": error})), told, *stop]
        self._state.asked[native] = text_of(params, "threadId")
        return [ask.show(Asked(native, method, params, self._state.items))]

    # Notifications

    def _of_main(self, params: Object) -> bool:
        return text_of(params, "threadId") == self._state.thread

    def _turn_started(self, params: Object) -> list[Item]:
        native, thread = text_of(object_of(params, "turn"), "id"), text_of(params, "threadId")
        if not self._of_main(params):
            if native and thread and len(self._state.others) < MAX_THREADS:
                self._state.others[thread] = native
            return []
        if native in ("", self._state.turn):
            return []
        self._state.turn, self._state.answer = native, ""
        return [Taken(None, native), *self._interrupt_late()]

    def _turn_completed(self, params: Object) -> list[Item]:
        turn, state = object_of(params, "turn"), self._state
        word = text_of(turn, "status")
        ending = word if word in ("completed", "interrupted", "failed") else "completed"
        left = self._left_over(text_of(params, "threadId"), ending)
        if not self._of_main(params):
            self._state.others.pop(text_of(params, "threadId"), None)
            return left
        trouble = trouble_of(object_of(turn, "error")) if object_of(turn, "error") else None
        said = [text_of(item, "text") for item in objects_of(turn, "items") if text_of(item, "type") == "agentMessage"]
        text = said[-1] if said else state.answer
        state.turn, state.turn_id, state.answer, state.interrupting = None, None, "", False
        state.ended = text_of(turn, "id") or None
        stop: list[Item] = [Stopped(None)] if ending == "completed" else []
        if trouble is not None and trouble.problem is not None:
            stop = [Stopped(trouble.problem, trouble.message)]
        return [*left, *stop, Finished(ending, text, trouble.message if trouble else None)]

    def _left_over(self, thread: str, ending: str) -> list[Item]:
        """What will get no answer and no result any more; a command may go on after a turn that was completed."""
        asked = [native for native, of in self._state.asked.items() if of == thread]
        for native in asked:
            del self._state.asked[native]
        withdrawn: list[Item] = [Withdrawn(native, "its turn is over") for native in asked]
        if ending == "completed":
            return withdrawn
        return [*withdrawn, *self._items.abandon(thread, f"the turn was {ending}")]

    def _item_started(self, params: Object) -> list[Item] | None:
        return self._items.started(object_of(params, "item"), text_of(params, "threadId"))

    def _item_completed(self, params: Object) -> list[Item] | None:
        item = object_of(params, "item")
        if text_of(item, "type") == "agentMessage" and self._of_main(params):
            self._state.answer = text_of(item, "text") or self._state.answer
        return self._items.completed(item, text_of(params, "threadId"))

    def _said(self, params: Object) -> list[Item]:
        return [self._piece(Output, params)] if self._state.setup.partial else []

    def _thought(self, params: Object) -> list[Item]:
        return [self._piece(Thinking, params)] if self._state.setup.partial else []

    def _piece(self, kind: type[Output] | type[Thinking], params: Object) -> Item:
        parent = self._state.items.parents.get(text_of(params, "threadId"))
        return kind(0, 0, text_of(params, "delta"), text_of(params, "itemId"), True, parent)

    def _planned(self, params: Object) -> list[Item]:
        turn = self._state.turn_id if self._of_main(params) else None
        steps = [
            {"content": step.get("step"), "status": _STEPS.get(text_of(step, "status"), step.get("status"))}
            for step in objects_of(params, "plan")
        ]
        return [progress(steps, turn)]

    def _spent(self, params: Object) -> list[Item]:
        """Sums of a thread that was gone on with begin high, and are told once before any turn."""
        thread, usage = text_of(params, "threadId"), object_of(params, "tokenUsage")
        now, sums = sums_of(object_of(usage, "total")), self._state.sums
        if thread in sums:
            spent = added(sums[thread], now)
        else:
            idle = self._of_main(params) and self._state.turn is None
            spent = [] if idle else sums_of(object_of(usage, "last"))
        if thread in sums or len(sums) < MAX_THREADS:
            sums[thread] = now
        event = usage_of(self._state.model or "unknown", spent)
        return [event] if event else []

    def _erred(self, params: Object) -> list[Item]:
        trouble = trouble_of(object_of(params, "error"))
        if params.get("willRetry") is True:
            return [Notice(0, 0, "API_RETRY", trouble.message, trouble.details)]
        return [Error(0, 0, trouble.code, trouble.message, trouble.details)]

    def _resolved(self, params: Object) -> list[Item]:
        native = msgspec.json.encode(params.get("requestId")).decode()
        self._state.asked.pop(native, None)
        return [Withdrawn(native, "codex no longer waits for it")]

    def _status(self, params: Object) -> list[Item]:
        """Sub-agents may work on when the turn is over."""
        thread, busy = text_of(params, "threadId"), self._state.busy
        if thread in busy:
            busy.remove(thread)
        if text_of(object_of(params, "status"), "type") == "active" and len(busy) < MAX_THREADS:
            busy.append(thread)
        return [Busy(bool(busy))]

    def _rerouted(self, params: Object) -> list[Item]:
        before, after = text_of(params, "fromModel"), text_of(params, "toModel")
        if not self._of_main(params):
            return []
        self._state.model = after
        why = {"reason": params.get("reason")}
        return [Notice(0, 0, "MODEL_FALLBACK", f"{after} in place of {before}", why), Conversation(0, 0, model=after)]

    def _settings(self, params: Object) -> list[Item]:
        settings = object_of(params, "threadSettings")
        if not self._of_main(params):
            return []
        self._state.model = text_of(settings, "model") or self._state.model
        told = settings | {"sandbox": settings.get("sandboxPolicy")}
        return [Conversation(0, 0, model=self._state.model or None, mode=mode_told(told))]


def _input(prompt: str, images: list[Image]) -> list[Object]:
    pictures = [{"type": "image", "url": f"data:{image.media_type};base64,{image.data}"} for image in images]
    return [{"type": "text", "text": prompt}, *pictures]


def _complaint(error: Object) -> str:
    return text_of(error, "message") or "codex refused, and did not say why"


_STEPS = {"inProgress": "in_progress"}
_THREAD_DETAILS = (("cwd", "cwd"), ("version", "cliVersion"), ("forked_from", "forkedFromId"), ("transcript", "path"))

_ANSWERED: dict[str, Callable[[CodexServer, Pending, Object], list[Item]]] = {
    "initialize": CodexServer._greeted,
    "thread": CodexServer._threaded,
    "turn": CodexServer._started,
    "steer": CodexServer._steered,
    "interrupt": CodexServer._done,
}
_FAILED: dict[str, Callable[[CodexServer, Pending, str], list[Item]]] = {
    "initialize": CodexServer._unthreaded,
    "thread": CodexServer._unthreaded,
    "turn": CodexServer._refused,
    "steer": CodexServer._unsteered,
    "interrupt": CodexServer._complained,
}
_NOTIFICATIONS: dict[str, Callable[[CodexServer, Object], list[Item] | None]] = {
    "turn/started": CodexServer._turn_started,
    "turn/completed": CodexServer._turn_completed,
    "item/started": CodexServer._item_started,
    "item/completed": CodexServer._item_completed,
    "item/agentMessage/delta": CodexServer._said,
    "item/plan/delta": CodexServer._said,
    "item/reasoning/summaryTextDelta": CodexServer._thought,
    "item/reasoning/textDelta": CodexServer._thought,
    "turn/plan/updated": CodexServer._planned,
    "thread/tokenUsage/updated": CodexServer._spent,
    "error": CodexServer._erred,
    "serverRequest/resolved": CodexServer._resolved,
    "thread/status/changed": CodexServer._status,
    "model/rerouted": CodexServer._rerouted,
    "thread/settings/updated": CodexServer._settings,
}
