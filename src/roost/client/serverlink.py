"""An attachment through the server: `/ws/agents/NAME?output=raw`.

What is typed is numbered and acknowledged; see `roost.client.outbox`.
"""

from __future__ import annotations

import getpass
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from roost.client.link import LinkLost, Update
from roost.client.websocket import BINARY, Closed, Message, WebSocket, parse_text
from roost.core.typed import encode_typed
from roost.errors import from_dict

if TYPE_CHECKING:
    from roost.client.discovery import Address
    from roost.client.outbox import Outbox

    Json = dict[str, Any]

PASSED_ON = frozenset({"viewers", "size", "status"})
REFUSED = 4000
"""Close codes from here on are refusals, which trying again does not change."""


class ServerLink:
    """An attachment to an agent's terminal; the server keeps the terminal that answers the program's questions."""

    where = "server"
    answers = False
    waits = False

    def __init__(
        self, address: Address, name: str, size: tuple[int, int], outbox: Outbox, *, read_only: bool = False
    ) -> None:
        query: Json = {"output": "raw", "cols": size[0], "rows": size[1], "viewer": _viewer()}
        if read_only:
            query["read_only"] = "1"
        self._address = address
        self._name = name
        self._outbox = outbox
        self._read_only = read_only
        self._attached = False
        self._snapshot_due = False
        self._socket = WebSocket(address, f"/ws/agents/{quote(name, safe='')}?{urlencode(query)}")

    def fileno(self) -> int:
        return self._socket.fileno()

    def has_early(self) -> bool:
        return self._socket.has_early()

    def receive(self) -> list[Update]:
        try:
            messages = self._socket.receive()
        except Closed as closed:
            raise _lost(closed) from closed
        return [update for message in messages for update in self._updates(message)]

    def _updates(self, message: Message) -> list[Update]:
        if message.kind == BINARY:
            kind = "snapshot" if self._snapshot_due else "output"
            self._snapshot_due = False
            return [Update(kind, message.data)]
        frame = parse_text(message, self._address)
        kind, data = str(frame.get("type")), frame.get("data") or {}
        if kind in ("attached", "skipped"):
            self._snapshot_due = True
            if kind == "attached":
                self._begin(str(data.get("session_id", "")))
            return [Update(kind, info=data)]
        if kind == "complete":
            return [Update("complete", info={"exit_code": data.get("exit_code"), "signal": data.get("signal")})]
        if kind == "acknowledged":
            self._settle(data)
        if kind == "error":
            self._take_error(frame)
        return [Update(kind, info=data)] if kind in PASSED_ON else []

    def _begin(self, session_id: str) -> None:
        """The terminal is there: what was typed before, or got lost with another link, is typed now."""
        self._attached = True
        if self._read_only:
            return
        self._outbox.begin(session_id)
        frame = {"type": "input", "client_id": self._outbox.client_id, "session_id": session_id}
        self._guard(self._socket.send_json, frame)
        self.flush()

    def _settle(self, data: Json) -> None:
        if isinstance(data.get("seq"), int):
            self._outbox.settle(data["seq"])
            self.flush()

    def _take_error(self, frame: Json) -> None:
        if not self._attached:
            raise LinkLost(str(frame.get("message", "the server refused")), final=_is_final(frame))
        self._settle(frame)

    def flush(self) -> None:
        while self._attached and (piece := self._outbox.take()) is not None:
            self._guard(self._socket.send_binary, encode_typed(piece.seq, piece.data))

    def resize(self, cols: int, rows: int) -> None:
        frame = {"type": "command", "command": "resize", "agent": self._name, "data": {"cols": cols, "rows": rows}}
        self._guard(self._socket.send_json, frame | {"request_id": "resize"})

    def close(self) -> None:
        self._socket.close()

    def _guard(self, act: Any, value: Any) -> None:
        try:
            act(value)
        except Closed as closed:
            raise _lost(closed) from closed


def _lost(closed: Closed) -> LinkLost:
    if closed.code >= REFUSED:
        return LinkLost(f"the server refused: {closed.reason}", final=True)
    return LinkLost("the server went away")


def _is_final(frame: Json) -> bool:
    """Whether an error frame says something that trying again does not change."""
    from roost.errors import Conflict, InvalidRequest, NotFound, Refused

    return isinstance(from_dict(frame), InvalidRequest | NotFound | Refused | Conflict)


def _viewer() -> str:
    """Whom the others see: user and machine."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError, ImportError):
        user = "someone"
    return f"{user}@{socket.gethostname()}"[:64]
