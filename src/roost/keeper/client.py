"""A small synchronous client of the keeper, for the command line and for tests."""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from typing import Any

from roost import __version__
from roost.errors import KeeperUnavailable, TimedOut, from_dict
from roost.keeper import protocol

SOCKET_NAME = "keeper.sock"
RETRY_S = 0.02
LOCKED_STATUS = 3
"""The keeper's exit status when another holds the data directory; see `roost.keeper.daemon`."""


class KeeperClient:
    """A connection to a keeper that has said hello. To be closed; works in a `with` statement."""

    def __init__(self, link: socket.socket, timeout_s: float = 30.0) -> None:
        self._link = link
        self._decoder = protocol.Decoder()
        self._timeout_s = timeout_s
        self._last_id = 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._notices: list[dict[str, Any]] = []
        self.hello: dict[str, Any] = {}

    @classmethod
    def connect(cls, data_dir: str | os.PathLike[str], timeout_s: float = 30.0) -> KeeperClient:
        """Connect to the keeper of a data directory; `timeout_s` holds for this and for every answer.

        Raises:
            KeeperUnavailable: none runs.
            KeeperIncompatible: it speaks no version of the protocol that we speak.
        """
        client = cls(_connect(os.fspath(data_dir), timeout_s), timeout_s)
        try:
            versions = [protocol.LOWEST_VERSION, protocol.VERSION]
            client.hello = client.call("hello", protocol=versions, client=f"roost {__version__}")
        except BaseException:
            client.close()
            raise
        return client

    @classmethod
    def connect_or_start(
        cls, data_dir: str | os.PathLike[str], *, idle_exit_s: float = 300.0, timeout_s: float = 30.0
    ) -> KeeperClient:
        """The same, but start a keeper when none runs.

        Raises:
            KeeperUnavailable: it does not start.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                return cls.connect(data_dir, timeout_s)
            except KeeperUnavailable:
                if time.monotonic() > deadline:
                    raise
            start(data_dir, idle_exit_s)
            time.sleep(RETRY_S)

    def call(self, op: str, /, *, blob: bytes = b"", timeout_s: float | None = None, **fields: Any) -> dict[str, Any]:
        """Ask, and wait for the answer: its fields without `id` and `ok`.

        Raises:
            RoostError: what the keeper refused, by its code.
            KeeperUnavailable: it went away before it answered.
            TimedOut: it did not answer in time.
        """
        request_id = self.post(op, blob=blob, **fields)
        deadline = time.monotonic() + (self._timeout_s if timeout_s is None else timeout_s)
        while request_id not in self._answers:
            left_s = deadline - time.monotonic()
            if left_s <= 0 or not self._receive(left_s):
                raise TimedOut(f"the keeper did not answer {op} in time", op=op)
        answer = self._answers.pop(request_id)
        if answer.pop("ok", False):
            return answer
        raise from_dict(answer.get("error") or {})

    def post(self, op: str, /, *, blob: bytes = b"", **fields: Any) -> int:
        """Ask, and do not wait: the id under which the answer will come."""
        self._last_id += 1
        message = protocol.encode({"id": self._last_id, "op": op, **fields}, blob)
        try:
            self._link.sendall(message)
        except TimeoutError as exc:
            raise TimedOut(f"the keeper did not take {op} in time", op=op) from exc
        except OSError as exc:
            self._receive(0)  # it may have said why
            raise KeeperUnavailable("the keeper went away") from exc
        return self._last_id

    def notices(self, timeout_s: float = 0.0) -> list[dict[str, Any]]:
        """The notices that have come, or that come within `timeout_s`; none when nothing did.

        Raises:
            KeeperUnavailable: the keeper went away.
        """
        if not self._notices:
            self._receive(timeout_s)
        found, self._notices = self._notices, []
        return found

    def fileno(self) -> int:
        """The socket, for `select`."""
        return self._link.fileno()

    def close(self) -> None:
        """Hang up."""
        self._link.close()

    def __enter__(self) -> KeeperClient:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _receive(self, timeout_s: float) -> bool:
        """Take what comes within the time; whether anything did."""
        poller = select.poll()
        poller.register(self._link, select.POLLIN)
        if not poller.poll(max(0.0, timeout_s) * 1000):
            return False
        try:
            data = self._link.recv(1 << 18)
        except OSError:
            data = b""
        if not data:
            raise KeeperUnavailable("the keeper went away")
        for message in self._decoder.feed(data):
            self._take(message.body)
        return True

    def _take(self, body: dict[str, Any]) -> None:
        request_id = body.pop("id", None)
        if "notice" in body:
            self._notices.append(body)
        elif isinstance(request_id, int):
            self._answers[request_id] = body
        elif "error" in body:
            raise from_dict(body["error"])


def start(data_dir: str | os.PathLike[str], idle_exit_s: float = 300.0) -> None:
    """Start a keeper in the background and wait until it listens, or until it is clear that another one does.

    Raises:
        KeeperUnavailable: it does not start.
    """
    reader, writer = os.pipe2(os.O_CLOEXEC)
    argv = [sys.executable, "-P", "-m", "roost.keeper", os.fspath(data_dir), "--idle-exit", str(idle_exit_s)]
    devnull = os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC)
    actions = [(os.POSIX_SPAWN_DUP2, fd, at) for at, fd in enumerate((devnull, devnull, writer))]
    try:
        pid = os.posix_spawn(sys.executable, argv, os.environ, file_actions=actions)
    except OSError as exc:
        os.close(reader)
        raise KeeperUnavailable(f"the keeper cannot be started: {exc.strerror}") from exc
    finally:
        os.close(writer)
        os.close(devnull)
    with os.fdopen(reader, "rb") as said:
        text = said.read().decode("utf-8", "replace").strip()
    code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    if code not in (0, LOCKED_STATUS):
        raise KeeperUnavailable(f"the keeper did not start: {text[-500:] or f'status {code}'}")


def _connect(data_dir: str, timeout_s: float) -> socket.socket:
    # The address of a Unix socket holds 108 bytes at most; through a descriptor of the directory any path is reached.
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    link.settimeout(timeout_s)
    directory = -1
    deadline = time.monotonic() + timeout_s
    try:
        directory = os.open(data_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        while not _connected(link, f"/proc/self/fd/{directory}/{SOCKET_NAME}", deadline):
            time.sleep(RETRY_S)
    except OSError as exc:
        link.close()
        raise KeeperUnavailable(
            f"no keeper answers in {data_dir}", hint="it is started with the first agent", errno=exc.errno
        ) from exc
    finally:
        if directory >= 0:
            os.close(directory)
    return link


def _connected(link: socket.socket, address: str, deadline: float) -> bool:
    """Try to connect; false when so many do that the keeper has not got round to us.

    Raises:
        OSError: it cannot be done, or not in time.
    """
    try:
        link.connect(address)
    except BlockingIOError:
        if time.monotonic() > deadline:
            raise
        return False
    return True
