"""Remembered answers outlive the server, and links do not lead them out of the project."""

from __future__ import annotations

from pathlib import Path

import pytest

from roost.errors import InvalidRequest, NotFound
from roost.model.agents import Definition, Session
from roost.model.conversations import OpenApproval
from roost.services.approval_rules import ApprovalRules


def session(cwd: Path) -> Session:
    return Session(session_id="s1", agent_name="a", definition=Definition(command=["c"], driver="claude", cwd=str(cwd)))


def asked(tool: str, kind: str = "tool", **given: object) -> OpenApproval:
    return OpenApproval("s1-1", tool, given, "", [], kind, 1)


def test_an_answer_is_found_again_after_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    ApprovalRules(file).remember(session(tmp_path), asked("Bash", command="ls"), decision="allow", by="ann")
    rules = ApprovalRules(file)
    found = rules.find(session(tmp_path), asked("Bash", command="ls", description="another"))
    assert found is not None
    assert (found.decision, found.by, rules.all()) == ("allow", "ann", [found])
    assert rules.find(session(tmp_path), asked("Bash", command="rm")) is None
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_newest_answer_counts(tmp_path: Path) -> None:
    rules = ApprovalRules(tmp_path / "rules.json")
    for decision in ("allow", "deny"):
        rules.remember(session(tmp_path), asked("Bash", command="ls"), decision=decision, by="ann")
    found = rules.find(session(tmp_path), asked("Bash", command="ls"))
    assert found is not None
    assert found.decision == "deny"


def test_a_forgotten_answer_is_asked_for_again(tmp_path: Path) -> None:
    rules = ApprovalRules(tmp_path / "rules.json")
    rule = rules.remember(session(tmp_path), asked("Bash", command="ls"), decision="allow", by="ann")
    rules.remove(rule.rule_id)
    assert rules.find(session(tmp_path), asked("Bash", command="ls")) is None
    with pytest.raises(NotFound):
        rules.remove(rule.rule_id)


def test_questions_are_asked_every_time(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="cannot be remembered"):
        ApprovalRules(tmp_path / "rules.json").remember(
            session(tmp_path), asked("Ask", kind="question"), decision="allow", by="ann"
        )


def test_a_link_does_not_lead_out_of_the_project(tmp_path: Path) -> None:
    project, outside = tmp_path / "project", tmp_path / "outside"
    project.mkdir()
    outside.mkdir()
    (project / "link").symlink_to(outside)
    rules = ApprovalRules(tmp_path / "rules.json")
    rules.remember(session(project), asked("Write", file_path="a.txt"), decision="allow", by="ann")
    assert rules.find(session(project), asked("Write", file_path="b/c.txt"))
    assert rules.find(session(project), asked("Write", file_path="link/c.txt")) is None


def test_a_file_that_cannot_be_read_is_put_aside(tmp_path: Path) -> None:
    file = tmp_path / "rules.json"
    file.write_text("{")
    assert ApprovalRules(file).all() == []
    assert (tmp_path / "rules.unreadable").read_text() == "{"
