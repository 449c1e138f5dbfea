"""`roost screen`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from roost.cli import exits
from roost.cli.output import visible, write_json
from roost.cli.parser import add_shared
from roost.cli.session import backend

if TYPE_CHECKING:
    import argparse


def configure_screen(parser: argparse.ArgumentParser) -> None:
    add_shared(parser)
    parser.add_argument("name", metavar="NAME", help="the agent")


def screen(options: argparse.Namespace) -> int:
    """Print the visible rows."""
    with backend(options) as found:
        shown = found.screen(options.name)
    if options.json:
        write_json(shown)
        return exits.OK
    rows = list(shown["rows_text"])
    while rows and not rows[-1]:
        rows.pop()
    is_terminal = sys.stdout.isatty()
    for row in rows:
        print(visible(row) if is_terminal else row)
    return exits.OK
