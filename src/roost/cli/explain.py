"""`roost explain`."""

from __future__ import annotations

import time
from datetime import datetime
from typing import TYPE_CHECKING, Any

from roost.cli import exits
from roost.cli.output import duration, paint, visible, write_json
from roost.cli.parser import add_shared
from roost.cli.session import backend

if TYPE_CHECKING:
    import argparse

    Json = dict[str, Any]

NOTES = """\
What an agent is about is known from its own protocol, or from the title and screen of its terminal, which the server
watches.
"""


def configure_explain(parser: argparse.ArgumentParser) -> None:
    parser.epilog = NOTES
    add_shared(parser)
    parser.add_argument("name", metavar="NAME", help="the agent")


def explain(options: argparse.Namespace) -> int:
    """Say what an agent is about, and why that is believed."""
    with backend(options) as found:
        about = found.attention(options.name)
    if options.json:
        write_json(about)
    else:
        _print(about)
    return exits.OK


def _print(about: Json) -> None:
    said = f"{about['kind']} for {about['wants']}" if about["wants"] else about["kind"]
    head = paint(said, "magenta" if about["needs_you"] else "bold")
    when = (
        f", for {duration(time.time() - datetime.fromisoformat(about['since']).timestamp())}" if about["since"] else ""
    )
    print(f"{about['agent_name']}  {head}{when} ({about['state']})")
    if about["summary"]:
        print(f"  {visible(about['summary'])}")
    for reason in about["evidence"]:
        print(f"  because {visible(reason)}")
    print(f"  known from its {about['source']}")
    if about["advice"]:
        print(f"  to do: {about['advice']}")
