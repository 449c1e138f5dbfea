"""`roost open`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from roost.cli import exits
from roost.cli.output import say, write_json
from roost.cli.parser import add_shared
from roost.cli.session import data_directory
from roost.client.discovery import Address, find_server
from roost.errors import ServerUnavailable

if TYPE_CHECKING:
    import argparse


def configure_open(parser: argparse.ArgumentParser) -> None:
    add_shared(parser)
    parser.add_argument("--print", action="store_true", help="print the address instead of opening a browser")


def open(options: argparse.Namespace) -> int:
    """Open the page in a browser, logged in by a ticket that works once; print the address where there is none."""
    from roost.client.http import call

    address = server_of(options)
    ticket = call(address, "POST", "/api/tickets")
    url = f"{address.url}/login?ticket={ticket['ticket']}"
    opened = not (options.print or options.json) and _open_browser(url)
    if options.json:
        write_json({"url": url, "expires_in_s": ticket["expires_in_s"]})
    elif opened:
        say(f"roost: opened {address.url} in a browser")
    else:
        print(url)
        say(f"roost: this address works once, within {ticket['expires_in_s']} s")
    return exits.OK


def server_of(options: argparse.Namespace) -> Address:
    """The server that is meant.

    Raises:
        ServerUnavailable: none runs.
    """
    address = find_server(data_directory(options), os.environ)
    if address is None:
        raise ServerUnavailable("no server runs for this data directory", hint="'roost up' starts one")
    return address


def _open_browser(url: str) -> bool:
    """Whether a browser that a person can see was told to open it."""
    has_display = sys.platform == "darwin" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not has_display and not os.environ.get("BROWSER"):
        return False
    import webbrowser

    try:
        return webbrowser.open(url)
    except (webbrowser.Error, OSError):
        return False
