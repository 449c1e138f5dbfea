"""What health says of agents that need somebody."""

from __future__ import annotations

from typing import Any

import pytest

from roost.core.advice import explain
from roost.model.agents import Definition, Session
from roost.model.attention import Attention
from roost.model.views import ComponentHealth, Issue
from roost.services.health import attention_issue, overall

OK = {"store": ComponentHealth(status="ok")}


def issue(kind: Any, wants: Any = None, summary: str = "") -> Issue | None:
    attention = Attention(kind=kind, wants=wants, since_ns=1, evidence=("seen",), summary=summary)
    session = Session(session_id="s1", agent_name="one", state="running", definition=Definition(command=["x"]))
    session.attention = attention
    return attention_issue(explain(session))


@pytest.mark.parametrize(
    ("kind", "wants", "code", "severity", "message"),
    [
        ("waits", "question", "WAITING", "info", "agent one waits for question: Go?"),
        ("stuck", None, "STUCK", "warning", "agent one is stuck: Go?"),
        ("looping", None, "LOOPING", "warning", "agent one is looping: Go?"),
    ],
)
def test_who_needs_somebody_is_an_issue(kind: str, wants: str | None, code: str, severity: str, message: str) -> None:
    found = issue(kind, wants, "Go?")
    assert found is not None
    assert (found.code, found.severity, found.message) == (code, severity, message)
    assert (found.details["agent"], found.details["evidence"]) == ("one", ["seen"])
    assert found.advice


def test_without_a_summary_the_kind_is_said() -> None:
    found = issue("stuck")
    assert found is not None
    assert found.message == "agent one is stuck"


@pytest.mark.parametrize("kind", ["works", "idle", "done", "failed"])
def test_who_needs_nobody_now_is_none(kind: str) -> None:
    assert issue(kind) is None


def test_that_somebody_waits_takes_no_health_away() -> None:
    waits, stuck = issue("waits", "question"), issue("stuck")
    assert waits is not None
    assert stuck is not None
    assert overall(OK, [waits]) == "healthy"
    assert overall(OK, [waits, stuck]) == "degraded"
    assert overall({"store": ComponentHealth(status="down")}, []) == "unhealthy"
