"""The real programs of agents, where they are installed, each run where it can reach nobody but a fake model.

`scripts/setup --agents claude codex` installs them into `.agents`; `ROOST_TEST_CLAUDE` and its like name others.
"""

from __future__ import annotations

import functools
import os
import subprocess
import sys
from pathlib import Path

import pytest

from roost.testing.models.offline import offline

INSTALLED = Path(__file__).resolve().parent.parent.parent / ".agents" / "bin"
START_S = 30.0
NAMESPACE = "from roost.testing.models.offline import leave_network; leave_network()"


def program(name: str) -> str:
    """The path of a real program; empty when it is not installed."""
    named = os.environ.get(f"ROOST_TEST_{name.upper()}", "")
    installed = INSTALLED / name
    return named or (str(installed) if installed.exists() else "")


def command(name: str, home: Path) -> list[str]:
    """The command that runs a real program offline with a home of its own; the program's arguments are to follow."""
    return offline(name, program(name), home)


def needs(name: str) -> pytest.MarkDecorator:
    """Leaves a test out, with the reason, where a program is not installed or no network namespace can be had."""
    if not program(name):
        return pytest.mark.skip(reason=f"needs {name}: scripts/setup --agents {name}")
    return pytest.mark.skipif(not can_isolate(), reason="needs root or user namespaces")


@functools.cache
def can_isolate() -> bool:
    """Whether a network namespace can be had here."""
    return subprocess.run([sys.executable, "-c", NAMESPACE], capture_output=True, check=False).returncode == 0
