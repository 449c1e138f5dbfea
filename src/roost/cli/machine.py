"""What `roost doctor` looks at: the machine, Python, the data directory, what runs.

Each check is a function of the settings that returns findings; none changes anything.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import roost
from roost.cli.output import size
from roost.paths import DataDirectory

if TYPE_CHECKING:
    from roost.config import Settings

OK, NOTE, WEAK, MISSING = "ok", "note", "weak", "missing"
OPEN_FILES = 4096
WAL_RESET_FIXED = (3, 51, 3)
NETWORK_FILE_SYSTEMS = frozenset({"nfs", "nfs4", "cifs", "smb3", "9p", "fuse.sshfs", "afs", "ceph", "glusterfs"})


class Finding(NamedTuple):
    """One thing that was looked at. `advice` says how to mend it, where it is not well."""

    check: str
    status: str
    message: str
    advice: str = ""


def check_python(_: Settings) -> list[Finding]:
    where = "in an environment of its own" if sys.prefix != sys.base_prefix else "the system's own"
    return [Finding("python", OK, f"Python {sys.version.split()[0]}, {where}")]


def check_kernel(_: Settings) -> list[Finding]:
    if sys.platform != "linux":
        return [Finding("kernel", MISSING, f"{sys.platform} is not supported", "run roost on Linux")]
    found = [_check_pidfd()]
    subreaper = Path("/proc/self/status").exists()
    text = "orphans of agents can be found (subreaper)" if subreaper else "/proc is not there"
    found.append(Finding("subreaper", OK if subreaper else MISSING, text, "" if subreaper else "mount /proc"))
    return found


def _check_pidfd() -> Finding:
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (OSError, AttributeError) as exc:
        advice = "use Linux 5.3 or newer, and a container profile that allows pidfd_open"
        return Finding("pidfd", MISSING, f"processes cannot be held by descriptor: {exc}", advice)
    return Finding("pidfd", OK, f"Linux {os.uname().release} holds processes by descriptor")


def check_cgroup(settings: Settings) -> list[Finding]:
    if not settings.keeper.cgroup:
        return [Finding("cgroup", NOTE, "turned off by the setting keeper.cgroup")]
    from roost.keeper.cgroup import own_directory

    own = own_directory()
    if not own:
        text = "no cgroup v2: trees of processes are walked instead, and limits hold for each process alone"
        return [Finding("cgroup", WEAK, text, "boot with unified cgroups (systemd.unified_cgroup_hierarchy=1)")]
    if os.access(f"{own}/cgroup.procs", os.W_OK) and os.access(own, os.W_OK):
        return [Finding("cgroup", OK, "cgroup v2 is delegated: trees end and freeze in one step")]
    text = "cgroup v2 is not delegated to you: trees of processes are walked instead"
    return [Finding("cgroup", WEAK, text, "run under systemd: systemd-run --user --scope -p Delegate=yes roost up")]


def check_open_files(_: Settings) -> list[Finding]:
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard == resource.RLIM_INFINITY or hard >= OPEN_FILES:
        return [Finding("open files", OK, f"up to {hard} (now {soft}; roost raises it for itself)")]
    advice = f"raise the hard limit to {OPEN_FILES} or more: ulimit -Hn, or LimitNOFILE= in a unit"
    return [Finding("open files", WEAK, f"at most {hard}: enough for about {max(1, hard // 8)} agents", advice)]


def check_sqlite(settings: Settings) -> list[Finding]:
    if settings.db.startswith("postgres"):
        return []
    import sqlite3

    version = sqlite3.sqlite_version
    if sqlite3.sqlite_version_info >= WAL_RESET_FIXED:
        return [Finding("sqlite", OK, f"SQLite {version}")]
    text = f"SQLite {version} has the WAL-reset bug (fixed in 3.51.3); roost keeps clear of it with one writer"
    return [Finding("sqlite", NOTE, text, "let no other program write to roost.db while roost runs")]


def check_parts(_: Settings) -> list[Finding]:
    from importlib.util import find_spec

    found = []
    if find_spec("pyghostty"):
        found.append(Finding("terminal emulator", OK, "libghostty (pyghostty)"))
    elif find_spec("pyte"):
        text = "pyte stands in for libghostty: slower, and less exact with full-screen programs"
        found.append(Finding("terminal emulator", WEAK, text, "pip install pyghostty, where it has a wheel"))
    else:
        found.append(Finding("terminal emulator", MISSING, "there is none", "pip install pyghostty or pyte"))
    page = Path(roost.__file__).with_name("web") / "static" / "index.html"
    if page.is_file():
        found.append(Finding("page", OK, "the web page is built"))
    else:
        found.append(Finding("page", WEAK, "the web page was not built", "install again: pip install . in a clone"))
    return found


def check_data_directory(settings: Settings) -> list[Finding]:
    data = DataDirectory(settings.data)
    if not data.root.exists():
        return [Finding("data directory", NOTE, f"{data.root} is made with the first agent or server")]
    found = [_check_owner(data)]
    if data.token.exists() and data.token.stat().st_mode & 0o077:
        found.append(Finding("token", WEAK, "others can read the token", f"chmod 600 {data.token}"))
    found += _check_file_system(data.root)
    found.append(_check_space(data.root, settings.health.disk_low_bytes))
    return found


def _check_owner(data: DataDirectory) -> Finding:
    facts = data.root.stat()
    if facts.st_uid != os.getuid():
        advice = "run as its owner, or choose another with --data"
        return Finding("data directory", MISSING, f"{data.root} belongs to another user", advice)
    if not os.access(data.root, os.W_OK | os.X_OK):
        return Finding("data directory", MISSING, f"{data.root} cannot be written", f"chmod 700 {data.root}")
    if facts.st_mode & 0o077:
        return Finding("data directory", WEAK, f"others can look into {data.root}", f"chmod 700 {data.root}")
    return Finding("data directory", OK, f"{data.root} is yours alone")


def _check_file_system(root: Path) -> list[Finding]:
    kind = file_system(root)
    if kind in NETWORK_FILE_SYSTEMS:
        text = f"the data directory is on {kind}, where locks and SQLite's WAL do not work as they must"
        return [Finding("file system", MISSING, text, "use a local disk: --data, or ROOST_DATA")]
    if kind == "tmpfs":
        text = "the data directory is in memory: recordings are gone after a restart of the machine"
        return [Finding("file system", WEAK, text, "use a disk: --data, or ROOST_DATA")]
    return [Finding("file system", OK, kind)] if kind else []


def file_system(path: Path) -> str:
    """The type of the file system that holds `path`; empty where that cannot be told."""
    try:
        lines = Path("/proc/self/mounts").read_text().splitlines()
    except OSError:
        return ""
    resolved = path.resolve()
    best, kind = -1, ""
    for line in lines:
        where, what = line.split()[1:3]
        where = where.replace("\\040", " ")
        if resolved.is_relative_to(where) and len(where) > best:
            best, kind = len(where), what
    return kind


def _check_space(root: Path, low: int) -> Finding:
    import shutil

    free = shutil.disk_usage(root).free
    if free < low:
        return Finding("disk", WEAK, f"{size(free)} free", "make room: agents wait when the disk is full")
    return Finding("disk", OK, f"{size(free)} free")


def check_terminal(_: Settings) -> list[Finding]:
    term = os.environ.get("TERM", "")
    if not sys.stdout.isatty():
        return []
    if term in ("", "dumb"):
        text = f"TERM is {term or 'not set'}: programs that are attached cannot paint"
        return [Finding("terminal", WEAK, text, "set TERM to what your terminal is, such as xterm-256color")]
    inside = " inside tmux" if os.environ.get("TMUX") else ""
    found = [Finding("terminal", OK, f"{term}{inside}")]
    if os.environ.get("ROOST_AGENT"):
        text = f"this shell runs inside the agent {os.environ['ROOST_AGENT']}"
        found.append(Finding("terminal", NOTE, text, "attaching an agent to itself echoes without end"))
    return found


CHECKS: tuple[Callable[[Settings], list[Finding]], ...] = (
    check_python,
    check_kernel,
    check_cgroup,
    check_open_files,
    check_sqlite,
    check_parts,
    check_data_directory,
    check_terminal,
)
