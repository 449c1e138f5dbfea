"""Recordings for tests, made frame by frame as the keeper would."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Self

from roost.core.recording import (
    Input,
    Kind,
    encode_clock,
    encode_frame,
    encode_input,
    encode_json,
    encode_resize,
)

STARTED_NS = 1_795_240_000_000_000_000
MS = 1_000_000


class Tape:
    """Frames in order; `at` moves the time of the next ones, in milliseconds since the session began."""

    def __init__(self, agent: str = "demo", **header: Any) -> None:
        self.data = b""
        self.time_ns = 0
        fields = {
            "format": "roost-recording",
            "version": 1,
            "agent": agent,
            "argv": ["bash", "-c", "true"],
            "cwd": "/",
            "env_names": ["PATH"],
            "terminal": True,
            "cols": 80,
            "rows": 24,
            "started_at_ns": STARTED_NS,
            "host": "box",
            "definition": {"command": ["bash"], "labels": {"team": "a"}},
        }
        self._json(Kind.HEADER, fields | header)

    def at(self, ms: int) -> Self:
        self.time_ns = ms * MS
        return self

    def started(self, pid: int = 4711) -> Self:
        return self.mark("started", pid=pid, start_ticks=1)

    def out(self, data: bytes) -> Self:
        return self.frame(Kind.OUT, data)

    def err(self, data: bytes) -> Self:
        return self.frame(Kind.ERR, data)

    def lines(self, first: int, last: int) -> Self:
        """Numbered lines in one frame."""
        return self.out(b"".join(b"line %d\r\n" % number for number in range(first, last + 1)))

    def mark(self, type_: str, **fields: Any) -> Self:
        return self._json(Kind.MARK, {"type": type_, **fields})

    def signal(self, name: str) -> Self:
        return self._json(Kind.SIGNAL, {"signal": name, "scope": "tree", "by": "cli"})

    def resize(self, cols: int, rows: int) -> Self:
        self.data += encode_resize(self.time_ns, cols, rows)
        return self

    def input(self, data: bytes) -> Self:
        self.data += encode_input(self.time_ns, Input("cli", 1, data))
        return self

    def clock(self, wall_ns: int) -> Self:
        self.data += encode_clock(self.time_ns, wall_ns)
        return self

    def exit(self, code: int | None = 0, signal: str | None = None, reason: str = "exited") -> Self:
        return self._json(Kind.EXIT, {"code": code, "signal": signal, "core": False, "reason": reason, "usage": {}})

    def frame(self, kind: int, payload: bytes) -> Self:
        self.data += encode_frame(kind, self.time_ns, payload)
        return self

    def raw(self, data: bytes) -> Self:
        """Bytes that need be no frame."""
        self.data += data
        return self

    def write(self, path: Path) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(self.data)
        return path

    def _json(self, kind: int, value: dict[str, Any]) -> Self:
        self.data += encode_json(kind, self.time_ns, value)
        return self
