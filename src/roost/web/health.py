"""Health, stream figures and metrics over REST."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

from roost.model.views import HealthView, Liveness, MetricsView, StreamStats
from roost.services.metrics import CONTENT_TYPE
from roost.web.requests import Call


async def full(call: Call[None, None]) -> HealthView:
    """Every component, and the issues found."""
    return await call.context.health.report()


async def live(call: Call[None, None]) -> Liveness:
    """The server answers."""
    return Liveness("live")


async def ready(call: Call[None, None]) -> Response:
    """The server takes requests: 200, else 503."""
    is_ready = call.context.health.ready
    body = msgspec.json.encode(Liveness("ready" if is_ready else "not ready"))
    headers = {} if is_ready else {"Retry-After": "1"}
    return Response(body, 200 if is_ready else 503, headers, "application/json")


async def stream_stats(call: Call[None, None]) -> StreamStats:
    """Who streams what."""
    return call.context.hub.stats()


async def metrics_text(call: Call[None, None]) -> Response:
    """All metrics in Prometheus' text format."""
    return Response(call.context.metrics.text(), headers={"Content-Type": CONTENT_TYPE})


async def metrics_json(call: Call[None, None]) -> MetricsView:
    """All metrics as JSON."""
    return call.context.metrics.values()
