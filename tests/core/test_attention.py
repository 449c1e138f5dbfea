"""What an agent is about, from its session, its conversation, and what was seen of its terminal."""

from __future__ import annotations

from typing import Any

import pytest

from roost.core.attention import (
    DOUBT_NS,
    Settling,
    attention_of,
    claims_to_work,
    from_finding,
    from_mark,
    is_same,
    state_of,
    to_mark,
)
from roost.core.manifest import Finding
from roost.model.agents import Definition, Session
from roost.model.attention import NEEDY, URGENCY, Attention, is_needy, readable, urgency
from roost.model.conversations import ConversationState, OpenApproval, OpenCall, PendingTurn, TurnResult

S = 1_000_000_000


def session(state: Any = "running", driver: str = "terminal", **more: Any) -> Session:
    definition = Definition(command=["x"], driver=driver)
    fields = {"started_ns": 100, "last_output_ns": 500, **more}
    return Session(session_id="s1", agent_name="one", state=state, definition=definition, **fields)


def talking(state: Any = "running", attention: Attention | None = None, **more: Any) -> Session:
    return session(state, "claude", conversation=ConversationState(**{"ready": True, **more}), attention=attention)


def approval(kind: str = "tool", title: str = "Run npm test") -> OpenApproval:
    return OpenApproval("a1", "Bash", {}, title, [], kind, 300)


def about(of: Session) -> tuple[str, str | None, int, str]:
    found = attention_of(of)
    return found.kind, found.wants, found.since_ns, found.summary


# Any session


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (session("exited", ended_ns=9, reason="exit code 0"), ("done", None, 9, "")),
        (session("failed", ended_ns=9, reason="exit code 1"), ("failed", None, 9, "exit code 1")),
        (session("lost"), ("failed", None, 0, "lost")),
        (session("paused", reason="paused by ann"), ("paused", None, 0, "paused by ann")),
        (session("paused"), ("paused", None, 0, "")),
        (session("starting"), ("works", None, 100, "")),
        (session("stopping"), ("works", None, 100, "")),
        (session(), ("works", None, 100, "")),
        (session("idle", "acp"), ("works", None, 100, "")),
    ],
)
def test_what_the_state_alone_says(of: Session, expected: tuple[str, str | None, int, str]) -> None:
    assert about(of) == expected
    assert attention_of(of).evidence


def test_what_was_noted_of_a_terminal_holds() -> None:
    noted = Attention(kind="waits", wants="question", since_ns=7, summary="Which?")
    assert attention_of(session(attention=noted)) is noted
    assert attention_of(session("exited", attention=noted)).kind == "done"


def test_who_says_something_is_not_stuck_any_more() -> None:
    noted = Attention(kind="stuck", since_ns=500)
    assert attention_of(session(attention=noted)) is noted
    assert attention_of(session(attention=noted, last_output_ns=501)).kind == "works"


# Structured agents


TURN = PendingTurn("t1", "Fix the tests\nall of them", queued_ns=200, state="started")


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        (talking("waiting", approvals=(approval(),), running=TURN), ("waits", "permission", 300, "Run npm test")),
        (talking("waiting", approvals=(approval("question", ""),)), ("waits", "question", 300, "Bash asks")),
        (talking("waiting", approvals=(approval("plan"), approval())), ("waits", "plan", 300, "Run npm test")),
        (talking("waiting", problem="login"), ("waits", "login", 500, "has to be logged in")),
        (talking("waiting", problem="quota"), ("waits", "quota", 500, "has used up its quota")),
        (talking("waiting", problem="trust"), ("waits", "trust", 500, "does not trust its directory yet")),
        (talking("waiting", problem="captcha"), ("waits", "input", 500, "cannot go on: captcha")),
        (talking(running=TURN), ("works", None, 200, "Fix the tests")),
        (talking(running=TURN, calls=(OpenCall("c", "Bash", "Running ls", 1),)), ("works", None, 200, "Running ls")),
        (talking(running=TURN, last=TurnResult("t0", "failed", ended_ns=250)), ("works", None, 250, "Fix the tests")),
        (talking(ready=False), ("works", None, 100, "")),
        (talking(), ("works", None, 100, "")),
        (talking("idle"), ("idle", None, 100, "")),
        (talking("idle", last=TurnResult("t1", "interrupted", ended_ns=400)), ("idle", None, 400, "")),
        (talking("idle", last=TurnResult("t1", "completed", "Yes.\nNow.", None, 1, 400)), ("done", None, 400, "Yes.")),
        (talking("idle", last=TurnResult("t1", "failed", "", "API Error", 1, 400)), ("failed", None, 400, "API Error")),
        (talking("idle", last=TurnResult("t1", "refused", ended_ns=400)), ("failed", None, 400, "its turn failed")),
    ],
)  # fmt: skip
def test_a_structured_agent_says_so_itself(of: Session, expected: tuple[str, str | None, int, str]) -> None:
    found = attention_of(of)
    assert (found.kind, found.wants, found.since_ns, found.summary) == expected
    assert found.evidence
    assert found.source == "protocol"


