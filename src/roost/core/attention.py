"""What an agent is about, from what is known of its session; pure rules.

A structured agent says so itself. Of a terminal it is found from what is shown (`core.manifest`) and settled here:

1. What is not recognised leaves what was known, until `DOUBT_NS` passed since it was last seen.
2. At rest, and where the title says it, one look is enough; while the screen is being painted two have to agree, so
   that a redraw does not flicker.
3. That it works again is believed at once.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from roost.core.manifest import Finding
from roost.core.soundness import integer_or_none, sound_text, text_or_none
from roost.model.agents import ENDED, STRUCTURED, Session, State
from roost.model.attention import MAX_EVIDENCE, MAX_SUMMARY, Attention, Wants
from roost.model.conversations import ConversationState, OpenApproval

MARK = "attention"
"""The type of the mark by which a finding becomes part of the recording."""

DOUBT_NS = 10_000_000_000

_ASKS: dict[str, Wants] = {"question": "question", "plan": "plan"}
_PROBLEMS: dict[str, tuple[Wants, str]] = {
    "login": ("login", "has to be logged in"),
    "quota": ("quota", "has used up its quota"),
    "trust": ("trust", "does not trust its directory yet"),
}
_STATES: dict[str, State] = {"waits": "waiting", "idle": "idle"}


def attention_of(session: Session) -> Attention:
    """What the agent is about, by its newest session."""
    if session.state in ENDED:
        return _of_end(session)
    if session.state == "paused":
        return Attention(kind="paused", evidence=(session.reason or "paused",), summary=session.reason or "")
    if session.state in ("starting", "stopping"):
        return Attention(kind="works", since_ns=session.started_ns, evidence=(f"it is {session.state}",))
    if session.conversation is not None:
        return _with_noted(session, _of_talk(session, session.conversation))
    if session.attention is not None and not _is_over(session, session.attention):
        return session.attention
    if session.definition.driver in STRUCTURED:
        return Attention(kind="works", since_ns=session.started_ns, evidence=("it has said nothing yet",))
    return Attention(kind="works", since_ns=session.started_ns, evidence=("it runs, and asks for nothing we know",))


def claims_to_work(session: Session) -> bool:
    """Whether it says itself that it works, so that silence means something."""
    if session.state in ENDED or session.state == "paused":
        return False
    if session.conversation is not None:
        return attention_of(session).kind == "works" and session.conversation.running is not None
    noted = session.attention
    return noted is not None and noted.kind == "works" and noted.source in ("title", "screen")


def state_of(attention: Attention) -> State:
    """The session's state that goes with it, of a session that is neither paused nor ending."""
    return _STATES.get(attention.kind, "running")


def is_same(one: Attention | None, other: Attention | None) -> bool:
    """Whether nothing worth telling is different; evidence and times may be."""
    if one is None or other is None:
        return one is other
    return (one.kind, one.wants, one.summary) == (other.kind, other.wants, other.summary)


# Marks


def to_mark(attention: Attention) -> dict[str, Any]:
    """The mark that says so."""
    return {"type": MARK, **msgspec.to_builtins(attention)}


def from_mark(data: dict[str, Any], now_ns: int) -> Attention | None:
    """What a mark says, its time no later than `now_ns`; none where it makes no sense."""
    since_ns = integer_or_none(data.get("since_ns"), 1, now_ns) or now_ns
    evidence = data.get("evidence")
    said = [text_or_none(item, MAX_SUMMARY) or "" for item in evidence] if isinstance(evidence, list) else []
    fields = {
        "kind": data.get("kind"),
        "wants": data.get("wants"),
        "since_ns": since_ns,
        "evidence": tuple(said[:MAX_EVIDENCE]),
        "source": data.get("source", "process"),
        "summary": text_or_none(data.get("summary"), MAX_SUMMARY) or "",
    }
    try:
        return msgspec.convert(fields, Attention)
    except msgspec.ValidationError:
        return None


# Settling


class Settling(Struct):
    """What is known of one terminal, and what is not yet believed."""

    known: Finding | None = None
    since_ns: int = 0
    seen_ns: int = 0
    """When what is known was last seen."""
    doubted: Finding | None = None

    def take(self, found: Finding | None, now_ns: int, *, resting: bool) -> Finding | None:
        """What holds after a look at `now_ns` that found this."""
        if found is None:
            self._take_nothing(now_ns)
        elif self.known is not None and _says(found) == _says(self.known):
            self.known, self.seen_ns, self.doubted = found, now_ns, None
        elif self.known is not None and _is_vaguer(found, self.known):
            self.seen_ns, self.doubted = now_ns, None
        elif self._is_believed(found, resting):
            self.known, self.since_ns, self.seen_ns, self.doubted = found, now_ns, now_ns, None
        else:
            self.doubted = found
        return self.known

    def _is_believed(self, found: Finding, resting: bool) -> bool:
        if resting or found.source == "title" or found.kind == "works":
            return True
        return self.doubted is not None and _says(self.doubted) == _says(found)

    def _take_nothing(self, now_ns: int) -> None:
        self.doubted = None
        known = self.known
        if known is not None and known.kind == "waits" and now_ns - self.seen_ns >= DOUBT_NS:
            evidence = f"what it asked is no longer shown ({known.evidence})"
            self.known, self.since_ns = Finding("works", None, "", evidence, "process"), now_ns


