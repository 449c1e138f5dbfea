"""Clean lines out of events: by time, stream and text, as objects or as plain text.

Of a program they are what it printed; of a coding agent that is spoken to in its own protocol, the transcript.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from functools import lru_cache
from typing import NamedTuple

from roost.core.forms import ALL, StreamForm
from roost.core.readable import readable
from roost.core.ring import Entry
from roost.core.wire import event_data, timestamp
from roost.errors import InvalidRequest
from roost.model.agents import STRUCTURED, Session
from roost.model.blocks import Block
from roost.model.events import AnyEvent, Log, event_type
from roost.model.views import LogLine


class LineFilter(NamedTuple):
    """Which lines are wanted; None lets everything pass. Times are nanoseconds since the Unix epoch."""

    since_ns: int | None = None
    until_ns: int | None = None
    stream: str | None = None
    grep: str | None = None
    transcript: bool = False
    """Whether all events are told as lines, and not only what was printed."""

    def lines(self, event: AnyEvent) -> list[str]:
        """The wanted lines of an event."""
        if type(event) is Log:
            return [event.line] if self._in_time(event) and self._wants(event.line, event.stream) else []
        if not self.transcript or not self._in_time(event):
            return []
        return [line for line in told(event) if self._wants(line, "stdout")]

    def _in_time(self, event: AnyEvent) -> bool:
        return (self.since_ns is None or event.time_ns >= self.since_ns) and (
            self.until_ns is None or event.time_ns < self.until_ns
        )

    def _wants(self, line: str, stream: str) -> bool:
        return self.stream in (None, stream) and (self.grep is None or self.grep in line)


def is_transcript(session: Session) -> bool:
    """Whether a session's lines are its transcript."""
    return session.definition.driver in STRUCTURED


def told(event: AnyEvent) -> list[str]:
    """An event of a coding agent as lines."""
    return readable(event_type(event), event_data(event))


def lines_of(block: Block, after_seq: int, wanted: LineFilter) -> Iterator[LogLine]:
    """The wanted lines of a block after `after_seq`."""
    for event in block.events:
        if event.seq > after_seq:
            yield from _as_lines(event, wanted)


def _as_lines(event: AnyEvent, wanted: LineFilter) -> Iterator[LogLine]:
    stream, number = (event.stream, event.line_num) if type(event) is Log else ("stdout", 1)
    for index, line in enumerate(wanted.lines(event)):
        yield LogLine(event.seq, timestamp(event.time_ns), stream, number + index, line)


class LinesForm(StreamForm):
    """Lines as plain text, for readers of the hub. Made by `lines_form`, so that equal ones are the same."""

    __slots__ = ("_wanted",)

    def __init__(self, wanted: LineFilter) -> None:
        super().__init__(ALL, None, False, False)
        self._wanted = wanted

    def frames(self, entry: Entry, start: int) -> Iterator[tuple[int, bytes]]:
        """The wanted lines of an entry from index `start` on, each event's with its index."""
        events = entry.block.events
        for index in range(start, len(events)):
            if lines := self._wanted.lines(events[index]):
                yield index, ("\n".join(lines) + "\n").encode("utf-8", "replace")


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
