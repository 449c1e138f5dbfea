"""What Codex writes about itself: the lines of a rollout (`sessions/YYYY/MM/DD/rollout-*.jsonl`).

Turns begin and end with events, items are told when they are whole, and calls when the model makes them; tokens are
sums. Older releases tell messages as events of their own. What the file keeps for the CLI's own use is passed over.
Source: rollouts of releases 0.163 and 0.169.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct, field

from roost.agents.codex_fields import object_of, read_object, text_of
from roost.agents.codex_items import ItemReader, ItemState
from roost.agents.codex_rollout_calls import called, came_out, is_running, plan_of, written_item
from roost.agents.codex_trouble import plain, trouble_of
from roost.agents.codex_usage import Sums, added, sums_of, usage_of
from roost.agents.driver import Finished, Item, Opening, Ready, Stopped, Taken
from roost.agents.json_in import unknown
from roost.agents.plans import progress
from roost.agents.reading import OnlyReads, seen
from roost.model.events import Conversation, Error, Notice, Output, Thinking, Turn

MAIN = "main"
Object = dict[str, Any]


class RolloutState(Struct):
    """What is remembered of a rollout."""

    items: ItemState = field(default_factory=ItemState)
    thread: str = ""
    model: str = ""
    mode: str = ""
    turn: str = ""
    """The turn that runs, in codex's word."""
    begun: bool = False
    """Whether that turn was told of."""
    sums: Sums | None = None
    tells_items: bool = False
    """Whether messages come as items, so that they are not read a second time."""


