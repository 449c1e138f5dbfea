"""What readers find: blocks by position, sessions by time, nothing that is not committed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path

import pytest

from roost.model.agents import Definition, Session
from roost.model.events import Error, Log, ScreenShown, encode_events
from roost.store.database import Store, open_store
from roost.store.writer import AgentChange, NewBlock, Round, SessionWrite

NOTES = (b"checkpoint", b"logs")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(f"sqlite:///{tmp_path}/roost.db") as store:
        yield store


def lines(first: int, last: int) -> NewBlock:
    events = [Log(seq, seq * 10, f"line {seq}", seq) for seq in range(first, last + 1)]
    return NewBlock(events, encode_events(events))


def write(store: Store, session_id: str, *blocks: NewBlock, agent: str = "demo", **fields: object) -> list[int]:
    last_seq = blocks[-1].events[-1].seq if blocks else 1
    session = Session(session_id=session_id, agent_name=agent, last_seq=last_seq, **fields)
    return [block.id for block in store.writer.commit(Round([SessionWrite(session, list(blocks), NOTES)]))]


def spans(blocks: list) -> list[tuple[int, int]]:
    return [(block.first_seq, block.last_seq) for block in blocks]


def test_blocks_after_a_position_begin_with_the_one_that_holds_it(store: Store) -> None:
    write(store, "s1", lines(1, 5), lines(6, 10), lines(11, 15))
    reader = store.reader
    assert spans(reader.blocks("s1", 0)) == [(1, 5), (6, 10), (11, 15)]
    assert spans(reader.blocks("s1", 7)) == [(6, 10), (11, 15)]
    assert spans(reader.blocks("s1", 10)) == [(11, 15)]
    assert reader.blocks("s1", 15) == []
    assert spans(reader.blocks("s1", 0, limit=2)) == [(1, 5), (6, 10)]
    assert reader.blocks("other", 0) == []


def test_a_block_comes_back_whole(store: Store) -> None:
    block = lines(1, 3)
    (number,) = write(store, "s1", block, agent="worker")
    (found,) = store.reader.blocks("s1", 0)
    assert (found.id, found.session_id, found.agent_name, found.events) == (number, "s1", "worker", block.events)


def test_the_last_blocks_hold_at_least_as_many_events_as_asked_for(store: Store) -> None:
    write(store, "s1", lines(1, 5), lines(6, 10), lines(11, 15))
    assert spans(store.reader.last_blocks("s1", 5)) == [(11, 15)]
    assert spans(store.reader.last_blocks("s1", 6)) == [(6, 10), (11, 15)]
    assert spans(store.reader.last_blocks("s1", 1000)) == [(1, 5), (6, 10), (11, 15)]
    assert store.reader.last_blocks("s1", 0) == []
    assert store.reader.last_blocks("other", 5) == []


def test_the_fleets_blocks_come_in_the_order_in_which_they_were_stored(store: Store) -> None:
    first = write(store, "s1", lines(1, 5), agent="one")
    second = write(store, "s2", lines(1, 2), agent="two")
    third = write(store, "s1", lines(6, 7), agent="one")
    reader = store.reader
    assert [block.id for block in reader.fleet_blocks(0)] == [*first, *second, *third] == [1, 2, 3]
    assert [block.session_id for block in reader.fleet_blocks(1)] == ["s2", "s1"]
    assert [block.id for block in reader.fleet_blocks(0, agents={"one"})] == [1, 3]
    assert [block.id for block in reader.fleet_blocks(0, limit=1)] == [1]
    assert reader.fleet_blocks(0, agents=[]) == []
    assert reader.last_block_id() == 3


def test_a_blocks_number_is_never_used_again(store: Store, tmp_path: Path) -> None:
    write(store, "s1", lines(1, 5), lines(6, 7))
    with store.writing.begin() as connection:
        connection.exec_driver_sql("DELETE FROM blocks")
    store.close()
    with open_store(f"sqlite:///{tmp_path}/roost.db") as again:
        assert again.reader.last_block_id() == 2
        assert write(again, "s1", lines(8, 9)) == [3]


def test_sessions_come_newest_first_and_page_by_page(store: Store) -> None:
    for number in range(7):
        write(store, f"s{number}", agent="a" if number % 2 else "b", started_ns=100 + number // 2, state="running")
    reader = store.reader
    names = [session.session_id for session in reader.sessions()]
    assert names == ["s6", "s5", "s4", "s3", "s2", "s1", "s0"]
    paged, before = [], None
    while page := reader.sessions(limit=2, before=before):
        paged += [session.session_id for session in page]
        before = paged[-1]
    assert paged == names
    assert [session.session_id for session in reader.sessions(agent="a")] == ["s5", "s3", "s1"]
    assert reader.sessions(states={"lost"}) == []
    assert len(reader.sessions(states=["running", "lost"])) == 7
    assert reader.sessions(before="nothing") == []


def test_a_session_comes_back_whole(store: Store) -> None:
    session = Session(
        session_id="s1",
        agent_name="demo",
        state="failed",
        reason="exit code 3",
        definition=Definition(command=["bash"], labels={"a": "b"}),
        node="box",
        pid=77,
        cols=100,
        rows=40,
        started_ns=5,
        ended_ns=9,
        exit_code=3,
        signal="SIGHUP",
        lines=12,
        bytes=34,
        last_output_ns=8,
        last_seq=14,
        offset=1234,
        damage=5,
    )
    store.writer.commit(Round([SessionWrite(session, [], NOTES, screen=b"screen", settled=True)]))
    assert store.reader.session("s1") == session
    assert store.reader.session("s2") is None
    assert store.reader.checkpoint("s1") == (session, b"checkpoint", b"screen", b"logs", True)
    assert store.reader.checkpoint("s2") is None
    assert store.reader.offsets() == {"s1": 1234}


def test_later_writes_change_what_changed_and_keep_old_notes_unless_new_ones_come(store: Store) -> None:
    write(store, "s1", lines(1, 2), lines=2)
    for notes, expected in ((None, b"checkpoint"), ((b"new", b"place"), b"new")):
        session = Session(session_id="s1", agent_name="demo", lines=9, last_seq=2)
        store.writer.commit(Round([SessionWrite(session, [], notes)]))
        kept = store.reader.checkpoint("s1")
        assert (kept.session.lines, kept.checkpoint) == (9, expected)
    session = Session(session_id="s1", agent_name="demo", state="paused", pid=5, last_seq=2)
    store.writer.commit(Round([SessionWrite(session, [], None, settled=False)]))
    assert store.reader.session("s1").state == "paused"
    assert store.reader.checkpoint("s1").checkpoint == b"new"


def test_a_writer_that_was_opened_anew_goes_on_with_known_sessions(store: Store, tmp_path: Path) -> None:
    write(store, "s1", lines(1, 2))
    store.close()
    with open_store(f"sqlite:///{tmp_path}/roost.db") as again:
        write(again, "s1", lines(3, 4))
        assert spans(again.reader.blocks("s1", 0)) == [(1, 2), (3, 4)]
        assert len(again.reader.sessions()) == 1


def test_the_latest_session_of_each_agent(store: Store) -> None:
    write(store, "a1", agent="a", started_ns=1)
    write(store, "a2", agent="a", started_ns=3)
    write(store, "b1", agent="b", started_ns=2)
    assert [session.session_id for session in store.reader.latest_sessions()] == ["a2", "b1"]


def test_sessions_that_are_not_settled_are_for_the_projector(store: Store) -> None:
    write(store, "s1")
    write(store, "s2")
    done = Session(session_id="s1", agent_name="demo", state="exited", last_seq=1)
    store.writer.commit(Round([SessionWrite(done, [], None, settled=True)]))
    assert [kept.session.session_id for kept in store.reader.unsettled()] == ["s2"]


def test_events_that_are_not_lines_are_found_by_type(store: Store) -> None:
    events = [
        Log(1, 10, "line", 1),
        Error(2, 20, "CODE", "broken", {"offset": 5}),
        ScreenShown(3, 30, "much text", 80, 24, "title"),
    ]
    write(store, "s1", NewBlock(events, encode_events(events)))
    found = store.reader.events("s1")
    assert [(event.seq, event.type, event.time_ns) for event in found] == [(2, "error", 20), (3, "screen", 30)]
    assert found[0].data == {"code": "CODE", "message": "broken", "details": {"offset": 5}}
    assert found[1].data == {"cols": 80, "rows": 24, "title": "title"}
    assert [event.seq for event in store.reader.events("s1", types={"screen"})] == [3]
    assert [event.seq for event in store.reader.events("s1", after_seq=2)] == [3]
    assert [event.seq for event in store.reader.events("s1", limit=1)] == [2]


def test_agents_are_remembered_and_removed_in_the_order_it_was_said(store: Store) -> None:
    def say(*changes: AgentChange) -> dict[str, dict[str, str]]:
        store.writer.commit(Round([], list(changes)))
        return store.reader.agent_environments()

    assert say(AgentChange("a", {"X": "1"}), AgentChange("b", None)) == {"a": {"X": "1"}, "b": {}}
    assert say(AgentChange("a", None), AgentChange("a", {"X": "2"})) == {"a": {"X": "2"}, "b": {}}
    assert say(AgentChange("a", {"X": "3"}), AgentChange("a", None)) == {"a": {}, "b": {}}


def test_many_threads_may_read_while_one_writes(store: Store) -> None:
    write(store, "s1", lines(1, 50))
    with ThreadPoolExecutor(16) as threads:
        reads = [threads.submit(store.reader.blocks, "s1", 0) for _ in range(200)]
        for first in range(51, 1000, 50):
            write(store, "s1", lines(first, first + 49))
        for read in reads:
            found = spans(read.result(30))
            assert found[0] == (1, 50)
            assert all(before[1] + 1 == after[0] for before, after in pairwise(found))
