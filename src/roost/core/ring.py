"""Recent blocks in memory, shared by every client, and the bytes made from them.

A `Ring` holds the newest blocks up to a number of bytes. Each block is in two `Channel`s: its session's and the
fleet's. A reader holds a place in a channel and no queue of its own; a reader that is too slow finds its place gone and
goes on from the store.

Rule 1: a channel holds every block after its `floor`, and every one still to come. Before its first block the floor is
unknown, unless a reader has found that the store holds nothing more.
Rule 2: readers see a channel up to `visible`, which moves when they are woken; so all live readers are at the same
place and share the same bytes.
Rule 3: events become JSON when the first client wants them, once for all clients.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import NamedTuple, Protocol

from roost.core.wire import encode_json
from roost.model.blocks import Block
from roost.model.events import AnyEvent, Complete, Log, ScreenShown

EVENT_OVERHEAD = 200
"""About what an event weighs on the wire besides its text, in bytes."""
OTHER_EVENT_BYTES = 400
COPIES = 2
"""A block in the ring is there twice: as events, and as JSON."""
MOST_PIECES = 64
"""Pieces kept for readers that ask for the same; live readers need a few."""
MOST_SCANNED = 10_000
"""Events looked at for one piece, so that a client that wants few of them keeps nobody waiting."""


class Cursor(NamedTuple):
    """The last event that a reader has had: of block `block` the event `seq`; `whole` says it was the block's last."""

    block: int
    seq: int
    whole: bool = False


class Entry:
    """A block and the JSON of its events, made when first wanted."""

    __slots__ = ("_bodies", "block", "labels", "weight")

    def __init__(self, block: Block, labels: Mapping[str, str] | None = None) -> None:
        self.block = block
        self.labels: Mapping[str, str] = labels or {}
        self.weight = sum(map(_weigh, block.events))
        self._bodies: list[bytes] | None = None

    def bodies(self) -> list[bytes]:
        """Each event's envelope as JSON."""
        if self._bodies is None:
            block = self.block
            self._bodies = encode_json(block.agent_name, block.session_id, block.events)
        return self._bodies

    def body(self, index: int) -> bytes:
        """One event's envelope as JSON; where few events are wanted, only those are encoded."""
        if self._bodies is not None:
            return self._bodies[index]
        block = self.block
        return encode_json(block.agent_name, block.session_id, (block.events[index],))[0]

    @property
    def completes(self) -> bool:
        """Whether the session is over with this block."""
        return type(self.block.events[-1]) is Complete


class Frame(NamedTuple):
    """One event on its way to a client."""

    block: Block
    event: AnyEvent
    data: bytes


class Piece(NamedTuple):
    """What goes to a client next, and where the piece after it begins: at event `offset` of the entry `place`.

    A form that keeps frames apart gets `frames` and no `data`.
    """

    data: bytes
    frames: tuple[Frame, ...]
    events: int
    place: int
    offset: int
    cursor: Cursor
    completes: bool


class Form(Protocol):
    """Which events a client wants, and how it wants them. Who has the same form shares the same bytes."""

    @property
    def apart(self) -> bool:
        """Whether the client handles frames one by one."""

    def frames(self, entry: Entry, start: int) -> Iterable[tuple[int, bytes]]:
        """The wanted events of an entry from index `start` on, each with its index and bytes."""


class Order(Protocol):
    """How blocks follow one another in a channel: by `seq` in a session's, by block id in the fleet's."""

    def start(self, block: Block) -> int: ...

    def stop(self, block: Block) -> int: ...

    def done(self, cursor: Cursor) -> int:
        """The newest number of which `cursor` has had everything."""

    def index(self, block: Block, cursor: Cursor) -> int:
        """How many events of `block` were had at `cursor`."""


class SessionOrder:
    """Blocks of one session, by the numbers of their events."""

    @staticmethod
    def start(block: Block) -> int:
        return block.first_seq

    @staticmethod
    def stop(block: Block) -> int:
        return block.last_seq

    @staticmethod
    def done(cursor: Cursor) -> int:
        return cursor.seq

    @staticmethod
    def index(block: Block, cursor: Cursor) -> int:
        return max(0, cursor.seq - block.first_seq + 1)


class FleetOrder:
    """Blocks of all sessions, in the order in which they were stored."""

    @staticmethod
    def start(block: Block) -> int:
        return block.id

    @staticmethod
    def stop(block: Block) -> int:
        return block.id

    @staticmethod
    def done(cursor: Cursor) -> int:
        return cursor.block if cursor.whole else cursor.block - 1

    @staticmethod
    def index(block: Block, cursor: Cursor) -> int:
        return max(0, cursor.seq - block.first_seq + 1) if block.id == cursor.block else 0


SESSION_ORDER = SessionOrder()
FLEET_ORDER = FleetOrder()


class Waiter(Protocol):
    """A reader that waits for more."""

    def wake(self) -> None: ...


