"""What has the foreground of an agent's terminal."""

from __future__ import annotations

from pathlib import Path

_FOREGROUND_GROUP = 5
"""Index of `tpgid` in `/proc/PID/stat` behind the name."""


def foreground_command(pid: int | None) -> list[str]:
    """The command line of the leader of the process group in the foreground of this process's terminal.

    Empty where there is no such process, or it cannot be asked.
    """
    if pid is None:
        return []
    try:
        text = Path(f"/proc/{pid}/stat").read_bytes()
        # The name, in parentheses, may hold spaces and parentheses itself: count from the last one.
        group = int(text[text.rfind(b")") + 2 :].split()[_FOREGROUND_GROUP])
        line = Path(f"/proc/{group}/cmdline").read_bytes() if group > 0 else b""
    except (OSError, ValueError, IndexError):
        return []
    return [word.decode("utf-8", "replace") for word in line.split(b"\0")[:-1]]
