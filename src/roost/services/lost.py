"""Why a session has no end in its recording although nobody holds it."""

from __future__ import annotations

from pathlib import Path

from roost.core.recording import Frame, Kind, Reader, decode_json

HEAD_BYTES = 262_144


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
