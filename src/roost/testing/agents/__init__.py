"""Agents without a model: each speaks the protocol of a real command line and does what its prompt says.

`python -m roost.testing.agents.claude` stands for `claude`, `.codex` for `codex`, `.gemini` for `gemini`, `.opencode`
for `opencode`, and `.acp` for anything that speaks the Agent Client Protocol. They take the real programs' flags.
What a prompt can say is in `roost.testing.models.script`.
"""

from __future__ import annotations

import sys
from pathlib import Path

NAMES = ("claude", "codex", "acp", "gemini", "opencode")


def program(name: str) -> list[str]:
    """The command that runs a scripted agent with this Python; the real program's flags are to follow."""
    if name not in NAMES:
        raise ValueError(f"there is no scripted agent {name}; there are {', '.join(NAMES)}")
    return [sys.executable, "-m", f"roost.testing.agents.{name}"]


def install(directory: Path, *names: str) -> Path:
    """Put programs of the real names into `directory`, for a `PATH`: what starts `claude` then starts the scripted one.

    Returns the directory; all agents are put there when none is named.
    """
    directory.mkdir(parents=True, exist_ok=True)
    for name in names or NAMES:
        target = directory / name
        words = " ".join(f'"{word}"' for word in program(name))
        target.write_text(f'#!/bin/sh\nexec {words} "$@"\n')
        target.chmod(0o755)
    return directory
