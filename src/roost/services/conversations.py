"""Conversations with structured agents: prompts, interruptions, approvals.

Everything asked for is first a mark in the recording. What follows from it, the projection finds out, which is also how
it is known here: so an answer tells what is true, and holds after a crash. `Writing` does the writing.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Any

import msgspec

from roost.agents.registry import DRIVERS
from roost.core.turn_results import ENDS, TURN_EVENTS, Told, gather
from roost.core.wire import timestamp
from roost.errors import (
    AgentNotRunning,
    AlreadyDecided,
    ApprovalNotFound,
    InvalidRequest,
    NotStructured,
    TimedOut,
    TurnNotFound,
)
from roost.model.agents import STRUCTURED, Session
from roost.model.blocks import Block
from roost.model.conversations import ConversationState, OpenApproval
from roost.model.events import AnyEvent, Permission, Turn
from roost.model.requests import DecisionBody, PromptBody
from roost.model.views import ApprovalView, TurnView
from roost.services.agents import Agents
from roost.services.launching import check_changes
from roost.store.reader import StoreReader

SEEN_S = 10.0
"""How long the projection may take until it has seen a mark."""
MOST_EVENTS = 1_000_000
Json = dict[str, Any]


class Conversations:
    """One for the server; lives on the event loop."""

    def __init__(self, agents: Agents, reader: StoreReader) -> None:
        self._agents = agents
        self._reader = reader
        self._watchers: dict[str, set[asyncio.Queue[AnyEvent]]] = {}

    def published(self, blocks: Iterable[Block]) -> None:
        """Blocks that were just stored."""
        for block in blocks:
            for queue in self._watchers.get(block.session_id, ()):
                for event in block.events:
                    if type(event) is Turn or type(event) is Permission:
                        queue.put_nowait(event)

    # Turns

    async def prompt(self, name: str, body: PromptBody, *, by: str) -> TurnView:
        """Give an agent a prompt; the turn once the recording has it.

        Raises:
            NotStructured: the agent is not spoken to in a protocol.
            AgentNotRunning: it has ended.
            InvalidRequest: an option that cannot be changed between turns, or to what the agent does not have.
        """
        session = self._running(name)
        if not DRIVERS[session.definition.driver].abilities.prompts:
            raise NotStructured(f"agent {name} runs elsewhere and is only watched", name=name)
        turn_id = body.turn_id or f"t-{secrets.token_hex(8)}"
        if body.turn_id is not None:
            known = await self._find(session, turn_id)
            if known is not None:
                return msgspec.structs.replace(known, repeated=True)
        changes = _changes(body.options)
        check_changes(session.definition, body.options)
        for what, value in changes:
            await self._agents.mark(name, {"type": "change", "what": what, "value": value, "by": by})
        mark: Json = {"type": "prompt", "turn_id": turn_id, "prompt": body.prompt, "by": by, "policy": body.policy}
        if body.images:
            mark["images"] = msgspec.to_builtins(body.images)
        async with self._watch(session.session_id) as events:
            await self._agents.mark(name, mark)
            await _first(events, lambda event: type(event) is Turn and event.turn_id == turn_id, SEEN_S)
        return await self.turn(name, turn_id, session_id=session.session_id)

    async def result(self, name: str, turn_id: str, *, timeout_s: float | None = None) -> TurnView:
        """The turn once it has ended.

        Raises:
            TurnNotFound: the agent's newest session has none of that id.
            TimedOut: it has not ended within `timeout_s`.
        """
        session = self._agents.record(name).session
        async with self._watch(session.session_id) as events:
            view = await self.turn(name, turn_id, session_id=session.session_id)
            if not view.ended:
                await _first(
                    events,
                    lambda event: type(event) is Turn and event.turn_id == turn_id and event.state in ENDS,
                    timeout_s,
                )
        return await self.turn(name, turn_id, session_id=session.session_id)

    async def turn(self, name: str, turn_id: str, *, session_id: str | None = None) -> TurnView:
        """One turn of an agent.

        Raises:
            TurnNotFound: there is none of that id.
        """
        for view in await self.turns(name, session_id=session_id):
            if view.turn_id == turn_id:
                return view
        raise TurnNotFound(f"agent {name} has no turn {turn_id[:80]!r}", name=name, turn_id=turn_id[:80])

    async def turns(self, name: str, *, session_id: str | None = None) -> list[TurnView]:
        """All turns of a session, the newest session's when none is named.

        Raises:
            NotStructured: the agent has no conversation that we could read.
        """
        newest = self._agents.record(name).session
        session = newest if newest.conversation is not None else self._structured(name)
        wanted = session_id or session.session_id
        found = await asyncio.to_thread(self._reader.events, wanted, types=TURN_EVENTS, limit=MOST_EVENTS)
        return gather([Told(one.type, one.time_ns, one.data) for one in found], name, wanted)

    async def interrupt(self, name: str, *, by: str) -> TurnView | None:
        """End the running turn; it, once it has ended, or None where none ran."""
        session = self._running(name)
        state = _state(session)
        async with self._watch(session.session_id) as events:
            await self._agents.mark(name, {"type": "interrupt", "by": by})
            if state.running is None:
                return None
            turn_id = state.running.turn_id
            await _first(
                events, lambda event: type(event) is Turn and event.turn_id == turn_id and event.state in ENDS, SEEN_S
            )
        return await self.turn(name, turn_id, session_id=session.session_id)

    async def cancel(self, name: str, turn_id: str, *, by: str) -> TurnView:
        """Take a prompt back that waits.

        Raises:
            TurnNotFound: none of that id waits.
        """
        session = self._running(name)
        if turn_id not in {turn.turn_id for turn in _state(session).queue}:
            raise TurnNotFound(f"no prompt {turn_id[:80]!r} waits for agent {name}", name=name, turn_id=turn_id[:80])
        async with self._watch(session.session_id) as events:
            await self._agents.mark(name, {"type": "cancel_prompt", "turn_id": turn_id, "by": by})
            await _first(events, lambda event: type(event) is Turn and event.turn_id == turn_id, SEEN_S)
        return await self.turn(name, turn_id, session_id=session.session_id)

    # Approvals

    def open_approvals(self, agent: str | None = None) -> list[ApprovalView]:
        """What agents ask and wait for, oldest first."""
        found = [
            approval_view(record.session, asked)
            for record in self._agents.records()
            if record.session.conversation is not None and agent in (None, record.session.agent_name)
            for asked in record.session.conversation.approvals
        ]
        return sorted(found, key=lambda view: (view.asked_at, view.approval_id))

    async def decide(self, approval_id: str, body: DecisionBody, *, by: str) -> ApprovalView:
        """Answer what an agent asks.

        Raises:
            ApprovalNotFound: there is none of that id.
            AlreadyDecided: somebody was first, or the agent no longer waits; says who and what.
            InvalidRequest: the choice is none of its choices, or contradicts the decision.
        """
        session, asked = await self.question(approval_id)
        _check_choice(asked, body)
        if body.input is not None and not DRIVERS[session.definition.driver].abilities.edited_input:
            raise InvalidRequest(
                f"agents of the driver {session.definition.driver} take no edited input",
                hint="deny it, with the reason that the agent is told",
                field="input",
            )
        decision_id = secrets.token_hex(8)
        decision = {"allow": body.decision == "allow"} | msgspec.to_builtins(body)
        del decision["decision"]
        mark = {"type": "decision", "approval_id": approval_id, "decision": decision}
        async with self._watch(session.session_id) as events:
            await self._agents.mark(session.agent_name, mark | {"by": by, "decision_id": decision_id})
            told = await _first(
                events,
                lambda event: (
                    type(event) is Permission and event.approval_id == approval_id and event.decision is not None
                ),
                SEEN_S,
            )
        if not isinstance(told, Permission) or told.details.get("decision_id") != decision_id:
            raise await self._decided(approval_id)
        return msgspec.structs.replace(
            approval_view(session, asked),
            decision=told.decision,
            by=told.by,
            reason=told.reason,
            decided_at=timestamp(told.time_ns),
        )

    async def question(self, approval_id: str) -> tuple[Session, OpenApproval]:
        """An open approval, and the session that asks.

        Raises:
            ApprovalNotFound: there is none of that id.
            AlreadyDecided: it is not open any longer.
        """
        for record in self._agents.records():
            for asked in record.session.conversation.approvals if record.session.conversation else ():
                if asked.approval_id == approval_id:
                    if record.ended:
                        break
                    return record.session, asked
        raise await self._decided(approval_id)

    async def approval(self, approval_id: str) -> ApprovalView:
        """One approval, open or decided.

        Raises:
            ApprovalNotFound: there is none of that id.
        """
        for view in self.open_approvals():
            if view.approval_id == approval_id:
                return view
        session_id = approval_id.rpartition("-")[0]
        for view in await self._told_approvals(session_id):
            if view.approval_id == approval_id:
                return view
        raise ApprovalNotFound(f"there is no approval {approval_id[:80]!r}", approval_id=approval_id[:80])

    async def decided_approvals(self, agent: str) -> list[ApprovalView]:
        """What became of the questions of an agent's newest session."""
        session = self._agents.record(agent).session
        return [view for view in await self._told_approvals(session.session_id) if view.decision is not None]

    async def _told_approvals(self, session_id: str) -> list[ApprovalView]:
        found = await asyncio.to_thread(self._reader.events, session_id, types=("permission",), limit=MOST_EVENTS)
        views: dict[str, ApprovalView] = {}
        for one in found:
            _tell(views, one.agent_name, session_id, Told(one.type, one.time_ns, one.data))
        return list(views.values())

    async def _decided(self, approval_id: str) -> AlreadyDecided:
        view = await self.approval(approval_id)
        who = f" by {view.by}" if view.by else ""
        return AlreadyDecided(
            f"the approval was already settled: {view.decision or 'the agent ended'}{who}",
            approval_id=approval_id,
            decision=view.decision,
            by=view.by,
            decided_at=view.decided_at,
        )

    # Inside

    def _structured(self, name: str) -> Session:
        session = self._agents.record(name).session
        if session.definition.driver not in STRUCTURED:
            raise NotStructured(
                f"agent {name} has the driver {session.definition.driver}, which takes no prompts",
                hint=f"type into it with: roost send {name} TEXT",
                name=name,
            )
        return session

    def _running(self, name: str) -> Session:
        session = self._structured(name)
        record = self._agents.record(name)
        if record.ended:
            raise AgentNotRunning(
                f"agent {name} is not running: it is {record.state}",
                hint=f"roost restart {name} goes on with its conversation",
                name=name,
                state=record.state,
            )
        return session

    async def _find(self, session: Session, turn_id: str) -> TurnView | None:
        with contextlib.suppress(TurnNotFound):
            return await self.turn(session.agent_name, turn_id, session_id=session.session_id)
        return None

    @contextlib.asynccontextmanager
    async def _watch(self, session_id: str) -> AsyncIterator[asyncio.Queue[AnyEvent]]:
        queue: asyncio.Queue[AnyEvent] = asyncio.Queue()
        watchers = self._watchers.setdefault(session_id, set())
        watchers.add(queue)
        try:
            yield queue
        finally:
            watchers.discard(queue)
            if not watchers:
                self._watchers.pop(session_id, None)


