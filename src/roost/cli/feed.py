"""What happens elsewhere while a person types: an agent's events, and answers to what was asked of the server.

Both are waited for by threads; `fileno` is readable when there is something to take.
"""

from __future__ import annotations

import contextlib
import os
from collections import deque
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any, NamedTuple

from roost.errors import RoostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from roost.client.backend import Event

    Json = dict[str, Any]


class News(NamedTuple):
    """Something to take: an event's envelope, or the answer to a request, which is empty where it was refused.

    A `problem` is a line for the person. `over` says that no more events come.
    """

    body: dict[str, Any] | None = None
    answer: dict[str, Any] | None = None
    problem: str = ""
    over: bool = False


class Feed:
    """Takes events from `events`, and does what `ask` is given, one after the other. A context."""

    def __init__(self, events: Callable[[Feed], Iterator[Event]]) -> None:
        self._events = events
        self._news: deque[News] = deque()
        self._work: SimpleQueue[Callable[[], Json | None] | None] = SimpleQueue()
        self._reader, self._writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._open = True

    def __enter__(self) -> Feed:
        for job in (self._follow, self._do):
            Thread(target=job, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        # The threads may still write into the pipe: it is left to the end of the process, which is near.
        self._open = False
        self._work.put(None)

    def fileno(self) -> int:
        """Readable when there is news."""
        return self._reader

    def take(self) -> list[News]:
        """What is new."""
        with contextlib.suppress(BlockingIOError):
            while os.read(self._reader, 4096):
                pass
        found = []
        with contextlib.suppress(IndexError):
            while True:
                found.append(self._news.popleft())
        return found

    def ask(self, work: Callable[[], Json | None]) -> None:
        """Have a request made; its answer comes as news."""
        self._work.put(work)

    def say(self, problem: str) -> None:
        """Tell of something from any thread."""
        self._put(News(problem=problem))

    def _put(self, news: News) -> None:
        if self._open:
            self._news.append(news)
            with contextlib.suppress(BlockingIOError):
                os.write(self._writer, b".")

    def _follow(self) -> None:
        try:
            for event in self._events(self):
                self._put(News(body=event.body))
                if not self._open:
                    return
        except RoostError as error:
            self.say(f"roost: {error.message}")
        self._put(News(over=True))

    def _do(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                self._put(News(answer=work() or {}))
            except RoostError as error:
                hint = f" ({error.hint})" if error.hint else ""
                self._put(News(answer={}, problem=f"roost: {error.message}{hint}"))
