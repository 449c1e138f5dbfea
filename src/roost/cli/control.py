"""`roost stop`, `kill`, `pause`, `resume`, `signal`, `restart` and `rm`: one thing done to several agents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from roost.cli import exits
from roost.cli.output import write_json
from roost.cli.parser import add_shared
from roost.client.backend import ENDED
from roost.errors import InvalidRequest, RoostError

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from roost.client.backend import Backend

    Json = dict[str, Any]
    Act = Callable[[Backend, str], Json | None]


def configure_stop(parser: argparse.ArgumentParser) -> None:
    _configure(parser, "all that run")
    parser.add_argument("--grace", metavar="TIME", help="between SIGTERM and SIGKILL (default: setting agents.grace_s)")


def configure_kill(parser: argparse.ArgumentParser) -> None:
    _configure(parser, "all that run")


def configure_pause(parser: argparse.ArgumentParser) -> None:
    _configure(parser, "all that run")


def configure_resume(parser: argparse.ArgumentParser) -> None:
    _configure(parser, "all that are paused")


def configure_signal(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("signal", metavar="SIGNAL", help="its name, such as INT or SIGUSR1")
    _configure(parser, "all that run")
    text = "who gets it: all processes, the first one, or the terminal's foreground group (default: tree)"
    parser.add_argument("--scope", choices=("tree", "leader", "foreground"), default="tree", help=text)


def configure_restart(parser: argparse.ArgumentParser) -> None:
    _configure(parser, "all that run")


def configure_rm(parser: argparse.ArgumentParser) -> None:
    _configure(parser, "all that have ended")
    parser.add_argument(
        "-f", "--force", action="store_true", help="kill agents that run first; no error for unknown ones"
    )


def _configure(parser: argparse.ArgumentParser, which: str) -> None:
    add_shared(parser)
    parser.add_argument("names", nargs="*", metavar="NAME", help="the agents")
    parser.add_argument("--all", action="store_true", help=which)


def stop(options: argparse.Namespace) -> int:
    """End agents, asking first."""
    from roost.cli.moments import seconds

    grace_s = None if options.grace is None else seconds(options.grace)
    return _each(options, lambda found, name: found.stop(name, grace_s), _runs)


def kill(options: argparse.Namespace) -> int:
    """End agents at once."""
    return _each(options, lambda found, name: found.kill(name), _runs)


def pause(options: argparse.Namespace) -> int:
    """Halt agents."""
    return _each(options, lambda found, name: found.pause(name), _runs)


def resume(options: argparse.Namespace) -> int:
    """Let paused agents go on."""
    return _each(options, lambda found, name: found.resume(name), lambda view: view["state"] == "paused")


def signal(options: argparse.Namespace) -> int:
    """Send a signal."""
    name = options.signal.upper()
    full = name if name.startswith("SIG") else f"SIG{name}"
    if not exits.signal_number(full):
        raise InvalidRequest(f"there is no signal {options.signal!r}", hint="give a name such as INT, TERM or USR1")
    return _each(options, lambda found, agent: found.signal(agent, full, options.scope), _runs)


def restart(options: argparse.Namespace) -> int:
    """Stop and start agents again."""
    return _each(options, lambda found, name: found.restart(name), _runs, starts=True)


def rm(options: argparse.Namespace) -> int:
    """Forget agents."""

    def remove(found: Backend, name: str) -> None:
        if options.force:
            _end_first(found, name)
        found.remove(name)

    return _each(options, remove, lambda view: not _runs(view), ignore_unknown=options.force)


def _end_first(found: Backend, name: str) -> None:
    if _runs(found.agent(name)):
        found.kill(name)


def _runs(view: Json) -> bool:
    return view["state"] not in ENDED


def _each(
    options: argparse.Namespace,
    act: Act,
    in_all: Callable[[Json], bool],
    *,
    starts: bool = False,
    ignore_unknown: bool = False,
) -> int:
    """Do it to every agent that is named; what fails for one does not keep it from the others."""
    from roost.cli.session import backend, starting_backend

    results: list[Json] = []
    worst = exits.OK
    with (starting_backend if starts else backend)(options) as found:
        for name in _names(found, options, in_all):
            try:
                view = act(found, name)
            except RoostError as error:
                if ignore_unknown and exits.of_error(error) == exits.NOT_FOUND:
                    continue
                worst = _failed(error, worst)
                results.append({"name": name, "error": error.to_dict()})
                continue
            results.append(view or {"name": name})
            if not options.json:
                print(name, flush=True)
    if options.json:
        write_json({"agents": results})
    return worst


def _failed(error: RoostError, worst: int) -> int:
    from roost.cli import report

    code = report(error)
    return worst or code


def _names(found: Backend, options: argparse.Namespace, in_all: Callable[[Json], bool]) -> list[str]:
    if options.all and options.names:
        raise InvalidRequest("give names or --all, not both")
    if options.all:
        return [view["name"] for view in found.agents() if in_all(view)]
    if not options.names:
        raise InvalidRequest("no agent is named", hint="give one or more names, or --all")
    return list(dict.fromkeys(options.names))
