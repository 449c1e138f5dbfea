"""Live upgrade: a keeper becomes a new image of itself by `execv`, with the same number, descriptors and children.

The state travels in a memory file. Before the keeper gives itself up it lets a child rehearse: the new image, with the
same descriptors, takes the same state over as if it were its own, touches nothing, and says whether that went well.
Only then the keeper goes on; else it refuses with what the rehearsal said, and nothing has happened.
"""

from __future__ import annotations

import errno
import json
import os
import signal
import socket
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from roost import __version__
from roost.core.recording import Kind
from roost.errors import Conflict
from roost.keeper import serving, state
from roost.keeper.connection import Connection
from roost.keeper.ending import Ending
from roost.keeper.keeper import Keeper
from roost.keeper.log import Log
from roost.keeper.loop import Timer, now_ns
from roost.keeper.settings import Settings

if TYPE_CHECKING:
    from roost.keeper.daemon import Arguments
    from roost.keeper.operations import Call
    from roost.keeper.serving import Server

DEFAULT_ARGUMENTS = ["-P", "-m", "roost.keeper"]
REHEARSAL_S = 20.0
SAID_BYTES = 1 << 16
APPROVED = b"OK"

Json = dict[str, Any]


class Upgrader:
    """Upgrades one server, once at a time."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._keeper = server.keeper
        self._rehearsal: _Rehearsal | None = None

    def upgrade(self, call: Call) -> None:
        """Rehearse, and when that went well become the new image, which then answers.

        Raises:
            Conflict: an upgrade is under way.
        """
        if self._rehearsal is not None:
            raise Conflict("an upgrade is under way")
        executable = call.args["executable"] or sys.executable
        command = [executable, *(call.args["arguments"] or DEFAULT_ARGUMENTS), *self._own_arguments()]
        self._rehearsal = _Rehearsal(self._keeper, lambda problem: self._rehearsed(call, command, problem))
        try:
            self._rehearsal.start(command, self._pack(None))
        except OSError as exc:
            self._rehearsal = None
            raise Conflict(f"the upgrade was refused: {executable} cannot be run: {exc.strerror}") from exc

    def _own_arguments(self) -> list[str]:
        given = self._server.given
        return [given.data_dir, "--idle-exit", str(given.idle_exit_s)] + ["--foreground"] * given.foreground

    def _rehearsed(self, call: Call, command: list[str], problem: str) -> None:
        self._rehearsal = None
        if not problem:
            problem = self._become(call, command)
        self._keeper.log.write(f"upgrade refused: {problem}")
        call.answer(Conflict(f"the upgrade was refused: {problem}", hint="the keeper goes on as it was"))

    def _become(self, call: Call, command: list[str]) -> str:
        """Never returns when it goes well; else says why not."""
        reply = call.connection if not call.connection.closed else None
        packed = self._pack(None if reply is None else (reply, call.request_id))
        self._keeper.log.write(f"upgrading to {' '.join(command)}")
        self._keeper.say_goodbye("upgrade", but=reply)
        state_fd = _memory_file(packed)
        inherited = _descriptors(packed) | {state_fd}
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD))
        for fd in inherited:
            os.set_inheritable(fd, True)
        try:
            os.execv(command[0], [*command, "--state", str(state_fd)])
        except OSError as exc:
            for fd in inherited:
                os.set_inheritable(fd, False)
            os.close(state_fd)
            signal.pthread_sigmask(signal.SIG_SETMASK, ())
            return f"{command[0]} cannot be run: {exc.strerror}"

    def _pack(self, reply: tuple[Connection, Any] | None) -> Json:
        keeper = self._keeper
        packed: Json = {
            "format": state.FORMAT,
            "version": __version__,
            "data_fd": keeper.data_fd,
            "lock_fd": self._server.lock_fd,
            "listener_fd": self._server.listener.fileno(),
            "umask": keeper.umask,
            "nofile": keeper.nofile,
            "started_at_ns": keeper.started_at_ns,
            "started_ns": keeper.started_ns,
            "sessions": [state.pack_session(one) for one in keeper.sessions.values()],
            "reply": None,
        }
        if reply is not None:
            connection, request_id = reply
            packed["reply"] = {
                "fd": connection.number,
                "request_id": request_id,
                "version": connection.version,
                "watching": connection.watching,
                "unread": state.pack_bytes(connection.unread),
            }
        packed["identities"] = {str(fd): _identity(fd) for fd in _descriptors(packed)}
        return packed


class _Rehearsal:
    """A child that tries to take the state over. `done` is told the problem, empty when there is none."""

    def __init__(self, keeper: Keeper, done: Callable[[str], object]) -> None:
        self._keeper = keeper
        self._done = done
        self._said_fd = -1
        self._approval_fd = -1
        self._timer: Timer | None = None

    def start(self, command: list[str], packed: Json) -> None:
        """Begin.

        Raises:
            OSError: the new image cannot be run.
        """
        state_fd = _memory_file(packed)
        self._said_fd, said = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        self._approval_fd, approval = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        null = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        actions = [(os.POSIX_SPAWN_DUP2, fd, at) for fd, at in ((null, 0), (said, 1), (said, 2))]
        actions += [(os.POSIX_SPAWN_DUP2, fd, fd) for fd in _descriptors(packed) | {state_fd, approval}]
        numbers = ["--state", str(state_fd), "--rehearse", str(approval)]
        try:
            pid = os.posix_spawn(
                command[0], [*command, *numbers], os.environ, file_actions=actions, setsigmask=(), setsid=True
            )
        except OSError:
            self._close()
            raise
        finally:
            for fd in (state_fd, said, approval, null):
                os.close(fd)
        self._keeper.children[pid] = self._exited
        self._timer = self._keeper.loop.call_after(REHEARSAL_S, lambda: os.kill(pid, signal.SIGKILL))

    def _exited(self, status: int) -> None:
        if self._timer is not None:
            self._timer.cancel()
        approved = _read_available(self._approval_fd) == APPROVED
        said = _read_available(self._said_fd).decode("utf-8", "replace").strip()
        self._close()
        code = os.waitstatus_to_exitcode(status)
        problem = "" if approved and code == 0 else said[-2000:] or f"the rehearsal ended with status {code}"
        self._keeper.loop.call_after(0, lambda: self._done(problem))

    def _close(self) -> None:
        for fd in (self._said_fd, self._approval_fd):
            os.close(fd)


def take_over(given: Arguments, chosen: Settings) -> int:
    """The new image's beginning, in earnest or as a rehearsal; the exit status.

    Raises:
        Conflict: the state cannot be taken over.
    """
    packed = _read_state(given.state_fd)
    server = _rebuild(given, chosen, packed)
    if given.rehearse_fd >= 0:
        os.write(given.rehearse_fd, APPROVED)
        os._exit(0)
    os.chdir("/")
    server.keeper.log.write(f"keeper {__version__} took over from {packed['version']}")
    _resume(server, packed)
    return server.run()


def _read_state(fd: int) -> Json:
    with os.fdopen(fd, "rb") as source:
        packed: Json = json.load(source)
    if packed.get("format") != state.FORMAT:
        raise Conflict(f"this release cannot take over state of format {packed.get('format')!r}")
    for number, identity in packed["identities"].items():
        if _identity(int(number)) != identity:
            raise Conflict(f"descriptor {number} is not what it was")
        os.set_inheritable(int(number), False)
    return packed


def _rebuild(given: Arguments, chosen: Settings, packed: Json) -> Server:
    """All objects of a keeper, from the state. Touches nothing outside this process."""
    log = Log(os.path.join(given.data_dir, "keeper.log"), echo=given.foreground)
    keeper = serving.prepare(chosen, log, packed["data_fd"])
    keeper.umask, keeper.nofile = packed["umask"], packed["nofile"]
    keeper.started_at_ns, keeper.started_ns = packed["started_at_ns"], packed["started_ns"]
    for one in packed["sessions"]:
        _adopt(keeper, one)
    listener = socket.socket(fileno=packed["listener_fd"])
    return serving.Server(given, keeper, listener, packed["lock_fd"])


def _adopt(keeper: Keeper, packed: Json) -> None:
    recorder = keeper.recorder(packed["recorder"]["fd"])
    session = state.unpack_session(packed, recorder)
    if packed["cgroup"] and keeper.cgroups is not None:
        session.cgroup = keeper.cgroups.at(session.session_id)
    if packed["ending"] is not None:
        grace_s = max(0.0, (packed["ending"]["deadline_ns"] - now_ns()) / 1e9)
        session.ending = Ending(keeper, session, grace_s, packed["ending"]["by"])
    outputs = {kind: fd for fd, kind in packed["outputs"]}
    stdin = packed["input"]["fd"] if packed["input"] is not None else -1
    keeper.adopt(session, (stdin, outputs.get(Kind.OUT, -1), outputs.get(Kind.ERR, -1)))
    if session.input is not None:
        session.input.closing = packed["input"]["closing"]
        session.input.waiting += state.unpack_bytes(packed["input"]["waiting"])


def _resume(server: Server, packed: Json) -> None:
    """Go on with all that was under way."""
    keeper = server.keeper
    for session in keeper.sessions.values():
        if session.recorder.blocked:
            keeper.disk.blocked(session.recorder, OSError(errno.EIO, os.strerror(errno.EIO)))
        if not session.ended:
            keeper.note(session, {"type": "upgraded", "from": packed["version"], "to": __version__})
        if session.ending is not None:
            keeper.loop.spawn(session.ending.run())
        if session.reaped and not session.ended:
            keeper.drain(session)
        if session.input is not None and not session.input.closed:
            session.input.flush()
    keeper.syncer.written()
    reply = packed["reply"]
    if reply is not None:
        _answer(server, reply, {"pid": os.getpid(), "version": __version__, "from": packed["version"]})


def _answer(server: Server, reply: Json, fields: Json) -> None:
    link = socket.socket(fileno=reply["fd"])
    connection = server.welcome(link)
    connection.version = reply["version"]
    connection.watching = reply["watching"]
    connection.answer(reply["request_id"], fields)
    connection.take(state.unpack_bytes(reply["unread"]))


def _memory_file(packed: Json) -> int:
    fd = os.memfd_create("roost-keeper-state", os.MFD_CLOEXEC)
    data = json.dumps(packed).encode()
    while data:
        data = data[os.write(fd, data) :]
    os.lseek(fd, 0, os.SEEK_SET)
    return fd


def _descriptors(packed: Json) -> set[int]:
    found = {packed["data_fd"], packed["lock_fd"], packed["listener_fd"]}
    if packed["reply"] is not None:
        found.add(packed["reply"]["fd"])
    return found.union(*(state.descriptors(one) for one in packed["sessions"]))


def _identity(fd: int) -> list[int]:
    """What a descriptor leads to.

    Raises:
        Conflict: to nothing.
    """
    try:
        facts = os.fstat(fd)
    except OSError as exc:
        raise Conflict(f"descriptor {fd} is closed") from exc
    return [facts.st_dev, facts.st_ino]


def _read_available(fd: int) -> bytes:
    try:
        return os.read(fd, SAID_BYTES)
    except BlockingIOError:
        return b""
