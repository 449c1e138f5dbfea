"""`roost up` and `roost down`: the server in the background."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from roost.cli import exits
from roost.cli.output import say, write_json
from roost.cli.parser import add_shared
from roost.client.discovery import Address, find_server, is_alive
from roost.errors import KeeperUnavailable, RoostError, ServerUnavailable, TimedOut
from roost.paths import DataDirectory

if TYPE_CHECKING:
    import argparse

READY_TIMEOUT_S = 60.0
STOP_TIMEOUT_S = 45.0
POLL_S = 0.02
TOLD_LINES = 12


def configure_up(parser: argparse.ArgumentParser) -> None:
    from roost.cli.settings import add_setting_flags

    parser.add_argument("--json", action="store_true", help="print one JSON document")
    add_setting_flags(parser)


def configure_down(parser: argparse.ArgumentParser) -> None:
    add_shared(parser)
    parser.add_argument("--agents", action="store_true", help="also stop all agents, and the keeper that holds them")


def up(options: argparse.Namespace) -> int:
    """Start the server, wait until it is ready, and say where to look."""
    from roost.cli.settings import load

    settings, _ = load(options)
    data = DataDirectory(settings.data)
    running = _running(data)
    if running is None:
        running = _start(data, options)
        _tell(running, options, already=False)
    else:
        _tell(running, options, already=True)
    return exits.OK


def start_server(options: argparse.Namespace) -> Address:
    """Start the server of a command's data directory in the background, as `roost up` does without flags.

    Raises:
        RoostError: it does not start.
    """
    import argparse

    from roost.cli.settings import load

    plain = argparse.Namespace(data=getattr(options, "data", None), config=None)
    settings, _ = load(plain)
    return _start(DataDirectory(settings.data), plain)


def _running(data: DataDirectory) -> Address | None:
    """The data directory's own server, whatever `ROOST_URL` names."""
    return find_server(data, {})


def _start(data: DataDirectory, options: argparse.Namespace) -> Address:
    import subprocess

    from roost.cli.settings import as_arguments

    data.create()
    begin = data.server_log.stat().st_size if data.server_log.exists() else 0
    arguments = [sys.executable, "-P", "-m", "roost", "serve", *as_arguments(options), f"--data={data.root}"]
    descriptor = os.open(data.server_log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        process = subprocess.Popen(
            arguments, stdin=subprocess.DEVNULL, stdout=descriptor, stderr=descriptor, start_new_session=True, cwd="/"
        )
    finally:
        os.close(descriptor)
    deadline = time.monotonic() + READY_TIMEOUT_S
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise _did_not_start(data.server_log, begin)
        address = _running(data)
        if address is not None and address.pid == process.pid and _is_ready(address):
            process.returncode = 0  # It is meant to outlive us: no warning that it still runs.
            return address
        time.sleep(POLL_S)
    process.terminate()
    process.wait()
    raise TimedOut(f"the server was not ready within {READY_TIMEOUT_S:.0f} s", hint=f"see {data.server_log}")


def _is_ready(address: Address) -> bool:
    from roost.client.http import request

    try:
        return request(address, "GET", "/api/health/ready", timeout_s=5.0).status < 500
    except RoostError:
        return False


def _did_not_start(log: Path, begin: int) -> RoostError:
    """What the server said last: `roost:` and the line behind it where it ended by an error of ours."""
    with log.open("rb") as file:
        file.seek(begin)
        lines = file.read().decode("utf-8", "replace").rstrip().splitlines()[-TOLD_LINES:]
    told = [at for at, line in enumerate(lines) if line.startswith("roost: ")]
    if not told:
        return ServerUnavailable("the server ended while it started", hint=f"see {log}: " + " / ".join(lines[-2:]))
    hint = lines[told[-1] + 1].strip() if told[-1] + 1 < len(lines) else f"see {log}"
    return ServerUnavailable(lines[told[-1]].removeprefix("roost: "), hint=hint)


def _tell(address: Address, options: argparse.Namespace, *, already: bool) -> None:
    if options.json:
        write_json({"url": address.url, "pid": address.pid, "version": address.version, "already_running": already})
        return
    say(f"roost: the server {'already runs' if already else 'runs'} (pid {address.pid})")
    print(address.url)
    say("'roost open' opens the page, 'roost run NAME -- COMMAND' starts an agent, 'roost down' stops the server")


def down(options: argparse.Namespace) -> int:
    """Stop the server, and wait until it is gone."""
    from roost.cli.session import data_directory

    data = data_directory(options)
    address = _running(data)
    if address is not None:
        _stop(address.pid)
    agents = _end_agents(data) if options.agents else _count_agents(data)
    if options.json:
        write_json({"stopped": address is not None, "pid": address.pid if address else None, "agents": agents})
    elif address is None:
        say("roost: no server runs")
    else:
        lives = f"; {agents} agent{'s' * (agents != 1)} live on" if agents and not options.agents else ""
        say(f"roost: the server has stopped{lives}")
    return exits.OK


def _stop(pid: int) -> None:
    import signal

    try:
        os.kill(pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    except PermissionError as exc:
        raise ServerUnavailable(f"process {pid} is another user's", hint="stop it as that user") from exc
    deadline = time.monotonic() + STOP_TIMEOUT_S
    while is_alive(pid):
        if time.monotonic() > deadline:
            raise TimedOut(f"the server (pid {pid}) has not ended within {STOP_TIMEOUT_S:.0f} s")
        time.sleep(POLL_S)


def _count_agents(data: DataDirectory) -> int:
    return sum(session["state"] != "exited" for session in _held(data))


def _held(data: DataDirectory) -> list[dict[str, Any]]:
    from roost.keeper.client import KeeperClient

    try:
        with KeeperClient.connect(data.root) as client:
            return list(client.call("list")["sessions"])
    except KeeperUnavailable:
        return []


def _end_agents(data: DataDirectory) -> int:
    """Stop every agent and the keeper; none is left."""
    from roost.keeper.client import KeeperClient

    try:
        with KeeperClient.connect(data.root) as client:
            client.call("shutdown", force=True, timeout_s=STOP_TIMEOUT_S)
    except KeeperUnavailable:
        pass
    return 0
