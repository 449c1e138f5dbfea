"""`roost recording verify`, `info` and `cat`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from roost.cli import exits
from roost.cli.output import duration, paint, size, visible, write_bytes, write_json
from roost.cli.parser import add_shared
from roost.cli.session import data_directory
from roost.errors import InvalidRequest, NotFound

if TYPE_CHECKING:
    import argparse

    Json = dict[str, Any]

NOTES = "A RECORDING is a file, a session's id, or an agent's name, which stands for its newest session.\n"


def configure_recording(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    verify = actions.add_parser("verify", help="read it whole and check every checksum; 1 where it is damaged")
    info = actions.add_parser("info", help="say what the session was and did")
    cat = actions.add_parser("cat", help="print what the agent wrote, as clean lines")
    for action in (verify, info, cat):
        action.epilog = NOTES
        several = "+" if action is verify else None
        action.add_argument("recording", nargs=several, metavar="RECORDING", help="file, session or agent")
        add_shared(action, json=action is not cat)
    cat.add_argument("--raw", action="store_true", help="the bytes as they came, with all that a terminal acts on")
    cat.add_argument("--stream", choices=("output", "stdout", "stderr"), default="output", help="(default: output)")


def recording(options: argparse.Namespace) -> int:
    """Look into recordings."""
    try:
        return {"verify": _verify, "info": _info, "cat": _cat}[options.action](options)
    except FileNotFoundError as exc:
        raise NotFound(f"there is no file {exc.filename}") from exc
    except OSError as exc:
        if isinstance(exc, BrokenPipeError):
            raise
        raise InvalidRequest(f"the recording cannot be read: {exc.strerror}") from exc


def _verify(options: argparse.Namespace) -> int:
    from msgspec import to_builtins

    from roost.projection import inspect

    found = [inspect.verify(_path(name, options)) for name in options.recording]
    if options.json:
        write_json({"recordings": to_builtins(found)})
    else:
        for each in found:
            print("\n".join(_verdict(to_builtins(each))))
    return exits.OK if all(each.whole for each in found) else exits.FAILED


def _verdict(found: Json) -> list[str]:
    name = Path(found["path"]).name
    end = "with its end" if found["ended"] else "no end seen"
    state = paint("whole", "green") if found["whole"] else paint("damaged", "red")
    lines = [f"{name}: {state}, {found['frames']} frames, {size(found['bytes'])}, {end}"]
    lines += [f"  {one['length']} bytes at {one['offset']}: {one['reason']}" for one in found["damage"]]
    return lines


def _info(options: argparse.Namespace) -> int:
    from msgspec import to_builtins

    from roost.projection import inspect

    found: Json = to_builtins(inspect.info(_path(options.recording, options)))
    if options.json:
        write_json(found)
        return exits.OK
    import shlex

    definition = found.pop("definition")
    found["command"] = shlex.join(definition["command"])
    found["cwd"] = definition.get("cwd", "/")
    found["frames"] = ", ".join(f"{count} {kind}" for kind, count in found["frames"].items())
    found["duration"] = duration(found.pop("duration_ms") / 1000)
    width = max(map(len, found))
    for key, value in found.items():
        if value is not None:
            print(f"{key.ljust(width)}  {visible(str(value))}")
    return exits.OK


def _cat(options: argparse.Namespace) -> int:
    import sys

    from roost.projection import inspect

    path = _path(options.recording, options)
    if options.raw:
        for data in inspect.cat(path, options.stream):
            write_bytes(data)
        return exits.OK
    is_terminal = sys.stdout.isatty()
    for line in inspect.cat_text(path, options.stream):
        print(visible(line) if is_terminal else line)
    return exits.OK


def _path(name: str, options: argparse.Namespace) -> Path:
    """The file that is meant."""
    given = Path(name)
    if given.is_file() or "/" in name:
        return given
    data = data_directory(options)
    from roost.client.recordings import newest_session
    from roost.model.ids import AGENT_NAME, ID

    if ID.match(name) and data.recording(name).is_file():
        return data.recording(name)
    newest = newest_session(data, name) if AGENT_NAME.match(name) else None
    if newest is None:
        raise NotFound(f"there is no recording {name[:80]!r}", hint="give a file, a session's id or an agent's name")
    return newest.path
