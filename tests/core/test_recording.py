"""Recordings are read as far as they are good, whatever happened to them, and what is not good is named."""

from __future__ import annotations

import itertools
import random
import struct
import zlib

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roost.core import recording
from roost.core.recording import FRAME_OVERHEAD, MAX_PAYLOAD, SYNC, Damage, Frame, Input, Kind, Reader

Item = Frame | Damage
REASONS = {"bad-sync", "bad-kind", "bad-length", "bad-checksum", "zero-filled", "truncated"}


def sample(chance: random.Random, count: int = 12) -> tuple[bytes, list[Frame]]:
    """A recording of frames of all kinds, with payloads that look like frames themselves."""
    data, frames = b"", []
    for number in range(count):
        kind = chance.choice(list(Kind))
        payload = chance.choice([b"", SYNC, SYNC * 3, chance.randbytes(chance.randrange(60)), data[-50:]])
        frames.append(Frame(len(data), kind, number * 1000, payload))
        data += recording.encode_frame(kind, number * 1000, payload)
    return data, frames


def read(data: bytes) -> list[Item]:
    reader = Reader()
    return reader.feed(data) + reader.finish()


def extent(item: Item) -> tuple[int, int]:
    return (item.offset, item.end) if isinstance(item, Frame) else (item.offset, item.offset + item.length)


def assert_covers(items: list[Item], length: int) -> None:
    """Frames and damage lie side by side, from the first byte to the last, and no two damages touch."""
    at = 0
    for item in items:
        begin, end = extent(item)
        assert begin == at < end
        at = end
    assert at == length
    assert all(isinstance(one, Frame) or isinstance(two, Frame) for one, two in itertools.pairwise(items))


def test_the_layout_is_what_the_page_says() -> None:
    frame = recording.encode_frame(Kind.OUT, 0x0102030405060708, b"hi")
    head = b"\xf5R\x02\x00\x02\x00\x00\x00\x08\x07\x06\x05\x04\x03\x02\x01"
    assert frame == head + struct.pack("<I", zlib.crc32(head + b"hi")) + b"hi"
    assert len(head) + 4 == FRAME_OVERHEAD == 20


def test_what_was_written_is_read() -> None:
    data, frames = sample(random.Random(1), 100)
    assert read(data) == frames
    assert [frame.end for frame in frames[:-1]] == [frame.offset for frame in frames[1:]]


frames_in = st.lists(
    st.tuples(st.sampled_from(list(Kind)), st.integers(0, 2**64 - 1), st.binary(max_size=40) | st.just(SYNC * 4)),
    max_size=8,
)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(frames_in, st.binary(max_size=30), st.data())
def test_any_cutting_gives_the_same(
    written: list[tuple[Kind, int, bytes]], noise: bytes, choice: st.DataObject
) -> None:
    pieces = [recording.encode_frame(*one) for one in written]
    at = choice.draw(st.integers(0, len(pieces)))
    data = b"".join([*pieces[:at], noise, *pieces[at:]])
    whole = read(data)
    reader, found, rest = Reader(), [], data
    while rest:
        size = choice.draw(st.integers(1, len(rest)))
        found += reader.feed(rest[:size])
        rest = rest[size:]
    assert found + reader.finish() == whole
    if data:
        assert_covers(whole, len(data))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_make_the_reader_fail(data: bytes) -> None:
    items = read(data)
    assert_covers(items, len(data)) if data else None
    assert {item.reason for item in items if isinstance(item, Damage)} <= REASONS


