"""Agents over REST."""

from __future__ import annotations

import asyncio

import msgspec
from starlette.responses import PlainTextResponse, Response

from roost.core.keys import encode_keys, encode_paste
from roost.core.listing import page_of
from roost.errors import InvalidRequest, NoTerminal, NotSupported
from roost.model.agents import StartAgent
from roost.model.requests import AgentsQuery, InputBody, ResizeBody, ScreenQuery, SignalBody, StopQuery
from roost.model.views import Accepted, AgentList, AgentView, AttentionView
from roost.web.requests import Call

WAYS_TO_TYPE = ("input", "input_base64", "keys", "paste", "paste_base64")


async def start(call: Call[StartAgent, None]) -> AgentView:
    """Start an agent."""
    call.exchange.agent = call.body.name[:80]
    for field in ("placement", "worktree"):
        if getattr(call.body, field):
            raise NotSupported(f"{field} is not offered by this release", field=field)
    return await call.context.agents.start(call.body, by=call.caller.name)


async def list_agents(call: Call[None, AgentsQuery]) -> AgentList:
    """All agents with their state, filtered."""
    return page_of(call.context.agents.all(), call.query)


async def get(call: Call[None, None]) -> AgentView:
    """One agent."""
    return call.context.agents.get(call.name)


async def attention(call: Call[None, None]) -> AttentionView:
    """What an agent is about, since when, on what evidence, and what to do."""
    return call.context.agents.attention(call.name)


async def stop(call: Call[None, StopQuery]) -> AgentView | None:
    """Stop an agent, or with `purge` remove one that has ended, with its recordings and logs."""
    if call.query.purge:
        await call.context.agents.remove(call.name, by=call.caller.name)
        return None
    return await call.context.agents.stop(call.name, grace_s=call.query.grace_s, by=call.caller.name)


async def kill(call: Call[None, None]) -> AgentView:
    """SIGKILL to the whole process tree."""
    return await call.context.agents.kill(call.name, by=call.caller.name)


async def pause(call: Call[None, None]) -> AgentView:
    """Stop the whole process tree until it is resumed."""
    return await call.context.agents.pause(call.name, by=call.caller.name)


async def resume(call: Call[None, None]) -> AgentView:
    """Let a paused process tree go on."""
    return await call.context.agents.resume(call.name, by=call.caller.name)


async def restart(call: Call[None, None]) -> AgentView:
    """Stop an agent if it runs, and start it with the same definition."""
    return await call.context.agents.restart(call.name, by=call.caller.name)


async def signal(call: Call[SignalBody, None]) -> AgentView:
    """Send a named signal."""
    name = call.body.signal.upper()
    full = name if name.startswith("SIG") else f"SIG{name}"
    return await call.context.agents.signal(call.name, full, scope=call.body.scope, by=call.caller.name)


async def resize(call: Call[ResizeBody, None]) -> AgentView:
    """Give the terminal another size."""
    cols, rows = call.body.cols, call.body.rows
    await call.context.agents.resize(call.name, cols, rows, by=call.caller.name)
    return await call.context.agents.resized(call.name, cols, rows)


async def send_input(call: Call[InputBody, None]) -> Accepted:
    """Type text, keys or a paste."""
    body = call.body
    if (body.client_id is None) != (body.seq is None):
        raise InvalidRequest("client_id and seq go together", field="seq")
    call.context.agents.get(call.name)
    data = await _typed(call)
    source = f"rest:{body.client_id}" if body.client_id else None
    accepted = await call.context.agents.send_input(call.name, data, source=source, seq=body.seq)
    return Accepted(True, repeated=not accepted)


async def close_input(call: Call[None, None]) -> Accepted:
    """End of file on standard input; at a terminal, its end-of-file character."""
    await call.context.agents.close_input(call.name, by=call.caller.name)
    return Accepted(True)


async def screen(call: Call[None, ScreenQuery]) -> Response:
    """The terminal as it stands, as text or JSON."""
    if not call.context.agents.get(call.name).terminal:
        raise NoTerminal(f"agent {call.name} runs on pipes and has no terminal", name=call.name)
    view = await call.context.terminals.screen(call.name)
    form = call.query.format or ("json" if "application/json" in call.header("accept") else "text")
    if form == "json":
        return Response(await asyncio.to_thread(msgspec.json.encode, view), media_type="application/json")
    return PlainTextResponse("\n".join(view.rows_text) + "\n")


async def diff(call: Call[None, None]) -> None:
    """What an agent changed in its working tree; not offered by this release."""
    _not_offered(call, "diff")


def _not_offered(call: Call[None, None], what: str) -> None:
    call.context.agents.get(call.name)
    raise NotSupported(f"{what} is not offered by this release", feature=what)


async def _typed(call: Call[InputBody, None]) -> bytes:
    body = call.body
    given = [field for field in WAYS_TO_TYPE if getattr(body, field) is not None]
    if len(given) != 1:
        raise InvalidRequest(f"give exactly one of {', '.join(WAYS_TO_TYPE)}", field=given[1] if given else "input")
    has_terminal = call.context.agents.get(call.name).terminal
    if body.keys is not None:
        application = has_terminal and await call.context.terminals.application_cursor(call.name)
        data = encode_keys(body.keys, application_cursor=application)
    elif body.paste is not None or body.paste_base64 is not None:
        pasted = (body.paste or "").encode() if body.paste_base64 is None else body.paste_base64
        data = await _pasted(call, pasted) if has_terminal else pasted
    else:
        data = body.input_base64 if body.input_base64 is not None else (body.input or "").encode()
    enter = b"\r" if has_terminal else b"\n"
    return data + enter if body.enter else data


async def _pasted(call: Call[InputBody, None], pasted: bytes) -> bytes:
    bracketed = await call.context.terminals.bracketed_paste(call.name)
    return encode_paste(pasted.decode(errors="surrogateescape"), bracketed=bracketed)
