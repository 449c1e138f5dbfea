"""What clients ask of the keeper: one function an operation, in one table."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from roost import __version__
from roost.core import recording
from roost.core.recording import Input, Kind
from roost.errors import (
    AgentNotRunning,
    Conflict,
    DiskFull,
    InternalError,
    KeeperIncompatible,
    LimitReached,
    NoTerminal,
    RoostError,
    SessionNotFound,
)
from roost.keeper import marking, pausing, procfs, protocol, starting, terminal, tree
from roost.keeper.connection import Connection
from roost.keeper.loop import now_ns
from roost.keeper.requests import Request
from roost.keeper.session import Session

if TYPE_CHECKING:
    from roost.keeper.keeper import Keeper

Json = dict[str, Any]
INPUT_FRAME_BYTES = 1 << 19
"""A longer input is recorded in several frames with the same source and number."""


class Call:
    """One request while it is handled."""

    __slots__ = ("args", "blob", "connection", "keeper", "request_id")

    def __init__(self, keeper: Keeper, connection: Connection, request: Request, request_id: Any) -> None:
        self.keeper = keeper
        self.connection = connection
        self.args = request.args
        self.blob = request.blob
        self.request_id = request_id

    @property
    def session(self) -> Session:
        """The session that the request names.

        Raises:
            SessionNotFound: the keeper does not hold it.
        """
        found = self.keeper.sessions.get(self.args["session_id"])
        if found is None:
            raise SessionNotFound(
                f"the keeper holds no session {self.args['session_id']}", session_id=self.args["session_id"]
            )
        return found

    @property
    def live_session(self) -> Session:
        """The same, still running.

        Raises:
            AgentNotRunning: it has ended.
        """
        found = self.session
        if found.ended or found.reaped:
            raise AgentNotRunning(f"the session {found.session_id} has ended", session_id=found.session_id)
        return found

    def answer(self, fields: Json | RoostError) -> None:
        """Answer, now or later."""
        if isinstance(fields, RoostError):
            self.connection.refuse(self.request_id, fields)
        else:
            self.connection.answer(self.request_id, fields)


def handle(keeper: Keeper, connection: Connection, request: Request, request_id: Any) -> None:
    """Do what is asked and answer; an operation that returns None answers later."""
    call = Call(keeper, connection, request, request_id)
    try:
        result = _OPERATIONS[request.op](call)
    except RoostError as exc:
        call.answer(exc)
    except Exception as exc:  # noqa: BLE001 - whatever it was, one request must not end the agents
        keeper.log.write(f"{request.op} failed: {exc!r}")
        call.answer(InternalError(f"the keeper failed at {request.op}: {exc!r}"))
    else:
        if result is not None:
            call.answer(result)


def _hello(call: Call) -> Json:
    low, high = call.args["protocol"]
    version = protocol.choose_version(low, high)
    if version is None:
        raise KeeperIncompatible(
            f"this keeper speaks protocol {protocol.LOWEST_VERSION} to {protocol.VERSION}",
            hint="roost keeper upgrade brings the keeper to this release without ending agents",
            protocol=[protocol.LOWEST_VERSION, protocol.VERSION],
        )
    call.connection.version = version
    keeper = call.keeper
    return {
        "protocol": version,
        "version": __version__,
        "pid": os.getpid(),
        "boot_id": keeper.boot_id,
        "started_at_ns": keeper.started_at_ns,
    }


def _start(call: Call) -> Json:
    return call.keeper.describe(starting.start(call.keeper, call.args))


def _list(call: Call) -> Json:
    call.keeper.refresh_counts()
    return {"sessions": [call.keeper.describe(one) for one in call.keeper.sessions.values()]}


def _describe(call: Call) -> Json:
    session = call.session
    session.processes = sum(1 for _ in call.keeper.tree.members(session))
    return {**call.keeper.describe(session), "request": json.loads(session.request)}


def _input(call: Call) -> Json:
    session, args = call.session, call.args
    answered_elsewhere = args["reply"] and session.attached - {call.connection}
    if answered_elsewhere or args["seq"] <= session.sources.get(args["source"], -1):
        return {"accepted": False}
    session = call.live_session
    queue = session.input
    if queue is None or queue.closed or queue.closing:
        raise Conflict("standard input of the agent is closed", session_id=session.session_id)
    if call.keeper.blocked(session):
        raise DiskFull("the disk is full, and input is recorded before it is typed")
    if not queue.has_room(len(call.blob)):
        raise LimitReached("the agent does not take its input; too much waits already", waiting=len(queue.waiting))
    session.accept(args["source"], args["seq"])
    for at in range(0, max(1, len(call.blob)), INPUT_FRAME_BYTES):
        item = Input(args["source"], args["seq"], call.blob[at : at + INPUT_FRAME_BYTES])
        session.recorder.append(recording.encode_input(session.at(now_ns()), item))
    queue.put(call.blob)
    call.keeper.advanced(session)
    return {"accepted": True}


def _close_input(call: Call) -> Json:
    session = call.live_session
    queue = session.input
    if queue is None or queue.closed or queue.closing:
        return {}
    call.keeper.note(session, {"type": "input_closed", "by": call.args["by"]})
    if session.terminal:
        queue.put(terminal.end_of_file_character(queue.fd))
    elif queue.waiting:
        queue.closing = True
    else:
        call.keeper.close_input(session)
    return {}


def _resize(call: Call) -> Json:
    session = _recordable(call.live_session)
    if not session.terminal or session.input is None:
        raise NoTerminal(f"the session {session.session_id} has no terminal", session_id=session.session_id)
    size = (call.args["cols"], call.args["rows"])
    if size != (session.cols, session.rows):
        terminal.set_size(session.input.fd, *size)
        session.cols, session.rows = size
        session.recorder.append(recording.encode_resize(session.at(now_ns()), *size))
        call.keeper.advanced(session)
    return {}


def _signal(call: Call) -> Json:
    scope, number = call.args["scope"], call.args["signal"]
    session = _recordable(call.live_session if scope == "leader" else call.session)
    targets = [one for one in call.keeper.tree.members(session) if _in_scope(session, one, scope)]
    if session.ended and not targets:
        raise AgentNotRunning(f"the session {session.session_id} has ended", session_id=session.session_id)
    if not session.ended:
        payload = {"signal": signal.Signals(number).name, "scope": scope, "by": call.args["by"]}
        session.append_json(Kind.SIGNAL, now_ns(), payload)
        call.keeper.advanced(session)
    return {"processes": sum(tree.send(one, number) for one in targets)}


def _recordable(session: Session) -> Session:
    if session.recorder.overfull:
        raise DiskFull("the disk is full, and what is done to an agent is recorded")
    return session


def _in_scope(session: Session, one: procfs.Status, scope: str) -> bool:
    if scope == "leader":
        return one.pid == session.pid
    if scope == "foreground":
        if not session.terminal or session.input is None:
            raise NoTerminal(f"the session {session.session_id} has no terminal", session_id=session.session_id)
        return one.group == terminal.foreground_group(session.input.fd)
    return True


def _pause(call: Call) -> None:
    pausing.pause(call.keeper, call.live_session, call.args["by"], call.answer)


def _resume(call: Call) -> None:
    pausing.resume(call.keeper, call.live_session, call.args["by"], call.answer)


def _stop(call: Call) -> None:
    session = call.session
    if not session.ended and session.ending is None:
        mark = {"type": "stopping", "by": call.args["by"], "grace_s": call.args["grace_s"]}
        call.keeper.note(session, mark)
    _end(call, session, call.args["grace_s"], "stopped")


def _kill(call: Call) -> None:
    _end(call, call.session, 0.0, "killed")


def _end(call: Call, session: Session, grace_s: float, reason: str) -> None:
    def done() -> None:
        call.answer({"reason": session.reason, "code": session.code, "signal": session.signal})

    if session.ended and session.ending is None and session.processes == 0:
        done()
    else:
        call.keeper.end(session, grace_s, call.args["by"], reason).wait(done)


def _mark(call: Call) -> Json:
    return {"offset": marking.mark(call.keeper, call.args["session_id"], call.args["mark"])}


def _attach(call: Call) -> Json:
    call.live_session.attached.add(call.connection)
    return {}


def _detach(call: Call) -> Json:
    call.session.attached.discard(call.connection)
    return {}


def _watch(call: Call) -> Json:
    call.connection.watching = True
    return {}


def _forget(call: Call) -> Json:
    session = call.session
    if not session.ended or session.ending is not None:
        raise Conflict(f"the session {session.session_id} has not ended", session_id=session.session_id)
    call.keeper.forget(session)
    return {}


def _status(call: Call) -> Json:
    keeper = call.keeper
    keeper.refresh_counts()
    pages = procfs.read("/proc/self/statm").split()
    return {
        "version": __version__,
        "pid": os.getpid(),
        "sessions": len(keeper.sessions),
        "processes": sum(one.processes for one in keeper.sessions.values()),
        "rss_bytes": int(pages[1]) * os.sysconf("SC_PAGE_SIZE") if len(pages) > 1 else 0,
        "disk_full": keeper.disk.full,
        "data_free_bytes": keeper.disk.free_bytes(),
        "cgroup": keeper.cgroups.path if keeper.cgroups is not None else None,
        "uptime_s": round((now_ns() - keeper.started_ns) / 1e9, 3),
    }


def _upgrade(call: Call) -> None:
    if call.keeper.upgrade is not None:
        call.keeper.upgrade(call)


def _shutdown(call: Call) -> Json | None:
    keeper = call.keeper
    if not keeper.holds_something:
        keeper.loop.call_after(0, keeper.stop)
        return {}
    if not call.args["force"]:
        raise Conflict("agents are running", hint="stop them first, or use force")

    def done() -> None:
        call.answer({})
        keeper.stop()

    keeper.end_all("shutdown", done)
    return None


_OPERATIONS: dict[str, Callable[[Call], Json | None]] = {
    "hello": _hello,
    "start": _start,
    "list": _list,
    "describe": _describe,
    "input": _input,
    "close_input": _close_input,
    "resize": _resize,
    "signal": _signal,
    "pause": _pause,
    "resume": _resume,
    "stop": _stop,
    "kill": _kill,
    "mark": _mark,
    "attach": _attach,
    "detach": _detach,
    "watch": _watch,
    "forget": _forget,
    "status": _status,
    "upgrade": _upgrade,
    "shutdown": _shutdown,
}
