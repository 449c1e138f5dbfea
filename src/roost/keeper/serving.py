"""A keeper at work: its socket, its signals, the limits it needs, and its end."""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import signal
import socket
import struct
from typing import TYPE_CHECKING

from roost import __version__
from roost.errors import Forbidden, LimitReached, RoostError
from roost.keeper import cgroup, operations, protocol, starting
from roost.keeper.connection import Connection
from roost.keeper.keeper import Keeper
from roost.keeper.log import Log
from roost.keeper.loop import now_ns
from roost.keeper.requests import Request
from roost.keeper.settings import Settings
from roost.keeper.storage import make_storage

if TYPE_CHECKING:
    from roost.keeper.daemon import Arguments

SOCKET_NAME = "keeper.sock"
MAX_CONNECTIONS = 512
BACKLOG = 128
ACCEPTED_AT_ONCE = 32
INSIST_NS = 5_000_000_000
"""A second SIGTERM within this time is meant seriously."""
INSISTED_GRACE_S = 5.0
SYNC_DONE = 0
"""The byte on the wake-up pipe that is no signal."""
_PR_SET_CHILD_SUBREAPER = 36
_PEER = struct.Struct("3i")


class Server:
    """One keeper process from its first request to its end."""

    def __init__(self, given: Arguments, keeper: Keeper, listener: socket.socket, lock_fd: int) -> None:
        self.given = given
        self.keeper = keeper
        self.listener = listener
        self.lock_fd = lock_fd
        self._spare_fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)
        self._signals: set[int] = set()
        self._last_request_to_end_ns = -INSIST_NS
        self._wake_reader, self._wake_writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        keeper.syncer.wake = lambda: os.write(self._wake_writer, bytes([SYNC_DONE]))

    @classmethod
    def new(cls, given: Arguments, chosen: Settings, log: Log, *, data_fd: int, lock_fd: int) -> Server:
        """A keeper that holds nothing yet, listening."""
        keeper = prepare(chosen, log, data_fd)
        keeper.disk.keep_ballast()
        if keeper.cgroups is not None:
            for name in keeper.cgroups.clear():
                log.write(f"ended what a former keeper left of session {name}")
        server = cls(given, keeper, listen(data_fd), lock_fd)
        log.write(f"keeper {__version__} started, cgroup {keeper.cgroups.path if keeper.cgroups else 'off'}")
        return server

    def run(self) -> int:
        """Serve until told to go; the exit status."""
        from roost.keeper import handover

        self.keeper.upgrade = handover.Upgrader(self).upgrade
        _become_subreaper()
        self._take_signals()
        self.keeper.loop.watch_control(self.listener.fileno(), lambda events: self._accept())
        self.keeper.loop.watch_control(self._wake_reader, lambda events: self._woken())
        self.keeper.idle_changed()
        gc.collect()
        gc.freeze()
        self.keeper.reap()
        self.keeper.loop.run()
        return self._leave()

    def _take_signals(self) -> None:
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda received, frame: self._signals.add(received))
        signal.set_wakeup_fd(self._wake_writer, warn_on_full_buffer=False)
        signal.pthread_sigmask(signal.SIG_SETMASK, ())

    def _woken(self) -> None:
        with contextlib.suppress(BlockingIOError):
            if SYNC_DONE in os.read(self._wake_reader, 4096):
                self.keeper.syncer.finished()
        while self._signals:
            number = self._signals.pop()
            if number == signal.SIGCHLD:
                self.keeper.reap()
            elif number == signal.SIGHUP:
                self.keeper.log.write("SIGHUP ignored")
            else:
                self._asked_to_end()

    def _asked_to_end(self) -> None:
        keeper = self.keeper
        asked_before_ns, self._last_request_to_end_ns = self._last_request_to_end_ns, now_ns()
        if not keeper.holds_something:
            keeper.log.write("asked to end, holds nothing, going")
            keeper.stop()
        elif now_ns() - asked_before_ns < INSIST_NS:
            keeper.log.write("asked to end twice, stopping all agents")
            keeper.end_all("keeper", keeper.stop, grace_s=INSISTED_GRACE_S)
        else:
            keeper.log.write("asked to end, but agents are running: ignored; ask again within 5 s to stop them")

    def _accept(self) -> None:
        for _ in range(ACCEPTED_AT_ONCE):
            try:
                link, _ = self.listener.accept()
            except BlockingIOError:
                return
            except OSError as exc:
                self._refuse_for_want_of_descriptors(exc)
                return
            self._examine(link)

    def _examine(self, link: socket.socket) -> None:
        """Serve a client, or tell it why not."""
        _, uid, _ = _PEER.unpack(link.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _PEER.size))
        if uid != os.geteuid():
            _turn_away(link, Forbidden("the keeper serves its own user only"))
        elif (
            len(self.keeper.connections) >= MAX_CONNECTIONS
            or link.fileno() + starting.RESERVED_DESCRIPTORS / 2 > self.keeper.descriptors
        ):
            _turn_away(link, LimitReached("the keeper has as many connections as it takes"))
        else:
            self.welcome(link)

    def welcome(self, link: socket.socket) -> Connection:
        """Serve a client that may be served."""
        connection = Connection(self.keeper.loop, link, self._receive, self.keeper.disconnected)
        self.keeper.connected(connection)
        return connection

    def _receive(self, connection: Connection, request: Request, request_id: object) -> None:
        operations.handle(self.keeper, connection, request, request_id)

    def _refuse_for_want_of_descriptors(self, reason: OSError) -> None:
        """Take the connection with a descriptor kept for this, and say why it is not served."""
        self.keeper.log.write(f"a connection was refused: {reason.strerror}")
        os.close(self._spare_fd)
        with contextlib.suppress(OSError):
            link, _ = self.listener.accept()
            _turn_away(link, LimitReached(f"the keeper cannot take the connection: {reason.strerror}"))
        self._spare_fd = os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)

    def _leave(self) -> int:
        with contextlib.suppress(OSError):
            os.unlink(SOCKET_NAME, dir_fd=self.keeper.data_fd)
        self.listener.close()
        if self.keeper.cgroups is not None:
            self.keeper.cgroups.remove()
        with contextlib.suppress(OSError):
            self.keeper.storage.sync(self.keeper.data_fd)
        self.keeper.log.write("keeper ended")
        return 0


def prepare(chosen: Settings, log: Log, data_fd: int) -> Keeper:
    """A keeper that is not at work yet."""
    keeper = Keeper(chosen, make_storage(chosen.faults), log, data_fd)
    keeper.cgroups = cgroup.find(data_fd) if chosen.cgroup else None
    keeper.umask = os.umask(0o077)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    keeper.nofile = soft
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    keeper.descriptors = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return keeper


def listen(data_fd: int) -> socket.socket:
    """The listening socket. The lock is held, so whatever stands in its place is of a keeper that died."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(SOCKET_NAME, dir_fd=data_fd)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC | socket.SOCK_NONBLOCK)
    umask = os.umask(0o177)
    try:
        # The address of a Unix socket holds 108 bytes at most; this way the directory's path may be longer.
        listener.bind(f"/proc/self/fd/{data_fd}/{SOCKET_NAME}")
    finally:
        os.umask(umask)
    listener.listen(BACKLOG)
    return listener


def _turn_away(link: socket.socket, error: RoostError) -> None:
    link.setblocking(False)
    with contextlib.suppress(OSError):
        link.send(protocol.refusal(None, error))
    link.close()


def _become_subreaper() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
