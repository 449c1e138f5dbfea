"""`codex exec --json`: one prompt, given as an argument, told of in lines; nothing is written to it.

Its language has no close: a run that a signal ends just stops speaking. Tokens are sums over the whole conversation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec import Struct, field

from roost.agents.codex_fields import object_of, objects_of, read_object, text_of
from roost.agents.codex_items import ItemReader, ItemState, from_exec
from roost.agents.codex_launch import goes_on, model_named
from roost.agents.codex_trouble import trouble_of
from roost.agents.codex_usage import Sums, added, sums_of, usage_of
from roost.agents.driver import Busy, Decision, Finished, Image, Item, Opening, Ready, Refused, Stopped, Taken
from roost.agents.json_in import unknown
from roost.agents.plans import progress
from roost.model.conversations import OpenApproval, PendingTurn
from roost.model.events import Conversation, Error, Notice, Output, Progress

NOT_NAMED = "unknown"
"""The model, where neither options nor arguments name it: codex exec does not."""
ONE_SHOT = "codex exec takes one prompt, as its argument"

Object = dict[str, Any]


class ExecState(Struct):
    """What is remembered of a run."""

    items: ItemState = field(default_factory=ItemState)
    model: str = ""
    thread: str = ""
    sums: Sums | None = None
    """Tokens told of so far; none where the conversation began before this run."""
    answer: str = ""
    partial: bool = False


class CodexExec:
    """The codec of `codex exec --json`."""

    def __init__(self) -> None:
        self._state = ExecState()
        self._items = ItemReader(self._state.items)

    def open(self, opening: Opening) -> list[Item]:
        """It works from the start; prompts are taken only to be refused."""
        definition = opening.definition
        self._state.items.cwd = definition.cwd
        self._state.partial = definition.options.partial
        self._state.model = definition.options.model or definition.model or model_named(opening.argv) or NOT_NAMED
        self._state.sums = None if goes_on(opening.argv) else [0, 0, 0, 0]
        return [Ready(), Busy(True)]

    def receive(self, line: bytes, now_ns: int) -> list[Item]:
        """A line."""
        message = read_object(line)
        if message is None:
            return [unknown(line, "not a JSON object")]
        handler = _LINES.get(text_of(message, "type"))
        told = handler(self, message) if handler else None
        return [unknown(line, "a line of an unknown type")] if told is None else told

    def prompt(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """Refused."""
        return [Refused(turn.turn_id, ONE_SHOT)]

    def steer(self, turn: PendingTurn, images: list[Image]) -> list[Item]:
        """Refused."""
        return [Refused(turn.turn_id, ONE_SHOT)]

    def interrupt(self) -> list[Item]:
        """It cannot be asked to stop."""
        return [Notice(0, 0, "CANNOT_INTERRUPT", "codex exec hears nothing; stop the agent to end it")]

    def answer(self, approval: OpenApproval, decision: Decision) -> list[Item]:
        """It asks nothing."""
        return []

    def change(self, what: str, value: str) -> list[Item]:
        """It takes no change."""
        return [Notice(0, 0, "CHANGE_REFUSED", f"codex exec takes no other {what} while it runs")]

    def finish(self, exit_code: int | None = None) -> list[Item]:
        """Calls that ran have no result."""
        return [Busy(False), *self._items.abandon(None, "codex ended")]

    def save(self) -> Any:
        """The state."""
        return msgspec.to_builtins(self._state)

    def load(self, saved: Any) -> None:
        """Go on from it."""
        self._state = msgspec.convert(saved, ExecState)
        self._items = ItemReader(self._state.items)

    def _thread_started(self, message: Object) -> list[Item]:
        self._state.thread = text_of(message, "thread_id")
        return [
            Conversation(
                0, 0, self._state.thread or None, None if self._state.model == NOT_NAMED else self._state.model
            )
        ]

    def _turn_started(self, message: Object) -> list[Item]:
        self._state.answer = ""
        return [Taken()]

    def _turn_completed(self, message: Object) -> list[Item]:
        return [*self._spent(object_of(message, "usage")), Stopped(None), *self._finished("completed", None)]

    def _turn_failed(self, message: Object) -> list[Item]:
        trouble = trouble_of(object_of(message, "error"))
        stop = [Stopped(trouble.problem, trouble.message)] if trouble.problem else []
        return [*stop, *self._finished("failed", trouble.message)]

    def _finished(self, state: str, reason: str | None) -> list[Item]:
        left = [] if state == "completed" else self._items.abandon(None, "the turn failed")
        return [*left, Busy(False), Finished(state, self._state.answer, reason)]

    def _spent(self, usage: Object) -> list[Item]:
        now, before = sums_of(usage), self._state.sums
        self._state.sums = now
        if before is None:
            message = "codex exec tells only what the whole conversation has spent; this turn's part is not known"
            return [Notice(0, 0, "USAGE_NOT_KNOWN", message, {"conversation": usage})]
        event = usage_of(self._state.model, added(before, now))
        return [event] if event else []

    def _item_started(self, message: Object) -> list[Item] | None:
        item = object_of(message, "item")
        if text_of(item, "type") == "todo_list":
            return [_progress(item)]
        return self._items.started(from_exec(item), self._state.thread)

    def _item_updated(self, message: Object) -> list[Item] | None:
        """Of all items only the to-do list tells something new in between."""
        item = object_of(message, "item")
        if text_of(item, "type") == "todo_list":
            return [_progress(item)]
        return [] if self._items.knows(from_exec(item)) else None

    def _item_completed(self, message: Object) -> list[Item] | None:
        item = object_of(message, "item")
        if text_of(item, "type") == "todo_list":
            return [_progress(item)]
        if text_of(item, "type") == "agent_message":
            self._state.answer = text_of(item, "text") or self._state.answer
        return self._items.completed(from_exec(item), self._state.thread)

    def _planned(self, message: Object) -> list[Item]:
        """A piece of a plan; the whole comes as an item."""
        if not self._state.partial:
            return []
        return [Output(0, 0, text_of(message, "delta"), text_of(message, "item_id"), partial=True)]

    def _asked(self, message: Object) -> list[Item]:
        questions = [text_of(question, "question") for question in objects_of(message, "questions")]
        told = f"codex exec cannot be answered, and asks: {' '.join(questions)}"
        return [Notice(0, 0, "QUESTION_NOT_ANSWERED", told, {"tool_use_id": text_of(message, "call_id")})]

    def _erred(self, message: Object) -> list[Item]:
        trouble = trouble_of(message)
        if trouble.message.startswith("Reconnecting"):
            return [Notice(0, 0, "API_RETRY", trouble.message)]
        return [Error(0, 0, trouble.code, trouble.message)]


def _progress(item: Object) -> Progress:
    """A to-do list says what is done; the first that is not is what codex is at."""
    todo = objects_of(item, "items")
    at = next((place for place, one in enumerate(todo) if one.get("completed") is not True), None)
    done = ["completed" if one.get("completed") is True else "pending" for one in todo]
    states = [*done[:at], "in_progress", *done[at + 1 :]] if at is not None else done
    return progress([{"content": one.get("text"), "status": state} for one, state in zip(todo, states, strict=True)])


_LINES: dict[str, Callable[[CodexExec, Object], list[Item] | None]] = {
    "thread.started": CodexExec._thread_started,
    "turn.started": CodexExec._turn_started,
    "turn.completed": CodexExec._turn_completed,
    "turn.failed": CodexExec._turn_failed,
    "item.started": CodexExec._item_started,
    "item.updated": CodexExec._item_updated,
    "item.completed": CodexExec._item_completed,
    "item.plan.delta": CodexExec._planned,
    "request_user_input": CodexExec._asked,
    "error": CodexExec._erred,
}
