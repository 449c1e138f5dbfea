"""Restarting agents that ended, as their definition says, ever more slowly while they keep ending."""

from __future__ import annotations

import asyncio

import structlog

from roost.core.restarts import restart_delay
from roost.errors import RoostError
from roost.services.agents import Agents
from roost.services.views import AgentRecord

log = structlog.get_logger("restarts")


class Restarts:
    """Waits out the delay and starts the agent again, unless somebody else did meanwhile."""

    def __init__(self, agents: Agents) -> None:
        self._agents = agents
        self._quick: dict[str, int] = {}
        self._waiting: dict[str, asyncio.Task[None]] = {}

    def consider(self, record: AgentRecord) -> None:
        """An agent ended."""
        session = record.session
        name = session.agent_name
        ran_s = ((session.ended_ns or session.started_ns) - session.started_ns) / 1e9
        quick = self._quick.get(name, 0)
        delay = restart_delay(session.definition.restart, session.state, session.reason, quick=quick, ran_s=ran_s)
        if delay is None:
            self._quick.pop(name, None)
            return
        self._quick[name] = delay.quick
        task = asyncio.get_running_loop().create_task(self._restart(name, session.session_id, delay.seconds))
        self._waiting[name] = task
        task.add_done_callback(lambda done: self._waiting.pop(name, None) if self._waiting.get(name) is done else None)

    async def close(self) -> None:
        tasks = list(self._waiting.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _restart(self, name: str, session_id: str, delay_s: float) -> None:
        await asyncio.sleep(delay_s)
        try:
            if self._agents.resolve_session(name).session_id == session_id:
                await self._agents.restart(name, by="restart policy")
        except RoostError as exc:
            log.warning("restart failed", agent=name, error=str(exc))
