"""What the projection asks of whoever understands a structured agent's output."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

from roost.core.recording import Input
from roost.model.agents import Definition, State
from roost.model.attention import Attention
from roost.model.conversations import ConversationState
from roost.model.events import AnyEvent


class Decoder(Protocol):
    """One session's conversation. What it gives has `seq` and `time_ns` 0. `now_ns` is wall time."""

    state: ConversationState

    def open(self, argv: list[str], definition: Definition, now_ns: int) -> list[AnyEvent]:
        """The session begins."""

    def output(self, data: bytes, now_ns: int) -> list[AnyEvent]:
        """Bytes of standard output, cut anywhere."""

    def input(self, item: Input, now_ns: int) -> list[AnyEvent]:
        """Something was written to the agent."""

    def mark(self, name: str, data: dict[str, Any], now_ns: int) -> list[AnyEvent] | None:
        """A mark was made; none where it is not about a conversation."""

    def finish(self, now_ns: int, exit_code: int | None = None) -> list[AnyEvent]:
        """The process ended, with a code unless a signal ended it or nobody saw it end."""

    @property
    def session_state(self) -> tuple[State, str | None]:
        """What the session does, and why."""

    def save(self) -> bytes:
        """What `load` needs."""

    def load(self, saved: bytes) -> None:
        """Go on from what `save` gave.

        Raises:
            ValueError: another release made it.
        """


class Observer(Protocol):
    """What others saw an agent do, who looked at its files or its own notes; marks in the recording say so."""

    @property
    def talk(self) -> ConversationState | None:
        """The conversation as the agent's own notes have it, where there are any."""

    def mark(
        self, name: str, data: dict[str, Any], talk: ConversationState | None, now_ns: int
    ) -> list[AnyEvent] | None:
        """A mark was made; none where it is no observation. `talk` is the session's conversation, if it has one."""

    def noticed(self) -> Attention | None:
        """What the last mark says the agent is about, where that is another than before."""

    def finish(self, now_ns: int) -> list[AnyEvent]:
        """The process ended."""

    def save(self) -> bytes:
        """What `load` needs."""

    def load(self, saved: bytes) -> None:
        """Go on from what `save` gave.

        Raises:
            ValueError: another release made it.
        """


class Makers(NamedTuple):
    """Who understands what: a decoder for a session's id and definition, where its driver speaks a protocol, and an
    observer for any definition."""

    decoder: Callable[[str, Definition], Decoder | None]
    observer: Callable[[Definition], Observer]
