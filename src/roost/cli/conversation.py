"""Attaching to a coding agent: its conversation here, with what is typed as prompts and answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roost.cli import exits
from roost.cli.output import say
from roost.cli.prompt import CODES, read_text
from roost.client.conversations import conversations
from roost.client.keys import parse_keys

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from roost.cli.attached import Left
    from roost.cli.feed import Feed
    from roost.client.backend import Backend, Event

    Json = dict[str, Any]

SHOWN_LINES = 200
"""How much of a conversation is shown to somebody who comes to it."""


def give_first_prompt(found: Backend, options: argparse.Namespace, view: Json) -> None:
    """Prompt an agent that was started in the background."""
    if options.prompt:
        conversations(found).prompt(view["name"], {"prompt": read_text(options.prompt)})


def converse(found: Backend, options: argparse.Namespace, view: Json, *, fresh: bool) -> int:
    """Take part in a conversation; `fresh` is one that begins. The exit code."""
    from roost.cli.conversing import Conversing, Way
    from roost.cli.feed import Feed
    from roost.cli.session import data_directory
    from roost.cli.terminal import LocalTerminal
    from roost.client.backend import connect

    name, data = view["name"], data_directory(options)
    read_only = getattr(options, "read_only", False)
    way = Way(name, parse_keys(options.detach_keys), read_only)
    first = read_text(options.prompt) if fresh and options.prompt else ""
    shown, after = ([], f"{view['session_id']}:0") if fresh else _shown(found, view)
    approvals = [] if fresh else conversations(found).approvals(name)
    with Feed(_events(options, name, after)) as feed, LocalTerminal() as terminal:
        one = Conversing(terminal, feed, lambda: conversations(connect(data)), way)
        one.begin(shown, view, approvals)
        if first:
            one.prompt(first)
        left = one.run()
    return _code(left, name, one.last_state)


def _shown(found: Backend, view: Json) -> tuple[list[str], str]:
    """What was said last, and where to go on behind it."""
    from roost.client.backend import LineQuery

    lines = list(found.lines(view["name"], LineQuery(SHOWN_LINES)))
    seq = max(lines[-1]["seq"] if lines else 0, 0)
    return [line["line"] for line in lines], f"{view['session_id']}:{seq}"


def _events(options: argparse.Namespace, name: str, after: str) -> Any:
    from roost.cli.session import data_directory
    from roost.client.backend import connect
    from roost.client.following import follow

    data = data_directory(options)

    def events(feed: Feed) -> Iterator[Event]:
        return follow(
            lambda: connect(data), name, after, lost=lambda why: feed.say(f"roost: {why}; going on when it is back")
        )

    return events


def _code(left: Left, name: str, last_state: str) -> int:
    if left.complete is not None:
        code, signal = left.complete.get("exit_code"), left.complete.get("signal")
        return exits.of_agent(code if isinstance(code, int) else None, signal if isinstance(signal, str) else None)
    if left.detached:
        say(f"roost: left {name}, which lives on; 'roost attach {name}' comes back")
        return CODES.get(last_state, exits.OK)
    return 128 + (left.signal or 0)
