"""What is remembered of a conversation in the Agent Client Protocol; all of it is in every checkpoint."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from roost.model.agents import AgentOptions

MAX_CALLS = 256
MAX_CLOSED = 64
MAX_KEPT_OUTPUT = 1 << 18
"""Characters of a tool's output, told piece by piece, that are kept until it is done."""


class Change(Struct, array_like=True):
    """What a tool call does to a file, by its own account."""

    path: str
    change: str
    added: int | None = None
    removed: int | None = None


class Call(Struct):
    """A tool call that has no result yet, as far as the agent has told."""

    call_id: str
    name: str = ""
    kind: str = ""
    title: str = ""
    path: str = ""
    input: dict[str, Any] = {}
    text: str = ""
    output: Any = None
    printed: str = ""
    details: dict[str, Any] = {}
    changes: list[Change] = []
    parent: str | None = None
    told: bool = False


class Message(Struct):
    """A message that is being said, in pieces."""

    kind: str
    message_id: str
    parts: list[str]
    parent: str | None = None


class Knob(Struct):
    """How the model or the mode is changed: by a request's `method`, with the option's `config_id` where it is one."""

    method: str = ""
    config_id: str = ""
    values: list[tuple[str, str]] = []
    """What it may be set to, each as id and name."""


class AcpState(Struct):
    """One session's."""

    cwd: str = ""
    options: AgentOptions = AgentOptions()
    agent: str = ""
    """The agent's name and version."""
    can: list[str] = []
    """What the agent said that it can: `load`, `resume`, `fork`, `image`, `directories`."""
    logins: list[str] = []
    next_id: int = 1
    sent: dict[int, str] = {}
    """Our requests without an answer, by id: what was asked."""
    session_id: str = ""
    ready: bool = False
    loading: bool = False
    setup: list[tuple[str, str]] = []
    """What is still to be set before the first prompt."""
    knobs: dict[str, Knob] = {}
    changing: dict[int, tuple[str, str]] = {}
    told: dict[str, str] = {}
    """The `model` and the `mode` that were told last."""
    model: str = ""
    problem: bool = False
    turn_id: str | None = None
    taken: bool = False
    cancelled: bool = False
    answer: str = ""
    message: Message | None = None
    messages: int = 0
    calls: list[Call] = []
    closed: list[str] = []
    asked: dict[str, str] = {}
    """What the agent waits for, by the request's id as JSON: the tool call it is about."""
    cost: float = 0.0
    cost_told: float = 0.0
    context: dict[str, Any] = {}
    plans: bool = False
    """Whether the agent tells its plan; otherwise its to-do tool is taken for it."""
    commands: int = 0
    """Check sum of the commands that were last told."""
