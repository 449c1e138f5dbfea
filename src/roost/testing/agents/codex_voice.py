"""What Codex says in a turn: items that begin and end, whichever way they are written down."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any, Protocol

from roost.testing.agents import codex_items as items
from roost.testing.agents.claude_usage import tokens_in
from roost.testing.agents.codex_thread import Thread
from roost.testing.agents.performing import Asked, TurnFailed, Verdict
from roost.testing.agents.workshop import Outcome
from roost.testing.models.script import Call, Cut, Fail, Fault, Tokens

Json = dict[str, Any]
RETRY_PAUSE_S = 0.01
RETRIES = 5
SILENT_RETRIES = 4
INFO = {400: "badRequest", 401: "unauthorized", 429: "rateLimitExceeded", 529: "serverOverloaded"}
BUSY = "We’re currently experiencing high demand, which may cause temporary errors."
NEVER_RETRIED = (400, 401, 403, 404)


class Sink(Protocol):
    """Where the items of a turn go, and who decides about them."""

    def started(self, item: Json) -> None:
        """An item began."""

    def completed(self, item: Json) -> None:
        """An item is whole."""

    def thought(self, item: Json, text: str) -> None:
        """A piece of a thought."""

    def said(self, item: Json, text: str) -> None:
        """A piece of a message."""

    def printed(self, item: Json, text: str) -> None:
        """A piece of a command's output."""

    def plan(self, steps: list[Json]) -> None:
        """The agent's plan is this now."""

    def diff(self, text: str) -> None:
        """All that the turn changed in files is this now."""

    def usage(self) -> None:
        """The counts of the thread changed."""

    def error(self, message: str, info: Any, *, will_retry: bool) -> None:
        """The model's endpoint failed."""

    def approve(self, item: Json) -> str:
        """Whether a call may run: `accept`, `acceptForSession`, `decline` or `cancel`. May raise Interrupted."""

    def ask(self, item_id: str, call: Call) -> str:
        """Put a question to the user; the answer. May raise Interrupted."""

    def fault(self, fault: Fault) -> None:
        """Go wrong."""

    def steered(self) -> list[str]:
        """What was said to the agent meanwhile."""


