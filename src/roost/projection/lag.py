"""How far the store is behind the recordings."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import NamedTuple


class Lag(NamedTuple):
    """What the projector has yet to do, and what is in its way.

    `bytes` and `sessions` count what is known to be recorded and not yet in the store; `seconds` is how long the
    oldest of it has waited. `error` says why nothing or not all can be written, `unreadable` why a recording cannot
    be projected, by session.
    """

    bytes: int
    sessions: int
    seconds: float
    error: str | None
    disk_full: bool
    unreadable: dict[str, str]


class Backlog:
    """Recorded and projected lengths of the sessions that are behind. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._recorded: dict[str, int] = {}
        self._projected: dict[str, int] = {}
        self._since = 0.0

    def recorded(self, lengths: Mapping[str, int]) -> None:
        """Recordings have grown to these lengths."""
        with self._lock:
            if not self._recorded:
                self._since = time.monotonic()
            self._recorded.update(lengths)

    def projected(self, session_id: str, length: int) -> None:
        """A session is in the store up to this length."""
        with self._lock:
            if self._recorded.get(session_id, 0) <= length:
                self._recorded.pop(session_id, None)
                self._projected.pop(session_id, None)
            else:
                self._projected[session_id] = length
            self._since = time.monotonic()

    def drop(self, session_id: str) -> None:
        """A session cannot be projected now; its recording does not count."""
        self.projected(session_id, 1 << 62)

    def measure(self) -> tuple[int, int, float]:
        """Bytes, sessions and seconds behind; no time passes while nothing is."""
        with self._lock:
            missing = [length - self._projected.get(name, 0) for name, length in self._recorded.items()]
            return sum(missing), len(missing), time.monotonic() - self._since if missing else 0.0
