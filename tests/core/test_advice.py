"""What people are told to do."""

from __future__ import annotations

from typing import Any

import pytest

from roost.core.advice import explain
from roost.model.agents import Definition, Session
from roost.model.attention import Attention
from roost.model.conversations import ConversationState, OpenApproval

S = 1_000_000_000


def session(state: Any = "running", driver: str = "terminal", **more: Any) -> Session:
    definition = Definition(command=["x"], driver=driver)
    return Session(session_id="s1", agent_name="one", state=state, definition=definition, started_ns=S, **more)


def terminal(kind: Any, wants: Any = None) -> Session:
    return session(attention=Attention(kind=kind, wants=wants, since_ns=2 * S))


def talking(**state: Any) -> Session:
    return session("waiting", "claude", conversation=ConversationState(**state))


TO_DECIDE = "`roost approve one` or `roost deny one`; `roost approvals one` shows all that it asks"
ASKS = OpenApproval("a1", "Bash", {}, "Run npm test", [], "tool", 3 * S)


@pytest.mark.parametrize(
    ("of", "advice"),
    [
        (terminal("waits", "permission"), "`roost attach one` and answer"),
        (terminal("waits", "input"), "`roost attach one` and answer, or `roost send --enter one TEXT`"),
        (terminal("waits", "quota"), "wait until the limit is lifted, or give it another account or model"),
        (talking(approvals=(ASKS,)), TO_DECIDE),
        (talking(problem="login"), "put it right with the CLI itself, then `roost restart one`"),
        (terminal("looping"), "look at `roost logs one`; interrupt it and tell it what is wrong, or `roost stop one`"),
        (terminal("stuck"), "look at `roost logs one`; interrupt it, or `roost restart one`"),
        (terminal("failed"), "see `roost logs one`; prompt it again, or `roost restart one`"),
        (session("failed"), "see `roost logs one`; `roost restart one` starts it again"),
        (terminal("idle"), "it takes what you ask"),
        (session("paused"), "`roost resume one` lets it go on"),
        (session("exited"), ""),
        (session(), ""),
    ],
)  # fmt: skip
def test_everything_comes_with_what_to_do(of: Session, advice: str) -> None:
    assert explain(of).advice == advice


def test_an_agent_is_explained_with_its_evidence() -> None:
    about = explain(talking(approvals=(ASKS,)))
    assert (about.agent_name, about.session_id, about.state) == ("one", "s1", "waiting")
    assert (about.kind, about.wants, about.needs_you, about.source) == ("waits", "permission", True, "protocol")
    assert (about.since, about.summary) == ("1970-01-01T00:00:03.000Z", "Run npm test")
    assert about.evidence == ["it asked a1 and waits for the answer"]


def test_a_time_that_is_not_known_is_none() -> None:
    assert explain(session("paused")).since is None
