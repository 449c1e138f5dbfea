"""`roost token`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from roost.cli import exits
from roost.cli.output import write_json
from roost.cli.parser import add_shared
from roost.cli.session import data_directory
from roost.client.discovery import read_token
from roost.errors import NotFound, Unauthorized

if TYPE_CHECKING:
    import argparse


def configure_token(parser: argparse.ArgumentParser) -> None:
    add_shared(parser)


def token(options: argparse.Namespace) -> int:
    """Print the token that `Authorization: Bearer` takes."""
    data = data_directory(options)
    found = os.environ.get("ROOST_TOKEN") or read_token(data)
    if not found and data.token.exists():
        raise Unauthorized(f"the token file {data.token} cannot be read", hint="run as the user who started the server")
    if not found:
        raise NotFound(f"there is no token in {data.root} yet", hint="'roost up' makes one")
    if options.json:
        write_json({"token": found})
    else:
        print(found)
    return exits.OK