class CodexRollout(OnlyReads):
    """A codec that only reads."""

    def __init__(self) -> None:
        self._state = RolloutState()
        self._items = ItemReader(self._state.items)

    def open(self, opening: Opening) -> list[Item]:
        """Nothing is ever written; prompts are typed elsewhere."""
        self._state.items.cwd = opening.definition.cwd
        return [Ready()]

    def receive(self, line: bytes, now_ns: int) -> list[Item]:
        """A line of the rollout."""
        told = read_object(line)
        if told is None:
            return [seen(unknown(line, "no JSON"))]
        handler = _LINES.get(text_of(told, "type"))
        items = handler(self, object_of(told, "payload")) if handler else []
        return [seen(item) for item in (items if items is not None else [unknown(line, "an item of an unknown type")])]

    def finish(self, exit_code: int | None = None) -> list[Item]:
        """Calls that ran have no result."""
        return [seen(item) for item in self._items.abandon(None, "codex ended")]

    def save(self) -> Any:
        """The state."""
        return msgspec.to_builtins(self._state)

    def load(self, saved: Any) -> None:
        """Go on from what `save` gave."""
        self._state = msgspec.convert(saved, RolloutState)
        self._items = ItemReader(self._state.items)

    # Lines

    def _meta(self, told: Object) -> list[Item]:
        """The first line; a fork has that of its origin behind its own."""
        thread = text_of(told, "id")
        if self._state.thread or not thread:
            return []
        self._state.thread = thread
        self._state.items.cwd = text_of(told, "cwd") or self._state.items.cwd
        version = text_of(told, "cli_version")
        return [Conversation(0, 0, thread, details={"version": version} if version else {})]

    def _context(self, told: Object) -> list[Item]:
        model, mode = text_of(told, "model"), text_of(told, "approval_policy")
        if (model, mode) == (self._state.model, self._state.mode):
            return []
        self._state.model, self._state.mode = model, mode
        return [Conversation(0, 0, self._state.thread or None, model or None, mode or None)]

    def _response(self, told: Object) -> list[Item]:
        kind, key = text_of(told, "type"), text_of(told, "call_id")
        if kind.endswith("_call_output"):
            return self._output(key, told)
        if not kind.endswith("_call") or not key:
            return []
        if (plan := plan_of(told)) is not None:
            return [*self._begin(None), progress(plan)]
        return [*self._begin(None), self._items.call(called(told, key, self._state.items.cwd), MAIN)]

    def _output(self, key: str, told: Object) -> list[Item]:
        """What the model was told of a call; of most calls an item has said the same before."""
        if key not in self._state.items.open or is_running(told):
            return []
        text, failed, details = came_out(told)
        return [self._items.result(key, text, failed=failed, details=details)]

    def _compacted(self, told: Object) -> list[Item]:
        return [Notice(0, 0, "COMPACTED", "the conversation was made shorter")]

    def _event(self, told: Object) -> list[Item] | None:
        handler = _EVENTS.get(text_of(told, "type"))
        return handler(self, told) if handler else []

    # Events

    def _begin(self, prompt: str | None) -> list[Item]:
        """A turn is told of with its prompt, or, without one, with the first thing that it does."""
        if self._state.begun or (prompt is None and not self._state.turn):
            return []
        self._state.begun = True
        return [Taken(native_id=self._state.turn or None, prompt=prompt)]

    def _started(self, told: Object) -> list[Item]:
        ended = self._aborted({}) if self._state.begun else []
        self._state.turn, self._state.begun = text_of(told, "turn_id"), False
        return ended

    def _completed(self, told: Object) -> list[Item]:
        trouble = trouble_of(_error(object_of(told, "error"))) if object_of(told, "error") else None
        text = text_of(told, "last_agent_message")
        begun = self._begin(None)
        self._state.turn, self._state.begun = "", False
        if trouble is None:
            return [*begun, Stopped(None), Finished("completed", text)]
        left = self._items.abandon(None, "the turn was failed")
        stop: list[Item] = [Stopped(trouble.problem, trouble.message)] if trouble.problem else []
        return [*begun, *left, *stop, Finished("failed", text, trouble.message)]

    def _aborted(self, told: Object) -> list[Item]:
        begun = self._begin(None)
        self._state.turn, self._state.begun = "", False
        left = self._items.abandon(None, "the turn was interrupted")
        return [*begun, *left, Finished("interrupted", reason=text_of(told, "reason") or "interrupted")]

    def _item(self, told: Object) -> list[Item] | None:
        self._state.tells_items = True
        item = written_item(object_of(told, "item"))
        if text_of(item, "type") == "userMessage":
            return self._prompted(text_of(item, "text"), text_of(item, "id"))
        told_of = self._items.completed(item, MAIN)
        return None if told_of is None else [*self._begin(None), *told_of]

    def _prompted(self, text: str, key: str) -> list[Item]:
        """What somebody typed; during a turn it is taken into that."""
        if self._state.begun:
            return [Turn(0, 0, key or "own", "steered", prompt=text, by="terminal")]
        return self._begin(text)

    def _user_message(self, told: Object) -> list[Item]:
        return [] if self._state.tells_items else self._prompted(text_of(told, "message"), "")

    def _agent_message(self, told: Object) -> list[Item]:
        text = text_of(told, "message")
        return [] if self._state.tells_items or not text else [*self._begin(None), Output(0, 0, text)]

    def _agent_reasoning(self, told: Object) -> list[Item]:
        text = text_of(told, "text")
        return [] if self._state.tells_items or not text else [*self._begin(None), Thinking(0, 0, text)]

    def _spent(self, told: Object) -> list[Item]:
        """Sums of a conversation that was gone on with begin high; what was spent last is told beside them."""
        info = object_of(told, "info")
        if not info:
            return []
        now, before = sums_of(object_of(info, "total_token_usage")), self._state.sums
        self._state.sums = now
        tokens = sums_of(object_of(info, "last_token_usage")) if before is None else added(before, now)
        event = usage_of(self._state.model or "unknown", tokens)
        return [event] if event else []

    def _erred(self, told: Object) -> list[Item]:
        trouble = trouble_of(_error(told))
        return [Error(0, 0, trouble.code, trouble.message, trouble.details)]

    def _retried(self, told: Object) -> list[Item]:
        return [Notice(0, 0, "API_RETRY", plain(text_of(told, "message")))]

    def _warned(self, told: Object) -> list[Item]:
        return [Notice(0, 0, "WARNING", text_of(told, "message"))]


def _error(told: Object) -> Object:
    """An error in the app-server's spelling."""
    return {"message": told.get("message"), "codexErrorInfo": told.get("codex_error_info")}


_LINES: dict[str, Callable[[CodexRollout, Object], list[Item] | None]] = {
    "session_meta": CodexRollout._meta,
    "turn_context": CodexRollout._context,
    "response_item": CodexRollout._response,
    "compacted": CodexRollout._compacted,
    "event_msg": CodexRollout._event,
}
_EVENTS: dict[str, Callable[[CodexRollout, Object], list[Item] | None]] = {
    "task_started": CodexRollout._started,
    "task_complete": CodexRollout._completed,
    "turn_aborted": CodexRollout._aborted,
    "item_completed": CodexRollout._item,
    "user_message": CodexRollout._user_message,
    "agent_message": CodexRollout._agent_message,
    "agent_reasoning": CodexRollout._agent_reasoning,
    "token_count": CodexRollout._spent,
    "error": CodexRollout._erred,
    "stream_error": CodexRollout._retried,
    "warning": CodexRollout._warned,
}
