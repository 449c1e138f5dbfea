"""What a full-screen program shows, told when it has come to rest or at least every few seconds.

An emulator cannot be written down and taken up again exactly. So every `SEED_BYTES` it is replaced by one that was
drawn from its own snapshot, the *seed*, whether or not anything is ever taken up again. From the seed and the frames
behind it the same screen comes about each time.
"""

from __future__ import annotations

import zlib

import msgspec
from msgspec import Struct

from roost.core.manifest import Sight
from roost.core.recording import decode_resize
from roost.core.screen import Screen

BUSY_NS = 5_000_000_000
"""A program that never rests is shown this often."""

SEED_BYTES = 65_536
MAX_TEXT = 65_536
"""Characters of a screen that are told at most."""

_SCROLLBACK_BYTES = 100_000


class ScreenSeed(Struct, frozen=True, array_like=True):
    """A screen of `cols` × `rows` on which `content` was written, as it was at `offset` of the recording."""

    offset: int
    cols: int = 80
    rows: int = 24
    content: bytes = b""

    def encode(self) -> bytes:
        """As it is kept."""
        return msgspec.msgpack.encode(self)

    @classmethod
    def decode(cls, data: bytes) -> ScreenSeed:
        """The seed that `encode` gave."""
        return msgspec.msgpack.decode(data, type=cls)


class ScreenState(Struct, array_like=True):
    """What must be known besides what is shown: bytes since the seed, and what was told when."""

    fed: int = 0
    changed: bool = False
    told: int = 0
    told_ns: int = 0


class ShownScreen:
    """The screen of a program between entering and leaving the alternate screen."""

    def __init__(self, seed: ScreenSeed, state: ScreenState) -> None:
        self.seed = seed
        self._state = state
        self._screen = _draw(seed)

    @classmethod
    def enter(cls, seed: ScreenSeed, now_ns: int) -> ShownScreen:
        """The program entered the alternate screen in the frame at the seed's offset."""
        return cls(seed, ScreenState(told_ns=now_ns))

    def state(self) -> ScreenState:
        """What `__init__` needs besides the seed."""
        return self._state

    def feed(self, data: bytes) -> None:
        """The program wrote this."""
        self._screen.feed(data)
        self._state.fed += len(data)
        self._state.changed = True

    def resize(self, cols: int, rows: int) -> None:
        """The terminal has a new size."""
        self._screen.resize(cols, rows)

    def is_due(self, now_ns: int) -> bool:
        """Whether it is to be told although the program is still writing."""
        return self._state.changed and now_ns - self._state.told_ns >= BUSY_NS

    def tell(self, now_ns: int) -> str | None:
        """The rows, if they are others than those told last."""
        if not self._state.changed:
            return None
        text = self._screen.text()[:MAX_TEXT]
        checksum = zlib.crc32(text.encode("utf-8", "replace"))
        is_new = checksum != self._state.told
        self._state.changed, self._state.told, self._state.told_ns = False, checksum, now_ns
        return text if is_new else None

    @property
    def title(self) -> str:
        """The title that the program set."""
        return self._screen.title[:1024]

    def sight(self) -> Sight:
        """What it shows now."""
        rows = tuple(self._screen.text()[:MAX_TEXT].split("\n"))
        row = self._screen.cursor.row
        return Sight(self.title, rows, rows[row] if row < len(rows) else "")

    def sow(self, offset: int) -> None:
        """The frame that ends at `offset` leaves no sequence unfinished: make a new seed, if it is time."""
        if self._state.fed >= SEED_BYTES:
            cols, rows = self._screen.size
            self.seed = ScreenSeed(offset, cols, rows, self._screen.snapshot())
            self._screen.close()
            self._screen = _draw(self.seed)
            self._state.fed = 0

    def redraw(self, data: bytes) -> None:
        """Show again what was fed before, behind the seed."""
        self._screen.feed(data)

    def redraw_resize(self, payload: bytes) -> None:
        """Take up again a size from behind the seed."""
        try:
            self._screen.resize(*decode_resize(payload))
        except ValueError:
            return

    def close(self) -> None:
        """Free the emulator."""
        self._screen.close()


def _draw(seed: ScreenSeed) -> Screen:
    screen = Screen(seed.cols, seed.rows, scrollback_bytes=_SCROLLBACK_BYTES)
    screen.feed(seed.content)
    return screen
