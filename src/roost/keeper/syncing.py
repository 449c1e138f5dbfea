"""Has the file system write what was recorded, on an interval and off the loop."""

from __future__ import annotations

import _thread
from collections.abc import Callable

from roost.keeper.loop import Loop, Timer
from roost.keeper.storage import Storage


class Syncer:
    """One `syncfs` at a time, in a thread of its own, one every `interval_s` at most, none when nothing was written.

    `wake` is called in that thread when it is done, and has the loop call `finished`.
    """

    def __init__(self, loop: Loop, storage: Storage, directory: int, *, interval_s: float) -> None:
        self._loop = loop
        self._storage = storage
        self._directory = directory
        self._interval_s = interval_s
        self._dirty = False
        self._running = False
        self._timer: Timer | None = None
        self._problem = ""
        self.wake: Callable[[], object] = lambda: None
        self.on_problem: Callable[[str], object] = lambda problem: None

    def written(self) -> None:
        """Something was written that has to reach the disk within the interval."""
        self._dirty = True
        if self._timer is None and not self._running:
            self._timer = self._loop.call_after(self._interval_s, self._start)

    def now(self) -> None:
        """Do not wait for the interval."""
        self._dirty = True
        if not self._running:
            self._start()

    def finished(self) -> None:
        """The thread is done."""
        self._running = False
        if self._problem:
            self.on_problem(self._problem)
            self._dirty = True
            self._problem = ""
        if self._dirty:
            self.written()

    def _start(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self._dirty = False
        self._running = True
        try:
            _thread.start_new_thread(self._sync, ())
        except RuntimeError as exc:  # no thread is to be had now
            self._problem = str(exc)
            self._loop.call_after(self._interval_s, self.finished)

    def _sync(self) -> None:
        try:
            self._storage.sync(self._directory)
        except OSError as exc:
            self._problem = exc.strerror or str(exc)
        self.wake()
