"""The loop of an attached terminal: what is typed goes to the agent, what the agent says comes here.

Where the other end goes away, the loop says so on the bottom row, comes back by itself and repaints.
"""

from __future__ import annotations

import contextlib
import time
from typing import TYPE_CHECKING, NamedTuple

from roost.client.keys import DetachKeys
from roost.client.link import Link, LinkLost, Update
from roost.client.modes import Modes
from roost.core.queries import ReplyFilter
from roost.errors import RoostError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from roost.cli.terminal import LocalTerminal
    from roost.client.outbox import Outbox

RETRY_S = (0.1, 0.2, 0.4, 0.8, 1.0)
WAIT_S = 0.1
"""Until what an agent did not take is tried again."""
SETTLE_S = 1.0
"""How long leaving waits for what was typed last to be acknowledged."""
BELL = b"\a"


class Left(NamedTuple):
    """How an attachment ended: the agent ended (`complete`), the person detached, or a signal came."""

    complete: Mapping[str, object] | None = None
    detached: bool = False
    signal: int | None = None
    untyped: int = 0
    """Bytes of which we do not know that they reached the agent."""


class Attached:
    """One attachment from its beginning to its end.

    `open_link` connects with the terminal's size, again after every loss; what is typed goes through the `outbox`, from
    which each link sends what no other brought to the agent.
    """

    def __init__(
        self,
        terminal: LocalTerminal,
        open_link: Callable[[tuple[int, int]], Link],
        detach_keys: tuple[str, ...],
        outbox: Outbox,
        *,
        read_only: bool = False,
    ) -> None:
        self._terminal = terminal
        self._open_link = open_link
        self._detach = DetachKeys(detach_keys)
        self._outbox = outbox
        self._replies = ReplyFilter()
        self._read_only = read_only
        self._modes = Modes()
        self._link: Link | None = None
        self._status_shown = False
        self._painted = False
        self._attempt = 0
        self._retry_at = 0.0

    def run(self) -> Left:
        """Until the agent ends, the person detaches, or a signal ends us.

        Raises:
            RoostError: the first attaching failed, or coming back is refused.
        """
        self._link = self._open_link(self._terminal.size)
        try:
            left = None
            while left is None:
                left = self._step()
            return left if left.complete is not None else left._replace(untyped=self._settle())
        finally:
            self._leave()

    def _step(self) -> Left | None:
        if self._terminal.ended_by is not None:
            return Left(signal=self._terminal.ended_by)
        if self._link is None:
            self._come_back()
        link = self._link
        early = link is not None and link.has_early()
        patience = 0.0 if early else self._patience()
        woken = self._terminal.wait(link.fileno() if link else None, patience, typed=self._takes_input)
        try:
            return self._handle(woken.typed, woken.input_ended, woken.link_ready or early)
        except LinkLost as lost:
            if lost.final:
                raise RoostError(str(lost)) from lost
            self._lose(str(lost))
            return None

    def _patience(self) -> float | None:
        if self._link is None:
            return max(0.0, self._retry_at - time.monotonic())
        return WAIT_S if self._link.waits else None

    @property
    def _takes_input(self) -> bool:
        """What comes from a pipe can wait there; a person's keys are looked at always, for those that detach."""
        return self._terminal.is_terminal_in or self._outbox.has_room

    def _handle(self, typed: bytes, input_ended: bool, link_ready: bool) -> Left | None:
        if typed and self._take_typed(typed):
            return Left(detached=True)
        if input_ended and not self._read_only:
            self._outbox.end()
        left = self._take_updates() if link_ready and self._link is not None else None
        if left is None:
            self._send_size()
            if self._link is not None:
                self._link.flush()
        return left

    def _send_size(self) -> None:
        if self._terminal.resized and self._link is not None:
            self._terminal.resized = False
            self._link.resize(*self._terminal.size)

    def _take_typed(self, typed: bytes) -> bool:
        """Take what was typed, to be sent on; true when it detached us."""
        passed = self._detach.feed(typed) if self._terminal.is_terminal_in else typed
        if self._link is None or not self._link.answers:
            passed = self._replies.feed(passed)
        else:
            passed = self._replies.flush() + passed
        if passed and not self._read_only:
            self._keep(passed)
        return self._detach.detached

    def _keep(self, typed: bytes) -> None:
        if self._outbox.has_room:
            self._outbox.add(typed)
        else:
            self._terminal.write(BELL)

    def _settle(self) -> int:
        """See that what was typed last reaches the agent; how many bytes of it did not, as far as we know."""
        deadline = time.monotonic() + SETTLE_S
        with contextlib.suppress(LinkLost):
            while self._link is not None and self._outbox.pending and time.monotonic() < deadline:
                self._link.flush()
                if self._link.has_early() or self._terminal.wait(self._link.fileno(), WAIT_S, typed=False).link_ready:
                    self._link.receive()
        return self._outbox.size

    def _take_updates(self) -> Left | None:
        assert self._link is not None
        for update in self._link.receive():
            if update.kind == "complete":
                return Left(complete=update.info)
            self._take_update(update)
        return None

    def _take_update(self, update: Update) -> None:
        if update.kind not in ("snapshot", "output"):
            return
        self._clear_status()
        data = update.data
        if update.kind == "snapshot":
            data = self._over_a_clean_screen(data)
        self._modes.feed(data)
        self._terminal.write(data)

    def _over_a_clean_screen(self, snapshot: bytes) -> bytes:
        """The snapshot behind what moves all that is shown into the local scroll-back.

        Into a pipe it is painted once only: there is nothing that could be painted over.
        """
        is_first, self._painted = not self._painted, True
        if not self._terminal.is_terminal_out:
            return snapshot if is_first else b""
        set_back = self._modes.restore()
        self._modes = Modes()
        _, rows = self._terminal.size
        return set_back + b"\x1b[%d;1H%b\x1b[H\x1b[2J" % (rows, b"\n" * rows) + snapshot

    # Going away and coming back

    def _lose(self, why: str) -> None:
        if self._link is not None:
            with contextlib.suppress(LinkLost, OSError):
                self._link.close()
        self._link = None
        self._retry_at = time.monotonic()
        self._show_status(f"roost: {why}; the agent lives on, coming back…")

    def _come_back(self) -> None:
        if time.monotonic() < self._retry_at:
            return
        try:
            self._link = self._open_link(self._terminal.size)
        except RoostError as error:
            self._retry_at = time.monotonic() + RETRY_S[min(self._attempt, len(RETRY_S) - 1)]
            self._attempt += 1
            if not _may_pass(error):
                raise
            return
        self._attempt = 0

    def _show_status(self, text: str) -> None:
        if not self._terminal.is_terminal_out:
            return
        columns, rows = self._terminal.size
        line = text[: columns - 1].encode()
        self._terminal.write(b"\x1b7\x1b[%d;1H\x1b[0;7m%b\x1b[0m\x1b[K\x1b8" % (rows, line))
        self._status_shown = True

    def _clear_status(self) -> None:
        if self._status_shown:
            self._status_shown = False
            self._terminal.write(b"\x1b7\x1b[%d;1H\x1b[0m\x1b[2K\x1b8" % self._terminal.size[1])

    def _leave(self) -> None:
        with contextlib.suppress(OSError):
            self._clear_status()
            if self._terminal.is_terminal_out:
                self._terminal.write(self._modes.restore())
        if self._link is not None:
            with contextlib.suppress(LinkLost, OSError):
                self._link.close()


def _may_pass(error: RoostError) -> bool:
    """Whether trying again may help."""
    from roost.errors import LimitReached, TimedOut, Unavailable

    return isinstance(error, Unavailable | TimedOut | LimitReached)
