"""Finds and signals the process tree of a session, whatever its members did to get away.

The keeper is the subreaper of all agents: a process whose parent died becomes the keeper's own child, so every process
of every session descends from the keeper and none has to be searched for elsewhere. Whose such an orphan is, is told by
what it cannot easily shed: a resource limit that carries the session's tag and is handed down to every child; else the
variable ROOST_SESSION that it was started with; else the terminal session in which it was seen before. A process that
none of these name is nobody's and is left alone. Names of programs are never looked at.

Signals to others than the keeper's own children go through a pidfd after the start time has been compared, so a number
that was reused is never hit.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Mapping

from roost.keeper import procfs
from roost.keeper.procfs import Status
from roost.keeper.session import Session


class Tree:
    """The processes below the keeper, by session."""

    def __init__(self, sessions: Mapping[str, Session], leaders: Mapping[int, Session]) -> None:
        self._sessions = sessions
        self._leaders = leaders
        self._owners: dict[int, tuple[int, str]] = {}
        self._listed = procfs.has_children_files()

    def members(self, session: Session) -> Iterator[Status]:
        """The living processes of a session, the leader first, parents before their children."""
        children = self._children_finder()
        waiting = [one for one in self._roots(children, session) if self._owner(one) == session.session_id]
        waiting.sort(key=lambda one: one.pid == session.pid)
        while waiting:
            one = waiting.pop()
            session.sids.add(one.session)
            if one.state not in procfs.DEAD:
                yield one
            for pid in children(one.pid):
                child = procfs.status(pid)
                if child is not None and child.parent == one.pid:
                    waiting.append(child)

    def forget(self, pid: int) -> None:
        """A child of the keeper was reaped."""
        self._owners.pop(pid, None)

    def _children_finder(self) -> Callable[[int], list[int]]:
        if self._listed:
            return procfs.children
        table = procfs.children_by_scan()
        return lambda pid: table.get(pid, [])

    def _roots(self, children: Callable[[int], list[int]], session: Session) -> Iterator[Status]:
        """The keeper's own children that may belong to a session: its leader and orphans."""
        for pid in children(os.getpid()):
            if self._leaders.get(pid, session) is not session:
                continue
            one = procfs.status(pid)
            if one is not None and one.parent == os.getpid():
                yield one

    def _owner(self, one: Status) -> str:
        """The id of the session to which a child of the keeper belongs; empty when it belongs to none."""
        start_ticks, owner = self._owners.get(one.pid, (-1, ""))
        if start_ticks != one.start_ticks:
            owner = self._attribute(one)
            if owner:
                self._owners[one.pid] = (one.start_ticks, owner)
        return owner

    def _attribute(self, one: Status) -> str:
        leader = self._leaders.get(one.pid)
        if leader is not None:
            return leader.session_id
        sessions = self._sessions.values()
        tag = procfs.tag(one.pid)
        for session in sessions:
            if tag and session.tag == tag:
                return session.session_id
        named = procfs.variable(one.pid, b"ROOST_SESSION").decode("ascii", "replace")
        for session in sessions:
            if named == session.session_id or one.session in session.sids:
                return session.session_id
        return ""


def send(one: Status, number: int) -> bool:
    """Signal a process that `members` has just found; whether it was still there.

    The number of a child of ours is its own until we have reaped it, and nothing was reaped since it was found.
    """
    if one.parent != os.getpid():
        return procfs.send(one.pid, one.start_ticks, number)
    try:
        os.kill(one.pid, number)
    except OSError:
        return False
    return True


def wants_hangup(one: Status) -> bool:
    """Whether a process ignores the request to end but handles its terminal's closing, as interactive shells do."""
    return procfs.ignores(one.pid, signal.SIGTERM) and procfs.catches(one.pid, signal.SIGHUP)
