"""Numbered typing at an attached terminal: each frame is acknowledged once the keeper has recorded it.

Rules:

1. Frames are typed in the order in which they came. One that the agent cannot take now waits, and those behind it too.
2. An acknowledgement of a number says that it and all numbers below are recorded and will be typed.
3. A frame that is refused for good is named in the error, and never typed.
4. What a client numbered for one session is not typed at another.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from roost.core.typed import decode_typed, source_of
from roost.errors import InvalidRequest, RoostError, Unavailable
from roost.model.requests import ClientId
from roost.web.socket import Json, Socket

if TYPE_CHECKING:
    from roost.web.ws_output import RawOutput

RETRY_S = 0.05
MAX_RETRY_S = 1.0


class InputFrame(Struct, frozen=True, kw_only=True):
    """`{"type": "input", "client_id", "session_id"}`: from now on, binary frames are numbered."""

    type: Literal["input"]
    client_id: ClientId
    session_id: Annotated[str, Meta(min_length=1, max_length=64)]


class NumberedTyping:
    """What one client types at one session."""

    def __init__(self, raw: RawOutput, socket: Socket, name: str, frame: Json) -> None:
        """Begin as `frame` says.

        Raises:
            InvalidRequest: it cannot be read.
        """
        try:
            asked = msgspec.convert(frame, InputFrame)
        except msgspec.ValidationError as exc:
            raise InvalidRequest(f"the frame cannot be read: {exc}") from exc
        self._raw = raw
        self._socket = socket
        self._name = name
        self._session_id = asked.session_id
        self._source = source_of(asked.client_id)

    async def type(self, frame: bytes) -> None:
        """Type a frame as soon as the agent takes it, and say so."""
        try:
            seq, data = decode_typed(frame)
        except InvalidRequest as exc:
            await self._socket.send_error(exc, **_number(exc))
            return
        try:
            await self._type(seq, data)
        except RoostError as exc:
            await self._socket.send_error(exc, seq=seq)
            return
        await self._socket.send({"type": "acknowledged", "agent": self._name, "data": {"seq": seq}})

    async def _type(self, seq: int, data: bytes) -> None:
        delay = RETRY_S
        while True:
            try:
                await self._raw.type_numbered(self._session_id, self._source, seq, data)
            except RoostError as exc:
                if not _may_pass(exc):
                    raise
            else:
                return
            await asyncio.sleep(delay)
            delay = min(delay * 2, MAX_RETRY_S)


def _may_pass(error: RoostError) -> bool:
    """Whether it can be typed later: no keeper, a full disk, or an agent that does not read what it was given."""
    return isinstance(error, Unavailable) or "waiting" in error.details


def _number(error: InvalidRequest) -> Json:
    return {"seq": error.details["seq"]} if "seq" in error.details else {}
