"""Transcripts of the real Gemini CLI's `-o stream-json`."""

from __future__ import annotations

from roost.agents.gemini import GeminiDriver
from roost.model.agents import AgentOptions
from tests.agents.goldens import GOLDENS, NO_OPTIONS, definition, make_decoder
from tests.agents.readings import Reading

NAMES = sorted(path.name.removesuffix(".jsonl") for path in (GOLDENS / "gemini").glob("*.jsonl"))


def transcript(name: str, options: AgentOptions = NO_OPTIONS) -> Reading:
    """One of them."""
    cwd = f"/home/dev/agent-lab/runs/gemini_{name}/work"
    argv = ["gemini", "-p", "…", "--output-format", "stream-json"]
    made = definition(options, cwd, "gemini")
    return Reading(f"gemini/{name}.jsonl", lambda: make_decoder(GeminiDriver().codec()), argv, made)
