"""What was typed and not acknowledged."""

from hypothesis import given
from hypothesis import strategies as st

from roost.client.outbox import MAX_BYTES, WINDOW_BYTES, Outbox, Piece
from roost.core.typed import PIECE_BYTES


def outbox(*typed: bytes) -> Outbox:
    """An outbox attached to the session `s`, with these pieces given out."""
    found = Outbox("me")
    found.begin("s")
    for data in typed:
        found.add(data)
        assert found.take() is not None
    return found


def taken(found: Outbox) -> list[Piece]:
    return list(iter(found.take, None))


def test_pieces_are_numbered_from_one():
    found = outbox(b"a", b"b")
    found.begin("s")
    assert taken(found) == [(1, b"a"), (2, b"b")]


def test_what_was_not_given_out_becomes_one_piece():
    found = Outbox("me")
    for letter in b"abc":
        found.add(bytes((letter,)))
    assert taken(found) == [(1, b"abc")]


def test_what_was_given_out_stays_as_it_is():
    found = outbox(b"a")
    found.begin("s")
    found.add(b"b")
    assert taken(found) == [(1, b"a"), (2, b"b")]


def test_nothing_is_given_out_twice_over_one_link():
    found = outbox(b"a")
    assert found.take() is None


def test_what_is_not_acknowledged_is_given_out_over_the_next_link():
    found = outbox(b"a", b"b", b"c")
    found.settle(1)
    found.begin("s")
    assert taken(found) == [(2, b"b"), (3, b"c")]


def test_what_is_acknowledged_is_forgotten():
    found = outbox(b"a", b"b")
    found.settle(2)
    assert not found.pending
    assert found.size == 0
    found.settle(2)
    found.add(b"c")
    assert taken(found) == [(3, b"c")]


def test_an_acknowledgement_of_what_a_former_link_sent_counts():
    found = outbox(b"a", b"b")
    found.begin("s")
    found.settle(1)
    assert taken(found) == [(2, b"b")]


def test_what_was_typed_at_one_session_is_not_typed_at_another():
    found = outbox(b"a")
    found.begin("t")
    assert not found.pending


def test_what_was_typed_before_the_first_session_is_typed_at_it():
    found = Outbox("me")
    found.add(b"early")
    found.begin("s")
    assert taken(found) == [(1, b"early")]


def test_the_end_of_input_is_a_piece_without_bytes():
    found = Outbox("me")
    found.add(b"a")
    found.end()
    assert taken(found) == [(1, b"a"), (2, b"")]
    assert found.pending


def test_a_piece_that_was_put_back_is_taken_again():
    found = outbox(b"a")
    found.put_back()
    found.add(b"b")
    assert taken(found) == [(1, b"a"), (2, b"b")]


def test_what_is_long_is_cut_and_only_a_window_of_it_is_on_its_way():
    found = Outbox("me")
    found.add(b"x" * (WINDOW_BYTES + PIECE_BYTES))
    assert len(taken(found)) == WINDOW_BYTES // PIECE_BYTES
    found.settle(1)
    assert taken(found) == [(5, b"x" * PIECE_BYTES)]


def test_there_is_room_up_to_a_bound():
    found = Outbox("me")
    assert found.has_room
    found.add(b"x" * MAX_BYTES)
    assert not found.has_room
    found.settle(1)
    assert found.has_room


def test_nothing_typed_is_no_piece():
    found = Outbox("me")
    found.add(b"")
    assert not found.pending


class Keeper:
    """Types each number once, and only in order; as the real one does."""

    def __init__(self) -> None:
        self.typed = b""
        self.highest = 0

    def take(self, piece: Piece) -> None:
        if piece.seq > self.highest:
            assert piece.seq == self.highest + 1, "a number was left out"
            self.highest = piece.seq
            self.typed += piece.data


@given(st.lists(st.one_of(st.binary(max_size=5), st.sampled_from(["send", "lose", "acknowledge", "break"]))))
def test_whatever_is_lost_everything_is_typed_once_and_in_order(steps: list[bytes | str]) -> None:
    found, keeper = Outbox("me"), Keeper()
    found.begin("s")
    broken = False
    for step in [*steps, "break", "send", "acknowledge"]:
        if isinstance(step, bytes):
            found.add(step)
        elif step == "break":
            found.begin("s")
            broken = False
        elif step == "acknowledge":
            found.settle(keeper.highest)
        else:
            broken |= step == "lose"
            for piece in taken(found):
                # Once a link has lost something, nothing that is sent over it behind that arrives.
                if not broken:
                    keeper.take(piece)
    assert keeper.typed == b"".join(step for step in steps if isinstance(step, bytes))
    assert not found.pending
