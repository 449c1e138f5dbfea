"""The recording format: good frames are read, everything else is named and passed over."""

from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.core.recording import (
    FRAME_OVERHEAD,
    HEAD_SIZE,
    MAX_PAYLOAD,
    SYNC,
    Damage,
    Frame,
    Input,
    Kind,
    Reader,
    decode_clock,
    decode_input,
    decode_json,
    decode_resize,
    encode_clock,
    encode_frame,
    encode_input,
    encode_json,
    encode_resize,
)


def read(data: bytes) -> list[Frame | Damage]:
    reader = Reader()
    return reader.feed(data) + reader.finish()


def frames(*payloads: bytes) -> bytes:
    return b"".join(encode_frame(Kind.OUT, number, payload) for number, payload in enumerate(payloads))


# One frame


def test_a_frame_is_laid_out_as_documented() -> None:
    data = encode_frame(Kind.OUT, 0x0102030405060708, b"abc")
    assert data[:4] == b"\xf5\x52\x02\x00"
    assert data[4:8] == b"\x03\0\0\0"
    assert data[8:16] == bytes([8, 7, 6, 5, 4, 3, 2, 1])
    assert data[20:] == b"abc"
    assert len(data) == FRAME_OVERHEAD + 3


def test_a_frame_comes_back_with_where_it_stood() -> None:
    data = frames(b"one", b"", b"three")
    assert read(data) == [
        Frame(0, Kind.OUT, 0, b"one"),
        Frame(23, Kind.OUT, 1, b""),
        Frame(43, Kind.OUT, 2, b"three"),
    ]
    assert [frame.end for frame in read(data)] == [23, 43, len(data)]


def test_a_payload_has_a_limit() -> None:
    assert len(encode_frame(Kind.OUT, 0, b"x" * MAX_PAYLOAD)) == FRAME_OVERHEAD + MAX_PAYLOAD
    with pytest.raises(ValueError, match="at most"):
        encode_frame(Kind.OUT, 0, b"x" * (MAX_PAYLOAD + 1))


def test_json_payloads_come_back_whatever_text_they_hold() -> None:
    (frame,) = read(encode_json(Kind.MARK, 0, {"type": "x", "text": "ünï\udcff"}))
    assert decode_json(frame.payload) == {"type": "x", "text": "ünï\udcff"}


@pytest.mark.parametrize("payload", [b"", b"[]", b"{", b"\xff", b"[" * 100_000, b"7"])
def test_a_payload_that_is_no_object_is_an_empty_one(payload: bytes) -> None:
    assert decode_json(payload) == {}


def test_input_size_and_clock_come_back() -> None:
    given_ = Input("cli", 7, b"\0text")
    assert decode_input(read(encode_input(0, given_))[0].payload) == given_
    assert decode_resize(read(encode_resize(0, 120, 40))[0].payload) == (120, 40)
    assert decode_clock(read(encode_clock(0, 1 << 62))[0].payload) == 1 << 62


def test_a_long_source_of_input_is_cut() -> None:
    assert decode_input(read(encode_input(0, Input("s" * 300, 1, b"x")))[0].payload) == Input("s" * 255, 1, b"x")


@pytest.mark.parametrize("payload", [b"", b"\x05abc", b"\0" * 8])
def test_input_that_is_too_short_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match="too short"):
        decode_input(payload)


@pytest.mark.parametrize("decode", [decode_resize, decode_clock])
def test_other_payloads_of_the_wrong_length_are_refused(decode) -> None:
    with pytest.raises(ValueError, match="bytes"):
        decode(b"123")


# However it is cut


@settings(deadline=None)
@given(st.binary(max_size=200), st.lists(st.binary(max_size=60), max_size=6), st.data())
def test_the_outcome_does_not_depend_on_the_cuts(junk: bytes, payloads: list[bytes], data: st.DataObject) -> None:
    whole = frames(*payloads)
    at = data.draw(st.integers(0, len(whole)))
    whole = whole[:at] + junk + whole[at:]
    reader, found, at = Reader(), [], 0
    while at < len(whole):
        step = data.draw(st.integers(1, 80))
        found += reader.feed(whole[at : at + step])
        at += step
    assert found + reader.finish() == read(whole)
    assert reader.offset == len(whole)


