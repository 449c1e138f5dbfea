"""Process trees of every awkward kind, decoys beside them, and who survived.

tree = ProcessTree("setsid", tmp_path / "tree")
with Decoys(tmp_path / "decoys") as decoys:
    agent = start(tree.command)          # in whatever way is under test
    tree.wait_ready()
    stop(agent)
    assert tree.wait_gone() == set()
    assert decoys.survivors() == decoys.members()
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Self

from roost.testing import processes
from roost.testing.processes import Process
from roost.testing.script import program

READY_TIMEOUT_S = 20.0
PROGRESS_S = 0.1
STORM_SIZE = 400

KINDS: dict[str, list[str]] = {
    "plain": ["--fork", "plain"],
    "job control": ["--fork", "job"],
    "own session": ["--fork", "setsid"],
    "daemon": ["--fork", "daemon"],
    "daemon without environment": ["--fork", "clean-daemon"],
    "deaf to signals": ["--ignore", "HUP,INT,TERM", "--fork", "plain", "--fork", "setsid"],
    "fork storm": ["--storm", str(STORM_SIZE)],
}
"""Each kind of tree by its name: the acts of a fake agent that make it."""


class ProcessTree:
    """An agent, and the children that it will have; they announce themselves in `directory`."""

    def __init__(self, kind: str, directory: Path, *, size: int = 3) -> None:
        self.kind = kind
        self.directory = directory
        self._forks = KINDS[kind].count("--fork")
        self._size = size

    @property
    def command(self) -> list[str]:
        """The agent's command line; the agent announces itself, too."""
        directory = str(self.directory)
        forks = ["--workers-in", directory, "--children", str(self._size), *KINDS[self.kind]]
        return [*program(), *forks, *self._work]

    @property
    def _work(self) -> list[str]:
        return ["--work", str(self.directory)]

    def members(self) -> set[Process]:
        """All that ever announced themselves, the agent among them. Members of a storm do not: see `storm_grew`."""
        return set(_announced(self.directory))

    def survivors(self) -> set[Process]:
        """Everyone of this tree that lives, whether announced or not."""
        announced = {member for member in self.members() if member.is_alive}
        return announced | processes.running(self.command) | processes.running([*program(), *self._work])

    def wait_ready(self, timeout_s: float = READY_TIMEOUT_S) -> set[Process]:
        """Wait until every member has announced itself and, in a storm, until it blows.

        Raises:
            TimeoutError: they have not in time.
        """
        expected = 1 + self._forks * self._size
        deadline = time.monotonic() + timeout_s
        while len(self.members()) < expected or (self.kind == "fork storm" and self._storm() < 10):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(self.members())} of {expected} processes after {timeout_s} s")
            time.sleep(processes.POLL_S)
        return self.members()

    def wait_gone(self, timeout_s: float = 5.0) -> set[Process]:
        """Wait until nobody of this tree lives; those that do when time is up."""
        deadline = time.monotonic() + timeout_s
        while (left := self.survivors()) and time.monotonic() < deadline:
            time.sleep(processes.POLL_S)
        return left

    def progressed(self, within_s: float = PROGRESS_S) -> set[Process]:
        """The members that counted on within the next `within_s` seconds."""
        return _progressed(self.directory, within_s)

    def storm_grew(self, within_s: float = PROGRESS_S) -> bool:
        """Whether a fork storm begot more processes within the next `within_s` seconds."""
        before = self._storm()
        time.sleep(within_s)
        return self._storm() > before

    def end(self) -> None:
        """Kill whatever is left."""
        for member in self.survivors():
            member.end()

    def _storm(self) -> int:
        path = self.directory / "storm"
        return path.stat().st_size if path.exists() else 0


class Decoys:
    """Processes of the same program that are nobody's business: each in its own session, none a child of an agent."""

    def __init__(self, directory: Path, *, size: int = 3, env: Mapping[str, str] | None = None) -> None:
        self.directory = directory
        self._command = [*program(), "--ignore", "HUP", "--work", str(directory)]
        self._size = size
        self._env = dict(os.environ) | dict(env or {})
        self._started: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        self.directory.mkdir(parents=True, exist_ok=True)
        for _ in range(self._size):
            quiet = subprocess.DEVNULL
            started = subprocess.Popen(
                self._command, env=self._env, stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
            )
            self._started.append(started)
        deadline = time.monotonic() + READY_TIMEOUT_S
        while len(self.members()) < self._size:
            if time.monotonic() > deadline:
                raise TimeoutError("the decoys did not start")
            time.sleep(processes.POLL_S)
        return self

    def __exit__(self, *_: object) -> None:
        for started in self._started:
            started.kill()
            started.wait()

    def members(self) -> set[Process]:
        """All decoys."""
        return set(_announced(self.directory))

    def survivors(self) -> set[Process]:
        """The decoys that live."""
        return {member for member in self.members() if member.is_alive}

    def progressed(self, within_s: float = PROGRESS_S) -> set[Process]:
        """The decoys that counted on within the next `within_s` seconds."""
        return _progressed(self.directory, within_s)


def _announced(directory: Path) -> dict[Process, int]:
    """Who announced itself in a directory, with its count."""
    found = {}
    for path in directory.glob("*-*"):
        pid, _, ticks = path.name.partition("-")
        found[Process(int(pid), int(ticks))] = int(path.read_bytes() or b"0")
    return found


def _progressed(directory: Path, within_s: float) -> set[Process]:
    before = _announced(directory)
    time.sleep(within_s)
    return _changed(before, _announced(directory))


def _changed(before: Mapping[Process, int], after: Mapping[Process, int]) -> set[Process]:
    known: Collection[Process] = before.keys()
    return {member for member in known if after.get(member, 0) != before[member]}