def approval_view(session: Session, asked: OpenApproval) -> ApprovalView:
    """An open approval as clients see it."""
    return ApprovalView(
        approval_id=asked.approval_id,
        agent_name=session.agent_name,
        session_id=session.session_id,
        kind=asked.kind,
        tool=asked.tool,
        input=asked.input,
        title=asked.title,
        choices=asked.choices,
        asked_at=timestamp(asked.asked_ns),
        tool_use_id=asked.tool_use_id,
        details=asked.details,
    )


async def _first(
    events: asyncio.Queue[AnyEvent], wanted: Callable[[AnyEvent], bool], timeout_s: float | None
) -> AnyEvent:
    try:
        async with asyncio.timeout(timeout_s):
            while True:
                event = await events.get()
                if wanted(event):
                    return event
    except TimeoutError:
        raise TimedOut(f"that has not happened within {timeout_s:g} s", timeout_s=timeout_s) from None


def _state(session: Session) -> ConversationState:
    return session.conversation or ConversationState()


def _changes(options: dict[str, str]) -> list[tuple[str, str]]:
    known = {"model": "model", "permission_mode": "mode"}
    for name in options:
        if name not in known:
            raise InvalidRequest(
                f"{name[:80]!r} cannot be changed between turns",
                hint="only model and permission_mode can; give the rest when the agent is started",
                field=f"options.{name[:80]}",
            )
    return [(known[name], value) for name, value in options.items()]


