"""What the web edge needs of the server."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from roost.core.rates import Rates
from roost.services.metrics import Metrics
from roost.web.auth import Tokens
from roost.web.page import Page
from roost.web.tickets import Tickets

if TYPE_CHECKING:
    from roost.config import Settings
    from roost.paths import DataDirectory
    from roost.services.agents import Agents
    from roost.services.approvals import Approvals
    from roost.services.conversations import Conversations
    from roost.services.health import Health
    from roost.services.history import History
    from roost.services.hub import Hub
    from roost.services.telemetry import Telemetry
    from roost.services.terminals import Terminals
    from roost.store.spending import Spending
    from roost.web.dispatch import Entry


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The server's parts, and what the edge itself keeps while it serves."""

    settings: Settings
    data: DataDirectory
    agents: Agents
    conversations: Conversations
    approvals: Approvals
    telemetry: Telemetry
    hub: Hub
    terminals: Terminals
    health: Health
    reader: History
    spending: Spending
    projector: Any
    link: Any
    version: str
    routes: tuple[Entry, ...] = ()
    tokens: Tokens = field(default_factory=lambda: Tokens({}))
    tickets: Tickets = field(default_factory=Tickets)
    rates: Rates = field(default_factory=lambda: Rates(200, 400))
    page: Page = field(default_factory=Page)
    metrics: Metrics = field(default_factory=Metrics)
