"""What to do about what an agent is about."""

from __future__ import annotations

from roost.model.agents import STRUCTURED, Session
from roost.model.attention import Attention


def advice_on(about: Attention, session: Session) -> str:
    """One line for people, with the command to type; empty where nothing is to be done."""
    if about.kind == "waits":
        return _to_answer(about, session)
    advice = _ADVICE.get((about.kind, session.state in ("exited", "failed", "lost")), "")
    return advice.format(name=session.agent_name)


def _to_answer(about: Attention, session: Session) -> str:
    name = session.agent_name
    open_approvals = session.conversation.approvals if session.conversation is not None else ()
    if open_approvals:
        return f"`roost approvals {name}` shows what it asks; answer with approval id {open_approvals[0].approval_id}"
    if about.wants == "quota":
        return "wait until the limit is lifted, or give it another account or model"
    if session.definition.driver in STRUCTURED:
        return f"put it right with the CLI itself, then `roost restart {name}`"
    return f"`roost attach {name}` and answer, or `roost send {name} TEXT`"


_ADVICE: dict[tuple[str, bool], str] = {
    ("looping", False): "look at `roost logs {name}`; interrupt it and tell it what is wrong, or `roost stop {name}`",
    ("stuck", False): "look at `roost logs {name}`; interrupt it, or `roost restart {name}`",
    ("failed", False): "see `roost logs {name}`; prompt it again, or `roost restart {name}`",
    ("failed", True): "see `roost logs {name}`; `roost restart {name}` starts it again",
    ("done", False): "look at what it did, and prompt it again",
    ("idle", False): "it takes what you ask",
    ("paused", False): "`roost resume {name}` lets it go on",
}
