"""What tokens cost, from a list of prices, for agents that count tokens but not money.

A list is TOML: `as_of`, the date of its prices, and a table for each family of models, whose name begins with the
table's name; the longest that fits counts. Prices are in US dollars for a million tokens.

    as_of = "2025-11-01"

    ["claude-sonnet-4"]
    input = 3.0
    output = 15.0
    cache_read = 0.3
    cache_write = 3.75
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping

import msgspec
from msgspec import Struct

from roost.errors import InvalidSetting
from roost.model.events import Usage

MILLION = 1_000_000


class Price(Struct, frozen=True, forbid_unknown_fields=True):
    """Dollars for a million tokens; cached ones cost as much as others unless it is said."""

    input: float
    output: float
    cache_read: float | None = None
    cache_write: float | None = None


class PriceList(Struct, frozen=True):
    """Prices by the beginning of a model's name, and the date at which they held."""

    as_of: str
    prices: Mapping[str, Price]

    def cost(self, usage: Usage) -> float | None:
        """What the tokens of an event cost; none where the model is not in the list."""
        price = self.find(usage.model)
        if price is None:
            return None
        read = price.input if price.cache_read is None else price.cache_read
        write = price.input if price.cache_write is None else price.cache_write
        total = usage.input_tokens * price.input + usage.output_tokens * price.output
        return round((total + usage.cache_read_tokens * read + usage.cache_write_tokens * write) / MILLION, 9)

    def find(self, model: str) -> Price | None:
        """The price of a model: that of the longest name it begins with. A maker's prefix is passed over."""
        name = model.rpartition("/")[2].casefold()
        fitting = [known for known in self.prices if name.startswith(known.casefold())]
        return self.prices[max(fitting, key=len)] if fitting else None

    def overridden_by(self, other: PriceList) -> PriceList:
        """Both lists, where the other's prices count more."""
        return PriceList(other.as_of, {**self.prices, **other.prices})


def read_prices(text: str, name: str) -> PriceList:
    """A list of prices.

    Raises:
        InvalidSetting: it is not TOML, or not such a list; `name` says which file that was.
    """
    try:
        found = tomllib.loads(text)
        as_of = found.pop("as_of", "")
        return PriceList(msgspec.convert(as_of, str), msgspec.convert(found, dict[str, Price]))
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as exc:
        raise InvalidSetting(f"the prices in {name} cannot be read: {exc}", file=name) from exc
