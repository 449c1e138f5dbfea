"""Hooks of coding agents: what they tell becomes a mark, and nothing that goes wrong is the agent's trouble."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from pathlib import Path

from roost.keeper import hook
from tests.keeper.kit import RunningKeeper

MOMENT = {"hook_event_name": "PermissionRequest", "tool_name": "Bash", "tool_input": {"command": "ls"}, "cwd": "/w"}


def test_a_mark_keeps_what_is_needed_of_a_moment() -> None:
    assert hook.marked("claude", MOMENT) == {
        "type": "hook",
        "cli": "claude",
        "hook_event_name": "PermissionRequest",
        "tool_name": "Bash",
        "tool_input": {"command": "ls"},
    }


def test_what_is_long_is_cut_or_left_out() -> None:
    long = "x" * 30_000
    mark = hook.marked("claude", {"message": long, "tool_input": {"content": long}, "tool_name": 7})
    assert mark == {"type": "hook", "cli": "claude", "message": long[: hook.MAX_TEXT]}


def test_a_moment_is_noted_in_the_recording(keeper: RunningKeeper) -> None:
    session = keeper.shell("exec sleep 60")
    hook.main([str(keeper.data), "claude"], {"ROOST_SESSION": session}, json.dumps(MOMENT).encode())
    assert keeper.marks(session)[-1]["hook_event_name"] == "PermissionRequest"


def test_an_agents_own_hook_finds_its_session(keeper: RunningKeeper) -> None:
    command = [sys.executable, "-I", "-S", hook.__file__, str(keeper.data), "claude"]
    session = keeper.shell(f"echo '{json.dumps(MOMENT)}' | {shlex.join(command)}")
    keeper.ended(session)
    assert [mark["tool_name"] for mark in keeper.marks(session) if mark["type"] == "hook"] == ["Bash"]


def test_nothing_that_goes_wrong_is_told_to_the_agent(tmp_path: Path) -> None:
    here = [str(tmp_path), "claude"]
    for arguments, given in ((here, json.dumps(MOMENT)), (here, "half"), ([], "")):
        command = [sys.executable, "-I", "-S", hook.__file__, *arguments]
        done = subprocess.run(command, input=given, capture_output=True, text=True, check=False, env={})
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
