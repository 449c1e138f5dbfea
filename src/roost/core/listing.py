"""Lists of agents: filters, and pages that stay right while agents come and go."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar

from roost.errors import InvalidCursor
from roost.model.requests import AgentsQuery
from roost.model.views import AgentList, AgentView

T = TypeVar("T")


def page_of(agents: list[AgentView], query: AgentsQuery) -> AgentList:
    """The page of `agents`, which are in the order of their names, that the query asks for.

    Raises:
        InvalidCursor: the cursor is none of ours.
    """
    is_filtered = query.state or query.attention or query.label or query.node or query.driver or query.q
    wanted = [agent for agent in agents if matches(agent, query)] if is_filtered else agents
    page, cursor = cut_page(wanted, lambda agent: agent.name, query.limit, query.cursor)
    return AgentList(agents=page, next_cursor=cursor, total=len(wanted))


def cut_page(items: Sequence[T], key: Callable[[T], str], limit: int, cursor: str | None) -> tuple[list[T], str | None]:
    """At most `limit` of the items, which are in the order of their keys, after a cursor; and the next cursor.

    Raises:
        InvalidCursor: the cursor is none of ours.
    """
    after = None if cursor is None else decode_cursor(cursor)
    rest = [item for item in items if after is None or key(item) > after]
    page = rest[:limit]
    return page, encode_cursor(key(page[-1])) if len(rest) > len(page) else None


def matches(agent: AgentView, query: AgentsQuery) -> bool:
    """Whether all that the query asks for holds of the agent."""
    return (
        (not query.state or agent.state in query.state)
        and (not query.attention or _needs(agent, query.attention))
        and query.node in (None, agent.node)
        and query.driver in (None, agent.driver)
        and all(_has_label(agent, label) for label in query.label)
        and (query.q is None or query.q.casefold() in _text(agent))
    )


def encode_cursor(name: str) -> str:
    """The place after an agent."""
    return base64.urlsafe_b64encode(b"n:" + name.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> str:
    """The name that `encode_cursor` was given.

    Raises:
        InvalidCursor: the cursor is none of ours.
    """
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True).decode()
    except (binascii.Error, ValueError):
        raw = ""
    if not raw.startswith("n:"):
        raise InvalidCursor("the cursor is not one that a list gave out", cursor=cursor[:80])
    return raw[2:]


def _needs(agent: AgentView, kinds: Sequence[str]) -> bool:
    return agent.attention_kind in kinds or ("needed" in kinds and agent.attention is not None)


def _has_label(agent: AgentView, label: str) -> bool:
    key, given, value = label.partition("=")
    return key in agent.labels and (not given or agent.labels[key] == value)


def _text(agent: AgentView) -> str:
    labels = (f"{key}={value}" for key, value in agent.labels.items())
    parts = (agent.name, *agent.command, agent.cwd, agent.role or "", agent.model or "", *labels)
    return "\n".join(parts).casefold()
