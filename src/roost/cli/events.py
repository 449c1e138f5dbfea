"""`roost events`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roost.cli import exits
from roost.cli.output import say, write_json_line
from roost.cli.parser import add_shared
from roost.cli.session import backend, data_directory

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from roost.client.backend import Event

NOTES = """\
Every line is one event with its position, from which '--after' goes on. With a name the stream ends with the session;
without one it is that of all agents. A followed stream comes back by itself after a restart of the server.
"""


def configure_events(parser: argparse.ArgumentParser) -> None:
    parser.epilog = NOTES
    add_shared(parser, json=False)
    parser.add_argument("--json", action="store_true", help="nothing changes: events are always JSON, one a line")
    parser.add_argument("name", nargs="?", metavar="NAME", help="one agent (default: all)")
    parser.add_argument("-f", "--follow", action="store_true", help="go on with new events")
    parser.add_argument("--after", metavar="POSITION", default="", help="only events behind this position")
    text = "only these types, such as log,state,complete"
    parser.add_argument("--types", metavar="TYPES", default="", help=text)


def events(options: argparse.Namespace) -> int:
    """Print events, one JSON object a line."""
    types = {name.strip() for name in options.types.split(",") if name.strip()}
    for position, body in _events(options):
        if not types or body["type"] in types:
            write_json_line({"position": position, **body})
    return exits.OK


def _events(options: argparse.Namespace) -> Iterator[Event]:
    if options.name and options.follow:
        from roost.client.backend import connect
        from roost.client.following import follow

        data = data_directory(options)
        with backend(options) as found:
            found.agent(options.name)
        yield from follow(lambda: connect(data), options.name, options.after, lost=_say_lost)
        return
    if options.follow:
        from roost.client.backend import connect
        from roost.client.following import follow_fleet

        data = data_directory(options)
        yield from follow_fleet(lambda: connect(data), options.after, lost=_say_lost)
        return
    with backend(options) as found:
        if options.name:
            yield from found.events(options.name, options.after, follow=False)
        else:
            yield from found.fleet_events(options.after, follow=False)


def _say_lost(message: str) -> None:
    say(f"roost: {message}; going on when it is back")
