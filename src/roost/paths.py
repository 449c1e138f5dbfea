"""Where things are in a data directory. Standard library only: keeper and command line use it too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

RECORDING_SUFFIX = ".rec"


class DataDirectory(NamedTuple):
    """One roost's data directory: one keeper, one server, one store.

    A named tuple, because `dataclasses` alone would take a tenth of the time that `roost ps` has.
    """

    root: Path

    @property
    def database(self) -> Path:
        return self.root / "roost.db"

    @property
    def recordings(self) -> Path:
        return self.root / "recordings"

    def recording(self, session_id: str) -> Path:
        """The recording of a session whose id has been checked (`model.ids.check_id`)."""
        return self.recordings / f"{session_id}{RECORDING_SUFFIX}"

    @property
    def manifests(self) -> Path:
        """Screen manifests that are put over ours."""
        return self.root / "manifests"

    @property
    def logs(self) -> Path:
        return self.root / "logs"

    def agent_logs(self, name: str) -> Path:
        """The clean text logs of an agent whose name has been checked."""
        return self.logs / "agents" / name

    @property
    def keeper_socket(self) -> Path:
        return self.root / "keeper.sock"

    @property
    def keeper_lock(self) -> Path:
        return self.root / "keeper.lock"

    @property
    def server_lock(self) -> Path:
        return self.root / "server.lock"

    @property
    def server_info(self) -> Path:
        """`{"url", "pid", "version"}` of the running server: how local clients find it."""
        return self.root / "server.json"

    @property
    def server_log(self) -> Path:
        return self.root / "server.log"

    @property
    def token(self) -> Path:
        return self.root / "token"

    def create(self) -> None:
        """Make the directories, for this user alone."""
        for directory in (self.root, self.recordings, self.logs):
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)


def default_data_directory(environ: Mapping[str, str]) -> Path:
    """`$ROOST_DATA`, else `$XDG_DATA_HOME/roost`, else `~/.local/share/roost`."""
    if given := environ.get("ROOST_DATA"):
        return Path(given).expanduser().absolute()
    share = environ.get("XDG_DATA_HOME")
    base = Path(share) if share and Path(share).is_absolute() else Path.home() / ".local" / "share"
    return base / "roost"
