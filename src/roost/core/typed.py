"""Typed bytes with a number, so that what was sent twice is typed once.

A numbered frame is the number (8 bytes, unsigned, big-endian, from 1 on) and the bytes; without bytes it is the end of
input. The keeper types each number of a source once, and takes numbers of one source in rising order only.
"""

from __future__ import annotations

import struct

from roost.errors import InvalidRequest

PIECE_BYTES = 65_536
"""The most that one frame may type."""
END_OF_FILE = b"\x04"
"""What the end of input is at a terminal."""

_NUMBER = struct.Struct(">Q")
_MOST = 2**53


def encode_typed(seq: int, data: bytes) -> bytes:
    """A numbered frame."""
    return _NUMBER.pack(seq) + data


def decode_typed(frame: bytes) -> tuple[int, bytes]:
    """Number and bytes of a frame.

    Raises:
        InvalidRequest: it has no number, or is too long.
    """
    if len(frame) < _NUMBER.size:
        raise InvalidRequest("a numbered frame begins with its number, 8 bytes, big-endian")
    (seq,) = _NUMBER.unpack_from(frame)
    if not 1 <= seq <= _MOST:
        raise InvalidRequest(f"numbers of frames are 1 to {_MOST}")
    if len(frame) > _NUMBER.size + PIECE_BYTES:
        raise InvalidRequest(f"a numbered frame types at most {PIECE_BYTES} bytes", limit=PIECE_BYTES, seq=seq)
    return seq, frame[_NUMBER.size :]


def source_of(client_id: str) -> str:
    """Under which name the keeper remembers the numbers of a client, whichever way it is attached."""
    return f"typist:{client_id}"
