"""A small file system to be filled up: for root only."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path

FILLER = "filler"


@contextlib.contextmanager
def small_disk(at: Path, size_mb: int) -> Iterator[Path]:
    """A tmpfs of a few megabytes."""
    at.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "roost-test", str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "-l", str(at)], check=True)


def fill(disk: Path, *, leave_bytes: int = 0) -> None:
    """Take all space but some."""
    # Without a buffer: what stays in one when there is no room is tried again when the file is closed.
    with (disk / FILLER).open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while True:
            file.write(b"\0" * 65536)
    if leave_bytes:
        with (disk / FILLER).open("r+b") as file:
            file.truncate(max(0, file.seek(0, 2) - leave_bytes))


def make_room(disk: Path) -> None:
    """Give back what `fill` took."""
    (disk / FILLER).unlink()
