"""Agents that go in circles: the same call with the same result, or the same error line, again and again.

A burst is no loop: repeats of a line have to be spread over a while.
"""

from __future__ import annotations

import re
import zlib
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from roost.model.events import AnyEvent, Log, ToolCall, ToolResult, Turn

LINES_A_BLOCK = 20
"""Of a flood only the newest lines are looked at: a loop comes by again."""

SPREAD_NS = 20_000_000_000
WINDOW_NS = 600_000_000_000
MAX_DIFFERENT = 200
MAX_LINE = 500

_TROUBLE = ("error", "exception", "fatal", "fail", "refused", "denied", "timed out", "panic")
_NO_TROUBLE = re.compile(r"\b(?:0|no|zero|without) (?:\w+ )?(?:error|fail|exception)|(?:error|fail)\w*\s*[=:]\s*0\b")
_VARIES = re.compile(r"0x[0-9a-f]+|\d+")


class Loop(NamedTuple):
    """What comes again and again, how often, and since when."""

    what: str
    times: int
    since_ns: int


class _Seen(NamedTuple):
    times: int
    first_ns: int
    last_ns: int
    shown: str


class LoopWatch:
    """What one session repeats.

    Args:
        calls: how often the same tool call with the same result makes a loop.
        lines: how often the same error line does.
    """

    def __init__(self, calls: int, lines: int) -> None:
        self._calls = calls
        self._lines = lines
        self._open: dict[str, tuple[int, str]] = {}
        self._done: deque[tuple[int, str, int]] = deque(maxlen=2 * calls)
        self._errors: dict[str, _Seen] = {}

    def take(self, events: Sequence[AnyEvent]) -> bool:
        """What happened next; whether any of it may close a loop, or end one."""
        stirred = False
        for event in [event for event in events if type(event) is not Log]:
            if isinstance(event, ToolCall):
                self._take_call(event)
            elif isinstance(event, ToolResult):
                self._take_result(event)
                stirred = True
            elif isinstance(event, Turn) and event.state == "started":
                self._done.clear()
                self._open.clear()
        lines = [event for event in events[-LINES_A_BLOCK:] if type(event) is Log]
        # Nearly all lines tell of no trouble, which is seen of all of a block at once.
        if lines and _tells_of_trouble("\n".join([line.line[:MAX_LINE] for line in lines]).lower()):
            for line in lines:
                stirred |= self._take_line(line)
        return stirred

    def found(self, now_ns: int) -> Loop | None:
        """The loop that it is in at `now_ns`."""
        return self._call_loop() or self._line_loop(now_ns)

    def _take_call(self, event: ToolCall) -> None:
        if len(self._open) >= MAX_DIFFERENT:
            self._open.clear()
        key = _checksum([event.tool, event.input, event.parent_tool_use_id])
        self._open[event.tool_use_id] = (key, event.title or event.tool)

    def _take_result(self, event: ToolResult) -> None:
        key, title = self._open.pop(event.tool_use_id, (0, ""))
        if key:
            self._done.append((_checksum([key, event.content, event.is_error]), title, event.time_ns))

    def _call_loop(self) -> Loop | None:
        if not self._done:
            return None
        key, title, _ = self._done[-1]
        times = [time_ns for other, _, time_ns in self._done if other == key]
        if len(times) < self._calls:
            return None
        return Loop(f"the same call with the same result: {title}", len(times), times[0])

    def _take_line(self, event: Log) -> bool:
        text = event.line[:MAX_LINE].strip()
        lowered = text.lower()
        if not _tells_of_trouble(lowered) or _NO_TROUBLE.search(lowered):
            return False
        key = _VARIES.sub("#", text)
        seen = self._errors.pop(key, None)
        if seen is None or event.time_ns - seen.last_ns > WINDOW_NS:
            seen = _Seen(0, event.time_ns, event.time_ns, text[:200])
        self._errors[key] = seen._replace(times=seen.times + 1, last_ns=event.time_ns)
        if len(self._errors) > MAX_DIFFERENT:
            del self._errors[next(iter(self._errors))]
        return True

    def _line_loop(self, now_ns: int) -> Loop | None:
        for seen in reversed(self._errors.values()):
            recent = now_ns - seen.last_ns <= SPREAD_NS * 3
            if recent and seen.times >= self._lines and seen.last_ns - seen.first_ns >= SPREAD_NS:
                return Loop(f"the same error line: {seen.shown}", seen.times, seen.first_ns)
        return None


def _tells_of_trouble(lowered: str) -> bool:
    for word in _TROUBLE:
        if word in lowered:
            return True
    return False


def _checksum(value: object) -> int:
    """Not 0, so that 0 can mean none."""
    return zlib.crc32(msgspec.json.encode(value)) + 1
