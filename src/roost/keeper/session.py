"""One session: what the keeper knows of a run of an agent."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from roost.core import recording
from roost.core.recording import Kind

if TYPE_CHECKING:
    from roost.keeper.cgroup import Cgroup
    from roost.keeper.ending import Ending
    from roost.keeper.inputs import InputQueue
    from roost.keeper.outputs import Output
    from roost.keeper.recorder import Recorder

MAX_SOURCES = 1024
"""Sources of input whose last number is remembered, the ones longest unused forgotten first."""


class Session:
    """A run of an agent's process, from its start until it is forgotten.

    Times with `_ns` alone count from the session's start on the keeper's clock; `started_at_ns` and `ended_at_ns` are
    wall time since the Unix epoch.
    """

    __slots__ = (
        "agent",
        "argv",
        "attached",
        "cgroup",
        "code",
        "cols",
        "core",
        "cwd",
        "end_reason",
        "ended_at_ns",
        "ending",
        "input",
        "last_frame_ns",
        "last_output_ns",
        "leftovers",
        "limits_unmet",
        "origin_ns",
        "outputs",
        "paused",
        "pid",
        "processes",
        "reaped",
        "recorder",
        "request",
        "rows",
        "session_id",
        "sids",
        "signal",
        "sources",
        "start_ticks",
        "started_at_ns",
        "stopped_before",
        "tag",
        "terminal",
        "usage",
    )

    def __init__(self, args: dict[str, Any], recorder: Recorder) -> None:
        self.session_id: str = args["session_id"]
        self.agent: str = args["agent"]
        self.argv: list[str] = args["argv"]
        self.cwd: str = args["cwd"]
        self.terminal: bool = args["terminal"]
        self.cols: int = args["cols"]
        self.rows: int = args["rows"]
        self.leftovers: str = args["leftovers"]
        self.request: bytes = json.dumps(args, separators=(",", ":")).encode()
        self.recorder = recorder
        self.outputs: list[Output] = []
        self.input: InputQueue | None = None
        self.ending: Ending | None = None
        self.cgroup: Cgroup | None = None
        self.sources: dict[str, int] = {}
        self.attached: set[object] = set()
        self.sids: set[int] = set()
        self.stopped_before: set[tuple[int, int]] = set()
        self.limits_unmet: list[str] = []
        self.usage: dict[str, Any] = {}
        self.pid = 0
        self.start_ticks = 0
        self.tag = 0
        self.origin_ns = 0
        self.started_at_ns = 0
        self.ended_at_ns: int | None = None
        self.last_output_ns: int | None = None
        self.last_frame_ns = 0
        self.code: int | None = None
        self.signal: str | None = None
        self.core = False
        self.end_reason = ""
        self.paused = False
        self.reaped = False
        self.processes = 1

    @property
    def ended(self) -> bool:
        """Whether the exit frame has been made."""
        return self.ended_at_ns is not None

    @property
    def state(self) -> str:
        """`running`, `paused`, `stopping` or `exited`."""
        if self.ended:
            return "exited"
        if self.ending is not None:
            return "stopping"
        return "paused" if self.paused else "running"

    @property
    def reason(self) -> str | None:
        """Why it ended: `exited`, `stopped` or `killed`; None while it has not."""
        return (self.end_reason or "exited") if self.ended else None

    def at(self, now_ns: int) -> int:
        """The time in frames for the keeper's time `now_ns`; it never steps back, though `now_ns` may be older."""
        self.last_frame_ns = max(self.last_frame_ns, now_ns - self.origin_ns)
        return self.last_frame_ns

    def append_json(self, kind: Kind, now_ns: int, value: dict[str, Any]) -> None:
        """Record an object."""
        self.recorder.append(recording.encode_json(kind, self.at(now_ns), value))

    def accept(self, source: str, seq: int) -> bool:
        """Whether the input is new: its number is above all that its source gave."""
        known = self.sources.pop(source, -1)
        self.sources[source] = max(known, seq)
        if len(self.sources) > MAX_SOURCES:
            del self.sources[next(iter(self.sources))]
        return seq > known

    def describe(self) -> dict[str, Any]:
        """The session in answers, but for `blocked`, which the keeper knows."""
        return {
            "session_id": self.session_id,
            "agent": self.agent,
            "pid": self.pid,
            "start_ticks": self.start_ticks,
            "state": self.state,
            "terminal": self.terminal,
            "cols": self.cols,
            "rows": self.rows,
            "cwd": self.cwd,
            "argv": self.argv,
            "started_at_ns": self.started_at_ns,
            "offset": self.recorder.offset,
            "ended_at_ns": self.ended_at_ns,
            "code": self.code,
            "signal": self.signal,
            "reason": self.reason,
            "processes": self.processes,
            "last_output_ns": self._wall(self.last_output_ns),
            "limits_unmet": self.limits_unmet,
        }

    def _wall(self, since_start_ns: int | None) -> int | None:
        return None if since_start_ns is None else self.started_at_ns + since_start_ns
