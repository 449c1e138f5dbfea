"""Tallies of numbered lines find what was lost, doubled or out of order."""

import pytest

from roost.testing.numbered import Ledger, Numbers, Tally


@pytest.mark.parametrize(
    ("numbers", "tally"),
    [
        ([1, 2, 3], Tally(3, 3, 0, 0, 0)),
        ([1, 3], Tally(3, 2, 1, 0, 0)),
        ([1, 2, 2, 3], Tally(3, 3, 0, 1, 0)),
        ([1, 3, 2], Tally(3, 3, 0, 0, 1)),
        ([], Tally(3, 0, 3, 0, 0)),
    ],
)
def test_numbers_are_tallied(numbers: list[int], tally: Tally) -> None:
    source = Numbers()
    for number in numbers:
        source.take(number)
    assert source.tally(3) == tally
    assert tally.is_perfect is (numbers == [1, 2, 3])


def test_a_ledger_keeps_sources_apart_and_strangers_aside() -> None:
    ledger = Ledger()
    for line in ("a 1", "b 1", "a 2", "what is this", "b 2"):
        ledger.take(line)
    assert ledger.tally({"a": 2, "b": 2}).is_perfect
    assert ledger.tally({"a": 2, "b": 2, "c": 1}) == Tally(5, 4, 1, 0, 0)
    assert ledger.strangers == ["what is this"]
