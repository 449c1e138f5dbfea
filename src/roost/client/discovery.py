"""Finding the server of a data directory, and the token for it."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from roost.errors import ServerUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roost.paths import DataDirectory


class Address(NamedTuple):
    """Where a server is: `url` without a slash at its end. `pid` is 0 for a server that was named by `ROOST_URL`."""

    url: str
    token: str = ""
    pid: int = 0
    version: str = ""

    @property
    def is_local(self) -> bool:
        """Whether the server shares this machine and this user's files."""
        return self.pid > 0


def find_server(data: DataDirectory, environ: Mapping[str, str]) -> Address | None:
    """The server named by `ROOST_URL`, else the living one of the data directory, else None.

    A `server.json` left behind by a server that was killed is recognised by its process and passed over.
    """
    token = environ.get("ROOST_TOKEN") or read_token(data)
    if url := environ.get("ROOST_URL"):
        if not url.startswith(("http://", "https://")):
            raise ServerUnavailable(f"ROOST_URL is not an address: {url[:200]!r}", hint="give http://HOST:PORT")
        return Address(url.rstrip("/"), token)
    info = read_server_info(data)
    if info is None or not is_alive(info["pid"]):
        return None
    return Address(info["url"].rstrip("/"), token, info["pid"], info["version"])


def read_server_info(data: DataDirectory) -> dict[str, Any] | None:
    """What `server.json` says, whether or not that server lives; None where it is absent or not whole."""
    try:
        info = json.loads(data.server_info.read_bytes())
        return {"url": str(info["url"]), "pid": int(info["pid"]), "version": str(info.get("version", ""))}
    except (OSError, ValueError, KeyError, TypeError):
        return None


def read_token(data: DataDirectory) -> str:
    """The data directory's token; empty where there is none or it may not be read."""
    try:
        return data.token.read_text().strip()
    except (OSError, UnicodeDecodeError):
        return ""


def is_alive(pid: int) -> bool:
    """Whether a process of that number lives (a zombie does not)."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123 - one read, before anything else is loaded
            return file.read().rpartition(b")")[2].split()[0] in (b"Z", b"X")
    except OSError:
        return False
