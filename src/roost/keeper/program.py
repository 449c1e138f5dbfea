"""Finds the program that a command line names, and says exactly why when it cannot be run."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Mapping

from roost.errors import DirectoryUnusable, LimitReached, ProgramNotExecutable, ProgramNotFound, RoostError

DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"
_MISSING = frozenset((errno.ENOENT, errno.ENOTDIR))
_MAX_INTERPRETERS = 4
_HEAD_BYTES = 256


def open_directory(path: str) -> int:
    """A descriptor by which the keeper can enter the directory that an agent starts in.

    Raises:
        DirectoryUnusable: it is not absolute, does not exist, is no directory, or may not be entered.
    """
    if not path.startswith("/"):
        raise DirectoryUnusable(f"the working directory must be an absolute path, not {path!r}", cwd=path)
    try:
        fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as exc:
        raise _unusable(path, exc) from exc
    try:
        os.fchdir(fd)
    except OSError as exc:
        os.close(fd)
        raise _unusable(path, exc) from exc
    finally:
        os.chdir("/")
    return fd


def find(name: str, env: Mapping[str, str], directory: int) -> str:
    """The path of the program `name`, as a shell in `directory` with that environment would find it.

    Raises:
        ProgramNotFound: there is none, or the interpreter that it names does not exist.
        ProgramNotExecutable: there is one, but it may not or cannot be executed.
    """
    if "/" in name:
        candidates = [name]
    else:
        candidates = [f"{entry or '.'}/{name}" for entry in env.get("PATH", DEFAULT_PATH).split(":")]
    refused: RoostError | None = None
    for path in candidates:
        try:
            _require_executable(path, directory)
            _require_interpreter(path, directory)
            return path
        except ProgramNotFound as exc:
            if "interpreter" in exc.details:
                raise
        except ProgramNotExecutable as exc:
            refused = refused or exc
    if refused is not None:
        raise refused
    if "/" in name:
        raise ProgramNotFound(f"the program {name} does not exist", program=name)
    raise ProgramNotFound(f"there is no program {name} in the agent's PATH", program=name, path=env.get("PATH", ""))


def spawn_error(exc: OSError, path: str) -> RoostError:
    """The error of ours for what `posix_spawn` said of a program that was found."""
    reason = exc.strerror or str(exc)
    name = errno.errorcode.get(exc.errno or 0, "")
    if exc.errno in _MISSING:
        return ProgramNotFound(f"the program {path} or what it needs to run is missing: {reason}", program=path)
    if exc.errno in (errno.EAGAIN, errno.ENOMEM):
        return LimitReached(f"the system cannot start another process now: {reason}", errno=name)
    if exc.errno == errno.E2BIG:
        return ProgramNotExecutable(f"the arguments and environment of {path} are too long", program=path, errno=name)
    return ProgramNotExecutable(f"the program {path} cannot be executed: {reason}", program=path, errno=name)


def _require_executable(path: str, directory: int) -> None:
    try:
        facts = os.stat(path, dir_fd=directory)
    except OSError as exc:
        if exc.errno in _MISSING:
            raise ProgramNotFound(program=path) from exc
        raise ProgramNotExecutable(f"the program {path} cannot be reached: {exc.strerror}", program=path) from exc
    if not stat.S_ISREG(facts.st_mode):
        raise ProgramNotExecutable(f"{path} is not a program but a directory or device", program=path)
    if not os.access(path, os.X_OK, dir_fd=directory, effective_ids=True):
        raise ProgramNotExecutable(
            f"the file {path} is not executable", program=path, hint=f"chmod +x {path}", errno="EACCES"
        )


def _require_interpreter(path: str, directory: int) -> None:
    """Follow `#!` lines, because the system's own answer to a missing interpreter names the wrong file."""
    script = path
    for _ in range(_MAX_INTERPRETERS):
        head = _head(script, directory)
        if not head.startswith(b"#!"):
            _require_binary(head, script)
            return
        words = head[2:].split(b"\n", 1)[0].split()
        interpreter = os.fsdecode(words[0]) if words else ""
        try:
            _require_executable(interpreter or "/", directory)
        except ProgramNotFound as exc:
            raise ProgramNotFound(
                f"{script} is to be run by {interpreter}, which does not exist", program=path, interpreter=interpreter
            ) from exc
        except ProgramNotExecutable as exc:
            raise ProgramNotExecutable(
                f"{script} is to be run by {interpreter}, which cannot be executed",
                program=path,
                interpreter=interpreter,
            ) from exc
        script = interpreter


def _require_binary(head: bytes, path: str) -> None:
    if not head or head.startswith(b"\x7fELF") or os.path.exists("/proc/sys/fs/binfmt_misc/status"):
        return
    raise ProgramNotExecutable(
        f"{path} is neither a binary nor a script that names its interpreter",
        program=path,
        hint="let its first line be #!/bin/sh or the like",
        errno="ENOEXEC",
    )


def _head(path: str, directory: int) -> bytes:
    """The first bytes of a program; none when it may be executed but not read."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK, dir_fd=directory)
    except OSError:
        return b""
    try:
        return os.read(fd, _HEAD_BYTES) or b"\0"
    finally:
        os.close(fd)


def _unusable(path: str, exc: OSError) -> DirectoryUnusable:
    reason = exc.strerror or str(exc)
    name = errno.errorcode.get(exc.errno or 0, "")
    return DirectoryUnusable(f"the working directory {path} cannot be entered: {reason}", cwd=path, errno=name)
