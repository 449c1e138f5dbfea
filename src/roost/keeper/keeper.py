"""The keeper itself: holds the sessions and what happens to them. `operations` are what clients can ask of it."""

from __future__ import annotations

import os
import select
import signal
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from roost.core import recording
from roost.core.recording import Kind
from roost.keeper import protocol
from roost.keeper.cgroup import Cgroups
from roost.keeper.connection import Connection
from roost.keeper.disk import DiskGuard
from roost.keeper.ending import LEFTOVER_GRACE_S, Ending
from roost.keeper.inputs import InputQueue
from roost.keeper.log import Log
from roost.keeper.loop import Chore, Loop, Timer, now_ns
from roost.keeper.outputs import Output, Scratch
from roost.keeper.recorder import Recorder
from roost.keeper.session import Session
from roost.keeper.settings import Settings
from roost.keeper.storage import Storage
from roost.keeper.syncing import Syncer
from roost.keeper.tree import Tree

if TYPE_CHECKING:
    from roost.keeper.operations import Call

DRAIN_S = 0.5
"""After its leader is gone a session is read for this long at most; what others write later is not recorded."""
HANGUP_RETRY_S = 0.25
"""A terminal that nobody holds open is looked at this often, as long as the leader lives: it may open it again."""
REAP_AT_ONCE = 256
REMEMBERED = 1000
"""Ended sessions that are remembered; the oldest are forgotten first."""
COUNT_EVERY_NS = 1_000_000_000
CLOCK_STEP_NS = 1_000_000_000


