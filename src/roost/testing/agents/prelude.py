"""Steps that the environment puts before every turn, for faults that a test cannot put into its prompts."""

from __future__ import annotations

import os

from roost.testing.models.script import Answer, read_script

VARIABLE = "SCRIPTED_AGENT_PRELUDE"


def prelude() -> list[Answer]:
    """The answers that `SCRIPTED_AGENT_PRELUDE` asks for; none when it is empty."""
    text = os.environ.get(VARIABLE, "")
    return read_script(text) if text else []
