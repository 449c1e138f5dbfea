"""How a scripted agent goes through a turn: what is said, which tools run, who is asked, what interrupts it."""

from __future__ import annotations

import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from roost.testing.agents.workshop import Outcome, Tools
from roost.testing.models.script import (
    Answer,
    Call,
    Cut,
    Fail,
    Fault,
    Say,
    Step,
    Stop,
    Think,
    Tokens,
    Wait,
    is_script,
    read_script,
)

PIECE = 24
POLL_S = 0.05
FOREVER_S = 86400.0


class Asked(NamedTuple):
    """A tool call that an agent has made, with the id that it goes by."""

    id: str
    call: Call


class Verdict(NamedTuple):
    """Whether a call may run, and as what; or why not. `ends_turn` when the refusal is the end of the turn."""

    call: Call | None
    reason: str = ""
    ends_turn: bool = False


class Interrupted(Exception):
    """The turn was interrupted; `pending` are the calls that have no result yet."""

    def __init__(self, *pending: Asked) -> None:
        super().__init__("interrupted")
        self.pending = pending


class TurnFailed(Exception):
    """The model's endpoint gave no answer; the turn is over. `status` is that of HTTP, 0 for a broken connection."""

    def __init__(self, status: int) -> None:
        super().__init__(str(status))
        self.status = status


class TurnEnded(Exception):
    """The turn is over early, and that is not a failure."""


class Voice(Protocol):
    """What one protocol says for each thing that happens. All is called from the thread that performs the turn."""

    def begin(self) -> None:
        """The model is asked for an answer."""

    def think(self, text: str) -> None:
        """A thought."""

    def say(self, text: str, pieces: Iterator[str]) -> None:
        """Text; taking a piece from `pieces` takes its time and raises Interrupted when it is interrupted."""

    def announce(self, call: Call) -> Asked:
        """The model calls a tool."""

    def permit(self, asked: Asked) -> Verdict:
        """Whether it may; waits for whoever decides. Raises Interrupted."""

    def output(self, asked: Asked, text: str) -> None:
        """A running command printed something; called from another thread."""

    def result(self, asked: Asked, ran: Call, outcome: Outcome) -> None:
        """A call is done; `ran` is what was allowed."""

    def refused(self, asked: Asked, verdict: Verdict) -> None:
        """A call was not allowed."""

    def fail(self, fail: Fail) -> None:
        """The endpoint fails: retries are reported; TurnFailed is raised when they are not enough."""

    def cut(self, cut: Cut) -> None:
        """The connection broke off."""

    def stopped(self, reason: str) -> None:
        """The model gave this reason for the end of its answer."""

    def tokens(self, tokens: Tokens) -> None:
        """What the answer used is to be counted as this."""

    def finish(self) -> None:
        """The answer is complete."""

    def steered(self) -> list[str]:
        """What was said to the agent meanwhile and is to be heeded now."""

    def fault(self, fault: Fault) -> None:
        """Go wrong."""


class Finished(NamedTuple):
    """A call that was run, and what came of it."""

    asked: Asked
    ran: Call
    outcome: Outcome