class Keeper:
    """All that one keeper holds."""

    def __init__(self, settings: Settings, storage: Storage, log: Log, data_fd: int) -> None:
        self.settings = settings
        self.storage = storage
        self.log = log
        self.data_fd = data_fd
        self.recordings_fd = os.open("recordings", os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=data_fd)
        self.loop = Loop(self._begin_round, self._end_round, self._mistake)
        self.sessions: dict[str, Session] = {}
        self.leaders: dict[int, Session] = {}
        self.children: dict[int, Callable[[int], object]] = {}
        """Other children of the keeper, and who wants to know how they exit."""
        self.connections: dict[Connection, None] = {}
        self.scratch = Scratch()
        self.tree = Tree(self.sessions, self.leaders)
        self.disk = DiskGuard(
            self.loop,
            storage,
            data_fd,
            ballast_bytes=settings.ballast_bytes,
            on_change=self._disk_changed,
            on_written=self._written_at_last,
        )
        self.syncer = Syncer(self.loop, storage, self.recordings_fd, interval_s=settings.sync_s)
        self.syncer.on_problem = lambda problem: log.write(f"sync failed: {problem}")
        self.cgroups: Cgroups | None = None
        self.upgrade: Callable[[Call], object] | None = None
        self.umask = 0o022
        self.nofile = 1024
        self.descriptors = 1024
        """How many the keeper may have open."""
        self.boot_id = _boot_id()
        self.started_at_ns = time.time_ns()
        self.started_ns = now_ns()
        self.closing = False
        self._clock_offset_ns = time.time_ns() - now_ns()
        self._dirty: set[Session] = set()
        self._idle: Timer | None = None
        self._counted_ns = -COUNT_EVERY_NS

    # Sessions

    def running(self, agent: str) -> Session | None:
        """The session of an agent that has not ended."""
        return next((one for one in self.leaders.values() if one.agent == agent), None) or next(
            (one for one in self.sessions.values() if one.agent == agent and not one.ended), None
        )

    @property
    def holds_something(self) -> bool:
        """Whether there is a session that has not ended, or something left of one that has."""
        return any(not one.ended or one.ending is not None for one in self.sessions.values())

    def blocked(self, session: Session) -> bool:
        """Whether the session waits for room on the disk."""
        return session.recorder.blocked or (self.disk.exhausted and not session.ended)

    def describe(self, session: Session) -> dict[str, Any]:
        """The session in answers."""
        return {**session.describe(), "blocked": self.blocked(session)}

    def recorder(self, fd: int) -> Recorder:
        """The end of a recording, for a session's frames."""
        return Recorder(self.storage, fd, self._blocked)

    def adopt(self, session: Session, descriptors: tuple[int, int, int]) -> None:
        """Hold a session from now on, and read what it writes."""
        self.sessions[session.session_id] = session
        if not session.reaped:
            self.leaders[session.pid] = session
        stdin, stdout, stderr = descriptors
        if stdin >= 0:
            session.input = InputQueue(
                stdin, lambda waits: self._watch_input(session, waits=waits), lambda: self.close_input(session)
            )
        for fd, kind in ((stdout, Kind.OUT), (stderr, Kind.ERR)):
            if fd >= 0:
                session.outputs.append(Output(self, session, fd, kind, on_end=self._output_ended))
        self.watch_outputs(session)
        self.idle_changed()

    def advanced(self, session: Session) -> None:
        """The session's recording grew."""
        self._dirty.add(session)

    def note(self, session: Session, mark: dict[str, Any]) -> None:
        """Record a mark."""
        session.append_json(Kind.MARK, now_ns(), mark)
        self.advanced(session)

    def watch_outputs(self, session: Session) -> None:
        """Read what the session writes, unless its recording is blocked."""
        for output in session.outputs:
            if self.blocked(session) or output.hung_up:
                self.loop.forget(output.fd)
            else:
                mask = select.EPOLLIN
                if session.terminal and session.input is not None and session.input.waiting:
                    mask |= select.EPOLLOUT
                self.loop.watch_output(output.fd, output.ready, mask)

    def close_input(self, session: Session) -> None:
        """Close standard input of an agent on pipes."""
        queue = session.input
        if queue is not None and not session.terminal and not queue.closed:
            self.loop.forget(queue.fd)
            os.close(queue.fd)
            queue.fd = -1

    def end(self, session: Session, grace_s: float, by: str, reason: str) -> Ending:
        """End the session's whole tree; a session that ends already is only hurried."""
        if not session.ended and session.end_reason != "killed":
            session.end_reason = reason
        if session.ending is None:
            session.ending = Ending(self, session, grace_s, by)
            self.loop.spawn(session.ending.run())
        else:
            session.ending.hurry(grace_s)
        return session.ending

    def end_all(self, by: str, done: Callable[[], object], grace_s: float = 10.0) -> None:
        """Stop every session, then call `done`."""
        waiting = [one for one in self.sessions.values() if not one.ended or one.ending is not None]
        left = len(waiting)

        def gone() -> None:
            nonlocal left
            left -= 1
            if not left:
                done()

        for session in waiting:
            self.end(session, grace_s, by, "stopped").wait(gone)

    def tree_gone(self, session: Session) -> None:
        """None of the session's processes is left."""
        session.ending = None
        session.processes = 0
        if session.cgroup is not None:
            session.cgroup.remove()
            session.cgroup = None
        self.idle_changed()

    def thaw(self, session: Session) -> None:
        """Let a paused tree go on, so that it can heed signals."""
        session.paused = False
        if session.cgroup is not None:
            session.cgroup.thaw()

    def forget(self, session: Session) -> None:
        """Drop what is remembered of an ended session."""
        del self.sessions[session.session_id]

    def reap(self) -> None:
        """Take leave of children that have exited: leaders, orphans of agents, and the keeper's own."""
        for _ in range(REAP_AT_ONCE):
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            self.tree.forget(pid)
            session = self.leaders.pop(pid, None)
            if session is not None:
                self._leader_gone(session, status, usage)
            elif pid in self.children:
                self.children.pop(pid)(status)
        self.loop.call_after(0, self.reap)

    def refresh_counts(self) -> None:
        """Count the processes of all sessions soon, at most once a second; answers carry the last count."""
        if self._counted_ns + COUNT_EVERY_NS < now_ns():
            self._counted_ns = now_ns()
            self.loop.spawn(self._count())

    def _count(self) -> Chore:
        for session in list(self.sessions.values()):
            if not session.ended or session.processes:
                session.processes = sum(1 for _ in self.tree.members(session))
                yield 0

    # Connections

    def connected(self, connection: Connection) -> None:
        """A client came."""
        self.connections[connection] = None
        self.idle_changed()

    def disconnected(self, connection: Connection) -> None:
        """A client went."""
        self.connections.pop(connection, None)
        for session in self.sessions.values():
            session.attached.discard(connection)
        self.idle_changed()

    def tell(self, notice: dict[str, Any]) -> None:
        """A notice to all who watch."""
        message = protocol.encode(notice)
        for connection in list(self.connections):
            if connection.watching:
                connection.send(message)

    def say_goodbye(self, reason: str, but: Connection | None = None) -> None:
        """Tell all clients, `but` one, that the keeper goes, and hang up."""
        message = protocol.encode({"notice": "goodbye", "reason": reason})
        for connection in list(self.connections):
            if connection is not but:
                connection.send(message)
                connection.close()

    def stop(self) -> None:
        """Go."""
        self.closing = True
        self.say_goodbye("shutdown")
        self.loop.stop()

    # What happens

    def _begin_round(self) -> None:
        offset_ns = time.time_ns() - self.loop.now_ns
        if abs(offset_ns - self._clock_offset_ns) > CLOCK_STEP_NS:
            self._clock_offset_ns = offset_ns
            for session in self.leaders.values():
                at_ns = session.at(self.loop.now_ns)
                session.recorder.append(recording.encode_clock(at_ns, session.origin_ns + at_ns + offset_ns))
                self.advanced(session)

    def _mistake(self, exc: BaseException) -> None:
        """An error that nobody expected; the keeper goes on."""
        places = []
        where = exc.__traceback__
        while where is not None:
            code = where.tb_frame.f_code
            places.append(f"{os.path.basename(code.co_filename)}:{where.tb_lineno} {code.co_name}")
            where = where.tb_next
        self.log.write(f"mistake: {exc!r} at {', '.join(places)}")

    def _end_round(self) -> None:
        dirty = self._dirty
        if dirty:
            self.syncer.written()
            self._dirty = set()
        for connection in list(self.connections):
            if not connection.watching:
                continue
            connection.dirty |= dirty
            if connection.dirty and connection.idle:
                grown = {one.session_id: one.recorder.offset for one in connection.dirty}
                connection.dirty.clear()
                connection.send(protocol.encode({"notice": "advanced", "sessions": grown}))

    def _watch_input(self, session: Session, *, waits: bool) -> None:
        queue = session.input
        if queue is None or queue.closed:
            return
        if session.terminal:
            self.watch_outputs(session)
        elif waits:
            self.loop.watch_output(queue.fd, lambda events: queue.flush(), select.EPOLLOUT)
        else:
            self.loop.forget(queue.fd)

    def _output_ended(self, output: Output) -> None:
        session = output.session
        self.loop.forget(output.fd)
        if session.terminal and not session.reaped:
            output.hung_up = True
            self.loop.call_after(HANGUP_RETRY_S, lambda: self._look_again(output))
            return
        session.outputs.remove(output)
        if not session.terminal:
            os.close(output.fd)
        if session.reaped and not session.outputs:
            self._finish(session)

    def _look_again(self, output: Output) -> None:
        output.hung_up = False
        if output in output.session.outputs:
            self.watch_outputs(output.session)

    def _leader_gone(self, session: Session, status: int, usage: Any) -> None:
        session.reaped = True
        if os.WIFSIGNALED(status):
            session.signal = _signal_name(os.WTERMSIG(status))
            session.core = os.WCOREDUMP(status)
        else:
            session.code = os.WEXITSTATUS(status)
        session.usage = {
            "user_s": round(usage.ru_utime, 6),
            "system_s": round(usage.ru_stime, 6),
            "max_rss_bytes": usage.ru_maxrss * 1024,
            "in_blocks": usage.ru_inblock,
            "out_blocks": usage.ru_oublock,
        }
        self.drain(session)

    def drain(self, session: Session) -> None:
        """Read what a session whose leader is gone still has to say."""
        for output in session.outputs:
            # Nobody can open a hung-up terminal again once its leader is gone: the next read tells at once.
            output.hung_up = False
        if session.outputs:
            self.watch_outputs(session)
            self.loop.call_after(DRAIN_S, lambda: self._drained(session))
        else:
            self._finish(session)

    def _drained(self, session: Session) -> None:
        """Somebody else still holds the terminal or the pipes; the session ends all the same."""
        if session.ended:
            return
        if self.blocked(session):
            self.loop.call_after(DRAIN_S, lambda: self._drained(session))
        else:
            self._finish(session)

    def _finish(self, session: Session) -> None:
        """The last frame."""
        session.ended_at_ns = time.time_ns()
        session.append_json(
            Kind.EXIT,
            now_ns(),
            {
                "code": session.code,
                "signal": session.signal,
                "core": session.core,
                "reason": session.reason,
                "usage": session.usage,
            },
        )
        self.advanced(session)
        self.tell(
            {
                "notice": "ended",
                "session_id": session.session_id,
                "code": session.code,
                "signal": session.signal,
                "reason": session.reason,
                "ended_at_ns": session.ended_at_ns,
            }
        )
        self._close_descriptors(session)
        if not session.recorder.blocked:
            session.recorder.close()
            self.syncer.now()
        self._sweep(session)
        self._forget_oldest()
        self.idle_changed()

    def _close_descriptors(self, session: Session) -> None:
        held = {output.fd for output in session.outputs}
        session.outputs.clear()
        if session.input is not None and not session.input.closed:
            held.add(session.input.fd)
            session.input.fd = -1
        session.attached.clear()
        for fd in held:
            self.loop.forget(fd)
            os.close(fd)

    def _sweep(self, session: Session) -> None:
        """End what outlived the leader, unless it was said to be kept."""
        if session.ending is not None:
            return
        if session.leftovers == "end" and next(self.tree.members(session), None) is not None:
            self.end(session, LEFTOVER_GRACE_S, "keeper", "exited")
        elif session.leftovers == "end":
            self.tree_gone(session)

    def _forget_oldest(self) -> None:
        ended = [one for one in self.sessions.values() if one.ended and one.ending is None]
        for session in ended[: max(0, len(ended) - REMEMBERED)]:
            self.forget(session)

    def _recorded_by(self, recorder: Recorder) -> Session | None:
        return next((one for one in self.sessions.values() if one.recorder is recorder), None)

    def _blocked(self, recorder: Recorder, reason: OSError) -> None:
        """What cannot be written stays with the recorder, and its agent is not read until it is written."""
        self.disk.blocked(recorder, reason)
        session = self._recorded_by(recorder)
        if session is not None:
            self.watch_outputs(session)

    def _written_at_last(self, blocked: Recorder) -> None:
        session = self._recorded_by(blocked)
        if session is None:
            return
        duration_ns = now_ns() - blocked.blocked_since_ns
        self.advanced(session)
        if session.ended:
            blocked.close()
            self.syncer.now()
            return
        self.note(session, {"type": "stalled", "reason": "disk full", "duration_ns": duration_ns})
        self.watch_outputs(session)

    def _disk_changed(self, full: bool, reason: str) -> None:
        free = self.disk.free_bytes()
        self.log.write(f"cannot write: {reason}; agents wait" if full else "there is room again; agents go on")
        self.tell({"notice": "disk", "full": full, "free_bytes": free, "reason": reason})
        for session in self.sessions.values():
            self.watch_outputs(session)

    def idle_changed(self) -> None:
        """Begin or end the time after which a keeper that holds nothing goes."""
        idle = not self.connections and not self.holds_something
        if self._idle is not None and not idle:
            self._idle.cancel()
            self._idle = None
        elif self._idle is None and idle:
            self._idle = self.loop.call_after(self.settings.idle_exit_s, self._idle_too_long)

    def _idle_too_long(self) -> None:
        self.log.write("nothing held for a while, going")
        self.stop()


def _boot_id() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as source:
            return source.read().strip()
    except OSError:
        return ""


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"SIG{number}"
