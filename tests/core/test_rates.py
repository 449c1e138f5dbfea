"""Token buckets."""

import pytest

from roost.core import rates
from roost.core.rates import Rates


def test_a_burst_passes_and_then_one_waits() -> None:
    bucket = Rates(per_s=2, burst=3)
    assert [bucket.take("a", 10) for _ in range(4)] == [0, 0, 0, 0.5]


def test_the_bucket_fills_with_time() -> None:
    bucket = Rates(per_s=2, burst=1)
    bucket.take("a", 10)
    assert bucket.take("a", 10.25) == 0.25
    assert bucket.take("a", 10.5) == 0


def test_it_never_holds_more_than_the_burst() -> None:
    bucket = Rates(per_s=2, burst=2)
    bucket.take("a", 0)
    assert [bucket.take("a", 1000) for _ in range(3)] == [0, 0, 0.5]


def test_everybody_has_a_bucket() -> None:
    bucket = Rates(per_s=1, burst=1)
    assert [bucket.take("a", 0), bucket.take("b", 0)] == [0, 0]


def test_a_clock_that_goes_back_takes_nothing() -> None:
    bucket = Rates(per_s=1, burst=2)
    bucket.take("a", 100)
    assert bucket.take("a", 50) == 0


def test_the_longest_unused_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MAX_KEYS", 2)
    bucket = Rates(per_s=1, burst=1)
    for key in "abc":
        bucket.take(key, 0)
    assert bucket.take("c", 0) == 1
    assert bucket.take("a", 0) == 0
