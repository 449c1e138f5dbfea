"""Conversations with structured agents, as they stand: what runs, what waits, what is asked, what was spent."""

from __future__ import annotations

from typing import Any

from msgspec import Struct


class PendingTurn(Struct, frozen=True):
    """A prompt that has no result yet; `native_id` is the CLI's own name for the turn."""

    turn_id: str
    prompt: str
    by: str = ""
    state: str = "queued"
    queued_ns: int = 0
    native_id: str | None = None


class TurnResult(Struct, frozen=True):
    """How a turn ended."""

    turn_id: str
    state: str
    text: str = ""
    reason: str | None = None
    duration_ms: int = 0
    ended_ns: int = 0


class OpenApproval(Struct, frozen=True):
    """What an agent asks and waits for; the fields are those of the `permission` event."""

    approval_id: str
    tool: str
    input: dict[str, Any]
    title: str
    choices: list[dict[str, Any]]
    kind: str
    asked_ns: int
    tool_use_id: str | None = None
    details: dict[str, Any] = {}
    native_id: str = ""
    """The agent's own name for the question."""


class OpenCall(Struct, frozen=True):
    """A tool call that has no result yet."""

    tool_use_id: str
    tool: str
    title: str
    started_ns: int


class Spent(Struct, frozen=True):
    """Sums over a session, of all its models."""

    input_tokens: int = 0
    output_tokens: int = 0
    cache_read_tokens: int = 0
    cache_write_tokens: int = 0
    cost_usd: float | None = None


class Outgoing(Struct, frozen=True):
    """Bytes to be written to the agent's standard input; each `number` is written once, in order."""

    number: int
    data: bytes


class ConversationState(Struct, frozen=True, kw_only=True):
    """A structured session's conversation. A new value replaces the old; none is ever changed."""

    conversation_id: str | None = None
    ready: bool = False
    """Whether the agent has said that it takes prompts."""
    model: str | None = None
    mode: str | None = None
    running: PendingTurn | None = None
    queue: tuple[PendingTurn, ...] = ()
    approvals: tuple[OpenApproval, ...] = ()
    calls: tuple[OpenCall, ...] = ()
    outgoing: tuple[Outgoing, ...] = ()
    """What is still to be written, oldest first."""
    changed: tuple[tuple[str, int], ...] = ()
    """Files that the agent last said it changed, and when (ns), so that a watcher need not tell of them again."""
    turns: int = 0
    last: TurnResult | None = None
    spent: Spent = Spent()
    read: tuple[tuple[str, int], ...] = ()
    """Of a conversation that is only read: files of the agent's own, and how far they are read, in bytes."""
    problem: str | None = None
    """What the agent cannot get past by itself: `login`, `quota`, `trust`."""
