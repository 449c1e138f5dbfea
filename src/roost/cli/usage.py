"""`roost usage`."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from roost.cli import exits
from roost.cli.moments import moment
from roost.cli.output import write_json, write_table
from roost.cli.parser import add_shared
from roost.cli.session import data_directory
from roost.errors import ServerUnavailable

if TYPE_CHECKING:
    import argparse

    Json = dict[str, Any]

KEYS = ("day", "agent", "session", "model", "turn")
SUMS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens")
HEADS = ("INPUT", "OUTPUT", "CACHE-READ", "CACHE-WRITE", "COST")
NOTES = (
    "What agents report themselves counts; for the others a list of prices is used, which the file prices.toml in the\n"
    "data directory adds to. A + behind a cost says that some tokens have no known price, a ? that none has.\n"
)


def configure_usage(parser: argparse.ArgumentParser) -> None:
    parser.epilog = NOTES
    add_shared(parser)
    parser.add_argument("agent", nargs="?", metavar="NAME", help="only this agent's")
    text = f"sum by these, of {', '.join(KEYS)}; several with commas (default: day,agent,model)"
    parser.add_argument("--by", metavar="KEYS", default="day,agent,model", help=text)
    parser.add_argument("--since", metavar="WHEN", help="from then on: a span such as 24h, a time, or a date")
    parser.add_argument("--until", metavar="WHEN", help="up to then")
    parser.add_argument("--model", metavar="MODEL", help="only this model's")


def usage(options: argparse.Namespace) -> int:
    """Print what agents spent."""
    from roost.client.discovery import find_server
    from roost.client.http import call

    address = find_server(data_directory(options), os.environ)
    if address is None:
        raise ServerUnavailable("no server runs, and only it can sum what was spent", hint="start it with: roost up")
    found: Json = call(address, "GET", f"/api/usage?{urlencode(_query(options))}")
    if options.json:
        write_json(found)
        return exits.OK
    keys = _keys(options)
    heads = (*[key.upper() for key in keys], *HEADS)
    rows = [[*[str(one.get(key) or "-") for key in keys], *_sums(one)] for one in found["usage"]]
    if keys:
        rows.append(["total", *[""] * (len(keys) - 1), *_sums(found["total"])])
    write_table(heads, rows)
    return exits.OK


def _query(options: argparse.Namespace) -> list[tuple[str, str]]:
    now = datetime.now(UTC)
    query = [("by", key) for key in _keys(options)]
    query += [(name, getattr(options, name)) for name in ("agent", "model") if getattr(options, name)]
    return query + [(name, moment(text, now)) for name in ("since", "until") if (text := getattr(options, name))]


def _keys(options: argparse.Namespace) -> list[str]:
    return [key.strip() for key in options.by.split(",") if key.strip()]


def _sums(one: Json) -> list[str]:
    return [*[f"{one[name]:,}" for name in SUMS], _cost(one)]


def _cost(one: Json) -> str:
    if one["cost_usd"] is None:
        return "?" if one["unpriced_tokens"] else "-"
    return f"${one['cost_usd']:.4f}{'+' if one['unpriced_tokens'] else ''}"
