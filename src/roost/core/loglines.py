"""Clean lines out of events: by time, stream and text, as objects or as plain text."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from roost.core.forms import ALL, StreamForm
from roost.core.ring import Entry
from roost.core.wire import timestamp
from roost.errors import InvalidRequest
from roost.model.blocks import Block
from roost.model.events import Log
from roost.model.views import LogLine


class LineFilter(NamedTuple):
    """Which lines are wanted; None lets everything pass. Times are nanoseconds since the Unix epoch."""

    since_ns: int | None = None
    until_ns: int | None = None
    stream: str | None = None
    grep: str | None = None

    def wants(self, event: Log) -> bool:
        """Whether the line is wanted."""
        return (
            (self.since_ns is None or event.time_ns >= self.since_ns)
            and (self.until_ns is None or event.time_ns < self.until_ns)
            and self.stream in (None, event.stream)
            and (self.grep is None or self.grep in event.line)
        )


def lines_of(block: Block, after_seq: int, wanted: LineFilter) -> Iterator[LogLine]:
    """The wanted lines of a block after `after_seq`."""
    for event in block.events:
        if event.seq > after_seq and type(event) is Log and wanted.wants(event):
            yield LogLine(event.seq, timestamp(event.time_ns), event.stream, event.line_num, event.line)


class LinesForm(StreamForm):
    """Lines as plain text, for readers of the hub. Made by `lines_form`, so that equal ones are the same."""

    __slots__ = ("_wanted",)

    def __init__(self, wanted: LineFilter) -> None:
        super().__init__(ALL, None, False, False)
        self._wanted = wanted

    def frames(self, entry: Entry, start: int) -> Iterator[tuple[int, bytes]]:
        """The wanted lines of an entry from index `start` on, each with its index."""
        events = entry.block.events
        for index in range(start, len(events)):
            event = events[index]
            if type(event) is Log and self._wanted.wants(event):
                yield index, event.line.encode() + b"\n"


@lru_cache(256)
def lines_form(wanted: LineFilter) -> LinesForm:
    """The form of the lines that a client asks for."""
    return LinesForm(wanted)


def parse_time(text: str | None, field: str) -> int | None:
    """A time as RFC 3339 has it, in nanoseconds since the Unix epoch; one without an offset is in UTC.

    Raises:
        InvalidRequest: it is none.
    """
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
        moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        since_epoch = moment - datetime(1970, 1, 1, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise InvalidRequest(
            f"{field}: {text[:64]!r} is not a time", hint="write it like 2026-11-21T06:15:00Z", field=field
        ) from None
    return (since_epoch.days * 86_400 + since_epoch.seconds) * 1_000_000_000 + since_epoch.microseconds * 1000