class Channel:
    """The recent blocks of one session, or of all. Places are counted from the first block ever, and never move."""

    __slots__ = (
        "_pieces",
        "base",
        "bytes_ever",
        "entries",
        "floor",
        "fresh_events",
        "order",
        "readers",
        "visible",
        "waiting",
    )

    def __init__(self, order: Order) -> None:
        self.order = order
        self.entries: deque[Entry] = deque()
        self.base = 0
        self.visible = 0
        self.floor: int | None = None
        self.bytes_ever = 0
        self.fresh_events = 0
        self.readers = 0
        self.waiting: set[Waiter] = set()
        self._pieces: dict[tuple[int, int, Form], Piece] = {}

    @property
    def end(self) -> int:
        return self.base + len(self.entries)

    def append(self, entry: Entry) -> None:
        if self.floor is None:
            self.floor = self.order.start(entry.block) - 1
        self.entries.append(entry)
        self.bytes_ever += entry.weight
        self.fresh_events += len(entry.block.events)

    def drop_oldest(self) -> None:
        self.floor = self.order.stop(self.entries.popleft().block)
        self.base += 1
        self.visible = max(self.visible, self.base)

    def nothing_after(self, cursor: Cursor) -> None:
        """The store held nothing after `cursor`, asked since this channel is there: what comes will be here."""
        if self.floor is None:
            self.floor = self.order.done(cursor)

    def holds(self, cursor: Cursor) -> bool:
        """Whether everything after `cursor` is here or still to come."""
        return self.floor is not None and self.floor <= self.order.done(cursor)

    def find(self, cursor: Cursor) -> int:
        """The place of the first entry that has anything after `cursor`."""
        done, stop = self.order.done(cursor), self.order.stop
        low, high = 0, len(self.entries)
        while low < high:
            middle = (low + high) // 2
            if stop(self.entries[middle].block) > done:
                high = middle
            else:
                low = middle + 1
        return self.base + low

    def piece(self, place: int, index: int, form: Form, limit: int) -> Piece:
        """About `limit` bytes from event `index` of the entry at `place` on; one object for all who ask the same."""
        key = (place, index, form)
        piece = self._pieces.get(key)
        if piece is None:
            if len(self._pieces) >= MOST_PIECES:
                self._pieces = {}
            # By index, because an iterator would walk there from the oldest entry.
            seen = map(self.entries.__getitem__, range(place - self.base, self.visible - self.base))
            piece = self._pieces[key] = assemble(seen, (place, index), form, limit)
        return piece

    def show(self) -> int:
        """Let the readers see what has come, and wake them; how many were woken."""
        self.visible = self.end
        self.fresh_events = 0
        self._pieces = {}
        woken, self.waiting = self.waiting, set()
        for reader in woken:
            reader.wake()
        return len(woken)


class Ring:
    """The newest blocks of all sessions, at most `limit` bytes of them (and always the newest)."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.weight = 0
        self.fleet = Channel(FLEET_ORDER)
        self.sessions: dict[str, Channel] = {}

    def append(self, entry: Entry) -> Channel:
        """Take a block in; gives its session's channel."""
        channel = self.session(entry.block.session_id)
        channel.append(entry)
        self.fleet.append(entry)
        self.weight += COPIES * entry.weight
        while self.weight > self.limit and len(self.fleet.entries) > 1:
            self._drop_oldest()
        return channel

    def session(self, session_id: str) -> Channel:
        """The channel of a session, made when it is not there."""
        channel = self.sessions.get(session_id)
        if channel is None:
            channel = self.sessions[session_id] = Channel(SESSION_ORDER)
        return channel

    def leave(self, channel: Channel, session_id: str | None) -> None:
        """A reader of `channel` (of `session_id`, or of the fleet) is gone."""
        channel.readers -= 1
        if session_id is not None:
            self._forget_if_unused(session_id)

    def _drop_oldest(self) -> None:
        entry = self.fleet.entries[0]
        self.fleet.drop_oldest()
        self.sessions[entry.block.session_id].drop_oldest()
        self.weight -= COPIES * entry.weight
        self._forget_if_unused(entry.block.session_id)

    def _forget_if_unused(self, session_id: str) -> None:
        channel = self.sessions[session_id]
        if not channel.entries and not channel.readers:
            del self.sessions[session_id]


def assemble(entries: Iterable[Entry], at: tuple[int, int], form: Form, limit: int) -> Piece:
    """Join frames from `at` (place, index) on, about `limit` bytes; `entries` begins with the entry at that place.

    A piece ends between two events; one event alone may be larger than `limit`.
    """
    place, index = at
    taken = _Taken(form)
    last = Cursor(0, 0)
    for entry in entries:
        block = entry.block
        for number, frame in form.frames(entry, index):
            if taken.size and taken.size + len(frame) > limit:
                cursor = Cursor(block.id, block.first_seq + number - 1) if number else last
                return taken.piece((place, number), cursor)
            taken.add(block, number, frame)
        taken.scanned += len(block.events) - index
        place, index, last = place + 1, 0, Cursor(block.id, block.last_seq, True)
        if entry.completes or taken.size >= limit or taken.scanned >= MOST_SCANNED:
            return taken.piece((place, 0), last, completes=entry.completes)
    return taken.piece((place, index), last)


class _Taken:
    """The frames of a piece that is being put together."""

    def __init__(self, form: Form) -> None:
        self.size = 0
        self.scanned = 0
        self._apart = form.apart
        self._parts: list[bytes] = []
        self._frames: list[Frame] = []

    def add(self, block: Block, number: int, data: bytes) -> None:
        self.size += len(data)
        if self._apart:
            self._frames.append(Frame(block, block.events[number], data))
        else:
            self._parts.append(data)

    def piece(self, following: tuple[int, int], cursor: Cursor, completes: bool = False) -> Piece:
        place, index = following
        events = len(self._frames) if self._apart else len(self._parts)
        return Piece(b"".join(self._parts), tuple(self._frames), events, place, index, cursor, completes)


def _weigh(event: AnyEvent) -> int:
    if type(event) is Log:
        return EVENT_OVERHEAD + len(event.line)
    if type(event) is ScreenShown:
        return EVENT_OVERHEAD + len(event.text)
    return OTHER_EVENT_BYTES
