"""Does anything get lost or doubled when the server is killed again and again?

Agents print numbered lines while the server is killed by `kill -9` at random moments and started again, and clients
follow the streams with `Last-Event-ID`. Afterwards what the store gives out from the very beginning, what each client
saw, the exit codes and the process ids are compared with what they must be.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from roost.errors import RoostError
from roost.testing.event_stream import ResumingClient, StreamEvent, read_stream
from roost.testing.numbered import NOTHING, Ledger, Tally
from roost.testing.script import program
from roost.testing.server import RunningServer

POLL_S = 0.05
CONNECT_TIMEOUT_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A storm. `rate` is lines a second of one agent; a kill comes `gap_s` seconds at random after the server is up."""

    agents: int = 20
    lines: int = 5000
    kills: int = 30
    clients: int = 10
    rate: float = 200.0
    burst: int = 20
    gap_s: tuple[float, float] = (0.02, 0.5)
    seed: int = 1
    settle_s: float = 120.0

    def driver(self, name: str) -> str:
        """Every second agent runs in a terminal, the others on pipes."""
        return "terminal" if self.names.index(name) % 2 else "lines"

    @property
    def names(self) -> list[str]:
        """The agents' names."""
        return [f"storm{number}" for number in range(self.agents)]

    def exit_code(self, name: str) -> int:
        """The code with which an agent will exit."""
        return int(name.removeprefix("storm")) % 7

    def command(self, name: str) -> list[str]:
        """An agent's command line."""
        pace = ["--prefix", name, "--rate", str(self.rate), "--burst", str(self.burst)]
        return [*program(), *pace, "--lines", str(self.lines), "--exit", str(self.exit_code(name))]


@dataclass(kw_only=True)
class Verdict:
    """What became of it all. `stored` are the lines in the store, `streamed` those that clients saw."""

    kills: int = 0
    stored: Tally = NOTHING
    streamed: Tally = NOTHING
    reconnects: int = 0
    faults: list[str] = field(default_factory=list)
    boot_s: list[float] = field(default_factory=list)
    caught_up_s: float = 0.0

    @property
    def is_good(self) -> bool:
        """Nothing lost, nothing twice, all in order, every exit code and process id as it should be."""
        return not self.faults and self.stored.is_perfect and self.streamed.is_perfect

    def __str__(self) -> str:
        boots = sorted(self.boot_s) or [0.0]
        return "\n".join(
            [
                f"{self.kills} kills, {self.reconnects} reconnects",
                f"store:   {_words(self.stored)}",
                f"clients: {_words(self.streamed)}",
                f"ready after p50 {boots[len(boots) // 2]:.2f} s, max {boots[-1]:.2f} s; "
                f"caught up {self.caught_up_s:.1f} s after the last kill",
                *(f"FAULT: {fault}" for fault in self.faults[:20]),
            ]
        )


