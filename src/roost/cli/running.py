"""What `roost doctor` looks at of what runs: server, keeper, port, and processes that nobody holds."""

from __future__ import annotations

import errno
import socket
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import roost
from roost.cli.machine import MISSING, NOTE, OK, WEAK, Finding
from roost.cli.status import keeper_status
from roost.client.discovery import find_server, read_server_info
from roost.errors import RoostError
from roost.paths import DataDirectory

if TYPE_CHECKING:
    from roost.config import Settings

SHOWN_STRAYS = 10


def check_server(settings: Settings) -> list[Finding]:
    data = DataDirectory(settings.data)
    address = find_server(data, {})
    if address is None:
        found = [_check_port(settings.server.host, settings.server.port)]
        if read_server_info(data) is not None:
            found.append(Finding("server", NOTE, "the last server did not end in order; nothing is lost by that"))
        return found
    if address.version != roost.__version__:
        text = f"the server is roost {address.version}, this command {roost.__version__}"
        return [Finding("server", WEAK, text, "restart it: 'roost down', then 'roost up'; agents live on")]
    return [_check_answer(address)]


def _check_answer(address: Any) -> Finding:
    from roost.client.http import call

    try:
        health = call(address, "GET", "/api/health", timeout_s=10.0)
    except RoostError as error:
        return Finding("server", MISSING, f"it runs but does not answer: {error.message}", error.hint or "see its log")
    if health["status"] == "healthy":
        return Finding("server", OK, f"healthy at {address.url}")
    first = next(iter(health["issues"]), {"message": "see 'roost status'", "advice": "see 'roost status'"})
    return Finding("server", WEAK, f"{health['status']}: {first['message']}", first["advice"])


def _check_port(host: str, port: int) -> Finding:
    try:
        family, kind, _, _, where = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(where)
    except OSError as exc:
        taken = exc.errno == errno.EADDRINUSE
        text = f"{host}:{port} is in use by another program" if taken else f"{host}:{port} cannot be used: {exc}"
        return Finding("port", MISSING, text, "give another with --port or ROOST_PORT; 0 takes a free one")
    return Finding("port", OK, f"{host}:{port} is free" if port else "any free one is taken")


def check_keeper(settings: Settings) -> list[Finding]:
    keeper = keeper_status(DataDirectory(settings.data))
    if keeper is None:
        return [Finding("keeper", OK, "none runs; it is started with the first agent")]
    if "error" in keeper:
        return [Finding("keeper", MISSING, keeper["error"]["message"], "see keeper.log in the data directory")]
    if keeper.get("disk_full"):
        return [Finding("keeper", MISSING, "the disk is full: agents wait", "make room; they go on by themselves")]
    if keeper["version"] != roost.__version__:
        text = f"the keeper is roost {keeper['version']}, this command {roost.__version__}"
        return [Finding("keeper", NOTE, text, "a new keeper is started when this one holds nothing any more")]
    return [Finding("keeper", OK, f"pid {keeper['pid']} holds {keeper['sessions']} sessions")]


def check_strays(settings: Settings) -> list[Finding]:
    """Processes of sessions that no keeper holds: what a killed keeper left behind."""
    data = DataDirectory(settings.data)
    held = _held_sessions(data)
    found = [(pid, session) for pid, session in _session_processes() if session not in held and _is_ours(data, session)]
    if not found:
        return [Finding("stray processes", OK, "none")]
    shown = " ".join(str(pid) for pid, _ in found[:SHOWN_STRAYS])
    sessions = len({session for _, session in found})
    text = f"{len(found)} processes of {sessions} sessions that no keeper holds live on"
    return [Finding("stray processes", WEAK, text, f"look at them, then end them: kill {shown}")]


def _held_sessions(data: DataDirectory) -> set[str]:
    from roost.errors import KeeperUnavailable
    from roost.keeper.client import KeeperClient

    try:
        with KeeperClient.connect(data.root, timeout_s=5.0) as client:
            return {held["session_id"] for held in client.call("list")["sessions"]}
    except KeeperUnavailable:
        return set()


def _session_processes() -> list[tuple[int, str]]:
    """Every process of ours that an agent's environment marks, with its session."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            variables = (entry / "environ").read_bytes().split(b"\0")
        except OSError:
            continue
        session = next((item[14:] for item in variables if item.startswith(b"ROOST_SESSION=")), b"")
        if session:
            found.append((int(entry.name), session.decode("utf-8", "replace")))
    return found


def _is_ours(data: DataDirectory, session: str) -> bool:
    from roost.model.ids import ID

    return bool(ID.match(session)) and data.recording(session).exists()


CHECKS: tuple[Callable[[Settings], list[Finding]], ...] = (check_server, check_keeper, check_strays)
