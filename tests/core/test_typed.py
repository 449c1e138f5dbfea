"""Frames of typed bytes with a number."""

import pytest

from roost.core.typed import PIECE_BYTES, decode_typed, encode_typed, source_of
from roost.errors import InvalidRequest


def test_a_frame_is_its_number_and_its_bytes():
    assert encode_typed(258, b"ls\n") == b"\0\0\0\0\0\0\x01\x02ls\n"


@pytest.mark.parametrize("data", [b"", b"x", b"x" * PIECE_BYTES])
def test_what_was_encoded_is_decoded(data: bytes):
    assert decode_typed(encode_typed(7, data)) == (7, data)


@pytest.mark.parametrize("frame", [b"", b"1234567", bytes(8), b"\xff" * 8, bytes(7) + b"\1" + b"x" * (PIECE_BYTES + 1)])
def test_a_frame_without_a_number_or_too_long_is_refused(frame: bytes):
    with pytest.raises(InvalidRequest):
        decode_typed(frame)


def test_clients_have_sources_of_their_own():
    assert source_of("a") != source_of("b")
