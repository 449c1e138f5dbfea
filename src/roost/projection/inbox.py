"""What other threads tell the projector. Everything is gathered, nothing queues up."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from concurrent.futures import Future

from msgspec import Struct


class Removal(Struct):
    """An agent that is to be removed, and whom to tell when it is."""

    agent: str
    done: Future[None]


class Remembrance(Struct):
    """The variables that an agent was started with."""

    agent: str
    environment: dict[str, str]


class Mail(Struct):
    """All that came since the last look: lengths of recordings that grew, sessions nobody holds, changes of agents."""

    offsets: dict[str, int] = {}
    ended_unseen: dict[str, str] = {}
    agents: list[Removal | Remembrance] = []


class Inbox:
    """Thread-safe; one thread takes."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._mail = Mail()
        self._filled = False
        self._stopped = threading.Event()

    @property
    def stopped(self) -> bool:
        """Whether the projector should end."""
        return self._stopped.is_set()

    def stop(self) -> None:
        self._stopped.set()
        with self._condition:
            self._condition.notify()

    def advanced(self, offsets: Mapping[str, int]) -> None:
        with self._condition:
            self._mail.offsets.update(offsets)
            self._notify()

    def ended_unseen(self, session_id: str, reason: str) -> None:
        with self._condition:
            self._mail.ended_unseen[session_id] = reason
            self._notify()

    def about_agent(self, change: Removal | Remembrance) -> None:
        with self._condition:
            self._mail.agents.append(change)
            self._notify()

    def take(self, timeout_s: float | None) -> Mail:
        """All mail; waits for the first at most `timeout_s`, or for ever. Returns at once when stopped."""
        with self._condition:
            if not self._filled and not self.stopped:
                self._condition.wait(timeout_s)
            mail, self._mail, self._filled = self._mail, Mail(), False
            return mail

    def pause(self, seconds: float) -> bool:
        """Wait, unless stopped; whether it was."""
        return self._stopped.wait(seconds)

    def _notify(self) -> None:
        self._filled = True
        self._condition.notify()
