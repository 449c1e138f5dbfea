"""`roost status`."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from roost.cli import exits
from roost.cli.output import duration, paint, size, write_json
from roost.cli.parser import add_shared
from roost.cli.session import data_directory
from roost.client.discovery import Address, find_server, read_server_info
from roost.errors import KeeperUnavailable, RoostError

if TYPE_CHECKING:
    import argparse

    from roost.paths import DataDirectory

    Json = dict[str, Any]

COLOURS = {"healthy": "green", "degraded": "yellow", "unhealthy": "red", "ok": "green", "down": "red"}
NOTES = "Exit code 0 where the server is healthy, 1 where it is degraded or unhealthy, 5 where none answers.\n"


def configure_status(parser: argparse.ArgumentParser) -> None:
    parser.epilog = NOTES
    add_shared(parser)


def status(options: argparse.Namespace) -> int:
    """Say how server and keeper are."""
    data = data_directory(options)
    address = find_server(data, os.environ)
    server = _server(address)
    found = {"data": str(data.root), "server": server, "keeper": keeper_status(data)}
    if server is None and (stale := read_server_info(data)) is not None and address is None:
        found["stale_server"] = stale
    if options.json:
        write_json(found)
    else:
        _print(found)
    if server is None or "error" in server:
        return exits.UNREACHABLE
    return exits.OK if server["health"]["status"] == "healthy" else exits.FAILED


def _server(address: Address | None) -> Json | None:
    if address is None:
        return None
    from roost.client.http import call

    about = {"url": address.url, "pid": address.pid or None}
    try:
        return about | {"health": call(address, "GET", "/api/health")}
    except RoostError as error:
        return about | {"error": error.to_dict()}


def keeper_status(data: DataDirectory) -> Json | None:
    """What the keeper says of itself; None where none runs."""
    from roost.keeper.client import KeeperClient

    try:
        with KeeperClient.connect(data.root, timeout_s=5.0) as client:
            return client.call("status")
    except KeeperUnavailable:
        return None
    except RoostError as error:
        return {"error": error.to_dict()}


def _print(found: Json) -> None:
    print(f"data    {found['data']}")
    server, keeper = found["server"], found["keeper"]
    if server is None:
        print("server  none runs; 'roost up' starts one")
    elif "error" in server:
        print(f"server  {server['url']}: {paint(server['error']['message'], 'red')}")
    else:
        _print_health(server)
    if "stale_server" in found:
        print(f"        the one before (pid {found['stale_server']['pid']}) did not end in order")
    if keeper is None:
        print("keeper  none runs; it is started with the first agent")
    elif "error" in keeper:
        print(f"keeper  {paint(keeper['error']['message'], 'red')}")
    else:
        alive = f"{keeper['sessions']} sessions, {keeper['processes']} processes, {size(keeper['rss_bytes'])}"
        print(f"keeper  pid {keeper['pid']}, version {keeper['version']}, up {duration(keeper['uptime_s'])}, {alive}")
        if keeper.get("disk_full"):
            print(paint("        the disk is full: agents wait", "red"))


def _print_health(server: Json) -> None:
    health = server["health"]
    state = paint(health["status"], COLOURS.get(health["status"], ""))
    about = f"pid {server['pid']}, " if server["pid"] else ""
    print(f"server  {server['url']} {state}, {about}version {health['version']}, up {duration(health['uptime_s'])}")
    for name, component in health["components"].items():
        if component["status"] != "ok":
            print(f"        {name}: {paint(component['status'], 'red')} {component.get('message', '')}")
    for issue in health["issues"]:
        print(f"        {paint(issue['severity'], 'yellow')}: {issue['message']} — {issue['advice']}")