class Performance:
    """One turn. `interrupt()` may be called from any thread."""

    def __init__(self, voice: Voice, tools: Tools, *, has_background: bool = False) -> None:
        self._voice = voice
        self._tools = tools
        self._has_background = has_background
        self._stop = threading.Event()
        self._done: queue.SimpleQueue[Finished | None] = queue.SimpleQueue()
        self._is_deaf = self._is_reversed = False
        self.behind: list[tuple[Asked, queue.SimpleQueue[Finished]]] = []

    def interrupt(self) -> None:
        """Ask the turn to end."""
        self._stop.set()
        self._done.put(None)

    def check(self) -> None:
        """Raise Interrupted when the turn is to end."""
        if self._stop.is_set() and not self._is_deaf:
            raise Interrupted

    def play(self, answers: list[Answer]) -> None:
        """Go through the answers; whatever steers the turn with a script replaces the rest.

        Raises:
            Interrupted, TurnFailed, TurnEnded: the turn ended early.
        """
        rest = deque(answers)
        while rest:
            if not self._answer(rest.popleft()):
                continue
            for text in self._voice.steered():
                rest = deque(read_script(text)) if is_script(text) else rest

    def sleep(self, seconds: float) -> None:
        """Wait, unless interrupted."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            self.check()
            if self._is_deaf:
                time.sleep(min(left, POLL_S))
            else:
                self._stop.wait(min(left, 0.5))
        self.check()

    def _answer(self, answer: Answer) -> bool:
        """Perform an answer; whether it called tools, after which an agent listens to what was said meanwhile."""
        self.check()
        self._voice.begin()
        asked = [one for step in answer for one in self._perform(step)]
        self._voice.finish()
        if asked:
            self._run_all(asked)
        return bool(asked)

    def _perform(self, step: Step) -> Iterator[Asked]:
        match step:
            case Call():
                yield self._voice.announce(step)
            case Say():
                self._voice.say(step.text, self._pieces(step))
            case Think():
                self._voice.think(step.text)
            case Wait():
                self.sleep(step.seconds)
            case Fault():
                self._fault(step)
            case Fail():
                self._voice.fail(step)
            case Cut():
                self._voice.cut(step)
            case Stop():
                self._voice.stopped(step.reason)
            case Tokens():
                self._voice.tokens(step)

    def _pieces(self, step: Say) -> Iterator[str]:
        pieces = [step.text[at : at + PIECE] for at in range(0, len(step.text), PIECE)] if step.pause_s else [step.text]
        for piece in pieces or [""]:
            self.check()
            yield piece
            self.sleep(step.pause_s)

    def _fault(self, fault: Fault) -> None:
        if fault.kind == "never":
            self.sleep(FOREVER_S)
        elif fault.kind == "deaf":
            self._is_deaf = True
        elif fault.kind == "reverse":
            self._is_reversed = True
        else:
            self._voice.fault(fault)

    def _run_all(self, asked: list[Asked]) -> None:
        waiting = {one.id: one for one in asked}
        try:
            for one in asked:
                if not self._start(one):
                    del waiting[one.id]
            self._report(waiting)
        except Interrupted as exc:
            self._tools.kill()
            raise Interrupted(*waiting.values()) from exc

    def _start(self, asked: Asked) -> bool:
        self.check()
        verdict = self._voice.permit(asked)
        if verdict.call is None:
            self._voice.refused(asked, verdict)
            if verdict.ends_turn:
                raise TurnEnded
            return False
        if self._has_background and verdict.call.input.get("background"):
            later: queue.SimpleQueue[Finished] = queue.SimpleQueue()
            self.behind.append((asked, later))
            self._run(asked, verdict.call, later.put)
            self._done.put(Finished(asked, verdict.call, Outcome("", is_background=True)))
        else:
            self._run(asked, verdict.call, self._done.put)
        return True

    def _run(self, asked: Asked, call: Call, done: Callable[[Finished], None]) -> None:
        ticket = self._tools.ticket()

        def run() -> None:
            # A tool that asks the other side may find its question taken back; the turn knows that already.
            with contextlib.suppress(Interrupted):
                done(Finished(asked, call, self._tools.run(call, lambda text: self._voice.output(asked, text), ticket)))

        threading.Thread(target=run, daemon=True).start()

    def _report(self, waiting: dict[str, Asked]) -> None:
        order = list(waiting)
        held: list[Finished] = []
        for _ in order:
            held.append(self._next())
            if not self._is_reversed:
                self._hand_over(held.pop(), waiting)
        for one in sorted(held, key=lambda one: order.index(one.asked.id), reverse=True):
            self._hand_over(one, waiting)

    def _hand_over(self, one: Finished, waiting: dict[str, Asked]) -> None:
        self._voice.result(one.asked, one.ran, one.outcome)
        del waiting[one.asked.id]

    def _next(self) -> Finished:
        while True:
            self.check()
            found = self._done.get()
            if found is not None:
                return found
