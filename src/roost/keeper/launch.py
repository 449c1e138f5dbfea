"""Starts a program with `posix_spawn`: on a terminal that becomes its own, or on three pipes.

`posix_spawn` costs a fifth of a millisecond whatever the keeper's size, and gives the child nothing that is not named
here: every descriptor of the keeper is close-on-exec. Directory, umask and soft limits are set around the call, which
is safe because no other thread of the keeper looks at them.

Where limits or a cgroup are wanted, a constant shell script stands between: it joins the cgroup, waits for the
keeper to set the limits, and becomes the program. Neither arguments nor environment are ever evaluated by that shell.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import resource
import signal
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from roost.errors import InvalidRequest, LimitReached, RoostError
from roost.keeper import program, terminal

SHIM = (
    'if [ -n "$0" ]; then echo $$ > "$0"; fi 2>/dev/null\n'
    "read -r __roost_go <&3 || exit 125\n"
    "unset __roost_go\n"
    'exec "$@" 3<&-'
)
TAG_LIMIT = 10
"""RLIMIT_LOCKS: Linux hands it down to every child and has not looked at it since 2.4. It carries a session's tag."""

PIPE_BYTES = 1 << 18
"""Room in a pipe, so that an agent can write on while others are read."""

_RESET = frozenset(signal.valid_signals()) - {signal.SIGKILL, signal.SIGSTOP}
_RESOURCES = {
    "nofile": resource.RLIMIT_NOFILE,
    "memory_bytes": resource.RLIMIT_DATA,
    "cpu_s": resource.RLIMIT_CPU,
    "fsize_bytes": resource.RLIMIT_FSIZE,
    "nproc": resource.RLIMIT_NPROC,
    "core_bytes": resource.RLIMIT_CORE,
}


class Plan(NamedTuple):
    """All that a start needs to know."""

    argv: Sequence[str]
    path: str
    env: Mapping[str, str]
    directory: int
    umask: int
    terminal: bool
    cols: int
    rows: int
    limits: Mapping[str, int]
    cgroup_procs: str
    """The file by which a process joins the session's cgroup; empty without one."""
    tag: int
    nofile: int
    """The soft limit of open files that agents get when none is asked for; the keeper's own is higher."""


class Launched(NamedTuple):
    """A program that runs, and the descriptors that lead to it; -1 where there is none."""

    pid: int
    stdin: int
    stdout: int
    stderr: int


def launch(plan: Plan) -> Launched:
    """Start the program.

    Raises:
        ProgramNotFound, ProgramNotExecutable, LimitReached, InvalidRequest: it cannot be started.
    """
    theirs: list[int] = []
    ours: list[int] = []
    try:
        if plan.terminal:
            master, path = terminal.open_terminal(plan.cols, plan.rows)
            ours += [master, master, -1]
            actions: list[tuple[object, ...]] = [
                (os.POSIX_SPAWN_OPEN, 0, path, os.O_RDWR, 0),
                (os.POSIX_SPAWN_DUP2, 0, 1),
                (os.POSIX_SPAWN_DUP2, 0, 2),
            ]
        else:
            actions = _open_pipes(ours, theirs)
        pid = _start(plan, actions)
    except BaseException:
        _close(ours)
        raise
    finally:
        _close(theirs)
    return Launched(pid, *ours)


def _open_pipes(ours: list[int], theirs: list[int]) -> list[tuple[object, ...]]:
    """Three pipes; `ours` gets the keeper's ends, `theirs` the agent's."""
    for number in range(3):
        reader, writer = _pipe()
        mine, other = (writer, reader) if number == 0 else (reader, writer)
        os.set_blocking(mine, False)
        with contextlib.suppress(OSError):  # a user may have used up all the room that pipes are given
            fcntl.fcntl(mine, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
        ours.append(mine)
        theirs.append(other)
    return [(os.POSIX_SPAWN_DUP2, fd, number) for number, fd in enumerate(theirs)]


def _pipe() -> tuple[int, int]:
    try:
        return os.pipe2(os.O_CLOEXEC)
    except OSError as exc:
        raise LimitReached(f"no pipe is to be had: {exc.strerror}", hint="raise the limit of open files") from exc


def _start(plan: Plan, actions: list[tuple[object, ...]]) -> int:
    hard = {name: value for name, value in plan.limits.items() if name in _RESOURCES}
    if not hard and not plan.cgroup_procs:
        return _spawn(plan, plan.path, list(plan.argv), actions)
    go_reader, go_writer = _pipe()
    try:
        argv = ["/bin/sh", "-c", SHIM, plan.cgroup_procs, *plan.argv]
        pid = _spawn(plan, "/bin/sh", argv, [*actions, (os.POSIX_SPAWN_DUP2, go_reader, 3)])
        _apply(pid, hard)
        os.write(go_writer, b"go\n")
    finally:
        os.close(go_reader)
        os.close(go_writer)
    return pid


def _spawn(plan: Plan, path: str, argv: list[str], actions: list[tuple[object, ...]]) -> int:
    encoded = {name.encode(): _encode(value) for name, value in plan.env.items()}
    before = _set_soft_limits(plan)
    umask = os.umask(plan.umask)
    os.fchdir(plan.directory)
    try:
        return os.posix_spawn(
            _encode(path),
            [_encode(word) for word in argv],
            encoded,
            file_actions=actions,
            setsid=True,
            setsigmask=(),
            setsigdef=_RESET,
        )
    except OSError as exc:
        raise program.spawn_error(exc, path) from exc
    finally:
        os.chdir("/")
        os.umask(umask)
        for number, limit in before.items():
            resource.setrlimit(number, limit)


def _set_soft_limits(plan: Plan) -> dict[int, tuple[int, int]]:
    """Lower the keeper's own soft limits for the moment of the start; what they were is given back."""
    before: dict[int, tuple[int, int]] = {}
    for number, value in ((resource.RLIMIT_NOFILE, plan.nofile), (TAG_LIMIT, plan.tag)):
        soft, hard = resource.getrlimit(number)
        if hard in (-1, resource.RLIM_INFINITY) or value <= hard:
            before[number] = (soft, hard)
            resource.setrlimit(number, (value, hard))
    return before


def _apply(pid: int, limits: Mapping[str, int]) -> None:
    """Set hard limits on the shim, or end it.

    Raises:
        InvalidRequest: a limit is higher than the keeper itself has.
    """
    for name, value in limits.items():
        try:
            resource.prlimit(pid, _RESOURCES[name], (value, value))
        except (OSError, ValueError) as exc:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            raise InvalidRequest(f"the limit {name} cannot be set to {value}: {exc}", limit=name) from exc


def set_oom_score(pid: int, score: int) -> None:
    """Say how soon the kernel shall end the process when memory is short; only root may make it later.

    Raises:
        RoostError: the value is lower than allowed.
    """
    try:
        fd = os.open(f"/proc/{pid}/oom_score_adj", os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, str(score).encode())
        finally:
            os.close(fd)
    except OSError as exc:
        raise RoostError(f"oom_score_adj cannot be {score}: {exc.strerror}") from exc


def _encode(value: str) -> bytes:
    return value.encode("utf-8", "surrogateescape")


def _close(descriptors: list[int]) -> None:
    for fd in set(descriptors):
        if fd >= 0:
            os.close(fd)
