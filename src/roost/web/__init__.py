"""The HTTP edge: `build_app` makes the ASGI application of a server's parts."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from roost.core.rates import Rates
from roost.services.metrics import Metrics, Parts
from roost.web.auth import load_tokens
from roost.web.context import Context
from roost.web.dispatch import Routing
from roost.web.frame import Frame
from roost.web.guard import Guard
from roost.web.routes import ROUTES

if TYPE_CHECKING:
    from starlette.types import ASGIApp

__all__ = ["Context", "build_app"]


def build_app(context: Context) -> ASGIApp:
    """The whole application: the frame around the guard around the routes.

    Raises:
        InvalidSetting: the tokens, `server.allowed_hosts` or `server.allowed_origins` cannot be read.
    """
    server = context.settings.server
    parts = Parts(
        agents=context.agents,
        hub=context.hub,
        terminals=context.terminals,
        health=context.health,
        projector=context.projector,
        link=context.link,
        version=context.version,
    )
    whole = replace(
        context,
        routes=ROUTES,
        tokens=load_tokens(context.data.token),
        rates=Rates(server.requests_per_s, server.request_burst),
        metrics=Metrics(parts),
    )
    return Frame(Guard(Routing(ROUTES, whole), whole), whole)