def _is_vaguer(found: Finding, known: Finding) -> bool:
    """Whether a title says again, in fewer words, what the screen has said."""
    return found.source == "title" and (found.kind, found.wants) == (known.kind, known.wants)


def from_finding(found: Finding, since_ns: int) -> Attention:
    """A finding as attention."""
    return Attention(
        kind=found.kind,
        wants=found.wants,
        since_ns=since_ns,
        evidence=(sound_text(found.evidence),),
        source=found.source,
        summary=sound_text(found.summary),
    )


def _says(found: Finding) -> tuple[str, str | None, str]:
    return found.kind, found.wants, found.summary


# Structured agents


def _of_talk(session: Session, talk: ConversationState) -> Attention:
    """Of an agent in its own screen its notes tell what it did; what it asks stands on the screen alone."""
    if session.definition.driver != "terminal":
        return _of_conversation(session, talk)
    noted = session.attention
    if noted is not None and noted.kind == "waits":
        return noted
    return replace(_of_conversation(session, talk), source="transcript")


def _of_conversation(session: Session, talk: ConversationState) -> Attention:
    if talk.approvals:
        return _of_approvals(talk.approvals)
    if talk.problem:
        return _of_problem(session, talk)
    since_ns = _since(session, talk)
    if talk.running is not None:
        call = talk.calls[-1].title if talk.calls else ""
        evidence = (f"its turn {talk.running.turn_id} runs", *([f"it does: {call}"] if call else []))
        return _protocol("works", since_ns, evidence, call or _first_line(talk.running.prompt))
    if session.state == "idle":
        return _of_idle(talk, since_ns)
    what = "it works on its own" if talk.ready else "it has not said yet that it takes prompts"
    return _protocol("works", since_ns, (what,), "")


def _of_approvals(approvals: tuple[OpenApproval, ...]) -> Attention:
    first = approvals[0]
    summary = first.title or f"{first.tool} asks"
    evidence = [f"it asked {first.approval_id} and waits for the answer"]
    if len(approvals) > 1:
        evidence.append(f"{len(approvals) - 1} more are open")
    found = _protocol("waits", first.asked_ns, tuple(evidence), summary)
    return replace(found, wants=_ASKS.get(first.kind, "permission"))


def _of_problem(session: Session, talk: ConversationState) -> Attention:
    wants, summary = _PROBLEMS.get(talk.problem or "", ("input", f"cannot go on: {talk.problem}"))
    found = _protocol("waits", session.last_output_ns or session.started_ns, ("it said so",), summary)
    return replace(found, wants=wants)


def _of_idle(talk: ConversationState, since_ns: int) -> Attention:
    last = talk.last
    if last is None or last.state in ("interrupted", "cancelled"):
        why = "nothing was asked yet" if last is None else f"its last turn was {last.state}"
        return _protocol("idle", since_ns, (why,), "")
    if last.state == "completed":
        return _protocol("done", since_ns, (f"its turn {last.turn_id} is completed",), _first_line(last.text))
    summary = last.reason or "its turn failed"
    return _protocol("failed", since_ns, (f"its turn {last.turn_id} is {last.state}",), summary)


def _since(session: Session, talk: ConversationState) -> int:
    if talk.running is not None and talk.running.queued_ns:
        return max(talk.running.queued_ns, talk.last.ended_ns if talk.last else 0)
    return talk.last.ended_ns if talk.last else session.started_ns


def _with_noted(session: Session, found: Attention) -> Attention:
    """What was noted from outside holds where the agent itself says that it works."""
    noted = session.attention
    if noted is None or noted.kind not in ("looping", "stuck") or found.kind != "works":
        return found
    return found if noted.since_ns < found.since_ns or _is_over(session, noted) else noted


def _is_over(session: Session, noted: Attention) -> bool:
    """Who says something is not stuck."""
    return noted.kind == "stuck" and (session.last_output_ns or 0) > noted.since_ns


def _protocol(kind: Any, since_ns: int, evidence: tuple[str, ...], summary: str) -> Attention:
    said = summary[:MAX_SUMMARY]
    return Attention(kind=kind, since_ns=since_ns, evidence=evidence, source="protocol", summary=said)


def _first_line(text: str) -> str:
    return text.strip().partition("\n")[0][:MAX_SUMMARY]


def _of_end(session: Session) -> Attention:
    """`lost` and `failed` are failures; who ended well or was stopped is done."""
    kind: Any = "done" if session.state == "exited" else "failed"
    why = session.reason or session.state
    summary = why if kind == "failed" else ""
    return Attention(
        kind=kind, since_ns=session.ended_ns or 0, evidence=(f"it {_ENDS[session.state]}: {why}",), summary=summary
    )


_ENDS = {"exited": "ended", "failed": "failed", "lost": "is lost"}
