"""Control groups (version 2), where the keeper may make them: whole trees are ended and frozen in one step.

Below the keeper's own group stands one group for the data directory, and in it one for each session. Where that is not
allowed the keeper walks trees instead (`roost.keeper.tree`).
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Mapping

from roost.keeper import procfs

PREFIX = "roost-"
TOKEN_FILE = "keeper.cgroup"
_LIMIT_FILES = {"memory_bytes": "memory.max", "processes": "pids.max"}


class Cgroup:
    """The group of one session."""

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    @property
    def procs_path(self) -> str:
        """The file to which a process writes its number to join."""
        return f"{self._path}/cgroup.procs"

    def limit(self, limits: Mapping[str, int]) -> set[str]:
        """Set what this group can hold its members to; the names of the limits that it took."""
        return {
            name
            for name, file in _LIMIT_FILES.items()
            if name in limits and _write(f"{self._path}/{file}", str(limits[name]))
        }

    def members(self) -> set[int]:
        """The processes in this group and in those that its members made in it."""
        return _members(self._path)

    def kill(self) -> bool:
        """End all members at once; false on a kernel that cannot."""
        return _write(f"{self._path}/cgroup.kill", "1")

    def freeze(self) -> bool:
        """Stop all members from running; they do not notice."""
        return _write(f"{self._path}/cgroup.freeze", "1")

    def thaw(self) -> bool:
        """Let them run again."""
        return _write(f"{self._path}/cgroup.freeze", "0")

    @property
    def frozen(self) -> bool:
        """Whether all members have stopped."""
        return b"frozen 1" in procfs.read(f"{self._path}/cgroup.events")

    def remove(self) -> bool:
        """Take the empty group away, and those that its members made in it."""
        return _remove(self._path)


class Cgroups:
    """The group of one data directory, in which the sessions' groups are."""

    def __init__(self, path: str) -> None:
        self.path = path

    def make(self, session_id: str) -> Cgroup | None:
        """A group for a session, or None when it cannot be made."""
        path = f"{self.path}/{session_id}"
        if not os.path.isdir(self.path):  # another keeper took it away, because it was empty
            _prepare(self.path)
        try:
            os.mkdir(path)
        except OSError:
            return None
        return Cgroup(path)

    def at(self, session_id: str) -> Cgroup | None:
        """The group of a session, if there is one."""
        path = f"{self.path}/{session_id}"
        return Cgroup(path) if os.path.isdir(path) else None

    def clear(self) -> list[str]:
        """End what a keeper that died left behind in our groups; the sessions in which something was left."""
        found = []
        for name in _directories(self.path):
            group = Cgroup(f"{self.path}/{name}")
            if procfs.read(group.procs_path):
                found.append(name)
            group.thaw()
            group.kill()
            group.remove()
        self._clear_others()
        return found

    def _clear_others(self) -> None:
        """Take away the empty groups of keepers that were killed and whose data directory nobody uses any more."""
        parent = os.path.dirname(self.path)
        for name in _directories(parent):
            path = f"{parent}/{name}"
            if name.startswith(PREFIX) and path != self.path and b"populated 0" in procfs.read(f"{path}/cgroup.events"):
                _remove(path)

    def remove(self) -> None:
        """Take away what is empty."""
        _remove(self.path)


def find(data_fd: int) -> Cgroups | None:
    """The group for a data directory, made if need be; None where cgroups are not ours to make."""
    parent = own_directory()
    if not parent:
        return None
    # The inode tells a copied data directory from the first, the token a new one from a deleted one of the same inode.
    path = f"{parent}/{PREFIX}{_token(data_fd)}-{os.fstat(data_fd).st_ino:x}"
    if not _prepare(path):
        return None
    if not os.access(f"{parent}/cgroup.procs", os.W_OK) or not os.path.exists(f"{path}/cgroup.kill"):
        _remove(path)
        return None
    return Cgroups(path)


def _prepare(path: str) -> bool:
    """Make a group in which sessions' groups can be made, with the controllers that are to be had."""
    try:
        os.makedirs(path, exist_ok=True)
    except OSError:
        return False
    for directory in (os.path.dirname(path), path):
        for controller in ("+memory", "+pids"):
            _write(f"{directory}/cgroup.subtree_control", controller)
    return True


def _token(data_fd: int) -> str:
    """A random word that stays with the data directory; one for this time only when it cannot be kept."""
    token = os.urandom(8).hex()
    with contextlib.suppress(OSError):
        fd = os.open(TOKEN_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600, dir_fd=data_fd)
        try:
            kept = os.read(fd, 16).decode("ascii", "replace")
            if len(kept) == 16 and kept.isalnum():
                return kept
            os.pwrite(fd, token.encode(), 0)
        finally:
            os.close(fd)
    return token


def own_directory() -> str:
    """The directory of this process's own group; empty where there is none."""
    own = ""
    for line in procfs.read("/proc/self/cgroup").decode("utf-8", "surrogateescape").splitlines():
        if line.startswith("0::"):
            own = line[3:]
    for line in procfs.read("/proc/self/mountinfo").decode("utf-8", "surrogateescape").splitlines():
        fields, _, rest = line.partition(" - ")
        words = fields.split()
        if rest.startswith("cgroup2 ") and own and len(words) > 4:
            inside = own if words[3] == "/" else own.removeprefix(words[3])
            path = (words[4] + inside).rstrip("/")
            return path if os.path.isdir(path) else ""
    return ""


def _directories(path: str) -> list[str]:
    try:
        with os.scandir(path) as entries:
            return [entry.name for entry in entries if entry.is_dir(follow_symlinks=False)]
    except OSError:
        return []


def _members(path: str) -> set[int]:
    found = set(map(int, procfs.read(f"{path}/cgroup.procs").split()))
    for name in _directories(path):
        found |= _members(f"{path}/{name}")
    return found


def _remove(path: str) -> bool:
    for name in _directories(path):
        _remove(f"{path}/{name}")
    with contextlib.suppress(OSError):
        os.rmdir(path)
        return True
    return False


def _write(path: str, text: str) -> bool:
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        try:
            os.write(fd, text.encode())
        finally:
            os.close(fd)
    except OSError:
        return False
    return True
