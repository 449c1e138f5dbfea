"""A reader has every event after its cursor once and in order, whatever store, ring and other readers do meanwhile."""

import asyncio
import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from roost.config import StreamSettings
from roost.core.forms import Selection, form
from roost.core.ring import Cursor
from roost.services.hub import Hub
from roost.services.reader import IDLE
from tests.services.stored import MemoryHistory, Recorder

SESSIONS = ("s1", "s2", "s3")
AGENTS = {"s1": "a1", "s2": "a2", "s3": "a3"}
LABELS = {"s1": {"team": "x"}, "s2": {"team": "y"}, "s3": {"team": "x"}}

Step = st.one_of(
    st.tuples(st.just("store"), st.sampled_from(SESSIONS), st.integers(1, 9)),
    st.tuples(st.just("publish"), st.just(""), st.integers(1, 5)),
    st.tuples(st.just("run"), st.just(""), st.integers(1, 4)),
    st.tuples(st.just("wait"), st.just(""), st.just(0)),
)
Meanwhile = st.lists(st.tuples(st.sampled_from(SESSIONS), st.integers(1, 4), st.booleans()), max_size=6)

Old = st.lists(st.tuples(st.sampled_from(SESSIONS), st.integers(1, 4)), max_size=6)
"""What was stored before the server began: no hub is ever told of it."""


class InterruptedHistory(MemoryHistory):
    """Between an answer's making and its arrival, more is stored, and perhaps published."""

    def __init__(self):
        super().__init__()
        self.meanwhile = []
        self.interrupt = None

    def blocks(self, session_id, after_seq, limit=64):
        found = super().blocks(session_id, after_seq, limit)
        self._interrupted()
        return found

    def fleet_blocks(self, after_block, limit=64, agents=None):
        found = super().fleet_blocks(after_block, limit, agents)
        self._interrupted()
        return found

    def last_block_id(self):
        found = super().last_block_id()
        self._interrupted()
        return found

    def _interrupted(self):
        if self.meanwhile and self.interrupt:
            self.interrupt(*self.meanwhile.pop())


class Trial:
    """A recorder, a hub with a small ring, and readers that note what they get."""

    def __init__(self, ring_bytes, meanwhile, old=()):
        self.history = InterruptedHistory()
        self.recorder = Recorder(self.history)
        for session_id, agent in AGENTS.items():
            self.recorder.begin(session_id, agent, LABELS[session_id])
        for session_id, count in old:
            self.recorder.lines(session_id, count)
        self.recorder.unpublished.clear()
        self.hub = Hub(self.history, StreamSettings(ring_bytes=ring_bytes))
        self.history.meanwhile = list(meanwhile)
        self.history.interrupt = self.interrupt
        self.loop = asyncio.get_running_loop()
        self.lock = self.history._lock

    def interrupt(self, session_id, count, publish):
        """On a reading thread, as the projection would store and publish on its own."""

        async def store():
            self.recorder.lines(session_id, count)
            if publish:
                self.recorder.publish(self.hub)

        asyncio.run_coroutine_threadsafe(store(), self.loop).result(10)

    async def play(self, steps):
        for kind, session_id, number in steps:
            if kind == "store":
                self.recorder.lines(session_id, number)
            elif kind == "publish":
                self.recorder.publish(self.hub, number)
            elif kind == "run":
                for _ in range(number):
                    await asyncio.sleep(0)
            else:
                await asyncio.sleep(0.002)

    async def settle(self, readers, is_done):
        await self.until(readers, is_done)
        self.history.meanwhile.clear()
        # Whatever comes twice, or is stored by a read that is still under way, comes now.
        await asyncio.sleep(0.005)
        await self.until(readers, is_done)
        for task in readers:
            task.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        self.hub.close()

    async def until(self, readers, is_done):
        deadline = self.loop.time() + 20
        self.recorder.publish(self.hub)
        while not is_done():
            assert self.loop.time() < deadline, "a reader stands still"
            assert not any(task.done() for task in readers)
            self.recorder.publish(self.hub)
            await asyncio.sleep(0.001)


async def note(reader, seen, apart):
    with reader:
        while (piece := await reader.next()) is not None:
            assert not reader.missing
            if piece is IDLE:
                continue
            if apart:
                seen.extend((frame.block.session_id, frame.event.seq) for frame in piece.frames)
            else:
                positions = [line[4:] for line in piece.data.decode().split("\n") if line.startswith("id: ")]
                seen.extend(tuple(position.split(":")) for position in positions)


