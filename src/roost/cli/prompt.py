"""`roost prompt`, `roost interrupt` and `roost turns`: conversations with coding agents."""

from __future__ import annotations

import argparse
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from roost.cli import exits
from roost.cli.answering import choices_in_lines
from roost.cli.output import duration, say, visible, write_json, write_json_line, write_table
from roost.cli.parser import add_shared
from roost.cli.session import backend, data_directory
from roost.client.conversations import ENDS, Conversations, conversations
from roost.core.readable import asked, money, one_line, readable, took
from roost.errors import InvalidRequest, TimedOut

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roost.client.backend import Event

    Json = dict[str, Any]

NOTES = """\
Without --wait or --follow the turn's id is printed as soon as the prompt is kept. With them the exit code says how the
turn ended: 0 completed (or taken into the turn that ran), 1 failed, 130 interrupted, 6 refused or taken back, 124 where
the time ran out; the turn then goes on.
"""
CODES = {
    "completed": exits.OK,
    "steered": exits.OK,
    "failed": exits.FAILED,
    "interrupted": exits.INTERRUPTED,
    "refused": exits.CONFLICT,
    "cancelled": exits.CONFLICT,
}
IMAGES = {".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif", ".webp": "image/webp"}
TURN_HEADS = ("TURN", "STATE", "BEGUN", "TOOK", "COST", "PROMPT")
COLOURS = {"completed": "green", "failed": "red", "refused": "red", "interrupted": "yellow", "started": "cyan"}


def configure_prompt(parser: argparse.ArgumentParser) -> None:
    parser.epilog = NOTES
    add_shared(parser)
    add = parser.add_argument
    add("name", metavar="NAME", help="the agent")
    add("text", metavar="TEXT", help="the prompt; '-' reads it from standard input")
    add("-w", "--wait", action="store_true", help="wait for the turn's end and print the answer")
    add("-f", "--follow", action="store_true", help="print what the agent does until the turn ends")
    busy = parser.add_mutually_exclusive_group()
    busy.add_argument(
        "--steer", action="store_true", help="while a turn runs: add to it instead of waiting for its end"
    )
    busy.add_argument("--interrupt", action="store_true", help="while a turn runs: end it first")
    add("--turn-id", metavar="ID", help="the turn's id; given again with the same one, the agent is prompted once")
    add("--timeout", metavar="TIME", help="how long to wait at most, such as 90 or 5m")
    add("--image", metavar="FILE", action="append", default=[], help="a picture to go with it; several")
    add("--model", help="change to this model first")
    add("--permission-mode", metavar="MODE", help="change to this mode first")


def configure_interrupt(parser: argparse.ArgumentParser) -> None:
    add_shared(parser)
    parser.add_argument("names", nargs="+", metavar="NAME", help="the agents")


def configure_turns(parser: argparse.ArgumentParser) -> None:
    add_shared(parser)
    parser.add_argument("name", metavar="NAME", help="the agent")
    parser.add_argument("--session", metavar="ID", help="an older session (default: the newest)")


def prompt(options: argparse.Namespace) -> int:
    """Prompt a coding agent."""
    from roost.cli.moments import seconds

    deadline = None if options.timeout is None else time.monotonic() + seconds(options.timeout)
    body = _body(options)
    with backend(options) as found:
        talk = conversations(found)
        view = found.agent(options.name)
        turn = talk.prompt(options.name, body)
    if not (options.wait or options.follow):
        _print_begun(turn, options)
        return exits.OK
    if not turn["ended"]:
        turn = _await(turn, f"{view['session_id']}:{view['last_seq']}", deadline, options)
    _print_ended(turn, options)
    return CODES.get(turn["state"], exits.FAILED)


def interrupt(options: argparse.Namespace) -> int:
    """End the turns that run."""
    ended = {}
    with backend(options) as found:
        for name in options.names:
            ended[name] = conversations(found).interrupt(name)
            if not options.json:
                print(name) if ended[name] else say(f"roost: no turn of {name} runs")
    if options.json:
        write_json({"agents": [{"name": name, "interrupted": done} for name, done in ended.items()]})
    return exits.OK


def turns(options: argparse.Namespace) -> int:
    """List an agent's turns."""
    with backend(options) as found:
        views = conversations(found).turns(options.name, options.session)
    if options.json:
        write_json({"turns": views})
        return exits.OK
    now = time.time()
    colours = [("bold", COLOURS.get(view["state"], "")) for view in views]
    write_table(TURN_HEADS, [_row(view, now) for view in views], colours=colours)
    return exits.OK


def ago(moment: str | None, now: float) -> str:
    """How long ago a moment of the API was."""
    if not moment:
        return "-"
    return duration(now - datetime.fromisoformat(moment).astimezone(UTC).timestamp()) + " ago"


def summary(turn: Json) -> str:
    """How a turn ended, in a line: `completed after 3.2 s · $0.0400 · 2 files changed`."""
    after = took(turn.get("duration_ms"))
    files = len(turn.get("files") or ())
    parts = [
        f"{turn['state']} after {after}" if after else str(turn["state"]),
        money(turn.get("cost_usd")),
        f"{files} file{'s' * (files != 1)} changed" if files else "",
    ]
    told = " · ".join(part for part in parts if part)
    return f"{told}: {one_line(turn['reason'])}" if turn.get("reason") else told


