"""The hub: wakes, counts, closes; and where streams begin in it."""

import asyncio

import pytest

from roost.config import StreamSettings
from roost.core.forms import ALL
from roost.core.ring import Cursor
from roost.errors import InvalidCursor
from roost.model.agents import Definition, Session
from roost.services.hub import MOST_STATES, Hub
from roost.services.streams import MOST_TAIL_READS, TAIL_BLOCKS, Start, follow_agent, follow_fleet
from tests.services.stored import Recorder


class Newest:
    """Answers with one session, as an agent that was just started has one before anything is stored."""

    def __init__(self, session):
        self.session = session

    def resolve_session(self, name):
        return self.session


def run_with_hub(scenario, **stream):
    async def run():
        recorder = Recorder()
        hub = Hub(recorder.history, StreamSettings(**stream))
        try:
            await scenario(hub, recorder)
        finally:
            hub.close()

    asyncio.run(run())


def test_watchers_are_told_every_change_of_state_of_their_agent():
    async def scenario(hub, recorder):
        recorder.begin("s1", "a1")
        recorder.begin("s2", "a2")
        with hub.watch_states("a1") as watch, hub.watch_states("a1") as other:
            recorder.lines("s1", 1)
            recorder.state("s2", "idle")
            recorder.state("s1", "idle")
            recorder.state("s1", "running", "idle")
            recorder.publish(hub)
            told = [await asyncio.wait_for(anext(watch), 10) for _ in range(2)]
            assert [(session_id, change.state) for session_id, change in told] == [("s1", "idle"), ("s1", "running")]
            assert (await anext(other))[1].state == "idle"

    run_with_hub(scenario)


def test_a_watcher_that_does_not_look_keeps_the_newest():
    async def scenario(hub, recorder):
        recorder.begin("s1", "a1")
        with hub.watch_states("a1") as watch:
            for _ in range(MOST_STATES + 5):
                recorder.state("s1", "idle")
            recorder.publish(hub)
            assert (await anext(watch))[1].seq == 6

    run_with_hub(scenario)


def test_closing_ends_watchers_and_readers_for_good():
    async def scenario(hub, recorder):
        session = recorder.begin("s1", "a1")
        with hub.watch_states("a1") as watch, hub.follow_session(session, 0) as reader:
            waiting = [asyncio.ensure_future(anext(watch, None)), asyncio.ensure_future(reader.next())]
            await asyncio.sleep(0)
            hub.close()
            assert await asyncio.gather(*waiting) == [None, None]
        with hub.watch_states("a1") as late, hub.follow_session(session, 0) as reader:
            assert await anext(late, None) is None
            assert await reader.next() is None
        recorder.lines("s1", 1)
        recorder.publish(hub)

    run_with_hub(scenario)


def test_the_memory_of_recent_events_is_known_and_bounded():
    async def scenario(hub, recorder):
        recorder.begin("s1", "a1")
        for _ in range(50):
            recorder.lines("s1", 10)
            recorder.publish(hub)
        assert 0 < hub.ring_bytes <= 20_000

    run_with_hub(scenario, ring_bytes=20_000)


def test_publishing_nothing_wakes_nobody():
    async def scenario(hub, recorder):
        hub.publish([], [])
        assert hub.ring_bytes == 0

    run_with_hub(scenario)


def test_a_burst_is_given_in_few_pieces():
    async def scenario(hub, recorder):
        session = recorder.begin("s1", "a1")
        with hub.follow_session(session, 0) as reader:
            seen = pieces = 0
            first = asyncio.ensure_future(reader.next())
            await asyncio.sleep(0)
            for _ in range(200):
                recorder.lines("s1", 1)
                recorder.publish(hub)
            seen += (await first).events
            while seen < 200:
                pieces += 1
                seen += (await reader.next()).events
            assert pieces < 20

    run_with_hub(scenario)


def test_an_agent_that_was_just_started_can_be_followed_before_anything_is_stored():
    async def scenario(hub, recorder):
        fresh = Session(session_id="s9", agent_name="a9", definition=Definition(command=["x"]))
        begun = await follow_agent(hub, Newest(fresh), "a9", Start())
        assert begun.position == "s9:0"
        begun.reader.__exit__()
        begun = await follow_agent(hub, Newest(fresh), "a9", Start(after="s9:0"))
        begun.reader.__exit__()
        begun.reader.__exit__()
        assert hub.stats().total_clients == 0
        with pytest.raises(InvalidCursor):
            await follow_agent(hub, Newest(fresh), "a9", Start(after="s8:0"))

    run_with_hub(scenario)


def test_a_next_session_that_is_not_stored_yet_is_followed_too():
    async def scenario(hub, recorder):
        recorder.begin("s1", "a1")
        recorder.end("s1")
        fresh = Session(session_id="s2", agent_name="a1", started_ns=2**62, definition=Definition(command=["x"]))
        begun = await follow_agent(hub, Newest(fresh), "a1", Start(after="s1:2"))
        with begun.reader:
            assert begun.position == "s2:0"

    run_with_hub(scenario)


def test_the_next_session_is_found_among_hundreds():
    async def scenario(hub, recorder):
        for number in range(250):
            recorder.begin(f"s{number}", "a1")
            recorder.end(f"s{number}")
        newest = recorder.history.by_session["s249"]
        begun = await follow_agent(hub, Newest(newest), "a1", Start(after="s3:2"))
        with begun.reader:
            assert begun.position == "s4:0"
        assert await follow_agent(hub, Newest(newest), "a1", Start(after="s249:2")) is None

    run_with_hub(scenario)


def test_an_ended_session_whose_complete_is_still_to_come_is_followed():
    async def scenario(hub, recorder):
        session = recorder.begin("s1", "a1")
        recorder.state("s1", "exited")
        begun = await follow_agent(hub, Newest(session), "a1", Start(after="s1:1"))
        with begun.reader:
            assert begun.position == "s1:1"

    run_with_hub(scenario)


def test_the_fleet_looks_back_a_bounded_number_of_blocks():
    async def scenario(hub, recorder):
        recorder.begin("s1", "a1")
        most = MOST_TAIL_READS * TAIL_BLOCKS
        for _ in range(most + 10):
            recorder.lines("s1", 1)
        begun = await follow_fleet(hub, Start(tail=10**6), ALL)
        with begun.reader:
            assert begun.position == "0.11.0"

    run_with_hub(scenario)


def test_the_newest_events_in_memory_are_found_by_agent():
    async def scenario(hub, recorder):
        recorder.begin("s1", "a1")
        recorder.begin("s2", "a2")
        for session_id in ("s1", "s2", "s1", "s2"):
            recorder.lines(session_id, 5)
        recorder.publish(hub)
        wanted = ALL._replace(agents=frozenset({"a1"}))
        assert hub.fleet_tail(7, wanted) == Cursor(1, 3)
        assert hub.fleet_tail(5, ALL) == Cursor(4, 5)
        assert hub.fleet_tail(21, ALL) is None

    run_with_hub(scenario)
