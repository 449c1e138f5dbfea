"""Ends the whole tree of a session: asks, waits, and then makes sure, in steps that never hold up the loop."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from roost.core.recording import Kind
from roost.keeper import tree
from roost.keeper.loop import Chore, now_ns
from roost.keeper.procfs import Status

if TYPE_CHECKING:
    from roost.keeper.keeper import Keeper
    from roost.keeper.session import Session

SLICE_S = 0.004
"""How long a step may take."""
FIRST_LOOK_S = 0.01
LAST_LOOK_S = 0.2
ASK_S = 0.3
"""How long new members are looked for, to ask them too, before waiting."""
LEFTOVER_GRACE_S = 2.0
"""What outlives its leader gets this long between SIGTERM and SIGKILL."""

Done = Callable[[], object]


class Ending:
    """The end of one session's processes. `hurry` turns a stop into a kill; `wait` tells when none is left."""

    def __init__(self, keeper: Keeper, session: Session, grace_s: float, by: str) -> None:
        self._keeper = keeper
        self._session = session
        self.by = by
        self._waiting: list[Done] = []
        self.deadline_ns = now_ns() + int(grace_s * 1e9)
        self.escalated = False

    def wait(self, done: Done) -> None:
        """Call `done` when all of the tree is gone."""
        self._waiting.append(done)

    def hurry(self, grace_s: float) -> None:
        """Wait no longer than `grace_s` from now."""
        self.deadline_ns = min(self.deadline_ns, now_ns() + int(grace_s * 1e9))

    def run(self) -> Chore:
        """The steps, for `Loop.spawn`."""
        if now_ns() < self.deadline_ns:
            yield from self._ask()
        look_s = FIRST_LOOK_S
        while self._alive() and now_ns() < self.deadline_ns:
            yield look_s
            look_s = min(look_s * 1.5, LAST_LOOK_S)
        while self._alive():
            yield from self._slay()
        while not self._told():
            yield FIRST_LOOK_S
        self._keeper.tree_gone(self._session)
        for done in self._waiting:
            done()

    def _ask(self) -> Chore:
        """SIGTERM to every member, and to those that are born while we ask."""
        self._record(signal.SIGTERM)
        self._keeper.thaw(self._session)
        asked: set[tuple[int, int]] = set()
        give_up = time.monotonic() + ASK_S
        while time.monotonic() < give_up:
            before = len(asked)
            yield from self._reach(asked, self._request_end)
            if len(asked) == before:
                return

    def _slay(self) -> Chore:
        """SIGKILL to every member: by the cgroup at once, else after all are stopped, so that none can fork on."""
        if not self.escalated:
            self.escalated = True
            self._record(signal.SIGKILL)
        if self._session.cgroup is not None:
            self._session.cgroup.kill()
            yield FIRST_LOOK_S
        if not self._session.reaped:  # our own child: its number cannot be anybody else's yet
            os.kill(self._session.pid, signal.SIGSTOP)
        held: set[tuple[int, int]] = set()
        before = -1
        while len(held) != before:
            before = len(held)
            yield from self._reach(held, lambda one: tree.send(one, signal.SIGSTOP))
        yield from self._reach(set(), lambda one: tree.send(one, signal.SIGKILL))
        if not self._session.reaped:
            os.kill(self._session.pid, signal.SIGKILL)
        yield FIRST_LOOK_S / 4

    def _reach(self, reached: set[tuple[int, int]], act: Callable[[Status], object]) -> Chore:
        """`act` on each member that is not among the `reached` yet."""
        pause_at = time.monotonic() + SLICE_S
        for one in self._keeper.tree.members(self._session):
            key = (one.pid, one.start_ticks)
            if key not in reached:
                reached.add(key)
                act(one)
            if time.monotonic() > pause_at:
                yield 0
                pause_at = time.monotonic() + SLICE_S

    def _request_end(self, one: Status) -> None:
        hang_up = self._session.terminal and tree.wants_hangup(one)
        tree.send(one, signal.SIGTERM)
        if hang_up:
            tree.send(one, signal.SIGHUP)
        if one.state == "T":
            tree.send(one, signal.SIGCONT)

    def _alive(self) -> bool:
        return not self._session.reaped or next(self._keeper.tree.members(self._session), None) is not None

    def _told(self) -> bool:
        """Whether the exit frame is made; on a full disk that may have to wait, and nobody waits for it."""
        return self._session.ended or self._keeper.blocked(self._session)

    def _record(self, number: signal.Signals) -> None:
        if not self._session.ended:
            payload: dict[str, Any] = {"signal": number.name, "scope": "tree", "by": self.by}
            self._session.append_json(Kind.SIGNAL, now_ns(), payload)
            self._keeper.advanced(self._session)
