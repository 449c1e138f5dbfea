"""What agents spent, summed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.model.agents import Session
from roost.model.events import Usage, encode_events
from roost.store import swapping
from roost.store.database import Store, open_store
from roost.store.spending import DAY_NS, Filter
from roost.store.writer import NewBlock, Round, SessionWrite


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/roost.db") as store:
        spend(store, "s1", "a", Usage(1, 5, "m", 10, 1, 2, 3, 0.5, turn_id="t1"), Usage(2, DAY_NS, "n", 7))
        spend(store, "s2", "b", Usage(1, DAY_NS + 1, "m", 100, 0, 0, 0, 1.5))
        yield store


def spend(store: Store, session_id: str, agent: str, *events: Usage) -> None:
    session = Session(session_id=session_id, agent_name=agent, last_seq=len(events))
    block = NewBlock(list(events), encode_events(list(events)))
    store.writer.commit(Round([SessionWrite(session, [block], (b"checkpoint", b"logs"))]))


def test_all_of_it(store: Store) -> None:
    (total,) = store.spending.sums([], Filter())
    assert (total.input_tokens, total.output_tokens) == (117, 1)
    assert (total.cache_read_tokens, total.cache_write_tokens) == (2, 3)
    assert (total.cost_usd, total.unpriced_tokens) == (2.0, 7)


def test_nothing_spent_is_no_sum(store: Store) -> None:
    assert store.spending.sums([], Filter(agent="nobody")) == []


@pytest.mark.parametrize(
    ("by", "expected"),
    [
        (["day"], [({"day": "1970-01-01"}, 10), ({"day": "1970-01-02"}, 107)]),
        (["agent"], [({"agent": "a"}, 17), ({"agent": "b"}, 100)]),
        (["session", "model"], [("s1", "m", 10), ("s1", "n", 7), ("s2", "m", 100)]),
        (["turn"], [({"turn": None}, 107), ({"turn": "t1"}, 10)]),
    ],
)
def test_by_what_is_asked_for(store: Store, by: list[str], expected: list) -> None:
    found = store.spending.sums(by, Filter())
    if len(by) == 1:
        assert [(one.keys, one.input_tokens) for one in found] == expected
    else:
        assert [(*one.keys.values(), one.input_tokens) for one in found] == expected


def test_a_model_without_a_price_has_no_cost(store: Store) -> None:
    (one,) = store.spending.sums(["model"], Filter(model="n"))
    assert (one.cost_usd, one.unpriced_tokens) == (None, 7)


@pytest.mark.parametrize(
    ("wanted", "tokens"),
    [
        (Filter(agent="a"), 17),
        (Filter(session="s2"), 100),
        (Filter(model="m"), 110),
        (Filter(since_ns=DAY_NS), 107),
        (Filter(until_ns=DAY_NS), 10),
        (Filter(since_ns=DAY_NS, until_ns=DAY_NS + 1), 7),
    ],
)
def test_only_what_is_wanted(store: Store, wanted: Filter, tokens: int) -> None:
    (total,) = store.spending.sums([], wanted)
    assert total.input_tokens == tokens


def test_no_more_sums_than_asked_for(store: Store) -> None:
    assert len(store.spending.sums(["agent"], Filter(), limit=1)) == 1


def test_what_is_replaced_is_not_counted_and_goes(store: Store) -> None:
    key = swapping.last_key(store.writing)
    swapping.discard(store.writing, key - 1, "s2")
    (total,) = store.spending.sums([], Filter())
    assert total.input_tokens == 17
