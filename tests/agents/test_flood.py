"""A million lines, most of them damaged, through the codecs of all drivers: none stops them."""

from __future__ import annotations

import json
import random

import pytest

from roost.agents.registry import DRIVERS
from roost.model.agents import AgentOptions
from tests.agents.damage import Trial
from tests.agents.goldens import GOLDENS, definition, make_decoder

MILLION = 1_000_000
ARGV = {
    "acp": ["agent"],
    "claude": ["claude", "--input-format=stream-json", "--output-format=stream-json"],
    "codex": ["codex", "app-server"],
    "gemini": ["gemini", "-p", "x"],
    "opencode": ["opencode", "run", "x"],
}
POOL = 3000
"""Different damaged lines of a driver; making one costs more than reading ten."""
SOME = 250
ONE_CONVERSATION = 16


def written_by(driver: str) -> list[bytes]:
    """What the CLI wrote in our transcripts."""
    lines = []
    for path in sorted((GOLDENS / driver).glob("*.jsonl")):
        for line in path.read_bytes().splitlines():
            told = json.loads(line) if line.startswith(b'{"t"') else {"dir": "out", "msg": None}
            if told["dir"] == "out":
                lines.append(line if told["msg"] is None else json.dumps(told["msg"]).encode())
    return [line for line in lines if len(line) < 4000 and _is_json(line)]


def _is_json(line: bytes) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


@pytest.mark.parametrize("driver", ARGV)
def test_a_flood_of_damaged_lines_does_no_harm(driver: str) -> None:
    trial = Trial(DRIVERS[driver], ARGV[driver], written_by(driver), seed=7)
    pool, chance = [trial.line() for _ in range(POOL)], random.Random(7)
    for number in range(MILLION // len(ARGV) // SOME):
        if number % ONE_CONVERSATION == 0:
            decoder = make_decoder(DRIVERS[driver].codec())
            trial.keep(decoder, decoder.open(ARGV[driver], definition(AgentOptions(), "/w"), 0))
        trial.keep(decoder, decoder.output(b"\n".join([*chance.choices(pool, k=SOME), b""]), number))
