"""What an agent is about, explained to people: since when, on what evidence, and what to do."""

from __future__ import annotations

from roost.core.attention import attention_of
from roost.core.wire import timestamp
from roost.model.agents import ENDED, STRUCTURED, Session
from roost.model.attention import Attention, is_needy
from roost.model.views import AttentionView


def explain(session: Session) -> AttentionView:
    """What the agent is about, by its newest session."""
    about = attention_of(session)
    return AttentionView(
        agent_name=session.agent_name,
        session_id=session.session_id,
        state=session.state,
        kind=about.kind,
        wants=about.wants,
        since=timestamp(about.since_ns) if about.since_ns else None,
        needs_you=is_needy(about),
        summary=about.summary,
        evidence=list(about.evidence),
        source=about.source,
        advice=advice_on(about, session),
    )


def advice_on(about: Attention, session: Session) -> str:
    """One line for people, with the command to type; empty where nothing is to be done."""
    if about.kind == "waits":
        return _to_answer(about, session)
    advice = _ADVICE.get((about.kind, session.state in ENDED), "")
    return advice.format(name=session.agent_name)


def _to_answer(about: Attention, session: Session) -> str:
    name = session.agent_name
    if session.conversation is not None and session.conversation.approvals:
        return f"`roost approve {name}` or `roost deny {name}`; `roost approvals {name}` shows all that it asks"
    if about.wants == "quota":
        return "wait until the limit is lifted, or give it another account or model"
    if session.definition.driver in STRUCTURED:
        return f"put it right with the CLI itself, then `roost restart {name}`"
    if about.wants in _CHOSEN_ON_SCREEN:
        return f"`roost attach {name}` and answer"
    return f"`roost attach {name}` and answer, or `roost send --enter {name} TEXT`"


_CHOSEN_ON_SCREEN = ("permission", "plan", "trust")
"""What a program lets people choose from a list: which key means what differs, so nothing is typed unseen."""

_ADVICE: dict[tuple[str, bool], str] = {
    ("looping", False): "look at `roost logs {name}`; interrupt it and tell it what is wrong, or `roost stop {name}`",
    ("stuck", False): "look at `roost logs {name}`; interrupt it, or `roost restart {name}`",
    ("failed", False): "see `roost logs {name}`; prompt it again, or `roost restart {name}`",
    ("failed", True): "see `roost logs {name}`; `roost restart {name}` starts it again",
    ("done", False): "look at what it did, and prompt it again",
    ("idle", False): "it takes what you ask",
    ("paused", False): "`roost resume {name}` lets it go on",
}
