"""`roost send`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from roost.cli import exits
from roost.cli.output import write_json
from roost.cli.parser import add_shared
from roost.cli.session import backend
from roost.errors import InvalidRequest

if TYPE_CHECKING:
    import argparse

NOTES = """\
TEXT is typed as it is, without Enter. With --enter it is pasted as a terminal pastes (marked as a paste where the
program asked for that, so that line breaks in it do not submit it), and then Enter is pressed.
"""


def configure_send(parser: argparse.ArgumentParser) -> None:
    parser.epilog = NOTES
    add_shared(parser)
    add = parser.add_argument
    add("name", metavar="NAME", help="the agent")
    add("text", nargs="?", metavar="TEXT", help="what to type; '-' reads it from standard input")
    add("-k", "--key", action="append", default=[], metavar="KEY", help="a key: C-c, M-x, Up, Enter, F5, a; several")
    add("-F", "--file", metavar="FILE", help="type what the file holds")
    add("-e", "--enter", action="store_true", help="paste, then press Enter")
    add("--eof", action="store_true", help="then end the agent's input: close its pipe, or type the terminal's C-d")


def send(options: argparse.Namespace) -> int:
    """Type into an agent."""
    given = [item for item in (options.text, options.file, options.key or None) if item is not None]
    if len(given) > 1:
        raise InvalidRequest("give one of TEXT, --file and --key")
    if not given and not options.enter and not options.eof:
        raise InvalidRequest("there is nothing to type", hint="give TEXT, --file FILE, --key KEY, --enter or --eof")
    with backend(options) as found:
        if options.key:
            found.send_keys(options.name, options.key + (["Enter"] if options.enter else []))
        elif given or options.enter:
            found.send_text(options.name, _text(options), enter=options.enter)
        if options.eof:
            found.end_input(options.name)
    if options.json:
        write_json({"name": options.name, "accepted": True})
    return exits.OK


def _text(options: argparse.Namespace) -> bytes:
    if options.file:
        return _read(options.file)
    if options.text == "-":
        return sys.stdin.buffer.read()
    return (options.text or "").encode("utf-8", "surrogateescape")


def _read(path: str) -> bytes:
    from pathlib import Path

    try:
        return Path(path).read_bytes()
    except OSError as exc:
        raise InvalidRequest(f"the file {path} cannot be read: {exc.strerror}") from exc
