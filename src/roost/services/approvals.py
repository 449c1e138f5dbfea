"""Answers that nobody has to give: by rules that are remembered, and by time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable

import structlog
from msgspec.structs import replace

from roost.errors import RoostError
from roost.model.agents import ENDED, Session
from roost.model.approvals import ApprovalRule
from roost.model.conversations import OpenApproval
from roost.model.requests import DecisionBody
from roost.model.views import ApprovalView
from roost.services.approval_rules import ApprovalRules
from roost.services.conversations import Conversations

log = structlog.get_logger("conversations")


class Approvals:
    """One for the server; lives on the event loop."""

    def __init__(self, conversations: Conversations, rules: ApprovalRules, *, expire_s: float) -> None:
        self._conversations = conversations
        self._rules = rules
        self._expire_s = expire_s
        self._open: dict[str, set[str]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, sessions: Iterable[Session]) -> None:
        """Sessions as they are now: settle what is new of their questions."""
        for session in sessions:
            asked = session.conversation.approvals if session.conversation and session.state not in ENDED else ()
            known = self._open.pop(session.session_id, set())
            if asked:
                self._open[session.session_id] = {one.approval_id for one in asked}
            for one in asked:
                if one.approval_id not in known:
                    self._consider(session, one)

    async def decide(self, approval_id: str, body: DecisionBody, *, by: str) -> ApprovalView:
        """Answer what an agent asks and, if that is wanted, questions like it from now on.

        It is we who remember: what the CLI itself would remember is one of its choices, and often wider than meant.

        Raises:
            ApprovalNotFound, AlreadyDecided: see `Conversations.decide`.
            InvalidRequest: the choice is none, or the answer cannot be remembered.
        """
        if not body.remember:
            return await self._conversations.decide(approval_id, body, by=by)
        session, asked = await self._conversations.question(approval_id)
        rule = self._rules.remember(session, asked, decision=body.decision, by=by)
        try:
            return await self._conversations.decide(approval_id, replace(body, remember=False), by=by)
        except RoostError:
            self._rules.remove(rule.rule_id)
            raise

    def rules(self) -> list[ApprovalRule]:
        """What is remembered."""
        return self._rules.all()

    def forget(self, rule_id: str) -> None:
        """Ask again.

        Raises:
            NotFound: there is no such rule.
        """
        self._rules.remove(rule_id)

    async def close(self) -> None:
        """Stop waiting for anything."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _consider(self, session: Session, asked: OpenApproval) -> None:
        rule = self._rules.find(session, asked)
        if rule is not None:
            body = DecisionBody(decision=rule.decision)
            self._begin(asked.approval_id, body, f"rule {rule.rule_id} of {rule.by}", 0.0)
        elif self._expire_s:
            age_s = max(0.0, time.time() - asked.asked_ns / 1e9)
            reason = f"nobody answered within {self._expire_s:g} s"
            body = DecisionBody(decision="deny", reason=reason)
            self._begin(asked.approval_id, body, "expiry", max(0.0, self._expire_s - age_s))

    def _begin(self, approval_id: str, body: DecisionBody, by: str, after_s: float) -> None:
        task = asyncio.create_task(self._settle(approval_id, body, by, after_s))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _settle(self, approval_id: str, body: DecisionBody, by: str, after_s: float) -> None:
        await asyncio.sleep(after_s)
        if not any(approval_id in known for known in self._open.values()):
            return
        try:
            await self._conversations.decide(approval_id, body, by=by)
        except RoostError as exc:
            log.info("approval not settled", approval_id=approval_id, by=by, reason=str(exc))