@settings(deadline=None)
@given(st.lists(st.binary(max_size=60), min_size=1, max_size=6), st.binary(max_size=40), st.data())
def test_reading_may_be_taken_up_again_wherever_it_stopped(
    payloads: list[bytes], junk: bytes, data: st.DataObject
) -> None:
    whole = frames(*payloads) + junk + frames(b"after")
    cut = data.draw(st.integers(0, len(whole)))
    first = Reader()
    found = first.feed(whole[:cut])
    second = Reader(first.offset)
    assert found + second.feed(whole[first.offset :]) + second.finish() == read(whole)


@given(st.lists(st.binary(max_size=80), max_size=8))
def test_every_byte_is_in_one_frame_or_one_stretch_of_damage(payloads: list[bytes]) -> None:
    data = b"".join(payload if number % 3 else frames(payload) for number, payload in enumerate(payloads))
    at = 0
    for item in read(data):
        assert item.offset == at
        at = item.end if isinstance(item, Frame) else item.offset + item.length
    assert at == len(data)


# Damage


@pytest.mark.parametrize(
    ("at", "value", "reason"),
    [
        (0, 0, "bad-sync"),
        (1, 0, "bad-sync"),
        (2, 99, "bad-kind"),
        (3, 1, "bad-kind"),
        (7, 0xFF, "bad-length"),
        (9, None, "bad-checksum"),
        (HEAD_SIZE, None, "bad-checksum"),
        (FRAME_OVERHEAD, None, "bad-checksum"),
    ],
)
def test_each_fault_of_a_frame_is_named(at: int, value: int | None, reason: str) -> None:
    good = frames(b"payload")
    data = bytearray(good)
    data[at] = data[at] ^ 1 if value is None else value
    assert read(bytes(data) + good) == [Damage(0, len(good), reason), Frame(len(good), Kind.OUT, 0, b"payload")]


def test_a_torn_end_is_no_damage_until_nobody_writes_any_more() -> None:
    data = frames(b"one", b"two")
    reader = Reader()
    assert reader.feed(data[:-1]) == [Frame(0, Kind.OUT, 0, b"one")]
    assert reader.offset == 23
    assert reader.finish() == [Damage(23, 22, "truncated")]


def test_an_end_of_zeros_is_named_as_such() -> None:
    assert read(frames(b"one") + b"\0" * 100)[-1] == Damage(23, 100, "zero-filled")
    assert read(frames(b"one") + b"\0" * 50 + b"x" + b"\0" * 9)[-1] == Damage(23, 60, "bad-sync")


def test_a_frame_inside_a_torn_frame_is_found_at_the_end() -> None:
    torn = encode_frame(Kind.OUT, 0, b"x" * 500)[:100]
    assert read(torn + frames(b"after")) == [Damage(0, 100, "truncated"), Frame(100, Kind.OUT, 0, b"after")]


def test_zeros_between_frames_are_passed_over() -> None:
    found = read(frames(b"one") + b"\0" * 4096 + frames(b"two"))
    assert [type(item) for item in found] == [Frame, Damage, Frame]


def test_a_half_sync_at_the_end_waits() -> None:
    reader = Reader()
    assert reader.feed(SYNC[:1]) == []
    assert reader.feed(frames(b"one")[1:]) == [Frame(0, Kind.OUT, 0, b"one")]


def test_no_flipped_bit_lets_a_wrong_payload_through() -> None:
    chance = random.Random(4)
    payloads = [chance.randbytes(chance.randrange(60)) for _ in range(40)]
    whole = frames(*payloads)
    good = {(item.time_ns, item.payload) for item in read(whole)}
    for _ in range(3000):
        data = bytearray(whole)
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        found = read(bytes(data))
        assert all((item.time_ns, item.payload) in good for item in found if isinstance(item, Frame))
        assert any(isinstance(item, Damage) for item in found)
        assert sum(isinstance(item, Frame) for item in found) >= len(payloads) - 1


def test_every_cut_ends_at_the_last_whole_frame() -> None:
    whole = frames(b"one", b"two", b"three")
    ends = [0, *(item.end for item in read(whole))]
    for cut in range(len(whole)):
        found = [item for item in read(whole[:cut]) if isinstance(item, Frame)]
        assert len(found) == sum(0 < end <= cut for end in ends)