def run(server: RunningServer, plan: Plan, report: Callable[[str], None] = lambda _: None) -> Verdict:
    """Let the storm pass over a running server."""
    verdict = Verdict()
    watchers = [Watcher(server, plan) for _ in range(plan.clients // 2)]
    for watcher in watchers:
        watcher.start()
    started = {name: server.start_agent(name, *plan.command(name), driver=plan.driver(name)) for name in plan.names}
    for name in plan.names[: plan.clients - len(watchers)]:
        watchers.append(Watcher(server, plan, name, after=f"{started[name]['session_id']}:0"))
        watchers[-1].start()
    _kill_again_and_again(server, plan, verdict, report)
    _wait_for_the_end(server, plan.settle_s, verdict)
    for watcher in watchers:
        watcher.finish(plan, verdict)
    _check_agents(server, plan, {name: int(agent["pid"]) for name, agent in started.items()}, verdict)
    verdict.stored = _stored(server, plan, verdict)
    return verdict


class Watcher:
    """A stream client with its ledger; it follows all agents, or one from a position on."""

    def __init__(self, server: RunningServer, plan: Plan, agent: str = "", *, after: str = "") -> None:
        self._agent = agent
        self._ends = 1 if agent else plan.agents
        self._ledger = Ledger()
        self._ids: set[str] = set()
        self._repeated = 0
        target = f"/api/agents/{agent}/stream" if agent else "/api/stream?tail=0"
        self._client = ResumingClient(lambda: server.address, target, take=self._take, is_last=self._is_last)
        self._client.last_id = after

    def start(self) -> None:
        """Begin to follow; comes back when the stream is there."""
        self._client.start()
        deadline = time.monotonic() + CONNECT_TIMEOUT_S
        while not self._client.connections:
            if time.monotonic() > deadline:
                raise TimeoutError(f"the stream did not open: {self._client.last_error}")
            time.sleep(POLL_S)

    def finish(self, plan: Plan, verdict: Verdict) -> None:
        """Wait for the last event, then add to the verdict what this client saw."""
        self._client.join(plan.settle_s)
        name = self._agent or "all agents"
        if not self._client.ended:
            verdict.faults.append(f"the client of {name} never saw the end")
            self._client.stop()
            self._client.join()
        if self._repeated:
            verdict.faults.append(f"the client of {name} got {self._repeated} ids again")
        verdict.faults += [f"the client of {name} saw {line[:80]!r}" for line in self._ledger.strangers[:3]]
        verdict.reconnects += max(0, self._client.connections - 1)
        verdict.streamed += self._ledger.tally(dict.fromkeys([self._agent] if self._agent else plan.names, plan.lines))

    def _take(self, event: StreamEvent) -> None:
        if event.type == "connected" or not event.id:
            return
        self._repeated += event.id in self._ids
        self._ids.add(event.id)
        if event.type == "log":
            self._ledger.take(event.decoded()["data"]["line"])

    def _is_last(self, event: StreamEvent) -> bool:
        self._ends -= event.type == "complete"
        return self._ends == 0


def _kill_again_and_again(server: RunningServer, plan: Plan, verdict: Verdict, report: Callable[[str], None]) -> None:
    chance = random.Random(plan.seed)
    for _ in range(plan.kills):
        time.sleep(chance.uniform(*plan.gap_s))
        server.kill9()
        began = time.monotonic()
        server.start()
        verdict.kills += 1
        verdict.boot_s.append(time.monotonic() - began)
        if verdict.kills % 10 == 0:
            report(f"{verdict.kills} kills, {_alive(server)} agents alive")


def _alive(server: RunningServer) -> int:
    return sum(not _ended(agent) for agent in server.agents())


def _wait_for_the_end(server: RunningServer, settle_s: float, verdict: Verdict) -> None:
    began = time.monotonic()
    while time.monotonic() - began < settle_s:
        if _alive(server) == 0:
            break
        time.sleep(POLL_S)
    verdict.caught_up_s = time.monotonic() - began


def _ended(agent: dict[str, Any]) -> bool:
    return agent["state"] in ("exited", "failed", "lost")


def _check_agents(server: RunningServer, plan: Plan, pids: dict[str, int], verdict: Verdict) -> None:
    for name in plan.names:
        agent = server.agent(name)
        expected = ("exited" if plan.exit_code(name) == 0 else "failed", plan.exit_code(name))
        if (agent["state"], agent["exit_code"]) != expected:
            verdict.faults.append(f"{name} is {agent['state']} with code {agent['exit_code']}, not {expected}")
        if agent["pid"] not in (None, pids[name]) or agent["restarts"]:
            verdict.faults.append(f"{name} was process {pids[name]} and is {agent['pid']}")


def _stored(server: RunningServer, plan: Plan, verdict: Verdict) -> Tally:
    """What a new client gets that asks for everything from the beginning."""
    total = NOTHING
    for name in plan.names:
        ledger = Ledger()
        session = server.agent(name)["session_id"]
        try:
            for event in read_stream(server.address, f"/api/agents/{name}/stream", after=f"{session}:0"):
                if event.type == "log":
                    ledger.take(event.decoded()["data"]["line"])
        except RoostError as exc:
            verdict.faults.append(f"{name} cannot be read from the beginning: {exc}")
        total += ledger.tally({name: plan.lines})
    return total


def _words(tally: Tally) -> str:
    faults = f"{tally.lost} lost, {tally.twice} twice, {tally.disordered} out of order"
    return f"{tally.seen} of {tally.expected} lines, {faults}"