@settings(max_examples=150, deadline=None)
@given(
    old=Old,
    before=st.lists(Step, max_size=15),
    steps=st.lists(Step, max_size=30),
    meanwhile=Meanwhile,
    ring_bytes=st.sampled_from([1, 5_000, 1_000_000]),
    starts=st.lists(st.tuples(st.sampled_from(SESSIONS), st.integers(0, 30), st.booleans()), min_size=1, max_size=4),
)
def test_session_readers_have_everything_once_and_in_order(old, before, steps, meanwhile, ring_bytes, starts):
    async def run():
        trial = Trial(ring_bytes, meanwhile, old)
        await trial.play(before)
        tasks, notes = [], []
        for session_id, wish, apart in starts:
            session = trial.history.by_session[session_id]
            after = min(wish, session.last_seq)
            reader = trial.hub.follow_session(session, after, form(apart=apart))
            seen = []
            notes.append((session, after, seen))
            tasks.append(asyncio.create_task(note(reader, seen, apart)))
        await trial.play(steps)
        await trial.settle(tasks, lambda: all(len(seen) >= s.last_seq - after for s, after, seen in notes))
        for session, after, seen in notes:
            expected = range(after + 1, session.last_seq + 1)
            assert [(name, int(seq)) for name, seq in seen] == [(session.session_id, seq) for seq in expected]

    asyncio.run(run())


Selections = st.sampled_from(
    [
        Selection(),
        Selection(agents=frozenset({"a1"})),
        Selection(agents=frozenset({"a2", "a3"})),
        Selection(labels=frozenset({("team", "x")})),
        Selection(agents=frozenset({"a1", "a2"}), labels=frozenset({("team", "y")})),
    ]
)


@settings(max_examples=150, deadline=None)
@given(
    old=Old,
    before=st.lists(Step, max_size=15),
    steps=st.lists(Step, max_size=30),
    meanwhile=Meanwhile,
    ring_bytes=st.sampled_from([1, 5_000, 1_000_000]),
    starts=st.lists(st.tuples(Selections, st.integers(0, 20), st.integers(0, 10)), min_size=1, max_size=4),
)
def test_fleet_readers_have_everything_once_and_in_order(old, before, steps, meanwhile, ring_bytes, starts):
    async def run():
        trial = Trial(ring_bytes, meanwhile, old)
        await trial.play(before)
        tasks, notes = [], []
        for selection, block_id, seq in starts:
            cursor = Cursor(min(block_id, len(trial.history.all_blocks)), seq)
            seen = []
            notes.append((selection, cursor, seen))
            reader = trial.hub.follow_fleet(cursor, selection, apart=True)
            tasks.append(asyncio.create_task(note(reader, seen, True)))
        await trial.play(steps)

        def wanted(selection, cursor):
            return [
                (block.session_id, event.seq)
                for block in trial.history.all_blocks
                for event in block.events
                if (block.id > cursor.block or (block.id == cursor.block and event.seq > cursor.seq))
                and (selection.agents is None or block.agent_name in selection.agents)
                and (selection.labels is None or selection.labels <= LABELS[block.session_id].items())
            ]

        await trial.settle(tasks, lambda: all(len(seen) >= len(wanted(s, c)) for s, c, seen in notes))
        for selection, cursor, seen in notes:
            assert seen == wanted(selection, cursor)

    asyncio.run(run())


def run_with_hub(scenario, **stream):
    async def run():
        recorder = Recorder()
        hub = Hub(recorder.history, StreamSettings(**stream))
        try:
            await scenario(hub, recorder)
        finally:
            hub.close()

    asyncio.run(run())


async def events_of(reader, count):
    """The numbers of the next `count` events."""
    seen = []
    while len(seen) < count:
        piece = await asyncio.wait_for(reader.next(), 10)
        seen += [int(line.rpartition(":")[2]) for line in piece.data.decode().split("\n") if line.startswith("id: ")]
    return seen


def test_a_slow_reader_falls_off_the_ring_and_goes_on_from_the_store():
    async def scenario(hub, recorder):
        session = recorder.begin()
        with hub.follow_session(session, 0) as reader:
            recorder.lines("s1", 3)
            recorder.publish(hub)
            assert await events_of(reader, 3) == [1, 2, 3]
            for _ in range(50):
                recorder.lines("s1", 5)
                recorder.publish(hub)
            reads = recorder.history.reads
            assert await events_of(reader, 250) == list(range(4, 254))
            assert recorder.history.reads > reads

    run_with_hub(scenario, ring_bytes=5000)


