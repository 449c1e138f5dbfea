"""`roost ps`."""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from roost.cli import exits
from roost.cli.output import duration, write_json, write_table
from roost.cli.parser import add_shared
from roost.cli.session import backend
from roost.client.backend import ENDED
from roost.errors import InvalidRequest

if TYPE_CHECKING:
    import argparse

    from roost.client.backend import Backend

    Json = dict[str, Any]

PLACES = {"waiting": 0, "failed": 10, "lost": 10, "idle": 12, "paused": 14, "exited": 15}
"""Where agents of a state stand among others, the most urgent first, if the server does not say; most run (13)."""
COLOURS = {
    "waiting": "magenta",
    "failed": "red",
    "lost": "red",
    "paused": "yellow",
    "stopping": "yellow",
    "running": "green",
    "idle": "cyan",
    "exited": "dim",
}
HEADS = ("NAME", "STATE", "AGE", "LAST-OUTPUT", "EXIT", "COMMAND")
ABOUT_WIDTH = 60
FILTERS = ("name", "state", "attention", "label", "driver", "node")


def configure_ps(parser: argparse.ArgumentParser) -> None:
    add_shared(parser)
    parser.add_argument("-a", "--all", action="store_true", help="also agents that ended well")
    parser.add_argument("-q", "--quiet", action="store_true", help="names only")
    parser.add_argument("--watch", action="store_true", help="show again and again, until Ctrl-C")
    parser.add_argument("--interval", metavar="S", type=float, default=1.0, help="seconds between (default: 1)")
    text = (
        "only agents with WHAT=VALUE, WHAT one of name (with * and ?), state, attention (a kind, or needed), "
        "label (K=V), driver, node"
    )
    parser.add_argument("--filter", metavar="WHAT=VALUE", action="append", default=[], help=text)


def ps(options: argparse.Namespace) -> int:
    """List agents."""
    with backend(options) as found:
        if not options.watch:
            show(chosen(found, options), options)
            return exits.OK
    while True:
        with backend(options) as found:
            views = chosen(found, options)
        if sys.stdout.isatty():
            sys.stdout.write("\x1b[H\x1b[2J")
        show(views, options)
        sys.stdout.flush()
        time.sleep(max(0.1, options.interval))


def chosen(found: Backend, options: argparse.Namespace) -> list[Json]:
    """The agents that are wanted, those that need somebody first."""
    wanted = [_filter(item) for item in options.filter]
    states = any(what == "state" for what, _ in wanted)
    views = [view for view in found.agents() if all(_has(view, what, value) for what, value in wanted)]
    shown = [view for view in views if options.all or states or view["state"] != "exited"]
    return sorted(shown, key=urgency)


def urgency(view: Json) -> tuple[int, str, str]:
    """Sorts agents: those that need somebody, those that could be asked, those that work, those that are done."""
    place = view.get("urgency")
    if place is None:
        place = PLACES.get(view["state"], 13)
    return place, view["name"], view["session_id"]


def show(views: list[Json], options: argparse.Namespace) -> None:
    """Print the agents in the form that is wanted."""
    if options.json:
        write_json({"agents": views, "total": len(views)})
    elif options.quiet:
        print("\n".join(view["name"] for view in views), end="\n" if views else "")
    else:
        now = time.time()
        colours = [("bold", COLOURS.get(view["state"], "")) for view in views]
        abouts = [_about(view) for view in views]
        rows = [_row(view, now) for view in views]
        if any(abouts):
            wide = [(*row[:-1], about, row[-1]) for row, about in zip(rows, abouts, strict=True)]
            write_table((*HEADS[:-1], "ABOUT", HEADS[-1]), wide, colours=colours)
        else:
            write_table(HEADS, rows, colours=colours)


def _about(view: Json) -> str:
    """What an agent that lives needs somebody for, or else what it does."""
    about = "" if view["state"] in ENDED else view.get("attention") or view.get("doing") or ""
    return about if len(about) <= ABOUT_WIDTH else f"{about[: ABOUT_WIDTH - 1]}…"


def _row(view: Json, now: float) -> tuple[str, ...]:
    return (
        view["name"],
        view["state"],
        duration(float(view.get("uptime_s") or 0)),
        _ago(view.get("last_output_at"), now),
        _exit(view),
        _command(view),
    )


def _ago(moment: str | None, now: float) -> str:
    if not moment:
        return "-"
    return duration(now - datetime.fromisoformat(moment).astimezone(UTC).timestamp()) + " ago"


def _exit(view: Json) -> str:
    if view.get("signal"):
        return str(view["signal"])
    return "-" if view.get("exit_code") is None else str(view["exit_code"])


def _command(view: Json) -> str:
    import shlex

    return shlex.join(view["command"])


def _filter(item: str) -> tuple[str, str]:
    what, equals, value = item.partition("=")
    if not equals or what not in FILTERS:
        raise InvalidRequest(f"{item!r} is no filter", hint=f"give WHAT=VALUE, WHAT one of {', '.join(FILTERS)}")
    return what, value


def _has(view: Json, what: str, value: str) -> bool:
    if what == "label":
        key, equals, wanted = value.partition("=")
        labels = view.get("labels") or {}
        return key in labels and (not equals or labels[key] == wanted)
    if what == "name":
        from fnmatch import fnmatchcase

        return fnmatchcase(view["name"], value)
    if what == "attention":
        return view.get("attention") is not None if value == "needed" else view.get("attention_kind") == value
    return bool(view.get(what) == value)
