"""Sessions as REST shows them."""

from __future__ import annotations

from dataclasses import dataclass

from msgspec.structs import replace

from roost.core.advice import explain
from roost.core.attention import attention_of
from roost.core.wire import timestamp
from roost.model.agents import ENDED, Session, State
from roost.model.attention import is_needy, readable, urgency
from roost.model.conversations import ConversationState, PendingTurn
from roost.model.views import AgentView, AttentionView, ConversationView, RunningTurn
from roost.services.ending import Ending
from roost.services.process_figures import Figures

PROMPT_SHOWN = 500
"""Characters of a prompt that a list of agents shows."""


@dataclass(slots=True)
class AgentRecord:
    """What the server knows of one agent: its newest session, and what only the keeper can tell."""

    session: Session
    env: dict[str, str] | None = None
    restarts: int = 0
    viewers: int = 0
    ending: Ending | None = None
    """How the keeper saw the session end, until the projection has come so far."""

    @property
    def state(self) -> State:
        """What holds now: the keeper knows of an end before a projection that a flood has left behind."""
        if self.session.state in ENDED or self.ending is None:
            return self.session.state
        return self.ending.state

    @property
    def ended(self) -> bool:
        return self.state in ENDED

    def begin(self, session: Session, env: dict[str, str] | None) -> None:
        """A newer session is the agent's."""
        self.session, self.env, self.ending = session, env, None


def agent_view(record: AgentRecord, now_ns: int, figures: Figures | None) -> AgentView:
    """The agent as it stands at `now_ns`."""
    session, definition, end = record.session, record.session.definition, _ending(record)
    about = attention_of(_as_it_stands(record))
    until = end.ended_ns or now_ns
    return AgentView(
        name=session.agent_name,
        state=end.state,
        reason=end.reason,
        session_id=session.session_id,
        driver=definition.driver,
        command=definition.command,
        cwd=definition.cwd,
        node=session.node,
        environment=definition.environment,
        env_names=definition.env_names,
        labels=definition.labels,
        role=definition.role,
        model=definition.model,
        capabilities=definition.capabilities,
        restart=definition.restart,
        restarts=record.restarts,
        limits=definition.limits,
        pid=None if record.ended else session.pid,
        terminal=definition.driver == "terminal",
        cols=session.cols,
        rows=session.rows,
        started_at=timestamp(session.started_ns),
        ended_at=timestamp(end.ended_ns) if end.ended_ns else None,
        uptime_s=round(max(0, until - session.started_ns) / 1e9, 3),
        exit_code=end.exit_code,
        signal=end.signal,
        cpu_percent=figures.cpu_percent if figures else None,
        memory_bytes=figures.memory_bytes if figures else None,
        processes=figures.processes if figures else None,
        bytes=session.bytes,
        lines=session.lines,
        last_output_at=timestamp(session.last_output_ns) if session.last_output_ns else None,
        last_seq=session.last_seq,
        viewers=record.viewers,
        conversation=None if session.conversation is None else conversation_view(session.conversation),
        attention=readable(about) if is_needy(about) else None,
        attention_kind=about.kind,
        attention_since=timestamp(about.since_ns) if about.since_ns else None,
        doing=None if is_needy(about) else about.summary or None,
        urgency=urgency(about, ended=end.state == "exited"),
    )


def attention_view(record: AgentRecord) -> AttentionView:
    """What the agent is about, since when, on what evidence, and what to do."""
    return explain(_as_it_stands(record))


def _as_it_stands(record: AgentRecord) -> Session:
    """The session, ended where the keeper knows of an end that the projection has not come to."""
    session, end = record.session, _ending(record)
    if end.state == session.state:
        return session
    return replace(session, state=end.state, reason=end.reason, ended_ns=end.ended_ns)


def conversation_view(state: ConversationState) -> ConversationView:
    """A conversation as clients see it."""
    return ConversationView(
        conversation_id=state.conversation_id,
        ready=state.ready,
        model=state.model,
        mode=state.mode,
        running=None if state.running is None else _turn_view(state.running),
        queue=[_turn_view(turn) for turn in state.queue],
        approvals=len(state.approvals),
        calls=[call.title or call.tool for call in state.calls],
        turns=state.turns,
        problem=state.problem,
        input_tokens=state.spent.input_tokens,
        output_tokens=state.spent.output_tokens,
        cache_read_tokens=state.spent.cache_read_tokens,
        cache_write_tokens=state.spent.cache_write_tokens,
        cost_usd=state.spent.cost_usd,
    )


def _turn_view(turn: PendingTurn) -> RunningTurn:
    return RunningTurn(
        turn_id=turn.turn_id,
        state=turn.state,
        prompt=turn.prompt[:PROMPT_SHOWN],
        by=turn.by,
        queued_at=timestamp(turn.queued_ns),
    )


def _ending(record: AgentRecord) -> Ending:
    session = record.session
    if session.state not in ENDED and record.ending is not None:
        return record.ending
    return Ending(session.state, session.reason, session.exit_code, session.signal, session.ended_ns or 0)