def test_of_an_agent_in_its_own_screen_what_it_asks_counts_before_what_its_notes_say() -> None:
    talk = ConversationState(ready=True, running=PendingTurn("t1", "go", state="started"))
    asks = Attention(kind="waits", wants="permission", since_ns=7, source="hook", summary="Running npm test")
    found = attention_of(session(conversation=talk, attention=asks))
    assert found is asks
    works = attention_of(session(conversation=talk, attention=Attention(kind="idle")))
    assert (works.kind, works.source, works.summary) == ("works", "transcript", "go")
    assert attention_of(session(conversation=talk)).kind == "works"


def test_several_open_approvals_are_counted() -> None:
    assert attention_of(talking("waiting", approvals=(approval(), approval()))).evidence[1] == "1 more are open"


@pytest.mark.parametrize(
    ("noted", "kind"),
    [
        (Attention(kind="looping", since_ns=300), "looping"),
        (Attention(kind="stuck", since_ns=500), "stuck"),
        (Attention(kind="stuck", since_ns=400), "works"),
        (Attention(kind="looping", since_ns=150), "works"),
        (Attention(kind="works", since_ns=300), "works"),
        (Attention(kind="waits", wants="input", since_ns=300), "works"),
    ],
)
def test_loops_and_standstills_are_noted_from_outside_and_hold_for_the_turn_they_are_about(
    noted: Attention, kind: str
) -> None:
    assert attention_of(talking(running=TURN, attention=noted)).kind == kind
    assert attention_of(talking("waiting", running=TURN, attention=noted, approvals=(approval(),))).kind == "waits"


@pytest.mark.parametrize(
    ("of", "claims"),
    [
        (talking(running=TURN), True),
        (talking(), False),
        (talking("waiting", running=TURN, approvals=(approval(),)), False),
        (session(), False),
        (session(attention=Attention(kind="works", source="title")), True),
        (session(attention=Attention(kind="works", source="process")), False),
        (session(attention=Attention(kind="idle", source="screen")), False),
        (session("paused", attention=Attention(kind="works", source="title")), False),
        (session("exited", attention=Attention(kind="works", source="title")), False),
    ],
)
def test_only_who_says_that_it_works_claims_to(of: Session, claims: bool) -> None:
    assert claims_to_work(of) is claims


# Marks


def test_a_mark_brings_back_what_was_noted() -> None:
    noted = Attention(kind="waits", wants="plan", since_ns=7, evidence=("a", "b"), source="screen", summary="Go on?")
    mark = to_mark(noted)
    assert mark.pop("type") == "attention"
    assert from_mark({**mark, "evidence": list(mark["evidence"])}, now_ns=9) == noted


@pytest.mark.parametrize(
    "data",
    [{}, {"kind": "sleeps"}, {"kind": 7}, {"kind": "waits", "wants": "money"}, {"kind": "idle", "source": "hearsay"}],
)
def test_a_mark_of_nonsense_notes_nothing(data: dict[str, Any]) -> None:
    assert from_mark(data, now_ns=9) is None


def test_a_mark_is_believed_only_as_far_as_it_can_be() -> None:
    wild = {"kind": "idle", "since_ns": 10**30, "evidence": ["x" * 999, 7, *["y"] * 20], "summary": ["no"]}
    found = from_mark(wild, now_ns=9)
    assert found == Attention(kind="idle", since_ns=9, evidence=("x" * 300, "", *["y"] * 6), source="process")
    assert from_mark({"kind": "idle", "evidence": "no"}, now_ns=9) == Attention(kind="idle", since_ns=9)


def test_what_is_the_same_need_not_be_told() -> None:
    one = Attention(kind="idle", since_ns=1, evidence=("a",))
    assert is_same(one, Attention(kind="idle", since_ns=2))
    assert not is_same(one, Attention(kind="works"))
    assert not is_same(one, None)
    assert is_same(None, None)