def read_text(text: str) -> str:
    """What `-` stands for is read from standard input.

    Raises:
        InvalidRequest: it is no text.
    """
    if text != "-":
        return text
    try:
        return sys.stdin.buffer.read().decode()
    except UnicodeDecodeError as exc:
        raise InvalidRequest("what standard input holds is no UTF-8 text") from exc


def images(paths: list[str]) -> list[Json]:
    """Pictures as a prompt takes them.

    Raises:
        InvalidRequest: one cannot be read, or is of no known kind.
    """
    from binascii import b2a_base64
    from pathlib import Path

    found = []
    for path in map(Path, paths):
        kind = IMAGES.get(path.suffix.lower())
        if kind is None:
            raise InvalidRequest(f"{path} is no picture that agents take", hint=f"give one of {', '.join(IMAGES)}")
        try:
            data = path.read_bytes()
        except OSError as exc:
            raise InvalidRequest(f"the picture {path} cannot be read: {exc.strerror}") from exc
        found.append({"media_type": kind, "data": b2a_base64(data, newline=False).decode()})
    return found


def _body(options: argparse.Namespace) -> Json:
    body: Json = {"prompt": read_text(options.text)}
    if options.turn_id:
        body["turn_id"] = options.turn_id
    if options.steer or options.interrupt:
        body["policy"] = "steer" if options.steer else "interrupt"
    if options.image:
        body["images"] = images(options.image)
    changes = {key: value for key in ("model", "permission_mode") if (value := getattr(options, key))}
    return body | ({"options": changes} if changes else {})


def _print_begun(turn: Json, options: argparse.Namespace) -> None:
    if options.json:
        write_json(turn)
        return
    print(turn["turn_id"])
    if turn.get("repeated"):
        say(f"roost: that turn was asked for before; it is {turn['state']}")


def _await(turn: Json, after: str, deadline: float | None, options: argparse.Namespace) -> Json:
    """The turn once it has ended; meanwhile tell what happens."""
    from roost.cli.deadline import TimeIsUp, alarm
    from roost.client.backend import connect
    from roost.client.following import follow

    data = data_directory(options)
    events = follow(lambda: connect(data), options.name, after, lost=_say_lost)
    try:
        with alarm(deadline):
            for event in _until_end(events, turn["turn_id"], begun=turn["state"] != "queued"):
                _tell(event, options)
    except TimeIsUp:
        raise TimedOut(
            f"turn {turn['turn_id']} has not ended in time; it goes on",
            hint=f"'roost interrupt {options.name}' ends it, 'roost turns {options.name}' says how it is",
        ) from None
    with backend(options) as found:
        return conversations(found).turn(options.name, turn["turn_id"])


def _until_end(events: Iterator[Event], turn_id: str, *, begun: bool) -> Iterator[Event]:
    """The events from the turn's beginning to its end."""
    for event in events:
        body = event.body
        ours = body["type"] == "turn" and body["data"]["turn_id"] == turn_id
        begun = begun or (ours and body["data"]["state"] != "queued")
        if begun and not (ours and body["data"]["state"] == "queued"):
            yield event
        if ours and body["data"]["state"] in ENDS:
            return


def _tell(event: Event, options: argparse.Namespace) -> None:
    body = event.body
    is_asked = body["type"] == "permission" and not body["data"].get("decision")
    if options.follow and options.json:
        write_json_line({"position": event.position, **body})
    elif options.follow:
        more = choices_in_lines(body["data"]) if is_asked and body["data"]["kind"] == "question" else []
        print_lines([*readable(body["type"], body["data"]), *more])
    if is_asked and not options.json:
        what = "" if options.follow else f" ({asked(body['data'])})"
        say(f"roost: {options.name} waits for an answer{what}: 'roost approve {options.name}' or 'roost deny …'")


def print_lines(lines: list[str]) -> None:
    """Lines of a transcript, at once; on a terminal without what could act on it."""
    shown = [visible(line) for line in lines] if sys.stdout.isatty() else lines
    if shown:
        print("\n".join(shown), flush=True)


def _print_ended(turn: Json, options: argparse.Namespace) -> None:
    if options.follow:
        return
    if options.json:
        write_json(turn)
        return
    if turn.get("text"):
        print_lines(turn["text"].splitlines())
    say(f"roost: {summary(turn)}")


def _row(view: Json, now: float) -> tuple[str, ...]:
    begun = view.get("started_at") or view.get("queued_at")
    cost, took_ms = money(view.get("cost_usd")), took(view.get("duration_ms"))
    told = one_line(view.get("prompt") or "")
    return view["turn_id"], view["state"], ago(begun, now), took_ms or "-", cost or "-", told


def _say_lost(message: str) -> None:
    say(f"roost: {message}; going on when it is back")


def talk_of(options: argparse.Namespace) -> Conversations:
    """The conversations of the server that the options name.

    Raises:
        ServerUnavailable: no server runs.
    """
    with backend(options) as found:
        return conversations(found)
