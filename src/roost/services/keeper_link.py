"""The server's connection to the keeper: requests, notices, and coming back after a loss.

The link reconnects by itself. Who uses it learns of three things by callback, all on the event loop: a connection was
made (with what the keeper holds), a notice came, and the keeper is gone for good (its lock is free).
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import structlog

import roost
from roost.config import KeeperSettings
from roost.errors import KeeperUnavailable, RoostError, from_dict
from roost.keeper import protocol
from roost.paths import DataDirectory

Json = dict[str, Any]
RETRY_S = 0.05
MAX_RETRY_S = 1.0
READ_BYTES = 262_144

log = structlog.get_logger("keeper_link")


class KeeperLink:
    """One connection to the data directory's keeper, made on demand and kept."""

    def __init__(self, data: DataDirectory, settings: KeeperSettings) -> None:
        self._data = data
        self._settings = settings
        self._connection: _Connection | None = None
        self._connecting = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None
        self._closing = False
        self.hello: Json = {}
        self.on_connected: Callable[[list[Json]], Awaitable[None]] | None = None
        self.on_notice: Callable[[Json], None] | None = None
        self.on_gone: Callable[[], Awaitable[None]] | None = None

    @property
    def connected(self) -> bool:
        return self._connection is not None and not self._connection.closed

    async def open(self) -> None:
        """Connect if a keeper runs; else say that none does. From now on the connection is kept up."""
        if not await self._try_connect() and self.on_gone is not None:
            await self.on_gone()

    async def close(self) -> None:
        self._closing = True
        if self._task is not None:
            await _end(self._task)
        if self._connection is not None:
            await self._connection.close()

    async def call(self, op: str, blob: bytes = b"", *, start: bool = False, **fields: Any) -> Json:
        """Ask the keeper; `start` starts one when none runs.

        Raises:
            KeeperUnavailable: none runs, or it went away before it answered.
            RoostError: what the keeper refused, by its code.
        """
        connection = await self._connected(start)
        return await connection.call(op, blob, fields)

    async def _connected(self, start: bool) -> _Connection:
        if self._connection is not None and not self._connection.closed:
            return self._connection
        async with self._connecting:
            if await self._connect_now() or (start and await self._start_keeper()):
                assert self._connection is not None
                return self._connection
        raise KeeperUnavailable("no keeper runs for this data directory, so it holds no agents")

    async def _try_connect(self) -> bool:
        async with self._connecting:
            return await self._connect_now()

    async def _connect_now(self) -> bool:
        if self._connection is not None and not self._connection.closed:
            return True
        with contextlib.suppress(OSError):
            connection = await _open(self._data.keeper_socket, self._notice)
            try:
                await self._greet(connection)
            except OSError:
                await connection.close()
                return False
            return True
        return False

    async def _greet(self, connection: _Connection) -> None:
        versions = [protocol.LOWEST_VERSION, protocol.VERSION]
        self.hello = await connection.call("hello", b"", {"protocol": versions, "client": f"roost {roost.__version__}"})
        await connection.call("watch", b"", {})
        listed = await connection.call("list", b"", {})
        self._connection = connection
        if self.on_connected is not None:
            await self.on_connected(listed["sessions"])
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._keep_up())

    def _notice(self, notice: Json) -> None:
        if self.on_notice is not None:
            self.on_notice(notice)

    async def _start_keeper(self) -> bool:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *keeper_arguments(self._data, self._settings),
            env=keeper_environment(dict(os.environ), self._settings),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await process.communicate()
        deadline = asyncio.get_running_loop().time() + self._settings.start_timeout_s
        while not await self._connect_now():
            if asyncio.get_running_loop().time() > deadline:
                reason = said.decode("utf-8", "replace").strip()[-500:]
                raise KeeperUnavailable(f"the keeper did not start: {reason or 'it does not answer'}")
            await asyncio.sleep(RETRY_S)
        return True

    async def _keep_up(self) -> None:
        while not self._closing:
            assert self._connection is not None
            await self._connection.wait_closed()
            log.info("keeper connection closed")
            if not await self._come_back():
                if self.on_gone is not None:
                    await self.on_gone()
                return

    async def _come_back(self) -> bool:
        """Connect again while a keeper lives; false when its lock is free."""
        delay = RETRY_S
        while not self._closing:
            if await self._try_connect():
                return True
            if not keeper_holds_lock(self._data):
                return False
            await asyncio.sleep(delay)
            delay = min(delay * 2, MAX_RETRY_S)
        return False


