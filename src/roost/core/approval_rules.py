"""Answers that hold for the future: which question of an agent is like one that somebody answered before.

A rule holds for one project, which is the agent's working directory, one driver and one tool, and for one subject:

- of a tool that runs a command, exactly that command, in the same directory,
- of a tool that takes a path, any path inside the project,
- of any other tool, exactly the same input.
"""

from __future__ import annotations

import posixpath
from typing import Any

import msgspec

from roost.model.approvals import ApprovalRule
from roost.model.conversations import OpenApproval

INSIDE = "inside the project"
COMMAND_FIELDS = ("command", "cmd")
PATH_FIELDS = ("file_path", "path", "notebook_path")


def subject_of(asked: OpenApproval, project: str) -> str | None:
    """What a rule made of this question would hold for; none where it may not be remembered.

    What lies outside the project, questions and plans are asked for every time.
    """
    if asked.kind != "tool":
        return None
    for name in COMMAND_FIELDS:
        if name in asked.input:
            where = asked.input.get("cwd", project)
            return f"command {_text(asked.input[name])}" + ("" if where == project else f" in {_text(where)}")
    for name in PATH_FIELDS:
        path = asked.input.get(name)
        if isinstance(path, str):
            return INSIDE if is_inside(path, project) else None
    return f"input {msgspec.json.encode(asked.input, order='deterministic').decode()}"


def fits(rule: ApprovalRule, asked: OpenApproval, project: str, driver: str) -> bool:
    """Whether the rule answers this question."""
    same = (rule.project, rule.driver, rule.tool) == (project, driver, asked.tool)
    return same and subject_of(asked, project) == rule.subject


def is_inside(path: str, project: str) -> bool:
    """Whether a path, relative ones taken from the project, lies in it as far as its text tells."""
    root = posixpath.normpath(project)
    return posixpath.commonpath([posixpath.normpath(posixpath.join(root, path)), root]) == root


def _text(command: Any) -> str:
    return command if isinstance(command, str) else msgspec.json.encode(command).decode()
