"""Transcripts of the real Gemini CLI's `-o stream-json`."""

from __future__ import annotations

from roost.agents.gemini import GeminiDriver
from roost.model.agents import AgentOptions
from tests.agents.goldens import GOLDENS, NO_OPTIONS, definition, make_decoder
from tests.agents.readings import Reading

NAMES = sorted(path.name.removesuffix(".jsonl") for path in (GOLDENS / "gemini").glob("*.jsonl"))
EXIT_CODES: dict[str, int | None] = {"22_err500": None, "23_dropped": 1, "28_sigkill": None, "5SIGKILL_bash": None}
"""Of those that did not end with 0; none where a signal ended them."""


def transcript(name: str, options: AgentOptions = NO_OPTIONS) -> Reading:
    """One of them."""
    cwd = f"/home/dev/agent-lab/runs/gemini_{name}/work"
    argv = ["gemini", "-p", "…", "--output-format", "stream-json"]
    made = definition(options, cwd, "gemini")
    reading = Reading(f"gemini/{name}.jsonl", lambda: make_decoder(GeminiDriver().codec()), argv, made)
    reading.exit_code = EXIT_CODES.get(name, 0)
    return reading
