"""What a fake endpoint is asked, in words that all wires share, and the shape of a wire."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple, Protocol

from roost.testing.models.script import Call, Say, Step, Think

Json = dict[str, Any]
PIECE = 24
USER, MODEL, TOOL = "user", "model", "tool"


class Turn(NamedTuple):
    """A part of a conversation: who speaks (`user`, `model` or `tool`), and the texts."""

    role: str
    texts: tuple[str, ...]


class Asked(NamedTuple):
    """A request for an answer. `tools` are the names that the model may call; `about` is all that was sent, as text."""

    model: str
    is_streamed: bool
    turns: list[Turn]
    tools: tuple[str, ...]
    about: str

    @property
    def input_tokens(self) -> int:
        """About as many as a tokenizer would count."""
        return max(1, len(self.about) // 4)


class Pause(NamedTuple):
    """Silence in the middle of a stream."""

    seconds: float


class BreakOff(NamedTuple):
    """The connection ends here, in the middle of a stream."""


class Event(NamedTuple):
    """One server-sent event; `name` is empty where a wire has no event names, `data` may be text that is no JSON."""

    name: str
    data: Json | str


class Wire(Protocol):
    """One maker's API."""

    def read(self, path: str, body: Json) -> Asked:
        """What is asked for."""

    def whole(self, asked: Asked, steps: list[Step]) -> Json:
        """The answer as one document."""

    def streamed(self, asked: Asked, steps: list[Step]) -> Iterator[Event | Pause | BreakOff]:
        """The answer as a stream."""

    def refusal(self, status: int, message: str) -> Json:
        """The body of an answer that is an error."""


def pieces(text: str, size: int = PIECE) -> list[str]:
    """A text cut up as a model would send it; never none."""
    return [text[at : at + size] for at in range(0, len(text), size)] or [""]


def texts_of(content: Any) -> tuple[str, ...]:
    """The texts of a message's content, whichever of the usual shapes it has."""
    if isinstance(content, str):
        return (content,)
    parts = content if isinstance(content, list) else []
    return tuple(part["text"] for part in parts if isinstance(part, dict) and isinstance(part.get("text"), str))


def output_tokens(steps: Iterable[Step]) -> int:
    """About as many as a model would have written."""
    return max(1, sum(_size(step) for step in steps) // 4)


def said(steps: Iterable[Step]) -> str:
    """All that is said."""
    return "".join(step.text for step in steps if isinstance(step, Say))


def has_calls(steps: Iterable[Step]) -> bool:
    """Whether tools are called."""
    return any(isinstance(step, Call) for step in steps)


def _size(step: Step) -> int:
    if isinstance(step, Say | Think):
        return len(step.text)
    return len(json.dumps(step.input)) if isinstance(step, Call) else 0