@pytest.mark.parametrize(
    ("kind", "state"), [("waits", "waiting"), ("idle", "idle"), ("works", "running"), ("stuck", "running")]
)
def test_the_state_that_goes_with_it(kind: Any, state: str) -> None:
    assert state_of(Attention(kind=kind)) == state


# Settling


IDLE = Finding("idle", None, "", "prompt", "screen")
WORKS = Finding("works", None, "", "turns", "title")
ASKS = Finding("waits", "permission", "Write a.py?", "asks", "screen")
VAGUE = Finding("waits", "permission", "asks", "title", "title")


def test_at_rest_one_look_is_enough() -> None:
    settling = Settling()
    assert settling.take(IDLE, 1, resting=True) is IDLE
    assert settling.take(ASKS, 2, resting=True) is ASKS
    assert settling.since_ns == 2


def test_in_the_middle_of_painting_two_looks_have_to_agree() -> None:
    settling = Settling()
    settling.take(WORKS, 1, resting=True)
    assert settling.take(IDLE, 2, resting=False) is WORKS
    assert settling.take(ASKS, 3, resting=False) is WORKS
    assert settling.take(ASKS, 4, resting=False) is ASKS


def test_a_redraw_does_not_flicker() -> None:
    settling = Settling()
    settling.take(ASKS, 1, resting=True)
    assert settling.take(IDLE, 2, resting=False) is ASKS
    assert settling.take(ASKS, 3, resting=False) == ASKS
    assert settling.take(IDLE, 4, resting=False) == ASKS
    assert settling.since_ns == 1


def test_that_it_works_again_is_believed_at_once() -> None:
    settling = Settling()
    settling.take(ASKS, 1, resting=True)
    assert settling.take(WORKS._replace(source="screen"), 2, resting=False).kind == "works"  # type: ignore[union-attr]


def test_what_the_title_says_is_believed_at_once_but_not_in_place_of_what_the_screen_says_better() -> None:
    settling = Settling()
    assert settling.take(VAGUE, 1, resting=False) is VAGUE
    assert settling.take(ASKS, 2, resting=True) is ASKS
    assert settling.take(VAGUE, 3, resting=True) is ASKS


def test_the_unknown_does_not_overwrite_the_known() -> None:
    settling = Settling()
    assert settling.take(None, 1, resting=True) is None
    settling.take(IDLE, 2, resting=True)
    assert settling.take(None, 2 + 100 * DOUBT_NS, resting=True) is IDLE


def test_a_question_that_is_long_gone_from_the_screen_is_not_waited_for() -> None:
    settling = Settling()
    settling.take(ASKS, 0, resting=True)
    settling.take(ASKS, 5 * S, resting=True)
    assert settling.take(None, 4 * S + DOUBT_NS, resting=True) == ASKS
    gone = settling.take(None, 5 * S + DOUBT_NS, resting=True)
    assert gone is not None
    assert (gone.kind, gone.source) == ("works", "process")


def test_a_finding_becomes_attention() -> None:
    assert from_finding(ASKS, 7) == Attention(
        kind="waits", wants="permission", since_ns=7, evidence=("asks",), source="screen", summary="Write a.py?"
    )


# Urgency


def test_urgency_orders_what_needs_somebody_before_what_does_not() -> None:
    order = [Attention(kind=kind, wants=wants) for kind, wants in URGENCY]  # type: ignore[arg-type]
    assert [urgency(item) for item in order] == list(range(len(URGENCY)))
    needy = [is_needy(item) for item in order]
    assert needy == sorted(needy, reverse=True)
    assert {item.kind for item in order if is_needy(item)} == NEEDY


def test_attention_reads_as_a_line() -> None:
    assert readable(Attention(kind="waits", wants="plan", summary="Go on?")) == "plan: Go on?"
    assert readable(Attention(kind="idle")) == "idle"


def test_an_agent_in_its_own_screen_is_known_by_its_notes_but_for_what_it_asks() -> None:
    talk = ConversationState(ready=True, running=PendingTurn("own-1", "do it", queued_ns=300))
    found = attention_of(session(conversation=talk))
    assert (found.kind, found.source) == ("works", "transcript")
    asking = from_finding(Finding("waits", "permission", "May I?", "it asks", "screen"), 400)
    assert attention_of(session(conversation=talk, attention=asking)) == asking
