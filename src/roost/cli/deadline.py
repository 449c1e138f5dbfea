"""An end to waiting, whatever is being waited for."""

from __future__ import annotations

import contextlib
import signal
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class TimeIsUp(BaseException):
    """Not an `Exception`, so that nothing on the way takes it for a failure to be tried again."""


@contextlib.contextmanager
def alarm(deadline: float | None) -> Iterator[None]:
    """Raises `TimeIsUp` at the deadline, in seconds of `time.monotonic`; never where there is none."""
    if deadline is None:
        yield
        return
    before = signal.signal(signal.SIGALRM, _ring)
    signal.setitimer(signal.ITIMER_REAL, max(0.001, deadline - time.monotonic()))
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _ring(*_: object) -> None:
    raise TimeIsUp
