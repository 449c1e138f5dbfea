"""Who is there: login, logout, who a token belongs to, one-time tickets."""

from __future__ import annotations

import html
from typing import Any

from starlette.responses import HTMLResponse, RedirectResponse, Response

from roost.errors import RoostError, Unauthorized
from roost.model.requests import LoginBody
from roost.model.views import CallerView, Ticket
from roost.web.auth import COOKIE_LIFETIME_S, Principal, cookie_name
from roost.web.guard import port_of, session_cookie
from roost.web.requests import Call
from roost.web.tickets import LIFETIME_S


async def ticket(call: Call[None, None]) -> Ticket:
    """A pass that lets its bearer act as the caller, once."""
    return Ticket(call.context.tickets.issue(call.caller), LIFETIME_S)


async def who(call: Call[None, None]) -> CallerView:
    """Whom the server takes the caller for."""
    return CallerView(name=call.caller.name, role=call.caller.role)


async def log_in(call: Call[LoginBody, None]) -> Response:
    """Trade a token for a session cookie."""
    principal = call.context.tokens.find(call.body.token)
    if principal is None:
        raise Unauthorized("the token is not valid", hint="`roost token` prints it")
    call.exchange.principal = principal
    answer = Response(status_code=204)
    _set_cookie(answer, call, principal)
    return answer


async def log_in_by_ticket(call: Call[None, None]) -> Response:
    """Trade the ticket in the address for a session cookie, and go to the page."""
    principal = call.exchange.principal
    if principal is None:
        return _refused(call.exchange.refusal or Unauthorized())
    answer = RedirectResponse("/", status_code=303)
    _set_cookie(answer, call, principal)
    return answer


async def log_out(call: Call[None, None]) -> Response:
    """Make the session cookie void and have the browser forget it."""
    call.context.tokens.log_out(session_cookie(call.scope))
    answer = Response(status_code=204)
    answer.delete_cookie(cookie_name(port_of(call.scope)), path="/", httponly=True, samesite="strict")
    return answer


def _set_cookie(answer: Response, call: Call[Any, None], principal: Principal) -> None:
    value = call.context.tokens.cookie(principal)
    if value is not None:
        answer.set_cookie(
            cookie_name(port_of(call.scope)),
            value,
            max_age=COOKIE_LIFETIME_S,
            path="/",
            secure=call.scope["scheme"] == "https",
            httponly=True,
            samesite="strict",
        )


def _refused(error: RoostError) -> HTMLResponse:
    text = html.escape(error.message)
    return HTMLResponse(
        "<!doctype html><html lang=en><meta charset=utf-8><title>roost: log in</title>"
        f"<h1>This link does not log you in</h1><p>{text}: a link works once and for {LIFETIME_S} seconds. "
        "Run <code>roost open</code> for a new one, or <a href='/'>log in with the token</a>.</p></html>",
        status_code=401,
    )