def test_ten_thousand_flipped_bits_are_all_found() -> None:
    chance = random.Random(2)
    for _ in range(100):
        data, frames = sample(chance)
        for _ in range(100):
            position = chance.randrange(len(data) * 8)
            damaged = bytearray(data)
            damaged[position // 8] ^= 1 << position % 8
            items = read(bytes(damaged))
            assert_covers(items, len(data))
            good = [item for item in items if isinstance(item, Frame)]
            untouched = [one for one in frames if not one.offset <= position // 8 < one.end]
            assert [one for one in good if one in frames] == untouched
            # Whatever else is taken for a frame was written as one: a payload may hold a copy of earlier frames.
            assert all(one[1:] in [frame[1:] for frame in frames] for one in good)
            assert any(isinstance(item, Damage) for item in items)


def test_a_cut_at_every_byte_keeps_all_frames_before_it() -> None:
    data, frames = sample(random.Random(3), 20)
    for cut in range(len(data)):
        items = read(data[:cut])
        whole = [one for one in frames if one.end <= cut]
        assert items[: len(whole)] == whole
        good = [item for item in items if isinstance(item, Frame)]
        assert all(one[1:] in [frame[1:] for frame in frames] for one in good)
        rest = items[len(whole) :]
        assert (rest == []) == (cut == (whole[-1].end if whole else 0))
        if rest:
            assert isinstance(rest[0], Damage)
            assert rest[0].reason == "truncated"


@pytest.mark.parametrize("zeros", [1, 15, 16, 19, 20, 4096])
def test_a_tail_of_zeros_is_named(zeros: int) -> None:
    data, frames = sample(random.Random(4))
    assert read(data + bytes(zeros)) == [*frames, Damage(len(data), zeros, "zero-filled")]


def test_zeros_in_the_place_of_a_frame_are_named_and_passed_over() -> None:
    first, second = recording.encode_frame(Kind.OUT, 1, b"one"), recording.encode_frame(Kind.OUT, 2, b"two")
    items = read(first + bytes(100) + second)
    assert items[1] == Damage(len(first), 100, "zero-filled")
    assert items[2] == Frame(len(first) + 100, Kind.OUT, 2, b"two")


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [(0, 0x41, "bad-sync"), (2, 0, "bad-kind"), (2, 99, "bad-kind"), (3, 1, "bad-kind"), (7, 0xFF, "bad-length")],
)
def test_a_head_that_cannot_be_is_named(at: int, value: int, reason: str) -> None:
    frame = bytearray(recording.encode_frame(Kind.OUT, 5, b"payload"))
    frame[at] = value
    good = recording.encode_frame(Kind.OUT, 6, b"next")
    assert read(bytes(frame) + good) == [
        Damage(0, len(frame), reason),
        Frame(len(frame), Kind.OUT, 6, b"next"),
    ]


def test_reading_may_be_taken_up_at_any_offset_the_reader_gave() -> None:
    data, _ = sample(random.Random(5), 40)
    data = data[:300] + b"\xf5 noise" + data[300:]
    whole = read(data)
    for cut in range(0, len(data), 7):
        first = Reader()
        found = first.feed(data[:cut])
        second = Reader(first.offset)
        rest = second.feed(data[first.offset :]) + second.finish()
        assert found + rest == whole


def test_bytes_that_may_become_a_frame_are_held_until_they_do() -> None:
    frame = recording.encode_frame(Kind.OUT, 5, b"x" * 100)
    reader = Reader()
    assert reader.feed(frame[:-1]) == []
    assert reader.offset == 0
    assert reader.feed(frame[-1:]) == [Frame(0, Kind.OUT, 5, b"x" * 100)]
    assert reader.finish() == []


def test_a_frame_has_a_largest_size() -> None:
    frame = recording.encode_frame(Kind.OUT, 0, bytes(MAX_PAYLOAD))
    (item,) = read(frame)
    assert len(item.payload) == MAX_PAYLOAD  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="at most"):
        recording.encode_frame(Kind.OUT, 0, bytes(MAX_PAYLOAD + 1))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.text(max_size=60) | st.just("\udcff"), st.integers(0, 2**64 - 1), st.binary(max_size=50))
def test_inputs_are_read_as_written(source: str, seq: int, data: bytes) -> None:
    (frame,) = read(recording.encode_input(7, Input(source, seq, data)))
    assert isinstance(frame, Frame)
    assert frame.kind == Kind.IN
    assert recording.decode_input(frame.payload) == Input(source, seq, data)


def test_a_source_that_is_too_long_is_cut_between_characters() -> None:
    (frame,) = read(recording.encode_input(0, Input("ü" * 200, 1, b"x")))
    decoded = recording.decode_input(frame.payload)  # type: ignore[union-attr]
    assert decoded.source == "ü" * 127
    assert decoded.data == b"x"


@pytest.mark.parametrize("payload", [b"", b"\x05ab", b"\x01a\0\0\0"])
def test_an_input_that_is_too_short_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match="too short"):
        recording.decode_input(payload)


def test_sizes_and_clocks_are_read_as_written() -> None:
    size, clock = read(recording.encode_resize(1, 200, 50) + recording.encode_clock(2, 1_795_000_000_000_000_000))
    assert recording.decode_resize(size.payload) == (200, 50)  # type: ignore[union-attr]
    assert recording.decode_clock(clock.payload) == 1_795_000_000_000_000_000  # type: ignore[union-attr]
    with pytest.raises(ValueError, match="four bytes"):
        recording.decode_resize(b"abc")
    with pytest.raises(ValueError, match="eight bytes"):
        recording.decode_clock(b"abc")


def test_objects_are_read_as_written() -> None:
    value = {"type": "note", "text": "naïve \udcff ☃"}
    (frame,) = read(recording.encode_json(Kind.MARK, 3, value))
    assert recording.decode_json(frame.payload) == value  # type: ignore[union-attr]


@pytest.mark.parametrize("payload", [b"", b"{", b"[1]", b"\xff", b'"x"', b"[" * 100_000])
def test_what_is_no_object_is_an_empty_one(payload: bytes) -> None:
    assert recording.decode_json(payload) == {}


@given(payload=st.binary(max_size=300), time_ns=st.integers(0, (1 << 64) - 1))
def test_a_frame_made_in_place_is_the_same_frame(payload: bytes, time_ns: int) -> None:
    buffer = memoryview(bytearray(FRAME_OVERHEAD + 300))
    buffer[FRAME_OVERHEAD : FRAME_OVERHEAD + len(payload)] = payload
    made = recording.frame_in_place(buffer, Kind.OUT, time_ns, len(payload))
    assert made == recording.encode_frame(Kind.OUT, time_ns, payload)
