"""Health: what is checked, and what is wrong, with evidence and advice.

Each check asks the thing itself: the keeper answers a request, the store a query, the disk is measured.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import time
from collections.abc import Callable
from typing import Any

import psutil

import roost
from roost.config import HealthSettings
from roost.errors import KeeperUnavailable, RoostError
from roost.model.views import AttentionView, ComponentHealth, HealthView, Issue
from roost.paths import DataDirectory
from roost.projection.projector import Projector
from roost.services.agents import Agents
from roost.services.keeper_link import KeeperLink
from roost.services.views import attention_view
from roost.store.database import Store

CHECK_TIMEOUT_S = 3.0
CRASH_LOOP_RESTARTS = 5


class Health:
    """The node's health."""

    def __init__(
        self,
        *,
        data: DataDirectory,
        store: Store,
        projector: Projector,
        agents: Agents,
        link: KeeperLink,
        settings: HealthSettings,
        node: str,
        clients: Callable[[], int],
    ) -> None:
        self._data = data
        self._store = store
        self._projector = projector
        self._agents = agents
        self._link = link
        self._settings = settings
        self._node = node
        self._clients = clients
        self._started = time.monotonic()
        self._process = psutil.Process()
        self.disk_full = False
        self.ready = False

    @property
    def uptime_s(self) -> float:
        return round(time.monotonic() - self._started, 3)

    async def report(self) -> HealthView:
        """Check everything now."""
        issues: list[Issue] = []
        keeper, store = await asyncio.gather(self._check_keeper(issues), self._check_store(issues))
        components = {
            "keeper": keeper,
            "store": store,
            "projection": self._check_projection(issues),
            "disk": self._check_disk(issues),
            "memory": self._check_memory(issues),
            "streams": ComponentHealth(status="ok", details={"clients": self._clients()}),
        }
        self._check_agents(issues)
        return HealthView(
            status=overall(components, issues),
            live=True,
            ready=self.ready,
            version=roost.__version__,
            uptime_s=self.uptime_s,
            node=self._node,
            components=components,
            issues=issues,
        )

    async def _check_keeper(self, issues: list[Issue]) -> ComponentHealth:
        running = sum(not record.ended for record in self._agents.records())
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                status = await self._link.call("status")
        except KeeperUnavailable:
            if running == 0:
                return ComponentHealth(status="ok", message="not running; it starts with the first agent")
            return self._down(issues, "KEEPER_DOWN", f"the keeper is gone while {running} agents should run")
        except (TimeoutError, RoostError) as exc:
            return self._down(issues, "KEEPER_DOWN", f"the keeper does not answer: {str(exc) or 'timed out'}")
        self.disk_full = bool(status.get("disk_full"))
        details = {key: value for key, value in status.items() if key not in ("id", "ok")}
        return ComponentHealth(status="degraded" if self.disk_full else "ok", details=details)

    def _down(self, issues: list[Issue], code: str, message: str) -> ComponentHealth:
        advice = "run `roost doctor`; agents that it held are shown as lost and can be restarted"
        issues.append(Issue(code=code, severity="critical", message=message, advice=advice))
        return ComponentHealth(status="down", message=message)

    async def _check_store(self, issues: list[Issue]) -> ComponentHealth:
        started = time.perf_counter()
        try:
            async with asyncio.timeout(CHECK_TIMEOUT_S):
                newest = await asyncio.to_thread(self._store.reader.last_block_id)
        except Exception as exc:  # noqa: BLE001 -- whatever a database may raise, health must answer
            message = f"the store does not answer: {str(exc)[:200] or 'timed out'}"
            advice = "see the server's log; `roost reproject` makes the store again from the recordings"
            issues.append(Issue(code="STORE_DOWN", severity="critical", message=message, advice=advice))
            return ComponentHealth(status="down", message=message)
        query_ms = round((time.perf_counter() - started) * 1000, 2)
        return ComponentHealth(
            status="ok", details={"query_ms": query_ms, "blocks": newest, "epoch": self._store.epoch}
        )

    def _check_projection(self, issues: list[Issue]) -> ComponentHealth:
        lag = self._projector.lag
        details: dict[str, Any] = {
            "behind_bytes": lag.bytes,
            "behind_sessions": lag.sessions,
            "behind_s": round(lag.seconds, 3),
            "error": lag.error,
        }
        if not lag.error and lag.seconds <= self._settings.lag_s:
            return ComponentHealth(status="ok", details=details)
        message = lag.error or f"the store is {lag.seconds:.1f} s behind the recordings"
        advice = "nothing is lost: recordings are written on; look for a full disk or a starved processor"
        issues.append(Issue(code="STORE_BEHIND", severity="warning", message=message, advice=advice, details=details))
        return ComponentHealth(status="degraded", message=message, details=details)

    def _check_disk(self, issues: list[Issue]) -> ComponentHealth:
        usage = shutil.disk_usage(self._data.root)
        details = {"free_bytes": usage.free, "total_bytes": usage.total, "path": str(self._data.root)}
        if self.disk_full or usage.free == 0:
            message = "the disk is full: agents wait until there is space"
            advice = f"free space on the file system of {self._data.root}; agents then go on by themselves"
            issues.append(Issue(code="DISK_FULL", severity="critical", message=message, advice=advice, details=details))
            return ComponentHealth(status="down", message=message, details=details)
        if usage.free < self._settings.disk_low_bytes:
            message = f"{usage.free // 1_000_000} MB are left on the disk"
            advice = "remove old agents with `roost rm`, or free space"
            issues.append(Issue(code="DISK_LOW", severity="warning", message=message, advice=advice, details=details))
            return ComponentHealth(status="degraded", message=message, details=details)
        return ComponentHealth(status="ok", details=details)

    def _check_memory(self, issues: list[Issue]) -> ComponentHealth:
        used = self._process.memory_info().rss
        details = {"rss_bytes": used, "open_files": len(os.listdir("/proc/self/fd"))}  # noqa: PTH208 -- only counted
        if used <= self._settings.memory_high_bytes:
            return ComponentHealth(status="ok", details=details)
        message = f"the server uses {used // 1_000_000} MB"
        issues.append(
            Issue(code="MEMORY_HIGH", severity="warning", message=message, advice="restart the server; agents go on")
        )
        return ComponentHealth(status="degraded", message=message, details=details)

    def _check_agents(self, issues: list[Issue]) -> None:
        for record in self._agents.records():
            if record.restarts >= CRASH_LOOP_RESTARTS and record.session.state == "failed":
                name = record.session.agent_name
                message = f"agent {name} has failed and been restarted {record.restarts} times"
                advice = f"see `roost logs {name}`; `roost stop {name}` ends the restarts"
                issues.append(Issue(code="CRASH_LOOP", severity="warning", message=message, advice=advice))
            elif not record.ended and (issue := attention_issue(attention_view(record))) is not None:
                issues.append(issue)


