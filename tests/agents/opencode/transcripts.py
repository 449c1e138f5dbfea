"""Transcripts of the real opencode's `run --format json`."""

from __future__ import annotations

from roost.agents.opencode import OpencodeDriver
from roost.model.agents import AgentOptions
from tests.agents.goldens import GOLDENS, NO_OPTIONS, definition, make_decoder
from tests.agents.readings import Reading

NAMES = sorted(path.name.removesuffix(".jsonl") for path in (GOLDENS / "opencode").glob("*.jsonl"))
SIGNALLED = ("23_dropped", "26_sigint", "27_sigterm", "5SIGINT_bash", "5SIGKILL_bash", "5SIGTERM_bash")
EXIT_CODES: dict[str, int | None] = {"20_err400": 1, "25_badmodel": 1, **dict.fromkeys(SIGNALLED)}
"""Of those that did not end with 0; none where a signal ended them."""


def transcript(name: str, options: AgentOptions = NO_OPTIONS) -> Reading:
    """One of them."""
    cwd = f"/home/dev/agent-lab/runs/oc_{name}/work"
    argv = ["opencode", "run", "--format", "json", "…"]
    made = definition(options, cwd, "opencode")
    reading = Reading(f"opencode/{name}.jsonl", lambda: make_decoder(OpencodeDriver().codec()), argv, made)
    reading.exit_code = EXIT_CODES.get(name, 0)
    return reading