def keeper_arguments(data: DataDirectory, settings: KeeperSettings) -> list[str]:
    """Arguments to the Python interpreter that start the keeper."""
    return ["-P", "-m", "roost.keeper", str(data.root), "--idle-exit", str(settings.idle_exit_s)]


def keeper_environment(environ: dict[str, str], settings: KeeperSettings) -> dict[str, str]:
    """The keeper's environment: ours, and the settings that it takes from there."""
    return environ | {
        "ROOST_KEEPER_CGROUP": "on" if settings.cgroup else "off",
        "ROOST_KEEPER_SYNC_S": str(settings.sync_s),
        "ROOST_KEEPER_BALLAST_BYTES": str(settings.ballast_bytes),
    }


def keeper_holds_lock(data: DataDirectory) -> bool:
    """Whether a keeper lives: it holds its lock as long as it does, also while it upgrades itself."""
    try:
        descriptor = os.open(data.keeper_lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(descriptor)
    return False


async def _open(path: Path, notice: Callable[[Json], None]) -> _Connection:
    # A Unix socket's address holds 108 bytes at most; through a descriptor of the directory any depth is reached.
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        reader, writer = await asyncio.open_unix_connection(f"/proc/self/fd/{directory}/{path.name}")
    finally:
        os.close(directory)
    return _Connection(reader, writer, notice)


async def _end(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it is over.

    Not by awaiting it: its cancellation would be thrown into us, where it cannot be told from our own. Besides, Python
    3.11 tells no tracer that a coroutine goes on behind such a throw, and coverage's own in Python fails at its return.
    """
    task.cancel()
    await asyncio.wait([task])
    if not task.cancelled() and (failure := task.exception()) is not None:
        log.warning("keeper connection failed", error=str(failure))


class _Connection:
    """Requests and answers over one socket."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, notice: Callable[[Json], None]
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._notice = notice
        self._decoder = protocol.Decoder()
        self._answers: dict[int, asyncio.Future[Json]] = {}
        self._next_id = 1
        self._task = asyncio.create_task(self._receive())
        self.closed = False

    async def call(self, op: str, blob: bytes, fields: Json) -> Json:
        if self.closed:
            raise KeeperUnavailable("the keeper went away")
        request_id = self._next_id
        self._next_id += 1
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._answers[request_id] = answer
        try:
            self._writer.write(protocol.encode({"id": request_id, "op": op, **fields}, blob))
            await self._writer.drain()
            return await answer
        except ConnectionError as exc:
            raise KeeperUnavailable("the keeper went away") from exc
        finally:
            self._answers.pop(request_id, None)

    async def wait_closed(self) -> None:
        await asyncio.wait([self._task])

    async def close(self) -> None:
        await _end(self._task)

    async def _receive(self) -> None:
        try:
            while data := await self._reader.read(READ_BYTES):
                for message in self._decoder.feed(data):
                    self._take(message.body)
        except (ConnectionError, RoostError) as exc:
            log.warning("keeper connection failed", error=str(exc))
        finally:
            self.closed = True
            self._writer.close()
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(KeeperUnavailable("the keeper went away before it answered"))

    def _take(self, body: Json) -> None:
        if "notice" in body:
            self._notice(body)
            return
        answer = self._answers.get(body.get("id", 0))
        if answer is None or answer.done():
            return
        if body.get("ok"):
            answer.set_result(body)
        else:
            answer.set_exception(from_dict(body.get("error") or {}))
