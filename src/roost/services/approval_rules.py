"""Answers that are remembered: kept in a file of the data directory, for they are people's words and no projection."""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

import msgspec
import structlog

from roost.core.approval_rules import PATH_FIELDS, fits, subject_of
from roost.errors import InvalidRequest, NotFound
from roost.model.agents import Session
from roost.model.approvals import ApprovalRule
from roost.model.conversations import OpenApproval

MOST_RULES = 10_000

log = structlog.get_logger("conversations")


class ApprovalRules:
    """All rules; each change is on disk before it counts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rules = _read(path)

    def all(self) -> list[ApprovalRule]:
        """Every rule, the oldest first."""
        return list(self._rules)

    def find(self, session: Session, asked: OpenApproval) -> ApprovalRule | None:
        """The newest rule that answers a question."""
        project, driver = session.definition.cwd, session.definition.driver
        found = next((rule for rule in reversed(self._rules) if fits(rule, asked, project, driver)), None)
        return None if found is None or _leads_out(asked, project) else found

    def remember(
        self, session: Session, asked: OpenApproval, *, decision: Literal["allow", "deny"], by: str
    ) -> ApprovalRule:
        """Answer questions like this one so from now on.

        Raises:
            InvalidRequest: questions of this kind are asked every time.
        """
        project = session.definition.cwd
        subject = subject_of(asked, project)
        if subject is None:
            raise InvalidRequest(
                "this answer cannot be remembered",
                hint="questions, plans, and files outside the agent's directory are asked about every time",
                field="remember",
            )
        rule = ApprovalRule(
            rule_id=f"r-{secrets.token_hex(6)}",
            project=project,
            driver=session.definition.driver,
            tool=asked.tool,
            subject=subject,
            decision=decision,
            by=by,
            created_at=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
        )
        self._write([*self._rules, rule][-MOST_RULES:])
        return rule

    def remove(self, rule_id: str) -> None:
        """Ask again.

        Raises:
            NotFound: there is no such rule.
        """
        left = [rule for rule in self._rules if rule.rule_id != rule_id]
        if len(left) == len(self._rules):
            raise NotFound(f"there is no rule {rule_id[:80]!r}", rule_id=rule_id[:80])
        self._write(left)

    def _write(self, rules: list[ApprovalRule]) -> None:
        partial = self._path.with_suffix(".partial")
        partial.touch(mode=0o600)
        with partial.open("wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(rules), indent=1) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.replace(self._path)
        self._rules = rules


def _read(path: Path) -> list[ApprovalRule]:
    try:
        return msgspec.json.decode(path.read_bytes(), type=list[ApprovalRule])
    except FileNotFoundError:
        return []
    except (OSError, msgspec.DecodeError) as exc:
        # Asking once too often harms nobody; the file stays as it is until a rule is made or removed.
        log.warning("remembered approvals not read", file=str(path), reason=str(exc))
        path.rename(path.with_suffix(".unreadable"))
        return []


def _leads_out(asked: OpenApproval, project: str) -> bool:
    """Whether a path that reads as if it were inside the project is led out of it by a link."""
    paths = [asked.input[name] for name in PATH_FIELDS if isinstance(asked.input.get(name), str)]
    root = Path(project).resolve()
    return not all(Path(project, path).resolve().is_relative_to(root) for path in paths)
