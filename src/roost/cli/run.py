"""`roost run` and `roost attach`."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roost.cli import exits
from roost.cli.agent_options import add_agent_options, agent_options
from roost.cli.output import say, write_json
from roost.cli.parser import add_shared
from roost.client.backend import STRUCTURED
from roost.errors import AgentNotRunning, Conflict, InvalidRequest, RoostError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from roost.client.backend import Backend
    from roost.client.link import Link
    from roost.client.outbox import Outbox

    Json = dict[str, Any]

DETACH_KEYS = "C-] d"

RUN_NOTES = """\
Options stand before NAME, or between NAME and the command. The command is taken word by word; no shell is started
unless it names one. 'roost run' gives back the command's exit code, or 128+n where signal n ended it.

With a coding agent's driver, lines that you type are prompts, or answers to what it asks; C-c ends the turn that runs,
C-d leaves. A server speaks to such agents; where none runs, one is started.
"""


def configure_run(parser: argparse.ArgumentParser) -> None:
    parser.usage = "roost run [OPTIONS] NAME [OPTIONS] [--] COMMAND [ARGUMENTS…]"
    parser.epilog = RUN_NOTES
    add_shared(parser)
    add = parser.add_argument
    add("-d", "--detach", action="store_true", help="start in the background and print the name")
    add("--cwd", metavar="DIR", help="working directory (default: this one)")
    add("-e", "--env", metavar="K=V", action="append", default=[], help="a variable; K alone hands on your own")
    add("--env-file", metavar="FILE", action="append", default=[], help="variables from a file, a K=V a line")
    add("--environment", metavar="LABEL", help="label of the environment, such as production")
    add("--label", metavar="K=V", action="append", default=[], help="a label to find the agent by")
    drivers = ("terminal", "lines", *sorted(STRUCTURED))
    text = "a terminal, pipes with stderr apart, or a coding agent's own protocol (default: terminal)"
    add("--driver", metavar="DRIVER", choices=drivers, default="terminal", help=f"{text}: {', '.join(drivers)}")
    add("--restart", choices=("no", "on-failure", "always"), default="no", help="start again after its end")
    add("--role", help="what the agent is for")
    add("--model", help="the model it works with")
    add("--size", metavar="COLSxROWS", help="the terminal's size (default: yours, or 80x24)")
    add(
        "--limit",
        metavar="WHAT=N",
        action="append",
        default=[],
        help=f"a limit: {', '.join(LIMITS)}; sizes take K, M, G",
    )
    _add_detach_keys(parser)
    add_agent_options(parser)
    add("words", nargs=argparse.REMAINDER, metavar="NAME COMMAND", help="the agent's name and what it runs")


def configure_attach(parser: argparse.ArgumentParser) -> None:
    add_shared(parser, json=False)
    parser.add_argument("name", metavar="NAME", help="the agent")
    parser.add_argument("--read-only", action="store_true", help="only look: nothing that you type is sent")
    _add_detach_keys(parser)


def _add_detach_keys(parser: argparse.ArgumentParser) -> None:
    text = f"keys that leave the agent and let it live on (default: '{DETACH_KEYS}'; 'none' for none)"
    parser.add_argument("--detach-keys", metavar="KEYS", default=DETACH_KEYS, help=text)


def run(options: argparse.Namespace) -> int:
    """Start an agent, attached or in the background."""
    from roost.cli.session import starting_backend

    options, name, command = _split_words(options)
    if not options.detach:
        _detach_keys(options)
    request = _request(options, name, command)
    if options.driver in STRUCTURED:
        _see_that_a_server_runs(options)
    with starting_backend(options) as found:
        if options.cwd or found.is_local:
            request["cwd"] = _directory(options.cwd)
        view = found.start(request)
        _mention_restart(found, options)
        if options.driver in STRUCTURED:
            return _converse(found, options, view, fresh=True)
        if options.detach:
            _tell_started(view, options)
            return exits.OK
        return _attach(found, options, name, begun=view)


def attach(options: argparse.Namespace) -> int:
    """Attach to an agent that runs."""
    from roost.cli.session import starting_backend

    with starting_backend(options) as found:
        view = found.agent(options.name)
        if view["ended_at"]:
            hint = f"'roost logs {options.name}' shows what it said, 'roost restart {options.name}' starts it again"
            raise AgentNotRunning(f"agent {options.name} is not running: it is {view['state']}", hint=hint)
        if os.environ.get("ROOST_SESSION") == view["session_id"]:
            raise Conflict(f"this is the terminal of agent {options.name} itself", hint="attach from another terminal")
        if view["driver"] in STRUCTURED:
            return _converse(found, options, view, fresh=False)
        return _attach(found, options, options.name)


def _see_that_a_server_runs(options: argparse.Namespace) -> None:
    from roost.cli.session import data_directory
    from roost.client.discovery import find_server

    if find_server(data_directory(options), os.environ) is None:
        from roost.cli.up import start_server

        say(f"roost: started a server at {start_server(options).url}, because only a server speaks to coding agents")


def _converse(found: Backend, options: argparse.Namespace, view: Json, *, fresh: bool) -> int:
    from roost.cli.conversation import converse, give_first_prompt

    if fresh and options.detach:
        give_first_prompt(found, options, view)
        _tell_started(view, options)
        return exits.OK
    return converse(found, options, view, fresh=fresh)


def _attach(found: Backend, options: argparse.Namespace, name: str, *, begun: Json | None = None) -> int:
    """Attach; `begun` is an agent that was started just now, whose output is shown from its first byte."""
    from roost.cli.attached import Attached
    from roost.cli.terminal import LocalTerminal
    from roost.client.outbox import Outbox

    keys = _detach_keys(options)
    read_only = getattr(options, "read_only", False)
    with LocalTerminal() as terminal:
        outbox = Outbox(f"cli-{os.urandom(8).hex()}")
        opener = _opener(found, options, name, outbox, begun)
        left = Attached(terminal, opener, keys, outbox, read_only=read_only).run()
    if left.untyped:
        say(f"\nroost: the last {left.untyped} bytes that were typed did not reach {name}")
    if left.complete is not None:
        code, signal = left.complete.get("exit_code"), left.complete.get("signal")
        return exits.of_agent(code if isinstance(code, int) else None, signal if isinstance(signal, str) else None)
    if left.detached:
        say(f"\nroost: detached from {name}, which lives on; 'roost attach {name}' comes back")
        return exits.OK
    return 128 + (left.signal or 0)


def _detach_keys(options: argparse.Namespace) -> tuple[str, ...]:
    from roost.client.keys import parse_keys

    return parse_keys(options.detach_keys)


def _opener(
    found: Backend, options: argparse.Namespace, name: str, outbox: Outbox, begun: Json | None
) -> Callable[[tuple[int, int]], Link]:
    """Opens the attachment; after a loss by whichever back end answers then."""
    from roost.cli.session import data_directory
    from roost.client.backend import connect

    current, first = found, True
    read_only = getattr(options, "read_only", False)

    def open_link(size: tuple[int, int]) -> Link:
        nonlocal current, first
        if not first:
            current.close()
            current = connect(data_directory(options))
        link = _open_begun(options, begun, size, outbox) if begun and first and found.is_local else None
        link = link or current.attach(name, size, outbox, fresh=bool(begun) and first, read_only=read_only)
        first = False
        return link

    return open_link


def _open_begun(options: argparse.Namespace, begun: Json, size: tuple[int, int], outbox: Outbox) -> Link | None:
    """An attachment straight to the keeper, which shows a program from its first byte without clearing the screen."""
    from roost.cli.session import data_directory
    from roost.client.direct import KeeperLink
    from roost.client.discovery import find_server

    data = data_directory(options)
    try:
        return KeeperLink(
            data,
            begun,
            size,
            outbox,
            fresh=True,
            read_only=False,
            server_answers=lambda: find_server(data, {}) is not None,
        )
    except (RoostError, OSError):
        return None


def _tell_started(view: Json, options: argparse.Namespace) -> None:
    if options.json:
        write_json(view)
    else:
        print(view["name"])


def _mention_restart(found: Backend, options: argparse.Namespace) -> None:
    if options.restart != "no" and found.kind == "keeper":
        say("roost: no server runs, and only a server starts agents again; 'roost up' starts one")


# From options to a request


def _split_words(options: argparse.Namespace) -> tuple[argparse.Namespace, str, list[str]]:
    """Options may stand between the name and the command too."""
    words = list(options.words)
    if words[:1] == ["--"]:
        words = words[1:]
    if not words:
        raise InvalidRequest("the agent's name and its command are missing", hint="see 'roost run --help'")
    name, rest = words[0], words[1:]
    if rest[:1] != ["--"] and rest and rest[0].startswith("-"):
        options, rest = _parse_between(options, rest)
    if rest[:1] == ["--"]:
        rest = rest[1:]
    if not rest:
        raise InvalidRequest(f"there is no command for agent {name} to run", hint=f"roost run {name} -- COMMAND")
    return options, name, rest


def _parse_between(options: argparse.Namespace, rest: list[str]) -> tuple[argparse.Namespace, list[str]]:
    from roost.cli.parser import Parser

    parser = Parser(prog="roost run")
    configure_run(parser)
    again = parser.parse_args(rest, argparse.Namespace(**vars(options)))
    return again, list(again.words)


def _request(options: argparse.Namespace, name: str, command: list[str]) -> Json:
    request: Json = {
        "name": name,
        "command": command,
        "driver": options.driver,
        "labels": dict(_pair(item, "label") for item in options.label),
        "restart": options.restart,
        "size": _size(options),
        "umask": _umask(),
    }
    variables = _variables(options)
    if options.environment and variables:
        raise InvalidRequest("--environment labels an agent that gets no variables of its own", hint="leave one out")
    request["env"] = options.environment or variables
    request |= {key: getattr(options, key) for key in ("role", "model") if getattr(options, key)}
    if chosen := agent_options(options):
        request["options"] = chosen
    limits = dict(_limit(item) for item in options.limit)
    return request | ({"limits": limits} if limits else {})


def _directory(given: str | None) -> str:
    """An absolute directory, symbolic links left as they are."""
    return str(Path(given).expanduser().absolute() if given else Path.cwd())


def _variables(options: argparse.Namespace) -> dict[str, str]:
    found: dict[str, str] = {}
    for path in options.env_file:
        found.update(_variable(line, os.environ) for line in _lines_of(path))
    found.update(_variable(item, os.environ) for item in options.env)
    return found


def _lines_of(path: str) -> Iterable[str]:
    try:
        with Path(path).open(encoding="utf-8") as file:
            lines = [line.strip() for line in file]
    except (OSError, UnicodeDecodeError) as exc:
        raise InvalidRequest(f"the file of variables {path} cannot be read: {exc}") from exc
    return [line for line in lines if line and not line.startswith("#")]


def _variable(item: str, environ: Any) -> tuple[str, str]:
    name, equals, value = item.partition("=")
    if equals:
        return name, value
    if name not in environ:
        raise InvalidRequest(f"the variable {name} is not set here, so it cannot be handed on", hint="give K=V")
    return name, environ[name]


def _pair(item: str, what: str) -> tuple[str, str]:
    key, equals, value = item.partition("=")
    if not key or not equals:
        raise InvalidRequest(f"the {what} {item!r} is not of the form K=V")
    return key, value


LIMITS = {
    "memory": "memory_bytes",
    "cpu": "cpu_s",
    "nofile": "nofile",
    "fsize": "fsize_bytes",
    "nproc": "nproc",
    "processes": "processes",
    "core": "core_bytes",
}


def _limit(item: str) -> tuple[str, int]:
    what, value = _pair(item, "limit")
    if what not in LIMITS:
        raise InvalidRequest(f"there is no limit {what!r}", hint=f"limits are {', '.join(LIMITS)}")
    factor = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}.get(value[-1:].upper(), 1)
    digits = value if factor == 1 else value[:-1]
    if not digits.isdigit() or not digits.isascii():
        raise InvalidRequest(f"the limit {item!r} is not a number", hint="give a number, with K, M or G for sizes")
    return LIMITS[what], int(digits) * factor


def _size(options: argparse.Namespace) -> dict[str, int]:
    if options.size:
        cols, _, rows = options.size.lower().partition("x")
        if not (cols.isdigit() and rows.isdigit() and 0 < int(cols) <= 1000 and 0 < int(rows) <= 1000):
            raise InvalidRequest(f"{options.size!r} is no terminal size", hint="give columns and rows, such as 120x40")
        return {"cols": int(cols), "rows": int(rows)}
    try:
        columns, lines = os.get_terminal_size(sys.stdout.fileno())
    except (OSError, ValueError):
        columns, lines = 0, 0
    return {"cols": min(columns, 1000) or 80, "rows": min(lines, 1000) or 24}


def _umask() -> int:
    before = os.umask(0o077)
    os.umask(before)
    return before
