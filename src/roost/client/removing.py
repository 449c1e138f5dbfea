"""Forgetting an agent where no server does it: its recordings and its text logs go."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roost.client.recordings import newest_first, read_header

if TYPE_CHECKING:
    from roost.paths import DataDirectory


def remove_recordings(data: DataDirectory, agent: str) -> int:
    """Delete all recordings and text logs of an agent whose name has been checked; says how many recordings went."""
    import shutil

    removed = 0
    for path in list(newest_first(data)):
        if read_header(path).get("agent") == agent:
            path.unlink(missing_ok=True)
            removed += 1
    shutil.rmtree(data.agent_logs(agent), ignore_errors=True)
    return removed
