"""A Codex without a model: `python -m roost.testing.agents.codex app-server` or `… exec --json PROMPT`."""

from __future__ import annotations

import signal
import sys

from roost.testing.agents.codex_exec import run_exec
from roost.testing.agents.codex_server import Server
from roost.testing.agents.codex_thread import VERSION
from roost.testing.agents.flags import ON, ONE, BadFlag, read_flags
from roost.testing.agents.output import complain, die

SERVER_FLAGS = {
    "--config -c": ONE,
    "--enable": ONE,
    "--disable": ONE,
    "--listen": ONE,
    "--startup-client-info": ONE,
    "--session-source": ONE,
    "--analytics-default-enabled": ON,
}


def main(arguments: list[str]) -> int:
    """Run with the arguments of the real program; its exit code."""
    before, verb, after = _split(arguments)
    if verb == "exec":
        return run_exec([*before, *after])
    if verb == "app-server":
        return _serve([*before, *after])
    if before[:1] in (["--version"], ["-V"]):
        sys.stdout.write(f"codex-cli {VERSION}\n")
        return 0
    complain("error: the scripted agent has `app-server`, `exec` and `--version`")
    return 2


def _split(arguments: list[str]) -> tuple[list[str], str, list[str]]:
    for at, word in enumerate(arguments):
        if word in ("exec", "e", "app-server"):
            return arguments[:at], "exec" if word == "e" else word, arguments[at + 1 :]
    return arguments, "", []


def _serve(arguments: list[str]) -> int:
    try:
        read_flags(arguments, SERVER_FLAGS)
    except BadFlag as exc:
        complain(f"error: unexpected argument '{exc}' found")
        return 2
    server = Server()
    signal.signal(signal.SIGTERM, lambda *_: _terminated(server, "TERM"))
    signal.signal(signal.SIGINT, lambda *_: _terminated(server, "INT"))
    return server.serve()


def _terminated(server: Server, name: str) -> None:
    server.kill_tools()
    die(name)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
