"""What is typed at an attached terminal reaches the program once and in order, whatever becomes of the server."""

import random

import pytest

from roost.testing.script import program
from roost.testing.server import RunningServer
from tests.cli.kit import ROOST, Terminal
from tests.faults.outcomes import lines_of, wait_ended, wait_lines
from tests.waiting import until


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_what_is_typed_through_attach_is_typed_once_over_kills(server: RunningServer, where: str) -> None:
    """From elsewhere it waits for the server to be back; here it goes on through the keeper, and back again."""
    typed = typed_through_attach(server, where, inputs=60, kills=3)
    assert typed == [f"got {number}: input {number}" for number in range(1, 61)]


def test_what_is_typed_straight_to_the_keeper_is_typed_once_over_its_upgrade(server: RunningServer) -> None:
    server.start_agent("echo", *program(), "--raw", "ready\\n", "--echo")
    wait_lines(server, "echo", 1)
    server.kill9()
    seen = Terminal("env", *_environment(server, "here"), *ROOST, "attach", "echo")
    try:
        seen.shows("ready")
        for number in range(1, 41):
            seen.type(f"input {number}\r")
            if number == 20:
                with server.keeper() as keeper:
                    keeper.call("upgrade")
        seen.type("quit\r")
        assert seen.ends(60) == 0
    finally:
        seen.close()
    server.restart()
    wait_ended(server, "echo")
    got = [line for line in lines_of(server, "echo") if line.startswith("got")]
    assert got == [f"got {number}: input {number}" for number in range(1, 41)]


def test_what_comes_from_a_pipe_is_typed_once_and_whole_over_kills(server: RunningServer) -> None:
    """More than is kept for a server that is away: the rest waits in the pipe."""
    count = 400_000
    server.start_agent("sum", "sh", "-c", "echo ready; cksum", driver="lines")
    wait_lines(server, "sum", 1)
    argv = ["sh", "-c", f'seq {count} | "$@"', "sh", "env", *_environment(server, "elsewhere"), *ROOST, "attach", "sum"]
    attached = Terminal(*argv)
    try:
        until(lambda: server.agent("sum")["viewers"])
        for _ in range(2):
            server.kill9()
            server.restart()
        assert attached.ends(60) == 0
    finally:
        attached.close()
    expected = Terminal("sh", "-c", f"seq {count} | cksum")
    try:
        expected.ends()
        until(lambda: lines_of(server, "sum")[1:] == [expected.text.strip()])
    finally:
        expected.close()


def typed_through_attach(server: RunningServer, where: str, *, inputs: int, kills: int) -> list[str]:
    """Type numbered lines at an echoing agent while the server is killed again and again; what the agent got."""
    server.start_agent("echo", *program(), "--raw", "ready\\n", "--echo")
    wait_lines(server, "echo", 1)
    chance = random.Random(inputs)
    kill_at = set(chance.sample(range(2, inputs - 5), kills))
    back_at = {number + chance.randint(1, 4) for number in kill_at}
    seen = Terminal("env", *_environment(server, where), *ROOST, "attach", "echo")
    try:
        seen.shows("ready")
        for number in range(1, inputs + 1):
            seen.type(f"input {number}\r")
            if number in back_at and not server.is_alive:
                server.restart()
            if number in kill_at and server.is_alive:
                until(lambda number=number: f"input {number - chance.randint(1, 2)}" in seen.text)  # type: ignore[misc]
                server.kill9()
        if not server.is_alive:
            server.restart()
        seen.type("quit\r")
        assert seen.ends(60) == 0
    finally:
        seen.close()
    wait_ended(server, "echo")
    return [line for line in lines_of(server, "echo") if line.startswith("got")]


def _environment(server: RunningServer, where: str) -> list[str]:
    """Variables for `env`: beside the server, or as on another machine."""
    if where == "here":
        return [f"ROOST_DATA={server.data.root}"]
    return [f"ROOST_URL={server.url}", f"ROOST_TOKEN={server.token}"]
