"""The drivers there are, by name."""

from __future__ import annotations

from roost.agents.driver import Driver

DRIVERS: dict[str, Driver] = {}
"""Of agents that are spoken to in their own protocol; `terminal` and `lines` need none."""
