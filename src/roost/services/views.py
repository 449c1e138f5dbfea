"""Sessions as REST shows them."""

from __future__ import annotations

from dataclasses import dataclass

from roost.core.wire import timestamp
from roost.model.agents import ENDED, Session
from roost.model.views import AgentView
from roost.services.process_figures import Figures


@dataclass(slots=True)
class AgentRecord:
    """What the server knows of one agent: its newest session, and what only the keeper can tell."""

    session: Session
    env: dict[str, str] | None = None
    restarts: int = 0
    viewers: int = 0

    @property
    def ended(self) -> bool:
        return self.session.state in ENDED


def agent_view(record: AgentRecord, now_ns: int, figures: Figures | None) -> AgentView:
    """The agent as it stands at `now_ns`."""
    session, definition = record.session, record.session.definition
    until = session.ended_ns or now_ns
    return AgentView(
        name=session.agent_name,
        state=session.state,
        reason=session.reason,
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
        ended_at=timestamp(session.ended_ns) if session.ended_ns else None,
        uptime_s=round(max(0, until - session.started_ns) / 1e9, 3),
        exit_code=session.exit_code,
        signal=session.signal,
        cpu_percent=figures.cpu_percent if figures else None,
        memory_bytes=figures.memory_bytes if figures else None,
        processes=figures.processes if figures else None,
        bytes=session.bytes,
        lines=session.lines,
        last_output_at=timestamp(session.last_output_ns) if session.last_output_ns else None,
        last_seq=session.last_seq,
        viewers=record.viewers,
    )
