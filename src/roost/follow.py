"""Prints a file's lines and then those that are appended: `python -m roost.follow FILE [--pid PID]`.

It is what runs as an agent that was adopted: the agent itself runs elsewhere, and this shows its transcript. With a
process given, it ends when that process has. The standard library is all it needs.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from pathlib import Path
from typing import BinaryIO

POLL_S = 0.2
CHUNK = 1 << 20


def main(arguments: list[str]) -> int:
    """Follow until the process has ended, or for ever."""
    parser = argparse.ArgumentParser(prog="roost.follow", description="Print a file and what is appended to it.")
    parser.add_argument("file", type=Path)
    parser.add_argument("--pid", type=int)
    options = parser.parse_args(arguments)
    begun = started_at(options.pid) if options.pid else None
    try:
        with options.file.open("rb") as file:
            while True:
                # Looked at before reading, so that what a process wrote last is read too.
                over = options.pid is not None and (begun is None or started_at(options.pid) != begun)
                if not copy(file, sys.stdout.buffer):
                    if over:
                        return 0
                    time.sleep(POLL_S)
    except OSError as exc:
        sys.stderr.write(f"{options.file}: {exc.strerror}\n")
        return 1
    except KeyboardInterrupt:
        return 0


def copy(file: BinaryIO, out: BinaryIO) -> bool:
    """Print what is new; whether there was anything."""
    data = file.read(CHUNK)
    if data:
        out.write(data)
        out.flush()
    return bool(data)


def started_at(pid: int) -> int | None:
    """When a process began, in the kernel's ticks: another with the same number began later. None when it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] == "Z" else int(fields[19])


if __name__ == "__main__":
    code = main(sys.argv[1:])
    # Whoever read our output may be gone, which is no error of ours.
    os.close(sys.stdout.fileno()) if code else sys.stdout.flush()
    raise SystemExit(code)