class CodexVoice:
    """One turn of a thread. `messages` are the items that were said; `error` is why the turn failed."""

    def __init__(self, thread: Thread, sink: Sink) -> None:
        self._thread = thread
        self._sink = sink
        self._items: dict[str, Json] = {}
        self._begun: dict[str, int] = {}
        self._diffs: list[str] = []
        self._written = 0
        self._override: Tokens | None = None
        self.messages: list[Json] = []
        self.error: Json | None = None

    def begin(self) -> None:
        self._written = 0

    def think(self, text: str) -> None:
        item = items.reasoning(items.short_id("rs_"), [])
        self._sink.started(item)
        self._sink.thought(item, text)
        self._sink.completed({**item, "summary": [text]})
        self._written += tokens_in(text)

    def say(self, text: str, pieces: Iterator[str]) -> None:
        item = items.agent_message(items.short_id("msg_"), "")
        self._sink.started(item)
        for piece in pieces:
            self._sink.said(item, piece)
        whole = {**item, "text": text}
        self._sink.completed(whole)
        self._written += tokens_in(text)
        self._thread.message("assistant", text)
        self.messages.append(whole)

    def announce(self, call: Call) -> Asked:
        self._written += 40
        item = items.item_of(call, self._thread.cwd)
        self._items[item["id"]] = item
        return Asked(item["id"], call)

    def stopped(self, reason: str) -> None:
        """The endpoint's reasons are not shown."""

    def tokens(self, tokens: Tokens) -> None:
        self._override = tokens

    def finish(self) -> None:
        counts, self._override = self._override, None
        if counts:
            self._thread.answered(counts.output, read=counts.input)
        else:
            self._thread.answered(max(1, self._written))
        self._thread.heard("x" * 4 * self._written)
        self._sink.usage()

    def permit(self, asked: Asked) -> Verdict:
        item = self._items[asked.id]
        if asked.call.tool in ("plan", "ask") and not asked.call.is_raw:
            return Verdict(asked.call)
        self._begun[asked.id] = items.now_ms()
        self._sink.started(item)
        decision = self._sink.approve(item) if item["type"] in ("commandExecution", "fileChange") else "accept"
        if decision in ("decline", "cancel"):
            return Verdict(None, decision, ends_turn=decision == "cancel")
        return Verdict(asked.call)

    def output(self, asked: Asked, text: str) -> None:
        self._sink.printed(self._items[asked.id], text)

    def result(self, asked: Asked, ran: Call, outcome: Outcome) -> None:
        self._thread.heard(outcome.text)
        if ran.tool == "plan" and not ran.is_raw:
            self._sink.plan(items.plan_steps(ran))
        elif ran.tool == "ask" and not ran.is_raw:
            self._thread.heard(self._sink.ask(asked.id, ran))
        else:
            took = items.now_ms() - self._begun[asked.id]
            self._sink.completed(items.done(self._items[asked.id], outcome, took))
        if ran.tool in ("write", "edit") and outcome.after is not None and not outcome.is_error:
            path, before, after = outcome.path, outcome.before, outcome.after
            self._diffs.append(items.unified(path, before, after, self._thread.cwd))
            self._sink.diff("".join(self._diffs))

    def refused(self, asked: Asked, verdict: Verdict) -> None:
        self._sink.completed({**self._items[asked.id], "status": "declined"})

    def interrupted(self, pending: tuple[Asked, ...]) -> None:
        """Close what was open."""
        for asked in pending:
            item = self._items[asked.id]
            if asked.id in self._begun and "status" in item:
                self._sink.completed({**item, "status": "failed"})

    def fail(self, fail: Fail) -> None:
        if fail.model not in self._thread.model:
            return
        if fail.status in NEVER_RETRIED:
            self._give_up(_refusal(fail.status), fail.status)
        elif fail.status == 429:
            if fail.times > RETRIES:
                self._give_up("exceeded retry limit, last status: 429 Too Many Requests", 429)
        else:
            # A request is tried again in silence before that is told.
            self._reconnect(fail.times // (1 + SILENT_RETRIES), BUSY, fail.status)

    def cut(self, cut: Cut) -> None:
        self._reconnect(cut.times, "stream disconnected before completion: Transport error", 0)

    def fault(self, fault: Fault) -> None:
        self._sink.fault(fault)

    def steered(self) -> list[str]:
        texts = self._sink.steered()
        for text in texts:
            item = items.user_message(text)
            self._sink.started(item)
            self._sink.completed(item)
            self._thread.heard(text)
        return texts

    def _reconnect(self, times: int, text: str, status: int) -> None:
        info = {"responseStreamDisconnected": {"httpStatusCode": status or None}}
        for attempt in range(1, min(times, RETRIES) + 1):
            self._sink.error(f"Reconnecting... {attempt}/{RETRIES} ({text})", info, will_retry=True)
            time.sleep(RETRY_PAUSE_S)
        if times > RETRIES:
            self._give_up(text, status)

    def _give_up(self, message: str, status: int) -> None:
        info = INFO.get(status, "other")
        self.error = error_of(message, info)
        self._sink.error(message, info, will_retry=False)
        raise TurnFailed(status)


def error_of(message: str, info: Any) -> Json:
    """The `error` of a turn."""
    return {"message": message, "codexErrorInfo": info, "additionalDetails": None, "misalignment": None}


def _refusal(status: int) -> str:
    word = "invalid_request_error" if status == 400 else f"http_{status}"
    return f'{{"error": {{"type": "{word}", "code": "{word}", "message": "scripted: no answer"}}}}'
