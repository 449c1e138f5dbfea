"""The keeper's wire protocol: framing, versions, answers. Pure: bytes in, messages out.

A message is two lengths, a JSON object and some bytes; `docs/reference/keeper-protocol.md` is the contract.
`roost.keeper.requests` checks what the JSON says.
"""

from __future__ import annotations

import json
import struct
from typing import Any, NamedTuple

from roost.errors import BodyTooLarge, RoostError

LOWEST_VERSION = 1
VERSION = 1
MAX_JSON = 1 << 20
"""Bytes of JSON in one request."""
MAX_BLOB = 1 << 20
"""Bytes beside the JSON in one request."""
MAX_ANSWER_JSON = 16 << 20
"""Bytes of JSON in one answer or notice."""

_LENGTHS = struct.Struct(">II")


class Message(NamedTuple):
    """One message; `problem` says what is wrong with it when its JSON is not an object."""

    body: dict[str, Any]
    blob: bytes = b""
    problem: str = ""


class Decoder:
    """Cuts a byte stream into messages, whatever pieces it comes in.

    The bounds are those of answers; the keeper itself takes requests of at most `MAX_JSON`.
    """

    def __init__(self, max_json: int = MAX_ANSWER_JSON, max_blob: int = MAX_BLOB) -> None:
        self._max_json = max_json
        self._max_blob = max_blob
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """The messages that are whole now.

        Raises:
            BodyTooLarge: a message says that it is longer than allowed; the stream cannot be read on.
        """
        self._buffer += data
        found = []
        while (message := self._next()) is not None:
            found.append(message)
        return found

    @property
    def rest(self) -> bytes:
        """The beginning of a message whose end has not come."""
        return bytes(self._buffer)

    def _next(self) -> Message | None:
        if len(self._buffer) < _LENGTHS.size:
            return None
        json_length, blob_length = _LENGTHS.unpack_from(self._buffer)
        if json_length > self._max_json or blob_length > self._max_blob:
            raise BodyTooLarge(
                f"a message holds at most {self._max_json} bytes of JSON and {self._max_blob} bytes beside it",
                json_bytes=json_length,
                blob_bytes=blob_length,
            )
        blob_at = _LENGTHS.size + json_length
        end = blob_at + blob_length
        if len(self._buffer) < end:
            return None
        text, blob = bytes(self._buffer[_LENGTHS.size : blob_at]), bytes(self._buffer[blob_at:end])
        del self._buffer[:end]
        return _decode(text, blob)


def _decode(text: bytes, blob: bytes) -> Message:
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        return Message({}, blob, "the message is not JSON")
    if not isinstance(body, dict):
        return Message({}, blob, "the message is not a JSON object")
    return Message(body, blob)


def encode(body: dict[str, Any], blob: bytes = b"") -> bytes:
    """One message, ready to be sent."""
    text = json.dumps(body, separators=(",", ":")).encode()
    return _LENGTHS.pack(len(text), len(blob)) + text + blob


def answer(request_id: Any, fields: dict[str, Any]) -> bytes:
    """The answer to a request that went well."""
    return encode({"id": request_id, "ok": True, **fields})


def refusal(request_id: Any, error: RoostError) -> bytes:
    """The answer to a request that failed."""
    return encode({"id": request_id, "ok": False, "error": error.to_dict()})


def choose_version(low: int, high: int) -> int | None:
    """The highest version that both sides speak, or None."""
    best = min(high, VERSION)
    return best if best >= max(low, LOWEST_VERSION) else None
