"""Lists of agents: filters, and pages that stay right while agents come and go."""

from __future__ import annotations

import base64
import binascii

from roost.errors import InvalidCursor
from roost.model.requests import AgentsQuery
from roost.model.views import AgentList, AgentView


def page_of(agents: list[AgentView], query: AgentsQuery) -> AgentList:
    """The page of `agents`, which are in the order of their names, that the query asks for.

    Raises:
        InvalidCursor: the cursor is none of ours.
    """
    is_filtered = query.state or query.label or query.node or query.driver or query.q
    wanted = [agent for agent in agents if matches(agent, query)] if is_filtered else agents
    rest = wanted
    if query.cursor is not None:
        after = decode_cursor(query.cursor)
        rest = [agent for agent in wanted if agent.name > after]
    page = rest[: query.limit]
    cursor = encode_cursor(page[-1].name) if len(rest) > len(page) else None
    return AgentList(agents=page, next_cursor=cursor, total=len(wanted))


def matches(agent: AgentView, query: AgentsQuery) -> bool:
    """Whether all that the query asks for holds of the agent."""
    return (
        (not query.state or agent.state in query.state)
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


def _has_label(agent: AgentView, label: str) -> bool:
    key, given, value = label.partition("=")
    return key in agent.labels and (not given or agent.labels[key] == value)


def _text(agent: AgentView) -> str:
    labels = (f"{key}={value}" for key, value in agent.labels.items())
    parts = (agent.name, *agent.command, agent.cwd, agent.role or "", agent.model or "", *labels)
    return "\n".join(parts).casefold()
