"""Which questions are alike."""

from __future__ import annotations

import pytest

from roost.core.approval_rules import INSIDE, fits, is_inside, subject_of
from roost.model.approvals import ApprovalRule
from roost.model.conversations import OpenApproval

PROJECT = "/home/me/project"


def asked(tool: str = "Bash", kind: str = "tool", **given: object) -> OpenApproval:
    return OpenApproval("s1-1", tool, given, "", [], kind, 1)


def rule(subject: str, **fields: str) -> ApprovalRule:
    named = {"project": PROJECT, "driver": "claude", "tool": "Bash", "decision": "allow"} | fields
    return ApprovalRule(rule_id="r-1", subject=subject, by="ann", created_at="2026-11-21T00:00:00Z", **named)


@pytest.mark.parametrize(
    ("question", "subject"),
    [
        (asked(command="ls -l", description="list"), "command ls -l"),
        (asked(command=["ls", "-l"]), 'command ["ls","-l"]'),
        (asked(command="ls", cwd=PROJECT), "command ls"),
        (asked(command="ls", cwd="/etc"), "command ls in /etc"),
        (asked("Write", file_path="/home/me/project/src/a.py", content="x"), INSIDE),
        (asked("Write", file_path="src/a.py"), INSIDE),
        (asked("Write", file_path="/etc/passwd"), None),
        (asked("Write", file_path="../other/a.py"), None),
        (asked("WebFetch", url="https://example.org", path=7), 'input {"path":7,"url":"https://example.org"}'),
        (asked(kind="question"), None),
        (asked(kind="plan"), None),
    ],
)
def test_what_an_answer_would_hold_for(question: OpenApproval, subject: str | None) -> None:
    assert subject_of(question, PROJECT) == subject


@pytest.mark.parametrize(
    ("known", "answers"),
    [
        (rule("command ls"), True),
        (rule("command ls -a"), False),
        (rule("command ls", project="/home/me"), False),
        (rule("command ls", driver="codex"), False),
        (rule("command ls", tool="Shell"), False),
    ],
)
def test_a_rule_holds_for_one_project_driver_tool_and_subject(known: ApprovalRule, answers: bool) -> None:
    assert fits(known, asked(command="ls"), PROJECT, "claude") is answers


def test_what_may_not_be_remembered_fits_no_rule() -> None:
    assert not fits(rule("", tool="Ask"), asked("Ask", kind="question"), PROJECT, "claude")


@pytest.mark.parametrize(
    ("path", "inside"),
    [
        (PROJECT, True),
        ("a/../b", True),
        ("/home/me/project-2/a", False),
        ("..", False),
        ("/home/me/project/../x", False),
    ],
)
def test_what_lies_inside(path: str, inside: bool) -> None:
    assert is_inside(path, PROJECT) is inside
