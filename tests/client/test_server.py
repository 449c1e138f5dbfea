"""How what is to be typed is put into requests."""

import base64

from hypothesis import given
from hypothesis import strategies as st

from roost.client.server import INPUT_PIECE, _pieces, _typed


def test_text_is_sent_as_text_and_other_bytes_in_base64():
    assert _typed("input", "ä\n".encode()) == {"input": "ä\n"}
    assert _typed("paste", b"\xff") == {"paste_base64": base64.b64encode(b"\xff").decode()}


def test_long_text_is_cut_between_characters():
    text = "x" * (INPUT_PIECE - 1) + "€" * INPUT_PIECE
    pieces = list(_pieces(text.encode()))
    assert len(pieces[0]) == INPUT_PIECE - 1
    assert "".join(piece.decode() for piece in pieces) == text


@given(st.binary(max_size=20), st.integers(0, 6))
def test_pieces_are_the_whole_and_none_is_too_long(tail: bytes, short: int):
    data = b"\xbf" * (INPUT_PIECE - short) + tail
    pieces = list(_pieces(data))
    assert b"".join(pieces) == data
    assert all(0 < len(piece) <= INPUT_PIECE for piece in pieces)
