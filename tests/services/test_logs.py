"""Reading lines out of a history: from either end, by time, and with bounded work."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any

import pytest

from roost.errors import InvalidCursor, InvalidRequest, SessionNotFound
from roost.model.agents import Definition, Session
from roost.model.blocks import Block
from roost.model.events import AnyEvent, Log, Output, StateChange
from roost.model.requests import LogsQuery
from roost.services import logs as logs_module
from roost.services.logs import Logs

SECOND = 1_000_000_000


class Memory:
    """A history in memory, that counts how many blocks it was asked for."""

    def __init__(self, events: int, block_size: int = 10) -> None:
        self.session_of_a = Session(session_id="s1", agent_name="a", last_seq=events)
        self.session_of_b = Session(session_id="s2", agent_name="b")
        self.blocks_read = 0
        self._blocks = [
            Block(number, "s1", "a", first, last, [event(seq) for seq in range(first, last + 1)])
            for number, first in enumerate(range(1, events + 1, block_size), 1)
            for last in [min(first + block_size - 1, events)]
        ]

    def blocks(self, session_id: str, after_seq: int, limit: int = 64) -> list[Block]:
        found = [block for block in self._blocks if block.session_id == session_id and block.last_seq > after_seq]
        self.blocks_read += len(found[:limit])
        return found[:limit]

    def session(self, session_id: str) -> Session | None:
        known = {each.session_id: each for each in (self.session_of_a, self.session_of_b)}
        return known.get(session_id)

    def fleet_blocks(self, after_block: int, limit: int = 64, agents: Collection[str] | None = None) -> list[Block]:
        return []

    def last_block_id(self) -> int:
        return len(self._blocks)

    def sessions(self, **filters: Any) -> list[Session]:
        return [self.session_of_a, self.session_of_b]


def event(seq: int) -> AnyEvent:
    """Every fifth event is no line; an event a second."""
    if seq % 5 == 0:
        return StateChange(seq, seq * SECOND, "idle")
    return Log(seq, seq * SECOND, f"line {seq}", seq)


def read(history: Memory, **query: Any) -> tuple[list[int], str | None]:
    page = asyncio.run(Logs(history).page(history.session_of_a, LogsQuery(**query)))
    return [line.seq for line in page.lines], page.next_cursor


def test_lines_are_read_forward() -> None:
    assert read(Memory(12), limit=3) == ([1, 2, 3], "s1:3")
    assert read(Memory(12), limit=3, cursor="s1:3") == ([4, 6, 7], "s1:7")
    assert read(Memory(12), limit=100, cursor="s1:7") == ([8, 9, 11, 12], None)


def test_a_page_that_is_just_full_at_the_end_is_the_last() -> None:
    assert read(Memory(4), limit=4) == ([1, 2, 3, 4], None)


def test_the_newest_lines() -> None:
    assert read(Memory(12), tail=3) == ([9, 11, 12], None)
    assert read(Memory(12), tail=0) == ([], None)
    assert read(Memory(0), tail=5) == ([], None)
    assert read(Memory(3), tail=5) == ([1, 2, 3], None)


def test_the_newest_lines_of_a_long_session_cost_little() -> None:
    history = Memory(100_000, 100)
    assert len(read(history, tail=10)[0]) == 10
    assert history.blocks_read <= 12


def test_rare_lines_are_looked_for_further_back() -> None:
    assert read(Memory(20_000, 100), tail=2, grep="line 77") == ([7798, 7799], None)


def test_a_search_ends_after_a_bounded_stretch_and_goes_on_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_module, "MOST_SCANNED", 1000)
    history = Memory(5000)
    found, cursor = read(history, grep="line 4999")
    assert found == []
    rounds = 1
    while not found and cursor:
        found, cursor = read(history, grep="line 4999", cursor=cursor)
        rounds += 1
    assert (found, cursor) == ([4999], None)
    assert 3 <= rounds <= 6
    assert read(history, grep="line 1999", tail=1) == ([], None)


def test_time_is_found_by_halving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs_module, "WORTH_HALVING", 100)
    history = Memory(50_000)
    assert read(history, since="1970-01-01T11:06:41Z", limit=2) == ([40001, 40002], "s1:40002")
    assert history.blocks_read < 200
    assert read(history, since="1970-01-01T00:00:00Z", limit=1) == ([1], "s1:1")
    assert read(history, since="2000-01-01T00:00:00Z") == ([], None)


def test_filters_hold_at_both_ends() -> None:
    query = {"since": "1970-01-01T00:00:03Z", "until": "1970-01-01T00:00:08Z"}
    assert read(Memory(12), **query) == ([3, 4, 6, 7], None)
    assert read(Memory(12), tail=2, **query) == ([6, 7], None)
    assert read(Memory(12), stream="stderr") == ([], None)


class Talk(Memory):
    """A coding agent that says three lines at once, twice, and then one."""

    def __init__(self) -> None:
        super().__init__(0)
        said = [Output(1, SECOND, "a\nb\nc"), Output(2, SECOND, "d\ne\nf"), Output(3, SECOND, "g")]
        self._blocks = [Block(1, "s1", "a", 1, 3, list(said))]
        definition = Definition(command=["claude"], driver="claude")
        self.session_of_a = Session(session_id="s1", agent_name="a", last_seq=3, definition=definition)


def pages(limit: int) -> list[str]:
    found, cursor = [], None
    while True:
        page = asyncio.run(Logs(Talk()).page(Talk().session_of_a, LogsQuery(limit=limit, cursor=cursor)))
        found.append("".join(line.line for line in page.lines))
        cursor = page.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize(
    ("limit", "found"),
    [(1, ["abc", "def", "g"]), (3, ["abc", "def", "g"]), (4, ["abc", "defg"]), (6, ["abcdef", "g"]), (7, ["abcdefg"])],
)
def test_a_page_of_a_transcript_ends_between_two_events(limit: int, found: list[str]) -> None:
    assert pages(limit) == found


def test_the_newest_lines_of_a_transcript() -> None:
    page = asyncio.run(Logs(Talk()).page(Talk().session_of_a, LogsQuery(tail=2)))
    assert [line.line for line in page.lines] == ["f", "g"]


def place(history: Memory, **query: Any) -> int:
    return asyncio.run(Logs(history).place(history.session_of_a, LogsQuery(**query))).after_seq


def test_a_stream_begins_where_a_page_would() -> None:
    assert place(Memory(12)) == 0
    assert place(Memory(12), tail=3) == 8
    assert place(Memory(12), tail=0) == 12
    assert place(Memory(12), tail=3, grep="nothing") == 12
    assert place(Memory(12), cursor="s1:7") == 7
    assert place(Memory(12), since="1970-01-01T00:00:03Z") == 0


def test_a_session_that_the_store_does_not_know_yet_has_no_lines() -> None:
    fresh = Session(session_id="s9", agent_name="a")
    page = asyncio.run(Logs(Memory(3)).page(fresh, LogsQuery()))
    assert (page.session_id, page.lines) == ("s9", [])


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ({"session": "s2"}, SessionNotFound),
        ({"session": "s3"}, SessionNotFound),
        ({"cursor": "s2:1"}, InvalidCursor),
        ({"cursor": "s1:13"}, InvalidCursor),
        ({"cursor": "s1:1", "session": "s2"}, InvalidCursor),
        ({"cursor": "nonsense"}, InvalidCursor),
        ({"cursor": "s1:1", "tail": 1}, InvalidRequest),
        ({"since": "noon"}, InvalidRequest),
    ],
)
def test_what_cannot_be_read_says_so(query: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        read(Memory(12), **query)
