"""Pauses a session's whole tree, and lets it go on."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from roost.errors import Conflict, RoostError
from roost.keeper import tree
from roost.keeper.loop import Chore
from roost.keeper.procfs import Status

if TYPE_CHECKING:
    from roost.keeper.keeper import Keeper
    from roost.keeper.session import Session

FREEZE_S = 2.0
LOOK_S = 0.002
STOPPED = "Tt"

Json = dict[str, Any]
Answer = Callable[[Json | RoostError], object]


def pause(keeper: Keeper, session: Session, by: str, answer: Answer) -> None:
    """Stop every process of the tree; answers how many.

    Raises:
        Conflict: the session is being ended.
    """
    if session.ending is not None:
        raise Conflict(f"the session {session.session_id} is being stopped", session_id=session.session_id)
    again = session.paused
    session.paused = True
    keeper.loop.spawn(_pause(keeper, session, again=again, by=by, answer=answer))


def resume(keeper: Keeper, session: Session, by: str, answer: Answer) -> None:
    """Let every process of the tree go on that was not stopped before the pause; answers how many."""
    was_paused = session.paused
    keeper.thaw(session)
    count = 0
    for one in keeper.tree.members(session):
        if (one.pid, one.start_ticks) not in session.stopped_before:
            if session.cgroup is None or one.state in STOPPED:
                tree.send(one, signal.SIGCONT)
            count += 1
    session.stopped_before.clear()
    if was_paused:
        keeper.note(session, {"type": "resumed", "by": by})
    answer({"processes": count})


def _pause(keeper: Keeper, session: Session, *, again: bool, by: str, answer: Answer) -> Chore:
    held: set[tuple[int, int]] = set()
    if session.cgroup is not None and session.cgroup.freeze():
        give_up = time.monotonic() + FREEZE_S
        while session.paused and not session.cgroup.frozen and time.monotonic() < give_up:
            yield LOOK_S
        inside = session.cgroup.members()
        for one in keeper.tree.members(session):
            held.add((one.pid, one.start_ticks))
            if one.pid not in inside:
                _hold(session, one, again=again)
    else:
        before = -1
        while session.paused and len(held) != before:
            before = len(held)
            for one in keeper.tree.members(session):
                key = (one.pid, one.start_ticks)
                if key in held:
                    continue
                held.add(key)
                _hold(session, one, again=again)
            yield 0
    if not again and not session.ended:
        keeper.note(session, {"type": "paused", "by": by})
    answer({"processes": len(held)})


def _hold(session: Session, one: Status, *, again: bool) -> None:
    """Stop one process; one that was stopped already is to stay so when the session is resumed."""
    if one.state in STOPPED and not again:
        session.stopped_before.add((one.pid, one.start_ticks))
    else:
        tree.send(one, signal.SIGSTOP)
