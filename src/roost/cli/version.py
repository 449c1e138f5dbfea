"""`roost version`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roost import __version__
from roost.cli import exits
from roost.cli.output import write_json

if TYPE_CHECKING:
    import argparse


def configure_version(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print one JSON document")


def version(options: argparse.Namespace) -> int:
    """Print the version."""
    if options.json:
        import platform

        write_json({"roost": __version__, "python": platform.python_version(), "system": platform.platform()})
    else:
        print(f"roost {__version__}")
    return exits.OK
