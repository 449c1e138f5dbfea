"""What is remembered of a conversation with `codex app-server`; all of it is in every checkpoint."""

from __future__ import annotations

from typing import Any

from msgspec import Struct, field

from roost.agents.codex_items import ItemState
from roost.agents.codex_modes import Setup
from roost.agents.codex_usage import Sums

Object = dict[str, Any]


class Pending(Struct, array_like=True):
    """A request of ours without a response."""

    what: str
    turn_id: str | None = None
    input: list[Object] = []


class ServerState(Struct):
    """What a conversation with an app-server remembers."""

    setup: Setup = Setup()
    items: ItemState = field(default_factory=ItemState)
    number: int = 0
    pending: dict[str, Pending] = {}
    thread: str | None = None
    trouble: str = ""
    """Why there is no thread."""
    model: str = ""
    turn: str | None = None
    """The turn that runs, in codex's word, and its id in ours."""
    turn_id: str | None = None
    others: dict[str, str] = {}
    """Turns of sub-agents, by thread."""
    ended: str | None = None
    answer: str = ""
    """What the running turn said last: its answer, once it is over."""
    sums: dict[str, Sums] = {}
    busy: list[str] = []
    """Threads that work."""
    asked: dict[str, str] = {}
    """Questions without an answer, by codex's own id, and the thread of each."""
    interrupting: bool = False
    change: Object = {}
    """What the next turn is to be started with besides."""
