"""`roost adopt`."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roost.cli import exits
from roost.cli.output import write_json, write_table
from roost.cli.parser import add_shared
from roost.cli.session import data_directory
from roost.errors import Conflict, InvalidRequest, NotFound, ServerUnavailable

if TYPE_CHECKING:
    import argparse

    from roost.client.adopting import Candidate

    Json = dict[str, Any]

NOTES = (
    "Without NAME, lists what can be adopted. An adopted agent goes on where it runs: roost reads its transcript, and\n"
    "cannot type into it. 'roost stop' ends the watching, not the agent.\n"
)


def configure_adopt(parser: argparse.ArgumentParser) -> None:
    parser.epilog = NOTES
    add_shared(parser)
    parser.add_argument("name", nargs="?", metavar="NAME", help="what roost is to call it")
    parser.add_argument("--pid", type=int, metavar="PID", help="the agent's process (default: the only one there is)")
    parser.add_argument("--file", type=Path, metavar="FILE", help="its transcript, where it does not run any more")


def adopt(options: argparse.Namespace) -> int:
    """Watch a coding agent that was started without roost."""
    from roost.client.adopting import candidates

    if options.name is None:
        return _list(candidates(), options)
    command, cwd = _from_file(options) if options.file else _from_process(_chosen(candidates(), options.pid))
    body: Json = {"name": options.name, "driver": "adopted", "command": command, "cwd": cwd}
    view = _start(body, options)
    if options.json:
        write_json(view)
    else:
        print(f"{options.name}: watched from here on; 'roost logs -f {options.name}' shows what it does")
    return exits.OK


def _list(found: list[Candidate], options: argparse.Namespace) -> int:
    if options.json:
        write_json({"candidates": [one._asdict() | {"file": str(one.file)} for one in found]})
    else:
        write_table(("PID", "CLI", "DIRECTORY", "TRANSCRIPT"), [[str(part) for part in one] for one in found])
    return exits.OK


def _chosen(found: list[Candidate], pid: int | None) -> Candidate:
    chosen = [one for one in found if pid in (None, one.pid)]
    if not chosen:
        what = "no coding agent runs here" if pid is None else f"process {pid} is no coding agent"
        raise NotFound(f"{what} that roost can adopt", hint="'roost adopt' lists those it can; or give --file")
    if len(chosen) > 1:
        pids = ", ".join(str(one.pid) for one in chosen)
        raise InvalidRequest(f"several coding agents run here: {pids}", hint="say which with --pid", field="pid")
    return chosen[0]


def _from_process(found: Candidate) -> tuple[list[str], str]:
    return [sys.executable, "-m", "roost.follow", str(found.file), "--pid", str(found.pid)], found.cwd


def _from_file(options: argparse.Namespace) -> tuple[list[str], str]:
    file = options.file.expanduser().resolve()
    if not file.is_file():
        raise NotFound(f"there is no file {options.file}")
    process = ["--pid", str(options.pid)] if options.pid else []
    return [sys.executable, "-m", "roost.follow", str(file), *process], str(Path.cwd())


def _start(body: Json, options: argparse.Namespace) -> Any:
    from roost.client.discovery import find_server
    from roost.client.http import call

    address = find_server(data_directory(options), os.environ)
    if address is None:
        raise ServerUnavailable("no server runs, and only it can read transcripts", hint="start it with: roost up")
    for view in call(address, "GET", "/api/agents?driver=adopted&limit=10000")["agents"]:
        if view["pid"] is not None and view["command"][3] == body["command"][3]:
            raise Conflict(
                f"{body['command'][3]} is watched already, as {view['name']}",
                hint="twice watched, what it spends would count twice",
                name=view["name"],
            )
    return call(address, "POST", "/api/agents", value=body)
