"""What was typed and is not yet known to have reached the agent. Pure.

Rules:

1. Every piece has a number, which it keeps; the keeper types each number of one client once. So whoever attaches anew
   sends everything again that was not acknowledged, over whichever link, and nothing is typed twice or out of order.
2. What was typed at one session is never typed at another.
3. A piece without bytes is the end of input.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from roost.core.typed import PIECE_BYTES

WINDOW_BYTES = 262_144
"""How much is sent before the first of it is acknowledged."""
MAX_BYTES = 1_048_576
"""How much is kept for an agent that does not take it, or a server that is away."""


class Piece(NamedTuple):
    """What is typed at once, and its number."""

    seq: int
    data: bytes


class Outbox:
    """The pieces of one client, in order."""

    def __init__(self, client_id: str) -> None:
        self.client_id = client_id
        self._pieces: deque[Piece] = deque()
        self._session = ""
        self._last = 0
        self._given = 0
        """How many of the pieces were given out over the present link."""
        self._highest_given = 0
        """The highest number that was ever given out: such a piece must stay as it is."""

    @property
    def size(self) -> int:
        """Bytes that are not acknowledged."""
        return sum(len(piece.data) for piece in self._pieces)

    @property
    def pending(self) -> bool:
        """Whether anything is not acknowledged."""
        return bool(self._pieces)

    @property
    def has_room(self) -> bool:
        """Whether more should be typed now."""
        return self.size < MAX_BYTES

    def add(self, data: bytes) -> None:
        """Keep `data` to be typed; what was never given out grows instead of becoming many pieces."""
        if data and self._may_grow():
            last = self._pieces.pop()
            data, self._last = last.data + data, self._last - 1
        for at in range(0, len(data), PIECE_BYTES):
            self._append(data[at : at + PIECE_BYTES])

    def end(self) -> None:
        """Behind all that was typed, the end of input."""
        self._append(b"")

    def begin(self, session_id: str) -> None:
        """Over a new link, to this session: everything is to be given out again."""
        if self._session and self._session != session_id:
            self._pieces.clear()
        self._session = session_id
        self._given = 0

    def take(self) -> Piece | None:
        """The next piece to be sent over the present link; None where there is none, or too much is on its way."""
        if self._given >= len(self._pieces) or self._on_the_way() >= WINDOW_BYTES:
            return None
        piece = self._pieces[self._given]
        self._given += 1
        self._highest_given = max(self._highest_given, piece.seq)
        return piece

    def put_back(self) -> None:
        """What was taken last could not be typed now."""
        self._given -= 1

    def settle(self, seq: int) -> None:
        """All pieces up to this number are typed, or never will be."""
        while self._pieces and self._pieces[0].seq <= seq:
            self._pieces.popleft()
            self._given = max(0, self._given - 1)

    def _append(self, data: bytes) -> None:
        self._last += 1
        self._pieces.append(Piece(self._last, data))

    def _may_grow(self) -> bool:
        if not self._pieces:
            return False
        last = self._pieces[-1]
        return last.seq > self._highest_given and 0 < len(last.data) < PIECE_BYTES

    def _on_the_way(self) -> int:
        return sum(len(self._pieces[at].data) for at in range(self._given))
