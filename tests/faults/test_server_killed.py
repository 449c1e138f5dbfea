"""The server may be killed at any moment: nothing is lost, nothing doubled, agents go on."""

import random
import threading

import pytest

from roost.errors import RoostError, ServerUnavailable
from roost.testing import kill_storm
from roost.testing.script import program
from roost.testing.server import RunningServer
from tests.faults.outcomes import lines_of, tally_of, wait_ended, wait_lines
from tests.waiting import SCALE


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_storm_of_kills_loses_and_doubles_nothing(server: RunningServer) -> None:
    plan = kill_storm.Plan(agents=20, lines=5000, kills=30, clients=10, rate=150, settle_s=120 * SCALE)
    verdict = kill_storm.run(server, plan)
    assert verdict.is_good, str(verdict)


def test_an_agent_lives_through_a_kill_with_its_pid_and_its_exit_code(server: RunningServer) -> None:
    started = server.start_agent("a", *program(), "--prefix", "a", "--rate", "400", "--lines", "1000", "--exit", "3")
    wait_lines(server, "a", 20)
    server.kill9()
    server.restart()
    assert server.agent("a")["pid"] == started["pid"]
    assert wait_ended(server, "a")["exit_code"] == 3
    assert tally_of(server, "a", 1000).is_perfect


def test_what_ended_while_the_server_was_dead_is_known_after(server: RunningServer, tmp_path) -> None:
    go = tmp_path / "go"
    for name, end in (("good", ["--exit", "0"]), ("bad", ["--exit", "9"]), ("ill", ["--die", "SEGV"])):
        server.start_agent(name, *program(), "--hold", str(go), "--say", "bye", *end)
    server.kill9()
    go.touch()
    server.restart()
    assert wait_ended(server, "good")["exit_code"] == 0
    assert wait_ended(server, "bad")["exit_code"] == 9
    assert wait_ended(server, "ill")["signal"] == "SIGSEGV"
    assert [lines_of(server, name) for name in ("good", "bad", "ill")] == [["bye"]] * 3


def test_a_server_that_was_stopped_in_good_order_leaves_agents_alone(server: RunningServer) -> None:
    started = server.start_agent("a", *program(), "--prefix", "a", "--rate", "400", "--lines", "800")
    wait_lines(server, "a", 20)
    assert server.terminate() == 0
    server.restart()
    assert server.agent("a")["pid"] == started["pid"]
    wait_ended(server, "a")
    assert tally_of(server, "a", 800).is_perfect


@pytest.mark.parametrize("driver", ["terminal", "lines"])
def test_input_is_typed_once_over_kills(server: RunningServer, driver: str) -> None:
    assert typed_over_kills(server, driver, inputs=40, kills=5) == [f"got {n}: input {n}" for n in range(1, 41)]


def typed_over_kills(server: RunningServer, driver: str, *, inputs: int, kills: int) -> list[str]:
    """Give numbered lines to an echoing agent, again whenever the answer was lost; what the agent says it got."""
    server.start_agent("echo", *program(), "--raw", "ready\\n", "--echo", driver=driver)
    wait_lines(server, "echo", 1)
    chance = random.Random(inputs)
    kill_at = set(chance.sample(range(1, inputs + 1), kills))
    for seq in range(1, inputs + 1):
        body = {"input": f"input {seq}\n", "client_id": "typist", "seq": seq}
        if seq in kill_at:
            _send_into_the_void(server, body)
        _send_until_accepted(server, body)
    _send_until_accepted(server, {"input": "quit\n", "client_id": "typist", "seq": inputs + 1})
    wait_ended(server, "echo")
    return [line for line in lines_of(server, "echo") if line.startswith("got")]


def _send_into_the_void(server: RunningServer, body: dict[str, object]) -> None:
    """Send input and kill the server at once, so that nobody knows whether it was typed."""

    def send() -> None:
        try:
            server.call("POST", "/api/agents/echo/input", body)
        except RoostError:
            return

    sender = threading.Thread(target=send)
    sender.start()
    server.kill9()
    sender.join()
    server.restart()


def _send_until_accepted(server: RunningServer, body: dict[str, object]) -> None:
    for _ in range(100):
        try:
            assert server.call("POST", "/api/agents/echo/input", body)["accepted"]
        except ServerUnavailable:
            continue
        return
    raise AssertionError("the input was never accepted")
