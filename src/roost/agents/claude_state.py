"""What is remembered of a conversation with Claude Code between two lines."""

from __future__ import annotations

from typing import TypeVar

from msgspec import Struct

from roost.agents.driver import Item
from roost.model.events import Conversation

LONGEST_ANSWER = 1 << 16
"""Characters of a plain answer that its turn tells."""
REMEMBERED = 512
"""Calls, requests and prompts of which something is still expected; the oldest beyond that are forgotten."""


Kept = TypeVar("Kept")


class Baseline(Struct):
    """What the CLI has told of one model's use so far."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float = 0.0


class State(Struct):
    """All of it; small, and stored with every checkpoint."""

    cwd: str = ""
    conversation_id: str | None = None
    model: str | None = None
    mode: str | None = None
    known: int = 0
    """A sum over the tools and servers that were told last."""
    one_shot: bool = False
    """Whether the prompt is an argument, so that nothing can be written."""
    plain: bool = False
    """Whether the answer comes as plain text."""
    answer: str = ""
    """The plain answer so far."""
    resumed: bool = False
    """Whether totals may begin with what was spent before this process."""
    requests: dict[str, list[str]] = {}
    """What our control requests, by their ids, are about."""
    asked: int = 0
    waiting: dict[str, str] = {}
    """Prompts written that were not taken up: the turns' ids by their UUIDs."""
    prompted: str | None = None
    """The turn that was last given as the next, until it is over."""
    working: bool = False
    """Whether a turn is known to have begun."""
    interrupted: bool = False
    messages: dict[str, str] = {}
    """Ids of the messages that are being made, by the sub-agent's call."""
    edits: dict[str, str] = {}
    """Open calls that change files: the tools' names."""
    asks: dict[str, str] = {}
    """What it waits for an answer to: the questions' ids by the calls'."""
    creating: dict[str, str] = {}
    """Open calls about the to-do list: the new tasks' texts."""
    tasks: dict[str, list[str]] = {}
    """The to-do list: text and state by number."""
    spent: dict[str, Baseline] = {}
    problem: str | None = None


def learn(
    state: State, conversation_id: str | None = None, model: str | None = None, mode: str | None = None
) -> list[Item]:
    """Keep what was told of the conversation; an event where something of it is new."""
    told = (conversation_id or state.conversation_id, model or state.model, mode or state.mode)
    if told == (state.conversation_id, state.model, state.mode):
        return []
    state.conversation_id, state.model, state.mode = told
    return [Conversation(0, 0, *told)]


def remember(memory: dict[str, Kept], key: str, value: Kept) -> None:
    """Keep `value`, at most `REMEMBERED` of them."""
    memory[key] = value
    if len(memory) > REMEMBERED:
        del memory[next(iter(memory))]
