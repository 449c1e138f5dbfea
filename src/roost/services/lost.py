"""Why a session has no end in its recording although nobody holds it."""

from __future__ import annotations

import os
from pathlib import Path

from roost.core.recording import Frame, Kind, Reader, decode_json
from roost.services.ending import Ending, ending_of

HEAD_BYTES = 262_144
TAIL_BYTES = 262_144


def current_boot_id() -> str:
    """What the kernel calls this boot; empty where it does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return ""


def why_lost(recording: Path, boot_id: str) -> str:
    """`host restarted` where the recording began in another boot than `boot_id`, else `keeper ended`."""
    recorded = recorded_boot_id(recording)
    return "host restarted" if recorded and boot_id and recorded != boot_id else "keeper ended"


def recorded_boot_id(recording: Path) -> str:
    """The boot in which a recording began; empty when its header cannot be read."""
    try:
        with recording.open("rb") as file:
            head = file.read(HEAD_BYTES)
    except OSError:
        return ""
    for item in Reader().feed(head):
        if isinstance(item, Frame) and item.kind == Kind.HEADER:
            return str(decode_json(item.payload).get("boot_id", ""))
    return ""


def recorded_ending(recording: Path) -> Ending | None:
    """How the session ended, if an exit frame stands near the end of its recording."""
    try:
        with recording.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL_BYTES))
            tail = file.read()
            written_ns = os.fstat(file.fileno()).st_mtime_ns
    except OSError:
        return None
    frames = [found for found in Reader().feed(tail) if isinstance(found, Frame)]
    exits = [frame for frame in frames if frame.kind == Kind.EXIT]
    return ending_of(decode_json(exits[-1].payload), written_ns) if exits else None