def attention_issue(about: AttentionView) -> Issue | None:
    """What health says of an agent that needs somebody; that it waits is nobody's fault, so it is `info`."""
    known = _ATTENTION.get(about.kind)
    if known is None:
        return None
    code, severity = known
    said = f"{about.kind} for {about.wants}" if about.wants else about.kind
    message = f"agent {about.agent_name} {_IS.get(about.kind, '')}{said}: {about.summary}".removesuffix(": ")
    details = {"agent": about.agent_name, "since": about.since, "wants": about.wants, "evidence": about.evidence}
    return Issue(code=code, severity=severity, message=message, advice=about.advice, details=details)


_ATTENTION = {"waits": ("WAITING", "info"), "stuck": ("STUCK", "warning"), "looping": ("LOOPING", "warning")}
_IS = {"stuck": "is ", "looping": "is "}


def overall(components: dict[str, ComponentHealth], issues: list[Issue]) -> str:
    """`unhealthy` when a component is down, `degraded` when one is or an issue is known, else `healthy`.

    What is only `info` takes nothing away.
    """
    states = {component.status for component in components.values()}
    if "down" in states:
        return "unhealthy"
    grave = [issue for issue in issues if issue.severity != "info"]
    return "degraded" if "degraded" in states or grave else "healthy"
