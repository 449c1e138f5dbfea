"""Attention: what an agent is about and whether it needs somebody, since when, and how that is known."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

AttentionKind = Literal["waits", "looping", "stuck", "failed", "done", "idle", "works", "paused"]
Wants = Literal["permission", "question", "plan", "trust", "login", "input", "quota"]
Evidence = Literal["protocol", "title", "screen", "process", "output", "hook", "transcript"]

URGENCY: tuple[tuple[str, str | None], ...] = (
    ("waits", "permission"),
    ("waits", "question"),
    ("waits", "plan"),
    ("waits", "trust"),
    ("waits", "login"),
    ("waits", "input"),
    ("waits", None),
    ("looping", None),
    ("stuck", None),
    ("waits", "quota"),
    ("failed", None),
    ("done", None),
    ("idle", None),
    ("works", None),
    ("paused", None),
)
"""Kinds and what is wanted, the most urgent first."""

NEEDY: frozenset[str] = frozenset({"waits", "looping", "stuck", "failed"})
"""Kinds that somebody has to do something about."""

MAX_SUMMARY = 300
MAX_EVIDENCE = 8

_RANK = {pair: rank for rank, pair in enumerate(URGENCY)}


class Attention(Struct, frozen=True, kw_only=True):
    """What an agent is about.

    `waits` for somebody, who is to give what it `wants`; `looping`: it does the same again and again; `stuck`: it
    claims to work and nothing comes of it; `failed`: it, or what it was asked last, ended badly; `done`: it ended well
    what it was asked, or as a whole; `idle`: it could be asked; `works`; `paused` by somebody.
    """

    kind: AttentionKind
    wants: Wants | None = None
    since_ns: int = 0
    """Wall time, nanoseconds since the Unix epoch."""
    evidence: tuple[str, ...] = ()
    """Why that is believed, the strongest reason first."""
    source: Evidence = "process"
    """Where the evidence is from."""
    summary: str = ""
    """What it does or asks, in a line."""


def urgency(attention: Attention, *, ended: bool = False) -> int:
    """Its place in `URGENCY`; who `ended` well comes behind all of them."""
    wants = attention.wants if attention.kind == "waits" else None
    return len(URGENCY) if ended else _RANK[(attention.kind, wants)]


def is_needy(attention: Attention) -> bool:
    """Whether somebody has to do something."""
    return attention.kind in NEEDY


def readable(attention: Attention) -> str:
    """In a line, such as `permission: Do you want to create out.txt?` or `stuck: Running npm test`."""
    head = attention.wants or attention.kind
    return f"{head}: {attention.summary}" if attention.summary else head