def _check_choice(asked: OpenApproval, body: DecisionBody) -> None:
    if body.choice is None:
        return
    choice = next((one for one in asked.choices if one.get("id") == body.choice), None)
    if choice is None:
        known = ", ".join(_named(one) for one in asked.choices)
        raise InvalidRequest(f"{body.choice!r} is not one of the choices", hint=f"there are {known}", field="choice")
    if str(choice.get("kind", "")).startswith("deny") == (body.decision == "allow"):
        raise InvalidRequest(f"the choice {body.choice!r} is not to {body.decision}", field="choice")


def _named(choice: dict[str, Any]) -> str:
    label = choice.get("label")
    return f"{choice.get('id')} ({label})" if label else str(choice.get("id"))


def _tell(views: dict[str, ApprovalView], agent: str, session_id: str, told: Told) -> None:
    data, known = told.data, views.get(told.data["approval_id"])
    if known is None:
        views[data["approval_id"]] = ApprovalView(
            approval_id=data["approval_id"],
            agent_name=agent,
            session_id=session_id,
            kind=data["kind"],
            tool=data["tool"],
            input=data["input"],
            title=data["title"],
            choices=data["choices"],
            asked_at=timestamp(told.time_ns),
            tool_use_id=data.get("tool_use_id"),
            details=data.get("details", {}),
        )
    elif data.get("decision") is not None:
        views[data["approval_id"]] = msgspec.structs.replace(
            known,
            decision=data["decision"],
            by=data.get("by"),
            reason=data.get("reason"),
            decided_at=timestamp(told.time_ns),
        )
