"""Metrics in a registry of our own: what the edge counts, and what the server's parts know when they are asked.

Labels are few and bounded: a route is the pattern of the table, never a path; no agent's name is a label.
"""

from __future__ import annotations

import math
import resource
from collections import Counter as Tally
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, get_args

from prometheus_client import (
    CollectorRegistry,
    Counter,
    GCCollector,
    Histogram,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from roost.model.agents import State
from roost.model.views import MetricFamily, MetricsView, Sample

if TYPE_CHECKING:
    from roost.projection.projector import Projector
    from roost.services.agents import Agents
    from roost.services.health import Health
    from roost.services.hub import Hub
    from roost.services.keeper_link import KeeperLink
    from roost.services.terminals import Terminals

CONTENT_TYPE = CONTENT_TYPE_LATEST
# They double the series and say nothing that the start of the server does not.
disable_created_metrics()  # type: ignore[no-untyped-call]
BUCKETS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of the server that are asked at each scrape."""

    agents: Agents
    hub: Hub
    terminals: Terminals
    health: Health
    projector: Projector
    link: KeeperLink
    version: str


class Metrics:
    """The server's metrics."""

    def __init__(self, parts: Parts | None = None) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "roost_http_requests", "Requests answered.", ("method", "route", "status"), registry=self.registry
        )
        self._seconds = Histogram(
            "roost_http_request_duration_seconds",
            "Time from a request's head to the end of its answer; streams are left out.",
            ("route",),
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._counted: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        if parts is not None:
            self.registry.register(ServerCollector(parts))

    def served(self, method: str, route: str, status: int, took_s: float | None) -> None:
        """Count a request; `took_s` is None for a stream."""
        key = (method if method in METHODS else "other", route or "none", status)
        counted = self._counted.get(key)
        if counted is None:
            requests = self._requests.labels(key[0], key[1], str(status))
            counted = self._counted[key] = (requests, self._seconds.labels(key[1]))
        counted[0].inc()
        if took_s is not None:
            counted[1].observe(took_s)

    def text(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)

    def values(self) -> MetricsView:
        """Everything as objects."""
        families = (
            MetricFamily(metric.name, metric.type, metric.documentation, list(map(_sample, metric.samples)))
            for metric in self.registry.collect()
        )
        return MetricsView(list(families))


METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class ServerCollector(Collector):
    """Asks the server's parts when metrics are read."""

    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def describe(self) -> Iterable[Metric]:
        """Nothing is asked of the parts when the registry is made."""
        return []

    def collect(self) -> Iterator[Metric]:
        yield from self._of_agents()
        yield from self._of_projection()
        yield from self._of_edges()

    def _of_agents(self) -> Iterator[Metric]:
        agents = self._parts.agents.all()
        states = Tally(agent.state for agent in agents)
        by_state = GaugeMetricFamily("roost_agents", "Agents, by the state of their newest session.", labels=["state"])
        for state in get_args(State):
            by_state.add_metric([state], states[state])
        yield by_state
        memory = sum(agent.memory_bytes or 0 for agent in agents)
        yield GaugeMetricFamily("roost_agents_memory_bytes", "Memory of all agents' processes.", memory)
        processes = sum(agent.processes or 0 for agent in agents)
        yield GaugeMetricFamily("roost_agents_processes", "Processes of all agents.", processes)
        cpu = sum(agent.cpu_percent or 0 for agent in agents) / 100
        yield GaugeMetricFamily("roost_agents_cpu_ratio", "Processors that all agents use.", cpu)

    def _of_projection(self) -> Iterator[Metric]:
        lag = self._parts.projector.lag
        yield GaugeMetricFamily("roost_projection_lag_bytes", "Bytes of recordings not yet projected.", lag.bytes)
        yield GaugeMetricFamily(
            "roost_projection_lag_sessions", "Sessions whose recordings are not wholly projected.", lag.sessions
        )
        yield GaugeMetricFamily(
            "roost_projection_lag_seconds", "How long something has waited to be projected.", lag.seconds
        )
        failing = 1.0 if lag.error else 0.0
        yield GaugeMetricFamily("roost_projection_failing", "1 while the projection cannot write.", failing)

    def _of_edges(self) -> Iterator[Metric]:
        parts = self._parts
        yield GaugeMetricFamily(
            "roost_stream_clients", "Clients of the event streams.", parts.hub.stats().total_clients
        )
        yield GaugeMetricFamily("roost_stream_ring_bytes", "Memory of recent events.", parts.hub.ring_bytes)
        yield GaugeMetricFamily("roost_terminals_live", "Terminals kept in memory.", parts.terminals.live_count)
        yield GaugeMetricFamily("roost_keeper_connected", "1 while the keeper answers.", float(parts.link.connected))
        yield GaugeMetricFamily("roost_disk_full", "1 while agents wait for disk space.", float(parts.health.disk_full))
        yield GaugeMetricFamily("roost_ready", "1 while the server takes requests.", float(parts.health.ready))
        info = GaugeMetricFamily("roost_build_info", "Always 1; the label is the version.", labels=["version"])
        info.add_metric([parts.version], 1)
        yield info
        usage = resource.getrusage(resource.RUSAGE_SELF)
        faults = CounterMetricFamily("roost_page_faults", "Page faults of the server that needed the disk.")
        faults.add_metric([], usage.ru_majflt)
        yield faults


NAMES: tuple[str, ...] = (
    "roost_agents",
    "roost_agents_cpu_ratio",
    "roost_agents_memory_bytes",
    "roost_agents_processes",
    "roost_build_info",
    "roost_disk_full",
    "roost_http_request_duration_seconds",
    "roost_http_requests_total",
    "roost_keeper_connected",
    "roost_page_faults_total",
    "roost_projection_failing",
    "roost_projection_lag_bytes",
    "roost_projection_lag_seconds",
    "roost_projection_lag_sessions",
    "roost_ready",
    "roost_stream_clients",
    "roost_stream_ring_bytes",
    "roost_terminals_live",
)


def names() -> tuple[str, ...]:
    """Our metrics, as they are written in a query; a histogram's without its suffixes."""
    return NAMES


def _sample(sample: Any) -> Sample:
    return Sample(sample.name, dict(sample.labels), sample.value if math.isfinite(sample.value) else None)
