"""Who understands what agents say, with the prices that hold for this data directory."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import structlog

from roost.agents import registry
from roost.agents.prices import PriceList, read_prices
from roost.core.decoding import Makers
from roost.errors import InvalidSetting

PRICES = "prices.toml"

log = structlog.get_logger("projection")


def makers_for(root: Path | None = None) -> Makers:
    """Who understands sessions; `prices.toml` in the data directory `root` counts more than the list roost brings."""
    return registry.makers(price_list(root).cost)


def price_list(root: Path | None) -> PriceList:
    """The prices that hold. An own list that cannot be read is logged and left out."""
    brought = read_prices(resources.files("roost.agents").joinpath(PRICES).read_text(), PRICES)
    if root is None:
        return brought
    try:
        return brought.overridden_by(read_prices((root / PRICES).read_text(), str(root / PRICES)))
    except FileNotFoundError:
        return brought
    except (InvalidSetting, OSError, UnicodeDecodeError) as exc:
        log.warning("own prices not used", reason=str(exc))
        return brought
