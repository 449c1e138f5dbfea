"""The long trials: `scripts/soak NAME [COUNT]`. Each says what came of it and ends with 0 when all held."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from roost.testing import kill_storm
from roost.testing.server import run_server
from tests.agents.claude.fuzzing import fuzz
from tests.faults.test_keeper_upgraded import upgrade_under_load
from tests.faults.test_power_cut import RATE, SLACK_S, SYNCED_EVERY_S, cut_the_power
from tests.faults.test_server_killed import typed_over_kills
from tests.faults.test_typing import typed_through_attach

Trial = Callable[[int], bool]


def _kill_storm(kills: int) -> bool:
    """50 agents, COUNT (200) kills of the server and 5100 lines for each, 20 stream clients."""
    plan = kill_storm.Plan(agents=50, lines=kills * 102, kills=kills, clients=20, rate=102, burst=25, settle_s=900)
    with run_server() as server:
        verdict = kill_storm.run(server, plan, _say)
    _say(str(verdict))
    return verdict.is_good


def _upgrades(count: int) -> bool:
    """COUNT (50) upgrades of the keeper under load."""
    with run_server() as server:
        upgrade_under_load(server, count, lines=count * 600, rate=2000)
    _say(f"{count} upgrades, {4 * count * 600} lines: nothing lost, nothing twice")
    return True


def _input(kills: int) -> bool:
    """Input typed exactly once over COUNT (200) kills of the server."""
    inputs = kills * 3
    with run_server() as server:
        said = typed_over_kills(server, "terminal", inputs=inputs, kills=kills)
    _say(f"{kills} kills, {inputs} inputs, {len(said)} typed")
    return said == [f"got {number}: input {number}" for number in range(1, inputs + 1)]


def _typing(kills: int) -> bool:
    """What is typed through `roost attach` typed exactly once over COUNT (200) kills of the server."""
    inputs = kills * 8
    held = True
    for where in ("here", "elsewhere"):
        with run_server() as server:
            said = typed_through_attach(server, where, inputs=inputs, kills=kills)
        _say(f"{kills} kills, {inputs} lines typed from {where}, {len(said)} came")
        held &= said == [f"got {number}: input {number}" for number in range(1, inputs + 1)]
    return held


def _power_cuts(count: int) -> bool:
    """COUNT (50) power cuts of an ext4 disk; root only."""
    worst = 0
    for number in range(count):
        with tempfile.TemporaryDirectory() as directory:
            lost = cut_the_power(Path(directory), after_lines=100 + number * 37 % 400)
        worst = max(worst, *lost.values())
        _say(f"cut {number + 1}: lost {max(lost.values())} lines ({max(lost.values()) / RATE:.2f} s)")
    _say(f"{count} cuts: at most {worst / RATE:.2f} s of output lost")
    return worst <= RATE * (SYNCED_EVERY_S + SLACK_S)


def _claude_lines(count: int) -> bool:
    """COUNT (10 000 000) damaged lines of Claude Code: none stops the driver or leaves what cannot be kept."""
    share = 10_000
    for seed in range(0, count, share):
        fuzz(seed, min(share, count - seed))
        if seed % 1_000_000 == 0:
            _say(f"{seed} lines")
    _say(f"{count} damaged lines did no harm")
    return True


TRIALS: dict[str, tuple[Trial, int]] = {
    "kill-storm": (_kill_storm, 200),
    "upgrades": (_upgrades, 50),
    "input": (_input, 200),
    "typing": (_typing, 200),
    "power-cuts": (_power_cuts, 50),
    "claude-lines": (_claude_lines, 10_000_000),
}


def main(arguments: list[str]) -> int:
    """Run the trial that was named."""
    if not arguments or arguments[0] not in TRIALS:
        for name, (trial, _) in TRIALS.items():
            _say(f"scripts/soak {name:12} {trial.__doc__}")
        return 0 if not arguments else 2
    trial, count = TRIALS[arguments[0]]
    began = time.monotonic()
    try:
        held = trial(int(arguments[1]) if len(arguments) > 1 else count)
    except pytest.skip.Exception as exc:
        _say(f"cannot be tried here: {exc}")
        return 0
    _say(f"{'held' if held else 'DID NOT HOLD'} after {time.monotonic() - began:.0f} s")
    return 0 if held else 1


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
