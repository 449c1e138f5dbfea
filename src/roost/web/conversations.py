"""Prompts, turns, approvals and what they cost, over REST."""

from __future__ import annotations

from roost.core.listing import cut_page
from roost.model.requests import (
    ApprovalsQuery,
    ApproveFrame,
    DecisionBody,
    PromptBody,
    PromptQuery,
    TurnQuery,
    UsageQuery,
)
from roost.model.views import Accepted, ApprovalList, ApprovalView, RuleList, TurnList, TurnView, UsageView
from roost.services.spending import summed
from roost.web.requests import Call


async def prompt(call: Call[PromptBody, PromptQuery]) -> TurnView:
    """Prompt a structured agent; with `wait`, answer with the turn's result."""
    talk, by = call.context.conversations, call.caller.name
    view = await talk.prompt(call.name, call.body, by=by)
    if not call.query.wait or view.ended:
        return view
    return await talk.result(call.name, view.turn_id, timeout_s=call.query.timeout_s)


async def prompt_at_once(call: Call[PromptBody, None]) -> TurnView:
    """The socket's `prompt`: its result comes as events."""
    return await call.context.conversations.prompt(call.name, call.body, by=call.caller.name)


async def approve(call: Call[ApproveFrame, None]) -> ApprovalView:
    """The socket's `approve`."""
    fields = {name: getattr(call.body, name) for name in DecisionBody.__struct_fields__}
    return await call.context.approvals.decide(call.body.approval_id, DecisionBody(**fields), by=call.caller.name)


async def interrupt(call: Call[None, None]) -> Accepted:
    """End the turn that runs; its result says so."""
    ended = await call.context.conversations.interrupt(call.name, by=call.caller.name)
    return Accepted(ended is not None)


async def turns(call: Call[None, TurnQuery]) -> TurnList:
    """The turns of a structured agent's session."""
    return TurnList(turns=await call.context.conversations.turns(call.name, session_id=call.query.session))


async def turn(call: Call[None, PromptQuery]) -> TurnView:
    """One turn; with `wait`, once it has ended."""
    talk, turn_id = call.context.conversations, call.parameter("turn_id")
    if call.query.wait:
        return await talk.result(call.name, turn_id, timeout_s=call.query.timeout_s)
    return await talk.turn(call.name, turn_id)


async def cancel(call: Call[None, None]) -> TurnView:
    """Take back a prompt that waits."""
    return await call.context.conversations.cancel(call.name, call.parameter("turn_id"), by=call.caller.name)


async def approvals(call: Call[None, ApprovalsQuery]) -> ApprovalList:
    """What agents ask and wait for."""
    talk, query = call.context.conversations, call.query
    found = talk.open_approvals(query.agent) if query.state != "decided" else []
    if query.state != "open":
        names = [query.agent] if query.agent else [one.name for one in call.context.agents.all()]
        for name in names:
            found += await talk.decided_approvals(name)
    found.sort(key=_order)
    page, following = cut_page(found, _order, query.limit, query.cursor)
    return ApprovalList(approvals=page, next_cursor=following, total=len(found))


async def approval(call: Call[None, None]) -> ApprovalView:
    """One approval, open or decided."""
    return await call.context.conversations.approval(call.parameter("approval_id"))


async def decide(call: Call[DecisionBody, None]) -> ApprovalView:
    """Answer what an agent asks; the first answer counts."""
    return await call.context.approvals.decide(call.parameter("approval_id"), call.body, by=call.caller.name)


async def rules(call: Call[None, None]) -> RuleList:
    """Answers that are remembered for the future."""
    return RuleList(rules=call.context.approvals.rules())


async def forget_rule(call: Call[None, None]) -> None:
    """Forget an answer: agents are to ask again."""
    call.context.approvals.forget(call.parameter("rule_id"))


async def usage(call: Call[None, UsageQuery]) -> UsageView:
    """Tokens and money that agents spent, summed by day, agent, session, model or turn."""
    return await summed(call.context.spending, call.query)


def _order(view: ApprovalView) -> str:
    return f"{view.asked_at} {view.approval_id}"
