"""`roost logs`."""

from __future__ import annotations

import argparse
import re
import sys
from typing import TYPE_CHECKING, Any, NamedTuple

from roost.cli import exits
from roost.cli.output import paint, say, visible, write_json, write_json_line
from roost.cli.parser import add_shared
from roost.cli.session import backend, data_directory
from roost.client.backend import STRUCTURED, LineQuery
from roost.client.lines import told_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from roost.client.backend import Backend

    Json = dict[str, Any]

COLOURS = ("cyan", "green", "yellow", "magenta", "blue")


def configure_logs(parser: argparse.ArgumentParser) -> None:
    add_shared(parser)
    add = parser.add_argument
    add("names", nargs="+", metavar="NAME", help="agents; a prefix tells their lines apart where there are several")
    add("-f", "--follow", action="store_true", help="go on with new lines until the agent ends, over server restarts")
    add("-n", "--tail", metavar="N", type=_count, help="only the newest N lines of what is there")
    add("--since", metavar="TIME", default="", help="lines from then on: a span ago (10m), a time (14:30) or a date")
    add("--until", metavar="TIME", default="", help="lines before then")
    add("--grep", metavar="REGEX", type=_pattern, help="lines in which this regular expression is found")
    add("-t", "--timestamps", action="store_true", help="show when each line came")
    add("--stream", choices=("stdout", "stderr"), default="", help="one stream, for agents on pipes")


def logs(options: argparse.Namespace) -> int:
    """Print what is there, one agent after the other; then follow them side by side."""
    query = _query(options)
    printer = Printer(options)
    with backend(options) as found:
        places = [_print_history(found, name, query, printer) for name in options.names]
    if options.follow:
        for name, line in _followed(places, query, options):
            printer.take(name, line)
    printer.finish()
    return exits.OK


class Printer:
    """Prints lines in the form that is wanted."""

    def __init__(self, options: argparse.Namespace) -> None:
        self._options = options
        self._width = max(map(len, options.names)) if len(options.names) > 1 else 0
        self._collected: list[Json] = []

    def take(self, name: str, line: Json) -> None:
        """One line of an agent, if it is wanted."""
        options = self._options
        if options.grep and not options.grep.search(line["line"]):
            return
        if not options.json:
            print(self._prefix(name, line) + _shown(line["line"]), flush=options.follow)
        elif options.follow:
            write_json_line({"agent_name": name, **line})
        else:
            self._collected.append({"agent_name": name, **line})

    def finish(self) -> None:
        """All lines have come."""
        if self._options.json and not self._options.follow:
            write_json({"lines": self._collected})

    def _prefix(self, name: str, line: Json) -> str:
        colour = COLOURS[self._options.names.index(name) % len(COLOURS)]
        whose = paint(f"{name.ljust(self._width)} | ", colour) if self._width else ""
        return whose + (paint(line["timestamp"], "dim") + " " if self._options.timestamps else "")


def _shown(line: str) -> str:
    """A line for a terminal without what could act on it; for a file or a pipe as it is."""
    return visible(line) if sys.stdout.isatty() else line


def _query(options: argparse.Namespace) -> LineQuery:
    if not (options.since or options.until):
        return LineQuery(options.tail, stream=options.stream)
    from datetime import UTC, datetime

    from roost.cli.moments import moment

    now = datetime.now(UTC)
    since, until = (moment(text, now) if text else "" for text in (options.since, options.until))
    return LineQuery(options.tail, since, until, options.stream)


class _Place(NamedTuple):
    """Where following goes on, and whether what comes is a transcript."""

    name: str
    after: str
    transcript: bool


def _print_history(found: Backend, name: str, query: LineQuery, printer: Printer) -> _Place:
    """Print what is there; says where following goes on."""
    view = found.agent(name)
    # The newest line is read even where none is wanted, because following begins behind it.
    wanted = query if query.tail != 0 else query._replace(tail=1)
    seq = 0
    for line in found.lines(name, wanted):
        seq = line["seq"]
        if query.tail != 0:
            printer.take(name, line)
    return _Place(name, f"{view['session_id']}:{seq}", view["driver"] in STRUCTURED)


def _followed(places: list[_Place], query: LineQuery, options: argparse.Namespace) -> Iterator[tuple[str, Json]]:
    streams = [_follow(place, query, options) for place in places]
    return streams[0] if len(streams) == 1 else _merged(streams)


def _follow(place: _Place, query: LineQuery, options: argparse.Namespace) -> Iterator[tuple[str, Json]]:
    from roost.client.backend import connect
    from roost.client.following import follow

    data = data_directory(options)
    for _, body in follow(lambda: connect(data), place.name, place.after, lost=_say_lost):
        for line in told_lines(body, query, transcript=place.transcript):
            yield place.name, line


def _say_lost(message: str) -> None:
    say(f"roost: {message}; going on when it is back")


def _merged(streams: list[Iterator[tuple[str, Json]]]) -> Iterator[tuple[str, Json]]:
    """What comes from several streams, as it comes."""
    from queue import SimpleQueue
    from threading import Thread

    queue: SimpleQueue[tuple[str, Json] | BaseException | None] = SimpleQueue()
    for stream in streams:
        Thread(target=_pump, args=(stream, queue), daemon=True).start()
    open_streams = len(streams)
    while open_streams:
        item = queue.get()
        if isinstance(item, BaseException):
            raise item
        if item is None:
            open_streams -= 1
        else:
            yield item


def _pump(stream: Iterable[tuple[str, Json]], queue: Any) -> None:
    from roost.errors import RoostError

    try:
        for item in stream:
            queue.put(item)
        queue.put(None)
    except RoostError as error:
        queue.put(error)


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines")
    return int(text)


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as exc:
        raise argparse.ArgumentTypeError(f"{text!r} is no regular expression: {exc}") from exc
