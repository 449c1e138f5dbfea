"""The recording format: frames, and nothing else, from the first byte of the file to the last.

    offset  size  field
    0       2     sync: 0xF5 0x52 (0xF5 occurs in no valid UTF-8, so text rarely looks like a frame)
    2       1     kind (`Kind`)
    3       1     reserved, zero
    4       4     payload length, unsigned
    8       8     time: nanoseconds since the session began, on a clock that never steps back
    16      4     CRC-32 (zlib) of bytes 0 to 15 and of the payload
    20      n     payload

All integers are little-endian. A payload is at most `MAX_PAYLOAD` bytes. The first frame is a `HEADER`; the last
of a session that ended under the keeper's eyes is an `EXIT`, though marks may follow it.

Rules of reading:

1. A frame counts only when its sync, kind, reserved byte, length and checksum are all good.
2. Where they are not, the bytes up to the next good frame are one `Damage`, and reading goes on behind it.
3. Bytes at the very end that could still become a frame are neither until more arrive or `finish` is called.
4. The outcome depends on the bytes alone, never on how they were cut into calls.

Standard library only: the keeper writes this format. The page `docs/reference/recording.md` describes it for others.
"""

from __future__ import annotations

import json
import struct
import zlib
from enum import IntEnum
from typing import Any, NamedTuple

SYNC = b"\xf5\x52"
HEAD = struct.Struct("<2sBBIQ")
CHECKSUM = struct.Struct("<I")
HEAD_SIZE = HEAD.size
FRAME_OVERHEAD = HEAD_SIZE + CHECKSUM.size
MAX_PAYLOAD = 1 << 20
MAX_SOURCE = 255
FORMAT_NAME = "roost-recording"
FORMAT_VERSION = 1

_WHOLE_HEAD = struct.Struct("<2sBBIQI")
_SIZE = struct.Struct("<HH")
_CLOCK = struct.Struct("<Q")
_INPUT_SEQ = struct.Struct("<Q")


class Kind(IntEnum):
    """What a frame holds."""

    HEADER = 1
    """JSON: the session's definition (`header`)."""
    OUT = 2
    """Bytes from the terminal, or from standard output of an agent on pipes."""
    ERR = 3
    """Bytes from standard error of an agent on pipes."""
    IN = 4
    """Bytes given to the agent, with who gave them (`encode_input`)."""
    RESIZE = 5
    """The terminal's new size: columns and rows, two bytes each."""
    SIGNAL = 6
    """JSON: a signal that was sent: `{"signal", "scope", "by"}`."""
    MARK = 7
    """JSON with a `type`: anything that happened to the session and is not bytes."""
    EXIT = 8
    """JSON: how the process ended: `{"code", "signal", "reason", "usage"}`."""
    CLOCK = 9
    """Wall time, nanoseconds since the Unix epoch, eight bytes: anchors this frame's `time` anew after a step."""


_new_tuple = tuple.__new__
"""Makes a `Frame` without a call of Python's, in half the time."""

_KINDS = frozenset(int(kind) for kind in Kind)


class Frame(NamedTuple):
    """One good frame; `offset` is where it begins in the file, `time_ns` counts from the session's start."""

    offset: int
    kind: int
    time_ns: int
    payload: bytes

    @property
    def end(self) -> int:
        """Offset of the first byte behind this frame."""
        return self.offset + FRAME_OVERHEAD + len(self.payload)


class Damage(NamedTuple):
    """A stretch of the file that holds no good frame.

    `reason` is one of `bad-sync`, `bad-kind`, `bad-length`, `bad-checksum`, `zero-filled`, `truncated`.
    """

    offset: int
    length: int
    reason: str


class Input(NamedTuple):
    """What an `IN` frame says: `source` gave `data` as its input number `seq`."""

    source: str
    seq: int
    data: bytes


def encode_frame(kind: int, time_ns: int, payload: bytes) -> bytes:
    """One frame, ready to be appended in a single write.

    Raises:
        ValueError: the payload is longer than `MAX_PAYLOAD`.
    """
    if len(payload) > MAX_PAYLOAD:
        raise ValueError(f"a frame holds at most {MAX_PAYLOAD} bytes, not {len(payload)}")
    head = HEAD.pack(SYNC, kind, 0, len(payload), time_ns)
    return b"%b%b%b" % (head, CHECKSUM.pack(zlib.crc32(payload, zlib.crc32(head))), payload)


