"""`roost reproject`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from roost.cli import exits
from roost.cli.output import say, size, write_json
from roost.cli.parser import add_shared
from roost.cli.session import data_directory
from roost.errors import Conflict

if TYPE_CHECKING:
    import argparse

    from roost.projection.rebuild import Report

NOTES = """\
Recordings are the truth; everything else is made from them. Positions that clients hold become void. The server must
not run meanwhile; agents may.
"""


def configure_reproject(parser: argparse.ArgumentParser) -> None:
    parser.epilog = NOTES
    add_shared(parser)
    parser.add_argument("sessions", nargs="*", metavar="SESSION", help="only these sessions (default: all)")


def reproject(options: argparse.Namespace) -> int:
    """Make database and text logs again."""
    from msgspec import to_builtins

    from roost import config
    from roost.projection import rebuild

    data = data_directory(options)
    _refuse_beside_a_server(options)
    settings, _ = config.load(os.environ, {"data": str(data.root)})
    report = rebuild.reproject(
        data,
        options.sessions or None,
        url=settings.db,
        rotate_bytes=settings.logs.rotate_bytes,
        progress=_show_progress if sys.stderr.isatty() and not options.json else lambda _: None,
    )
    if options.json:
        write_json(to_builtins(report))
    else:
        _tell(report)
    return exits.FAILED if report.unreadable else exits.OK


def _refuse_beside_a_server(options: argparse.Namespace) -> None:
    from roost.client.discovery import find_server

    address = find_server(data_directory(options), {})
    if address is not None:
        raise Conflict(f"a server runs on this data directory (pid {address.pid})", hint="stop it first: 'roost down'")


def _show_progress(report: Report) -> None:
    sys.stderr.write(f"\r{report.sessions} sessions, {report.lines} lines, {size(report.bytes)}\x1b[K")
    sys.stderr.flush()


def _tell(report: Report) -> None:
    if sys.stderr.isatty():
        sys.stderr.write("\r\x1b[K")
    rate = report.lines / report.seconds if report.seconds else 0.0
    what = f"{report.sessions} sessions, {report.events} events, {report.lines} lines, {size(report.bytes)}"
    say(f"roost: made again in {report.seconds:.1f} s: {what} ({rate:.0f} lines/s)")
    for session, reason in report.unreadable.items():
        say(f"roost: {session} could not be read: {reason}")
