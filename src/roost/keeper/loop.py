"""One epoll loop: descriptors, timers, chores.

Descriptors are of two kinds. *Control* (requests, signals) is handled at once. *Output* (what agents write) is handled
at once when it is quiet, and gathered while it is busy: the next round waits until some time has passed since the last
one, so that one wake-up, one read and one write serve all that arrived meanwhile. Waking up costs more than reading.
The more agents write, the longer is that time (`gather_ns`).

A chore is a generator that does a long task in short steps: it yields the seconds until its next step.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Generator
from heapq import heappop, heappush

Handler = Callable[[int], object]
Chore = Generator[float, None, None]

GATHER_NS = 2_000_000
GATHER_FEW_NS = 250_000
GATHER_MANY_NS = 10_000_000
GATHER_EACH_NS = 60_000
MAX_FAILURES = 20
CHORE_BUDGET_NS = 5_000_000
"""Chores may hold up the loop for about this long in a row."""


def now_ns() -> int:
    """The keeper's one clock: steady, and it goes on while the machine sleeps."""
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME)


def gather_ns(outputs: int) -> int:
    """How long to gather after a round in which so many were ready: 2 ms for 8, 5 for 20, 16 for 100, 40 for 500."""
    return min(max(GATHER_NS, outputs * GATHER_FEW_NS), GATHER_MANY_NS + outputs * GATHER_EACH_NS)


class Timer:
    """A call to come; `cancel` takes it back."""

    __slots__ = ("_call", "when_ns")

    def __init__(self, when_ns: int, call: Callable[[], object]) -> None:
        self.when_ns = when_ns
        self._call: Callable[[], object] | None = call

    def __lt__(self, other: Timer) -> bool:
        return self.when_ns < other.when_ns

    @property
    def live(self) -> bool:
        """Whether it is still to come."""
        return self._call is not None

    def cancel(self) -> None:
        """Never call."""
        self._call = None

    def fire(self) -> None:
        """Call, unless cancelled or done."""
        call, self._call = self._call, None
        if call is not None:
            call()


class Loop:
    """Waits for descriptors and times, and calls."""

    def __init__(
        self,
        on_round_begin: Callable[[], object],
        on_round_end: Callable[[], object],
        report: Callable[[BaseException], object],
    ) -> None:
        self._control = select.epoll()
        self._output = select.epoll()
        self._top = select.epoll()
        self._top.register(self._control.fileno(), select.EPOLLIN)
        self._top.register(self._output.fileno(), select.EPOLLIN)
        self._control_handlers: dict[int, Handler] = {}
        self._output_handlers: dict[int, Handler] = {}
        self._timers: list[Timer] = []
        self._hold_until_ns = 0
        self._gather = True
        self._on_round_begin = on_round_begin
        self._on_round_end = on_round_end
        self._report = report
        self._failures: dict[int, int] = {}
        self._stopped = False
        self.now_ns = now_ns()
        """When the current round began."""

    def run(self) -> None:
        """Go round until `stop`."""
        while not self._stopped:
            self._round()

    def stop(self) -> None:
        """Return from `run` at the end of this round."""
        self._stopped = True

    def close(self) -> None:
        """Give the loop's own descriptors back."""
        for poll in (self._control, self._output, self._top):
            poll.close()

    def watch_control(self, fd: int, handler: Handler, mask: int = select.EPOLLIN) -> None:
        """Call `handler(events)` whenever `fd` is ready."""
        self._watch(self._control, self._control_handlers, fd, handler, mask)

    def watch_output(self, fd: int, handler: Handler, mask: int = select.EPOLLIN) -> None:
        """The same for what an agent writes (and takes)."""
        self._watch(self._output, self._output_handlers, fd, handler, mask)

    def forget(self, fd: int) -> None:
        """Watch `fd` no more; to be called before it is closed."""
        self._failures.pop(fd, None)
        if self._control_handlers.pop(fd, None) is not None:
            self._control.unregister(fd)
        elif self._output_handlers.pop(fd, None) is not None:
            self._output.unregister(fd)

    def call_after(self, delay_s: float, call: Callable[[], object]) -> Timer:
        """Call once, after `delay_s`."""
        timer = Timer(now_ns() + int(delay_s * 1e9), call)
        heappush(self._timers, timer)
        return timer

    def spawn(self, chore: Chore) -> None:
        """Run a chore's steps until it returns; the first one soon, not now."""
        self.call_after(0, lambda: self._step(chore))

    def keep_reading(self) -> None:
        """Gather nothing after this round: somebody has more than a read takes."""
        self._gather = False

    def _watch(self, poll: select.epoll, handlers: dict[int, Handler], fd: int, handler: Handler, mask: int) -> None:
        known = fd in handlers
        handlers[fd] = handler
        if known:
            poll.modify(fd, mask)
        else:
            poll.register(fd, mask)

    def _round(self) -> None:
        wait_s = self._wait_s()
        ready = {fd for fd, _ in self._top.poll(wait_s)}
        self.now_ns = now_ns()
        self._on_round_begin()
        if self._control.fileno() in ready:
            self._handle_control(0)
        if self._output.fileno() in ready:
            self._handle_output()
        self._fire_timers()
        self._on_round_end()

    def _handle_control(self, wait_s: float) -> None:
        for fd, events in self._control.poll(wait_s, 64):
            handler = self._control_handlers.get(fd, _nothing)
            try:
                handler(events)
            except Exception as exc:  # noqa: BLE001 - the top of every task of the keeper
                self._report_failure(fd, exc)

    def _handle_output(self) -> None:
        """Read what agents wrote, after having let it gather while the last round was just now."""
        while (hold_ns := self._hold_until_ns - self.now_ns) > 0 and not self._stopped:
            timer_s = self._wait_s()
            self._handle_control(hold_ns / 1e9 if timer_s < 0 else min(hold_ns / 1e9, timer_s))
            self.now_ns = now_ns()
            self._fire_timers()
            self._on_round_end()
        self._gather = True
        self.now_ns = now_ns()
        ready = self._output.poll(0)
        for fd, events in ready:
            handler = self._output_handlers.get(fd, _nothing)
            try:
                handler(events)
            except Exception as exc:  # noqa: BLE001 - the top of every task of the keeper
                self._report_failure(fd, exc)
        self._hold_until_ns = self.now_ns + gather_ns(len(ready)) if self._gather else 0

    def _report_failure(self, fd: int, exc: Exception) -> None:
        """A mistake of ours must not end all agents: it is told, and not repeated for ever."""
        self._report(exc)
        self._failures[fd] = self._failures.get(fd, 0) + 1
        if self._failures[fd] > MAX_FAILURES:
            self.forget(fd)

    def _wait_s(self) -> float:
        """Until the next timer; for ever without one."""
        while self._timers and not self._timers[0].live:
            heappop(self._timers)
        if not self._timers:
            return -1
        return max(0.0, (self._timers[0].when_ns - now_ns()) / 1e9)

    def _fire_timers(self) -> None:
        """Fire what is due, for at most `CHORE_BUDGET_NS`, so that output is not kept waiting."""
        end_ns = now_ns() + CHORE_BUDGET_NS
        while self._timers and self._timers[0].when_ns <= now_ns() < end_ns:
            try:
                heappop(self._timers).fire()
            except Exception as exc:  # noqa: BLE001 - the top of every task of the keeper
                self._report(exc)

    def _step(self, chore: Chore) -> None:
        delay_s = next(chore, None)
        if delay_s is not None:
            self.call_after(delay_s, lambda: self._step(chore))


def _nothing(events: int) -> None:
    """Stands in for the handler of a descriptor that went in this very round."""