def frame_in_place(buffer: memoryview, kind: int, time_ns: int, length: int) -> memoryview:
    """A frame of the payload that stands in `buffer` behind `FRAME_OVERHEAD` bytes for its head: copies nothing."""
    HEAD.pack_into(buffer, 0, SYNC, kind, 0, length, time_ns)
    end = FRAME_OVERHEAD + length
    CHECKSUM.pack_into(buffer, HEAD_SIZE, zlib.crc32(buffer[FRAME_OVERHEAD:end], zlib.crc32(buffer[:HEAD_SIZE])))
    return buffer[:end]


def encode_json(kind: int, time_ns: int, value: dict[str, Any]) -> bytes:
    """A frame whose payload is `value` as JSON."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return encode_frame(kind, time_ns, text.encode("utf-8", "surrogateescape"))


def encode_input(time_ns: int, item: Input) -> bytes:
    """An `IN` frame: length of the source, the source (255 bytes of it at most), its sequence number, the bytes."""
    source = _cut(item.source)
    payload = bytes([len(source)]) + source + _INPUT_SEQ.pack(item.seq) + item.data
    return encode_frame(Kind.IN, time_ns, payload)


def encode_resize(time_ns: int, cols: int, rows: int) -> bytes:
    """A `RESIZE` frame."""
    return encode_frame(Kind.RESIZE, time_ns, _SIZE.pack(cols, rows))


def encode_clock(time_ns: int, wall_ns: int) -> bytes:
    """A `CLOCK` frame: at `time_ns` of the session the wall clock read `wall_ns`."""
    return encode_frame(Kind.CLOCK, time_ns, _CLOCK.pack(wall_ns))


def _cut(source: str) -> bytes:
    """As much of a text as fits into `MAX_SOURCE` bytes, no character torn."""
    encoded = source.encode("utf-8", "surrogateescape")
    if len(encoded) <= MAX_SOURCE:
        return encoded
    return encoded[:MAX_SOURCE].decode("utf-8", "ignore").encode()


def decode_json(payload: bytes) -> dict[str, Any]:
    """The JSON object in a `HEADER`, `SIGNAL`, `MARK` or `EXIT` payload; `{}` when it is not an object."""
    try:
        value = json.loads(payload.decode("utf-8", "surrogateescape"))
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def decode_input(payload: bytes) -> Input:
    """The payload of an `IN` frame.

    Raises:
        ValueError: it is shorter than its own lengths say.
    """
    length = payload[0] if payload else 0
    data_at = 1 + length + _INPUT_SEQ.size
    if len(payload) < data_at:
        raise ValueError("an input frame is too short")
    (seq,) = _INPUT_SEQ.unpack_from(payload, 1 + length)
    return Input(payload[1 : 1 + length].decode("utf-8", "surrogateescape"), seq, payload[data_at:])


def decode_resize(payload: bytes) -> tuple[int, int]:
    """Columns and rows of a `RESIZE` payload.

    Raises:
        ValueError: it is not four bytes long.
    """
    if len(payload) != _SIZE.size:
        raise ValueError("a resize frame holds four bytes")
    cols, rows = _SIZE.unpack(payload)
    return cols, rows


def decode_clock(payload: bytes) -> int:
    """Wall time of a `CLOCK` payload, nanoseconds since the Unix epoch.

    Raises:
        ValueError: it is not eight bytes long.
    """
    if len(payload) != _CLOCK.size:
        raise ValueError("a clock frame holds eight bytes")
    (wall_ns,) = _CLOCK.unpack(payload)
    return int(wall_ns)


class Reader:
    """Cuts a recording's bytes into frames and damage, whatever pieces they come in.

    Feed it the bytes from `offset` on, in order. It holds at most one frame's bytes back.
    """

    def __init__(self, offset: int = 0) -> None:
        self._buffer = b""
        self._base = offset
        self._damage_at: int | None = None
        self._damage_reason = ""
        self._damage_is_zeros = False

    @property
    def offset(self) -> int:
        """Where reading may be taken up again by a new `Reader` with nothing lost and nothing twice."""
        return self._base if self._damage_at is None else self._damage_at

    def feed(self, data: bytes) -> list[Frame | Damage]:
        """What became certain with these bytes."""
        self._buffer += data
        return self._drain(final=False)

    def finish(self) -> list[Frame | Damage]:
        """The end of the file is here: what was held back is damage, and good frames behind it are found."""
        found = self._drain(final=True)
        self._close_damage(self._base, found)
        return found

    def _drain(self, final: bool) -> list[Frame | Damage]:
        found: list[Frame | Damage] = []
        at = self._take_whole(found)
        while at < len(self._buffer):
            step = self._step(at, found) or (self._reject(at, "truncated") if final else 0)
            if step == 0:
                break
            at += step
        self._buffer = self._buffer[at:]
        self._base += at
        return found

    def _take_whole(self, found: list[Frame | Damage]) -> int:
        """Take good frames from the buffer's start on for as long as they follow each other, which nearly all do.

        This is `_step` laid out for speed; what it cannot take is left to that.
        """
        if self._damage_at is not None:
            return 0
        buffer, base, at, crc32 = self._buffer, self._base, 0, zlib.crc32
        begin, end = FRAME_OVERHEAD, len(self._buffer)
        while begin <= end:
            sync, kind, reserved, length, time_ns, checksum = _WHOLE_HEAD.unpack_from(buffer, at)
            stop = begin + length
            if sync != SYNC or reserved or kind not in _KINDS or length > MAX_PAYLOAD or stop > end:
                break
            payload = buffer[begin:stop]
            if crc32(payload, crc32(buffer[at : at + HEAD_SIZE])) != checksum:
                break
            found.append(_new_tuple(Frame, (base + at, kind, time_ns, payload)))
            at, begin = stop, stop + FRAME_OVERHEAD
        return at

    def _step(self, at: int, found: list[Frame | Damage]) -> int:
        """Bytes taken at `at`; 0 when more bytes are needed to tell."""
        if len(self._buffer) - at < HEAD_SIZE:
            could_begin = SYNC.startswith(self._buffer[at : at + 2])
            return 0 if could_begin else self._reject(at, "bad-sync")
        head: tuple[bytes, int, int, int, int] = HEAD.unpack_from(self._buffer, at)
        sync, kind, reserved, length, time_ns = head
        reason = _fault(sync, kind, reserved, length)
        if reason:
            return self._reject(at, reason)
        end = at + FRAME_OVERHEAD + length
        if end > len(self._buffer):
            return 0
        payload = self._buffer[at + FRAME_OVERHEAD : end]
        checksum: int = CHECKSUM.unpack_from(self._buffer, at + HEAD_SIZE)[0]
        if zlib.crc32(payload, zlib.crc32(self._buffer[at : at + HEAD_SIZE])) != checksum:
            return self._reject(at, "bad-checksum")
        self._close_damage(self._base + at, found)
        found.append(Frame(self._base + at, kind, time_ns, payload))
        return end - at

    def _reject(self, at: int, reason: str) -> int:
        """Note damage at `at`; say how many bytes to pass over to the next place that could be a frame."""
        following = self._buffer.find(SYNC[:1], at + 1)
        end = following if following >= 0 else len(self._buffer)
        if self._damage_at is None:
            self._damage_at = self._base + at
            self._damage_reason = reason
            self._damage_is_zeros = True
        if self._damage_is_zeros and self._buffer[at:end].strip(b"\0"):
            self._damage_is_zeros = False
        return end - at

    def _close_damage(self, end: int, found: list[Frame | Damage]) -> None:
        if self._damage_at is None:
            return
        reason = "zero-filled" if self._damage_is_zeros else self._damage_reason
        found.append(Damage(self._damage_at, end - self._damage_at, reason))
        self._damage_at = None


def _fault(sync: bytes, kind: int, reserved: int, length: int) -> str:
    if sync != SYNC:
        return "bad-sync"
    if kind not in _KINDS or reserved:
        return "bad-kind"
    return "bad-length" if length > MAX_PAYLOAD else ""