def test_readers_in_the_ring_never_ask_the_store():
    async def scenario(hub, recorder):
        session = recorder.begin()
        recorder.lines("s1", 3)
        recorder.publish(hub)
        with hub.follow_session(session, 0) as reader:
            recorder.lines("s1", 3)
            recorder.publish(hub)
            assert await events_of(reader, 6) == [1, 2, 3, 4, 5, 6]
            assert recorder.history.reads == 0

    run_with_hub(scenario)


def test_a_reader_ends_behind_complete():
    async def scenario(hub, recorder):
        session = recorder.begin()
        with hub.follow_session(session, 0) as reader:
            recorder.lines("s1", 1)
            recorder.end("s1")
            recorder.publish(hub)
            assert await events_of(reader, 3) == [1, 2, 3]
            assert await reader.next() is None
            assert await reader.more() is None

    run_with_hub(scenario)


def test_a_reader_ends_behind_a_complete_that_it_does_not_want():
    async def scenario(hub, recorder):
        session = recorder.begin()
        recorder.lines("s1", 1)
        recorder.end("s1")
        wanted = form(Selection(types=frozenset({"log"})))
        with hub.follow_session(session, 0, wanted) as reader:
            assert await events_of(reader, 1) == [1]
            assert await asyncio.wait_for(reader.next(), 10) is None

    run_with_hub(scenario)


def test_what_is_gone_from_the_store_is_counted():
    async def scenario(hub, recorder):
        session = recorder.begin()
        recorder.lines("s1", 5)
        recorder.lines("s1", 5)
        del recorder.history.all_blocks[0]
        with hub.follow_session(session, 2) as reader:
            piece = await reader.next()
            assert reader.missing == 3
            assert piece.events == 5
            recorder.lines("s1", 1)
            recorder.publish(hub)
            await events_of(reader, 1)
            assert reader.missing == 0

    run_with_hub(scenario)


def test_what_is_gone_from_store_and_ring_is_counted():
    async def scenario(hub, recorder):
        session = recorder.begin()
        for _ in range(4):
            recorder.lines("s1", 5)
        recorder.publish(hub)
        recorder.history.all_blocks.clear()
        with hub.follow_session(session, 2) as reader:
            piece = await reader.next()
            assert reader.missing == 13
            assert piece.events == 5

    run_with_hub(scenario, ring_bytes=1)


def test_an_idle_reader_is_told_so():
    async def scenario(hub, recorder):
        with hub.follow_session(recorder.begin(), 0) as reader:
            assert await asyncio.wait_for(reader.next(), 10) is IDLE

    run_with_hub(scenario, ping_s=0.05)


def test_what_was_read_ahead_can_be_given_up_and_is_read_again():
    async def scenario(hub, recorder):
        session = recorder.begin()
        for _ in range(30):
            recorder.lines("s1", 20, text="x" * 2000)
        with hub.follow_session(session, 0) as reader:
            first = await reader.next()
            reader.release()
            rest = await events_of(reader, 600 - first.events)
            assert rest == list(range(first.events + 1, 601))

    run_with_hub(scenario)


def test_a_blocked_reader_is_disconnected_when_too_much_waits():
    async def scenario(hub, recorder):
        session = recorder.begin()
        with hub.follow_session(session, 0) as reader:
            stalled = asyncio.Event()
            reader.on_stall = stalled.set
            reader.begins_sending()
            for _ in range(4):
                recorder.lines("s1", 10, text="x" * 2000)
                recorder.publish(hub)
            await asyncio.wait_for(stalled.wait(), 10)
            assert await reader.next() is None

    run_with_hub(scenario, backlog_frames=2, ping_s=0.05)


def test_a_blocked_reader_is_disconnected_in_time_though_nothing_comes():
    async def scenario(hub, recorder):
        with hub.follow_session(recorder.begin(), 0) as reader:
            reader.begins_sending()
            reader.sent_at -= 200
            assert await asyncio.wait_for(closed(reader), 10)

    async def closed(reader):
        return await reader.next() is None

    run_with_hub(scenario, ping_s=0.05)


def test_many_readers_of_the_same_are_served_by_one_read():
    async def scenario(hub, recorder):
        session = recorder.begin()
        recorder.lines("s1", 5)
        with contextlib.ExitStack() as stack:
            readers = [stack.enter_context(hub.follow_session(session, 0)) for _ in range(20)]
            found = await asyncio.gather(*(events_of(reader, 5) for reader in readers))
            assert found == [[1, 2, 3, 4, 5]] * 20
            assert recorder.history.reads < 20

    run_with_hub(scenario)
