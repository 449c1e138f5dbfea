"""The client's half of RFC 6455."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from roost.client.websocket import BINARY, CLOSE, PING, TEXT, Frames, Message, ProtocolError, apply_mask, encode


def server_frame(opcode: int, payload: bytes, *, final: bool = True) -> bytes:
    head = bytes([(0x80 if final else 0) | opcode])
    if len(payload) < 126:
        return head + bytes([len(payload)]) + payload
    if len(payload) < 65_536:
        return head + b"\x7e" + struct.pack(">H", len(payload)) + payload
    return head + b"\x7f" + struct.pack(">Q", len(payload)) + payload


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536, 200_000])
def test_messages_of_every_length(length):
    payload = b"x" * length
    assert Frames().feed(server_frame(BINARY, payload)) == [Message(BINARY, payload)]


@settings(deadline=None)
@given(st.lists(st.integers(0, 200), max_size=5))
def test_cuts_make_no_difference(cuts):
    stream = server_frame(TEXT, b"a" * 130) + server_frame(BINARY, b"b")
    frames, found, start = Frames(), [], 0
    for cut in [*sorted(cuts), len(stream)]:
        found += frames.feed(stream[start:cut])
        start = max(start, cut)
    assert found == [Message(TEXT, b"a" * 130), Message(BINARY, b"b")]


def test_fragments_are_joined_and_control_frames_may_come_between():
    stream = server_frame(TEXT, b"ab", final=False) + server_frame(PING, b"?") + server_frame(0, b"cd")
    assert Frames().feed(stream) == [Message(PING, b"?"), Message(TEXT, b"abcd")]


def test_pongs_are_nothing():
    assert Frames().feed(server_frame(0xA, b"")) == []


def test_a_close_is_a_message():
    assert Frames().feed(server_frame(CLOSE, b"\x03\xe8bye")) == [Message(CLOSE, b"\x03\xe8bye")]


@pytest.mark.parametrize(
    "stream",
    [
        b"\x82\x81abcdx",
        b"\xc2\x01x",
        server_frame(0, b"x"),
        server_frame(TEXT, b"x", final=False) + server_frame(TEXT, b"y"),
        b"\x82\x7f" + struct.pack(">Q", 1 << 40),
        server_frame(TEXT, b"x" * (17 << 20), final=False) + server_frame(0, b"x" * (17 << 20)),
    ],
    ids=["masked", "reserved bit", "nothing to continue", "not continued", "too long", "too long in pieces"],
)
def test_what_breaks_the_protocol_is_refused(stream):
    with pytest.raises(ProtocolError):
        Frames().feed(stream)


@settings(deadline=None)
@given(st.binary(max_size=300), st.binary(min_size=4, max_size=4))
def test_a_mask_laid_twice_is_off(payload, mask):
    assert apply_mask(apply_mask(payload, mask), mask) == payload


@pytest.mark.parametrize("length", [0, 125, 126, 65_535, 65_536])
def test_what_we_send_is_masked(length):
    frame = encode(BINARY, b"x" * length, b"abcd")
    assert frame[1] & 0x80
    assert apply_mask(frame[-length:] if length else b"", b"abcd") == b"x" * length
