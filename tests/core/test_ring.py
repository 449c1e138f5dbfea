"""The ring of recent blocks: bounds, floors, places, and the bytes that readers share."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.forms import Selection, form
from roost.core.ring import (
    COPIES,
    FLEET_ORDER,
    MOST_PIECES,
    MOST_SCANNED,
    SESSION_ORDER,
    Channel,
    Cursor,
    Entry,
    Ring,
    assemble,
)
from roost.model.blocks import Block
from roost.model.events import Complete, Error, Log, ScreenShown, StateChange


def block(number, first, count, session="s1", agent="a1", text="line"):
    events = [Log(seq, seq * 1_000_000, f"{text} {seq}", seq) for seq in range(first, first + count)]
    return Block(number, session, agent, first, first + count - 1, events)


def entry(*args, labels=None, **kwargs):
    return Entry(block(*args, **kwargs), labels)


def ids(data: bytes) -> list[str]:
    return [line[4:] for line in data.decode().split("\n") if line.startswith("id: ")]


class Sleeper:
    def __init__(self):
        self.woken = 0

    def wake(self):
        self.woken += 1


FORM = form()


def test_an_entry_is_encoded_once():
    one = entry(1, 1, 3)
    assert one.bodies() is one.bodies()
    assert one.body(1) is one.bodies()[1]
    assert msgspec.json.decode(one.bodies()[0])["data"]["line"] == "line 1"


def test_one_event_of_an_entry_can_be_encoded_alone():
    one = entry(1, 1, 3)
    assert msgspec.json.decode(one.body(2))["data"]["line"] == "line 3"


def test_weight_grows_with_text():
    long, short = entry(1, 1, 1, text="x" * 1000), entry(1, 1, 1)
    assert long.weight - short.weight == 996
    screen = Block(1, "s", "a", 1, 1, [ScreenShown(1, 1, "y" * 500, 80, 24)])
    assert Entry(screen).weight > 500
    assert Entry(Block(1, "s", "a", 1, 1, [Error(1, 1, "C", "m")])).weight > 0


def test_the_ring_keeps_the_newest_up_to_its_bound():
    weight = entry(1, 1, 10).weight
    ring = Ring(COPIES * weight * 3)
    for number in range(1, 11):
        ring.append(entry(number, (number - 1) * 10 + 1, 10))
    assert len(ring.fleet.entries) <= 3
    assert ring.weight <= ring.limit
    assert ring.fleet.floor == 10 - len(ring.fleet.entries)
    assert ring.sessions["s1"].floor == ring.fleet.entries[0].block.first_seq - 1


def test_the_newest_block_stays_however_large():
    ring = Ring(10)
    ring.append(entry(1, 1, 100))
    ring.append(entry(2, 101, 100))
    assert [each.block.id for each in ring.fleet.entries] == [2]


def test_a_session_without_blocks_and_readers_is_forgotten():
    ring = Ring(10)
    ring.append(entry(1, 1, 5, session="old"))
    ring.append(entry(2, 1, 5, session="new"))
    assert set(ring.sessions) == {"new"}


def test_a_session_that_is_read_stays():
    ring = Ring(10)
    channel = ring.append(entry(1, 1, 5, session="old"))
    channel.readers += 1
    ring.append(entry(2, 1, 5, session="new"))
    assert set(ring.sessions) == {"old", "new"}
    ring.leave(channel, "old")
    assert set(ring.sessions) == {"new"}
    ring.fleet.readers += 1
    ring.leave(ring.fleet, None)
    assert ring.fleet.readers == 0


def test_a_new_channel_knows_no_floor():
    channel = Channel(SESSION_ORDER)
    assert not channel.holds(Cursor(0, 5))
    channel.nothing_after(Cursor(0, 5))
    assert channel.holds(Cursor(0, 5))
    channel.nothing_after(Cursor(0, 3))
    assert not channel.holds(Cursor(0, 3))


def test_the_first_block_sets_the_floor():
    channel = Channel(SESSION_ORDER)
    channel.append(entry(9, 6, 5))
    assert channel.holds(Cursor(0, 5))
    assert not channel.holds(Cursor(0, 4))


def test_dropping_moves_the_floor_and_no_place():
    channel = Channel(SESSION_ORDER)
    channel.append(entry(1, 1, 5))
    channel.append(entry(2, 6, 5))
    channel.show()
    place = channel.find(Cursor(0, 7))
    channel.drop_oldest()
    assert (channel.floor, channel.base, channel.find(Cursor(0, 7))) == (5, 1, place)


def test_what_is_dropped_before_it_was_shown_is_behind_the_readers():
    channel = Channel(SESSION_ORDER)
    channel.append(entry(1, 1, 5))
    channel.drop_oldest()
    assert channel.visible == channel.base == 1


@given(st.lists(st.integers(1, 4), min_size=1, max_size=20), st.data())
def test_find_gives_the_first_block_with_anything_new(counts, data):
    channel, first = Channel(SESSION_ORDER), 1
    for number, count in enumerate(counts, 1):
        channel.append(entry(number, first, count))
        first += count
    seq = data.draw(st.integers(0, first + 2))
    place = channel.find(Cursor(0, seq))
    stops = [each.block.last_seq for each in channel.entries]
    assert place == sum(stop <= seq for stop in stops)


def test_readers_see_what_was_shown_and_are_woken_for_it():
    channel, reader = Channel(SESSION_ORDER), Sleeper()
    channel.append(entry(1, 1, 2))
    channel.show()
    channel.append(entry(2, 3, 2))
    channel.waiting.add(reader)
    assert ids(channel.piece(0, 0, FORM, 10**6).data) == ["s1:1", "s1:2"]
    assert channel.fresh_events == 2
    assert channel.show() == 1
    assert reader.woken == 1
    assert channel.fresh_events == 0
    assert ids(channel.piece(0, 0, FORM, 10**6).data) == ["s1:1", "s1:2", "s1:3", "s1:4"]


def test_readers_at_one_place_share_the_same_bytes():
    channel = Channel(SESSION_ORDER)
    channel.append(entry(1, 1, 5))
    channel.show()
    assert channel.piece(0, 0, FORM, 10**6) is channel.piece(0, 0, form(), 10**6)
    assert channel.piece(0, 0, FORM, 10**6) is not channel.piece(0, 1, FORM, 10**6)


def test_few_pieces_are_kept():
    channel = Channel(SESSION_ORDER)
    for number in range(1, MOST_PIECES + 10):
        channel.append(entry(number, number, 1))
    channel.show()
    first = channel.piece(0, 0, FORM, 1)
    for place in range(MOST_PIECES + 5):
        channel.piece(place, 0, FORM, 1)
    assert channel.piece(0, 0, FORM, 1) is not first


@given(st.lists(st.integers(1, 5), min_size=1, max_size=10), st.integers(1, 2000), st.data())
def test_pieces_give_every_event_once_and_in_order(counts, limit, data):
    channel, first = Channel(SESSION_ORDER), 1
    for number, count in enumerate(counts, 1):
        channel.append(entry(number, first, count))
        first += count
    channel.show()
    after = data.draw(st.integers(0, first - 2))
    place = channel.find(Cursor(0, after))
    index = SESSION_ORDER.index(channel.entries[place].block, Cursor(0, after))
    seen = []
    while place < channel.visible:
        piece = channel.piece(place, index, FORM, limit)
        assert piece.events == len(ids(piece.data)) >= 1
        assert len(piece.data) <= limit or piece.events == 1
        seen += ids(piece.data)
        assert f"s1:{piece.cursor.seq}" == seen[-1]
        place, index = piece.place, piece.offset
    assert seen == [f"s1:{seq}" for seq in range(after + 1, first)]


def test_a_piece_ends_with_the_session():
    done = Block(2, "s1", "a1", 3, 4, [StateChange(3, 1, "exited"), Complete(4, 1, 0)])
    piece = assemble([entry(1, 1, 2), Entry(done), entry(3, 1, 1, session="s2")], (0, 0), FORM, 10**6)
    assert piece.completes
    assert (piece.place, piece.events) == (2, 4)


def test_a_piece_looks_at_a_bounded_number_of_events():
    nothing = form(Selection(types=frozenset({"state"})))
    many = [entry(number, number * 500, 500) for number in range(1, 100)]
    piece = assemble(many, (0, 0), nothing, 10**6)
    assert piece.events == 0
    assert piece.data == b""
    assert piece.place * 500 == MOST_SCANNED
    assert piece.cursor == Cursor(20, 20 * 500 + 499, True)


def test_a_piece_that_stops_before_a_filtered_block_has_the_cursor_of_the_block_before():
    wanted = form(Selection(types=frozenset({"log"})))
    size = len(assemble([entry(1, 1, 1)], (0, 0), wanted, 10**6).data)
    piece = assemble([entry(1, 1, 1), entry(2, 2, 1)], (0, 0), wanted, size)
    assert (piece.events, piece.place, piece.offset, piece.cursor) == (1, 1, 0, Cursor(1, 1, True))


def test_no_entries_make_an_empty_piece():
    assert assemble([], (3, 0), FORM, 100).place == 3


def test_frames_can_be_kept_apart():
    piece = assemble([entry(1, 1, 2)], (0, 0), form(apart=True), 10**6)
    assert piece.data == b""
    assert [(frame.block.id, frame.event.seq) for frame in piece.frames] == [(1, 1), (1, 2)]


@pytest.mark.parametrize(
    ("cursor", "done", "index"),
    [
        (Cursor(7, 12), 6, 3),
        (Cursor(7, 14, True), 7, 5),
        (Cursor(6, 9), 5, 0),
        (Cursor(7, 0), 6, 0),
    ],
)
def test_the_fleet_is_ordered_by_blocks(cursor, done, index):
    assert FLEET_ORDER.done(cursor) == done
    assert FLEET_ORDER.index(block(7, 10, 5), cursor) == index


def test_fleet_positions_name_epoch_block_and_event():
    piece = assemble([entry(7, 3, 2)], (0, 0), form(epoch=4), 10**6)
    assert ids(piece.data) == ["4.7.3", "4.7.4"]


def test_positions_can_be_asked_for():
    assert form().position(block(7, 3, 2), 2) == "s1:2"
    assert form(epoch=4).position(block(7, 3, 2), 3) == "4.7.3"


def test_text_frames_carry_their_position():
    piece = assemble([entry(7, 3, 1)], (0, 0), form(text=True), 10**6)
    decoded = msgspec.json.decode(piece.frames[0].data)
    assert decoded["position"] == "s1:3"
    assert decoded["data"]["line"] == "line 3"


@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(), True),
        (Selection(agents=frozenset({"a1", "a2"})), True),
        (Selection(agents=frozenset({"a2"})), False),
        (Selection(labels=frozenset({("team", "x")})), True),
        (Selection(labels=frozenset({("team", "x"), ("env", "y")})), False),
        (Selection(labels=frozenset({("team", "y")})), False),
        (Selection(labels=frozenset({("team", None)})), True),
        (Selection(labels=frozenset({("env", None)})), False),
    ],
)
def test_agents_and_labels_are_filtered(selection, wanted):
    one = entry(1, 1, 1, labels={"team": "x"})
    assert selection.wants_block(one) is wanted
    assert assemble([one], (0, 0), form(selection), 10**6).events == int(wanted)


def test_types_are_filtered():
    mixed = Block(1, "s1", "a1", 1, 3, [Log(1, 1, "x", 1), StateChange(2, 1, "idle"), Log(3, 1, "y", 2)])
    wanted = form(Selection(types=frozenset({"state"})))
    assert ids(assemble([Entry(mixed)], (0, 0), wanted, 10**6).data) == ["s1:2"]


def test_who_asks_for_the_same_gets_the_same_form():
    logs = Selection(types=frozenset({"log"}))
    assert form(logs) is form(Selection(types=frozenset({"log"})))
    assert form(logs) is not form()
    assert form(logs) is not form(logs, apart=True)
