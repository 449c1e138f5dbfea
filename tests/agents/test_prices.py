"""What tokens cost."""

from __future__ import annotations

from importlib import resources

import pytest

from roost.agents.prices import PriceList, read_prices
from roost.errors import InvalidSetting
from roost.model.events import Usage

LIST = """
as_of = "2026-01-01"
["big"]
input = 2.0
output = 10.0
cache_read = 0.5
cache_write = 4.0
["big-lite"]
input = 1.0
output = 1.0
"""


def cost(model: str, *tokens: int, prices: PriceList | None = None) -> float | None:
    return (prices or read_prices(LIST, "test")).cost(Usage(0, 0, model, *tokens))


def test_each_kind_of_token_has_its_price() -> None:
    assert cost("big-2026", 1_000_000, 1_000_000, 1_000_000, 1_000_000) == 16.5


def test_cached_tokens_cost_as_others_unless_it_is_said() -> None:
    assert cost("big-lite", 0, 0, 1_000_000, 1_000_000) == 2.0


@pytest.mark.parametrize(("model", "dollars"), [("big-lite-1", 1.0), ("maker/Big", 2.0), ("small", None), ("", None)])
def test_the_longest_name_that_fits_counts(model: str, dollars: float | None) -> None:
    assert cost(model, 1_000_000) == dollars


def test_a_second_list_counts_more() -> None:
    other = read_prices('as_of = "2026-02-02"\n["big"]\ninput = 9.0\noutput = 9.0\n', "other")
    both = read_prices(LIST, "test").overridden_by(other)
    assert both.as_of == "2026-02-02"
    assert (cost("big", 1_000_000, prices=both), cost("big-lite", 1_000_000, prices=both)) == (9.0, 1.0)


@pytest.mark.parametrize("text", ["[", '["m"]\ninput = "x"\noutput = 1.0', '["m"]\nprice = 1.0', "m = 1", "as_of = 3"])
def test_a_list_that_cannot_be_read_says_which(text: str) -> None:
    with pytest.raises(InvalidSetting, match="my-file"):
        read_prices(text, "my-file")


def test_the_list_that_comes_with_roost_can_be_read() -> None:
    found = read_prices(resources.files("roost.agents").joinpath("prices.toml").read_text(), "prices.toml")
    assert found.as_of
    assert found.find("claude-sonnet-4-5-20250929")
