"""Pacing decisions: ticks, rates, what is skipped, who is gone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.flow import (
    OUTPUT_TYPES,
    PARTIAL,
    RateMeter,
    Skip,
    TokenBucket,
    choose,
    is_stalled,
    tick_s,
)
from roost.model.events import EVENT_TYPES

TYPES = ["log", "state", "error", "complete", "screen", "output", "tool_call", "mark"]


def test_nobody_to_wake_needs_no_tick():
    assert tick_s(0, 0) == 0


def test_few_clients_are_woken_often():
    assert tick_s(100, 1) == 0.003
    assert tick_s(1_000_000, 100) < 0.014


def test_many_clients_with_little_to_say_are_woken_within_ten_milliseconds():
    assert tick_s(19_000, 1000) == 0.010


def test_many_busy_clients_are_woken_less_often_and_never_later_than_fifty():
    assert 0.022 < tick_s(100_000, 1000) < 0.024
    assert tick_s(10_000_000, 100_000) == 0.050


def test_meter_says_how_many_a_second():
    meter = RateMeter()
    for step in range(101):
        meter.add(10, 100 + step * 0.01)
    assert 990 <= meter.per_s <= 1060


def test_meter_starts_at_nothing_and_forgets():
    meter = RateMeter()
    assert meter.per_s == 0
    meter.add(50, 10.0)
    meter.add(0, 20.0)
    assert meter.per_s == 5.0
    meter.add(0, 30.0)
    assert meter.per_s == 0


def test_bucket_gives_its_burst_at_once_and_then_its_rate():
    bucket = TokenBucket(10, 5)
    assert bucket.available(0.0) == 5
    bucket.spend(5)
    assert bucket.available(0.0) == 0
    assert bucket.available(0.25) == 2
    assert bucket.available(100.0) == 5


def test_bucket_always_lets_one_through_in_time():
    bucket = TokenBucket(0.5, 0)
    assert bucket.available(0.0) == 1
    bucket.spend(1)
    assert bucket.available(1.0) == 0
    assert bucket.available(2.0) == 1


def test_bucket_remembers_a_debt():
    bucket = TokenBucket(10, 10)
    assert bucket.available(0.0) == 10
    bucket.spend(20)
    assert bucket.available(0.5) == 0
    assert bucket.available(1.2) == 2


@given(st.lists(st.tuples(st.floats(0, 2), st.integers(0, 50)), max_size=30))
def test_bucket_never_gives_more_than_burst_and_rate(steps):
    bucket = TokenBucket(10, 5)
    now, given_out = 0.0, 0
    for wait, wanted in steps:
        now += wait
        taken = min(wanted, bucket.available(now))
        bucket.spend(taken)
        given_out += taken
        assert given_out <= 5 + 10 * now + 1e-6


@given(st.lists(st.sampled_from(TYPES), max_size=60), st.integers(0, 80))
def test_only_output_is_skipped_and_the_newest_is_kept(types, budget):
    kept = choose(types, budget)
    urgent = [index for index, name in enumerate(types) if name not in OUTPUT_TYPES]
    output = [index for index, name in enumerate(types) if name in OUTPUT_TYPES]
    assert kept == sorted(kept)
    assert set(urgent) <= set(kept)
    kept_output = [index for index in kept if types[index] in OUTPUT_TYPES]
    assert kept_output == output[len(output) - len(kept_output) :]
    assert len(kept_output) == min(len(output), max(0, budget - len(urgent)))


def test_pieces_of_messages_are_skipped_before_whole_ones():
    types = ["output", PARTIAL, "permission", PARTIAL, "turn", "log"]
    assert choose(types, 5) == [0, 2, 3, 4, 5]
    assert choose(types, 4) == [0, 2, 4, 5]
    assert choose(types, 3) == [2, 4, 5]
    assert choose(types, 0) == [2, 4]


@pytest.mark.parametrize("kind", [*sorted(set(EVENT_TYPES) - {"log", "output", "thinking", "screen"})])
def test_what_is_urgent_always_goes(kind):
    assert choose([kind, "log"], 0) == [0]


def test_skip_says_how_many_and_where_they_are():
    data = Skip(7, after="s:3", until="s:10", reason="rate").data()
    assert data == {"count": 7, "after": "s:3", "until": "s:10", "reason": "rate"}


def test_a_client_is_gone_after_the_longest_time_or_the_most_bytes():
    limits = {"longest_s": 120.0, "most_bytes": 1000}
    assert not is_stalled(119.0, 1000, **limits)
    assert is_stalled(120.0, 0, **limits)
    assert is_stalled(0.1, 1001, **limits)
