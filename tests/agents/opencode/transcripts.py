"""Transcripts of the real opencode's `run --format json`."""

from __future__ import annotations

from roost.agents.opencode import OpencodeDriver
from roost.model.agents import AgentOptions
from tests.agents.goldens import GOLDENS, NO_OPTIONS, definition, make_decoder
from tests.agents.readings import Reading

NAMES = sorted(path.name.removesuffix(".jsonl") for path in (GOLDENS / "opencode").glob("*.jsonl"))


def transcript(name: str, options: AgentOptions = NO_OPTIONS) -> Reading:
    """One of them."""
    cwd = f"/home/dev/agent-lab/runs/oc_{name}/work"
    argv = ["opencode", "run", "--format", "json", "…"]
    made = definition(options, cwd, "opencode")
    return Reading(f"opencode/{name}.jsonl", lambda: make_decoder(OpencodeDriver().codec()), argv, made)
