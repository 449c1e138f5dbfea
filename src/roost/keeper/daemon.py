"""Starts a keeper as a process: data directory, lock, socket, signals, and the way to the background.

    python -m roost.keeper DATA_DIR [--idle-exit SECONDS] [--foreground]

Exit status: 0 it ran (in the background: it listens), 1 it failed, 2 wrong arguments, 3 another keeper holds the data
directory, 4 the data directory cannot be used.

SIGTERM and SIGINT end a keeper that holds no agents. One that does ignores the first with a line in its log; a second
within five seconds stops the agents and then ends it. SIGHUP is ignored.
"""

from __future__ import annotations

import fcntl
import os
import sys
import time
from typing import NamedTuple

from roost.errors import DataLocked, InvalidSetting, RoostError
from roost.keeper import settings
from roost.keeper.log import Log
from roost.keeper.settings import Settings

USAGE = "usage: python -m roost.keeper DATA_DIR [--idle-exit SECONDS] [--foreground]"
FAILED, WRONG, LOCKED, UNUSABLE = 1, 2, 3, 4
LOCK_PATIENCE_S = 0.5
LOCK_RETRY_S = 0.02
DIRECTORY_MODE = 0o700


class Arguments(NamedTuple):
    """The command line."""

    data_dir: str
    idle_exit_s: float
    foreground: bool
    state_fd: int = -1
    """A keeper that is upgraded hands its state over in this descriptor."""
    rehearse_fd: int = -1
    """Only try whether the state can be taken over, and say so in this descriptor."""


class Place(NamedTuple):
    """A data directory that is ours."""

    data_fd: int
    lock_fd: int


def main(arguments: list[str]) -> int:
    """The command; its exit status."""
    try:
        given = parse(arguments)
    except ValueError as exc:
        return _fail(f"{exc}\n{USAGE}", WRONG)
    try:
        chosen = settings.from_environment(os.environ, given.idle_exit_s)
        if given.rehearse_fd >= 0 or given.state_fd >= 0:
            from roost.keeper import handover

            return handover.take_over(given, chosen)
        return _start(given, chosen)
    except DataLocked as exc:
        return _fail(exc.message, LOCKED)
    except InvalidSetting as exc:
        return _fail(exc.message, UNUSABLE)
    except RoostError as exc:
        return _fail(exc.message, FAILED)


def parse(arguments: list[str]) -> Arguments:
    """The command line, understood.

    Raises:
        ValueError: it is not.
    """
    data_dir, numbers, foreground = "", {"--idle-exit": 300.0, "--state": -1.0, "--rehearse": -1.0}, False
    waiting = list(arguments)
    while waiting:
        word = waiting.pop(0)
        if word == "--foreground":
            foreground = True
        elif word in numbers:
            try:
                numbers[word] = float(waiting.pop(0))
            except (ValueError, IndexError) as exc:
                raise ValueError(f"{word} needs a number") from exc
        elif word.startswith("-") or data_dir:
            raise ValueError(f"{word!r} is not understood")
        else:
            data_dir = os.path.abspath(word)
    if not data_dir or not 0 <= numbers["--idle-exit"] < float("inf"):
        raise ValueError("a data directory is needed, and a time that is not negative")
    return Arguments(data_dir, numbers["--idle-exit"], foreground, int(numbers["--state"]), int(numbers["--rehearse"]))


def take_place(data_dir: str) -> Place:
    """The data directory, made if need be, and its lock.

    Raises:
        InvalidSetting: it cannot be used.
        DataLocked: another keeper holds it.
    """
    try:
        os.makedirs(os.path.join(data_dir, "recordings"), DIRECTORY_MODE, exist_ok=True)
        data_fd = os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        if os.fstat(data_fd).st_uid != os.geteuid():
            raise PermissionError(1, "it belongs to another user")
        os.fchmod(data_fd, DIRECTORY_MODE)
        lock_fd = os.open("keeper.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=data_fd)
    except OSError as exc:
        raise InvalidSetting(f"the data directory {data_dir} cannot be used: {exc.strerror}") from exc
    _lock(lock_fd, data_dir)
    return Place(data_fd, lock_fd)


def _lock(lock_fd: int, data_dir: str) -> None:
    """Take the lock. Others hold it for a moment to see whether a keeper lives, so one refusal says nothing."""
    deadline = time.monotonic() + LOCK_PATIENCE_S
    while True:
        try:
            fcntl.flock(lock_fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as exc:
            if time.monotonic() > deadline:
                raise DataLocked(f"another keeper holds {data_dir}", data=data_dir) from exc
            time.sleep(LOCK_RETRY_S)
        else:
            os.ftruncate(lock_fd, 0)
            os.pwrite(lock_fd, f"{os.getpid()}\n".encode(), 0)
            return


def _start(given: Arguments, chosen: Settings) -> int:
    """Run here, or have a daemon run and return when it listens."""
    if given.foreground:
        return _serve(given, chosen, ready_fd=-1)
    reader, writer = os.pipe2(os.O_CLOEXEC)
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.setsid()
        if os.fork() != 0:
            os._exit(0)
        _be_daemon(given, chosen, writer)
    os.close(writer)
    os.waitpid(child, 0)
    with os.fdopen(reader, "rb") as said:
        status, _, text = said.read().partition(b" ")
    if status == b"0":
        return 0
    return _fail(text.decode("utf-8", "replace") or "the keeper ended as it started", int(status or FAILED))


def _be_daemon(given: Arguments, chosen: Settings, ready_fd: int) -> None:
    """The daemon's whole life; never returns."""
    status = FAILED
    try:
        status = _serve(given, chosen, ready_fd)
    except DataLocked as exc:
        _report(ready_fd, LOCKED, exc.message)
    except RoostError as exc:
        _report(ready_fd, UNUSABLE, exc.message)
    except Exception as exc:  # noqa: BLE001 - the top of the daemon's life: whoever started it is told
        _report(ready_fd, FAILED, f"the keeper failed: {exc!r}")
    finally:
        os._exit(status)


def _serve(given: Arguments, chosen: Settings, ready_fd: int) -> int:
    from roost.keeper import serving

    place = take_place(given.data_dir)
    lock_fd = _tidy_descriptors(place, ready_fd, foreground=given.foreground)
    log = Log(os.path.join(given.data_dir, "keeper.log"), echo=given.foreground)
    if not given.foreground:
        log.redirect_stderr()
    os.chdir("/")
    server = serving.Server.new(given, chosen, log, data_fd=place.data_fd, lock_fd=lock_fd)
    _report(ready_fd, 0, "")
    return server.run()


def _tidy_descriptors(place: Place, ready_fd: int, *, foreground: bool) -> int:
    """Keep what is ours and nothing that was inherited; the lock's descriptor."""
    ours = sorted(fd for fd in (place.data_fd, place.lock_fd, ready_fd) if fd >= 0)
    low = 3
    for fd in ours:
        os.closerange(low, fd)
        low = fd + 1
    os.closerange(low, os.sysconf("SC_OPEN_MAX") if os.sysconf("SC_OPEN_MAX") < 1 << 20 else 1 << 20)
    if not foreground:
        null = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(null, fd)
        if null > 2:
            os.close(null)
    return place.lock_fd


def _report(ready_fd: int, status: int, text: str) -> None:
    if ready_fd >= 0:
        os.write(ready_fd, f"{status} {text}".encode("utf-8", "backslashreplace"))
        os.close(ready_fd)


def _fail(text: str, status: int) -> int:
    sys.stderr.write(f"roost keeper: {text}\n")
    return status
