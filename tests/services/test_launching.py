"""How a coding agent in its own screen is started."""

from __future__ import annotations

from pathlib import Path

import pytest

from roost.model.agents import Definition
from roost.services.launching import launched, with_conversation


def test_claude_gets_an_id_and_hooks_that_find_the_data_directory() -> None:
    definition = with_conversation(Definition(command=["claude", "--model", "opus"]))
    argv = launched(definition, Path("/data dir")).argv
    assert argv[1] == f"--session-id={definition.conversation_id}"
    assert argv[2].startswith("--settings=")
    assert "hook.py '/data dir' claude" in argv[2]
    assert argv[3:] == ["--model", "opus"]


@pytest.mark.parametrize(
    ("definition", "hooks_to"),
    [
        (Definition(command=["claude", "--resume", "u"]), None),
        (Definition(command=["claude", "--settings", "mine.json", "-c"]), Path("/data")),
        (Definition(command=["claude"], driver="lines"), Path("/data")),
        (Definition(command=["codex"]), Path("/data")),
        (Definition(command=["vim"]), Path("/data")),
    ],
)
def test_others_are_started_as_they_are(definition: Definition, hooks_to: Path | None) -> None:
    assert launched(with_conversation(definition), hooks_to).argv == definition.command
