"""Where scripted agents keep their sessions: never among those of the real programs, unless told to."""

from __future__ import annotations

import json
import os
import tempfile
from pathlib import Path
from typing import Any

Json = dict[str, Any]
STATE_VARIABLE = "SCRIPTED_AGENT_STATE"


def state_directory(agent: str, own_variable: str = "") -> Path:
    """Where an agent's sessions are: what `own_variable` of the real program says, or `SCRIPTED_AGENT_STATE`, or a
    directory of this user's among the temporary ones."""
    if own_variable and (chosen := os.environ.get(own_variable)):
        return Path(chosen)
    chosen = os.environ.get(STATE_VARIABLE)
    root = Path(chosen) if chosen else Path(tempfile.gettempdir()) / f"roost-scripted-agents-{os.getuid()}"
    return root / agent


class Transcript:
    """A file of JSON lines that a session leaves behind."""

    def __init__(self, path: Path, *, is_kept: bool = True) -> None:
        self.path = path
        self._is_kept = is_kept

    def append(self, *lines: Json) -> None:
        """Write lines at the end."""
        if not self._is_kept:
            return
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode())
        finally:
            os.close(descriptor)

    def lines(self) -> list[Json]:
        """All lines that are whole; none when there is no file."""
        if not self.path.exists():
            return []
        return [json.loads(line) for line in self.path.read_text(encoding="utf-8").splitlines() if line.endswith("}")]


def newest(paths: list[Path]) -> Path | None:
    """The file that was written last; None when there are none."""
    return max(paths, key=lambda path: path.stat().st_mtime_ns, default=None)
