"""A program that a driver speaks to, and people who ask things of it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from roost.agents.conversation import INPUT_SOURCE, ConversationDecoder
from roost.agents.driver import Driver, Launch
from roost.core.recording import Input
from roost.model.agents import AgentOptions, Definition
from roost.model.conversations import ConversationState
from roost.model.events import AnyEvent, Turn
from tests.testing.duplex import Duplex
from tests.waiting import scaled

NO_OPTIONS = AgentOptions()
PATIENCE_S = 20.0


class Running:
    """The program runs while this is entered; the decoder is another after every line, as after a server's restart."""

    def __init__(self, driver: Driver, command: list[str], where: Path, options: AgentOptions = NO_OPTIONS) -> None:
        self._driver = driver
        self._definition = Definition(command=command, driver=driver.name, cwd=str(where), options=options)
        launch = Launch(
            command=command, options=options, cwd=str(where), conversation_id=options.resume, fork=options.fork
        )
        self._launched = driver.launch(launch)
        self._where = where
        self._heard = 0
        self.decoder = self._decoder()
        self.events: list[AnyEvent] = []
        self.turns = 0

    def __enter__(self) -> Running:
        self._duplex = Duplex(self._launched.argv, self._where, self._launched.env).__enter__()
        self._take(self.decoder.open(self._launched.argv, self._definition, time.time_ns()))
        return self

    def __exit__(self, *_: object) -> None:
        self._duplex.__exit__()

    @property
    def state(self) -> ConversationState:
        """How the conversation stands."""
        return self.decoder.state

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of a type."""
        return [event for event in self.events if isinstance(event, kind)]

    def prompt(self, text: str, policy: str = "queue") -> str:
        """Somebody prompts; the turn's id."""
        self.turns += 1
        turn_id = f"turn-{self.turns}"
        self.mark("prompt", turn_id=turn_id, prompt=text, by="ada", policy=policy)
        return turn_id

    def decide(self, **decision: Any) -> None:
        """Somebody decides what is asked first."""
        self.until(lambda: self.state.approvals)
        self.mark("decision", approval_id=self.state.approvals[0].approval_id, decision=decision, by="ada")

    def mark(self, name: str, **data: Any) -> None:
        """Somebody asks for something."""
        self._take(self.decoder.mark(name, data, time.time_ns()) or [])

    def ended(self, turn_id: str) -> Turn:
        """How a turn ended, once it has."""
        ends = ("completed", "failed", "interrupted", "refused")
        self.until(lambda: self._states(turn_id) and self._states(turn_id)[-1].state in ends)
        return self._states(turn_id)[-1]

    def _states(self, turn_id: str) -> list[Turn]:
        return [event for event in self.of(Turn) if event.turn_id == turn_id]

    def until(self, condition: Callable[[], object]) -> None:
        """Listen until something is so."""
        deadline = time.monotonic() + scaled(PATIENCE_S)
        while not condition():
            left = deadline - time.monotonic()
            assert left > 0, f"it did not come to that: {self.events[-6:]}, {self._duplex.stderr[-600:]}"
            self._duplex.next(left)
            self._hear()

    def _hear(self) -> None:
        lines, self._heard = self._duplex.raw[self._heard :], len(self._duplex.raw)
        for line in lines:
            self._take(self.decoder.output(line.rstrip(b"\n") + b"\n", time.time_ns()))

    def _take(self, events: list[AnyEvent]) -> None:
        """Keep events and type what is to be typed; then go on with what a checkpoint holds."""
        self.events += events
        saved, self.decoder = self.decoder.save(), self._decoder()
        self.decoder.load(saved)
        for item in self.decoder.state.outgoing:
            self._duplex.write(item.data)
            self.events += self.decoder.input(Input(INPUT_SOURCE, item.number, item.data), time.time_ns())

    def _decoder(self) -> ConversationDecoder:
        return ConversationDecoder("s", self._driver.codec(), can_steer=self._driver.abilities.steer)
