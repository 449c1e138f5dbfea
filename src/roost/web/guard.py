"""The guard: every HTTP, SSE and WebSocket request passes it before anything else looks at it.

In this order: one `Host` that is ours, `Origin`, `Sec-Fetch-Site`, credentials. The route then asks for a role, a body
of the right type and size, and the token's rate. A request without valid credentials goes on with the reason noted, so
that the pages which need none are served; every other route, and every path that is none, refuses it for that reason.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from roost.core.guard import Head, Policy, policy, screen
from roost.errors import RoostError, Unauthorized
from roost.web.auth import ANYONE, Principal, cookie_name
from roost.web.frame import encoded
from roost.web.requests import exchange, header, header_values

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

    from roost.web.context import Context

METHODS = "GET, POST, PUT, PATCH, DELETE"
SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


class Guard:
    """An ASGI application around the routes."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context
        server = context.settings.server
        named = [server.host, *(address.rpartition(":")[0] for address in server.listen)]
        self._policy = lru_cache(16)(
            lambda host, port: policy((*named, host), port, server.allowed_hosts, server.allowed_origins)
        )
        self._policy("", 0)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = exchange(scope)
        found.foreign = screen(_head(scope), self._policy_of(scope))
        if _is_preflight(scope):
            await _answer_preflight(send)
            return
        found.principal, found.refusal = self._identify(scope)
        await self._app(scope, receive, send)

    def _policy_of(self, scope: Scope) -> Policy:
        host, port = scope.get("server") or ("", 0)
        rules: Policy = self._policy(str(host), int(port or 0))
        return rules

    def _identify(self, scope: Scope) -> tuple[Principal | None, RoostError | None]:
        if not self._context.settings.server.auth:
            return ANYONE, None
        given = header_values(scope, "authorization")
        if given:
            return self._by_header(given)
        principal = self._by_ticket(scope) or self._by_cookie(scope)
        return principal, None if principal else Unauthorized(
            "a valid token is needed",
            hint="send Authorization: Bearer TOKEN (`roost token` prints it), or log in with `roost open`",
        )

    def _by_header(self, given: list[str]) -> tuple[Principal | None, RoostError | None]:
        scheme, _, token = given[0].partition(" ")
        principal = None
        if len(given) == 1 and scheme.lower() == "bearer":
            principal = self._context.tokens.find(token.strip())
        return principal, None if principal else Unauthorized("the token is not valid", hint="`roost token` prints it")

    def _by_ticket(self, scope: Scope) -> Principal | None:
        query: bytes = scope.get("query_string", b"")
        tickets = parse_qs(query.decode("latin-1")).get("ticket", []) if b"ticket=" in query else []
        return self._context.tickets.redeem(tickets[0]) if len(tickets) == 1 else None

    def _by_cookie(self, scope: Scope) -> Principal | None:
        value = session_cookie(scope)
        return self._context.tokens.find_cookie(value) if value else None


def session_cookie(scope: Scope) -> str:
    """The session cookie that the request brought; empty where it brought none."""
    name = cookie_name(port_of(scope))
    for line in header_values(scope, "cookie"):
        for part in line.split(";"):
            key, _, value = part.strip().partition("=")
            if key == name:
                return value
    return ""


def port_of(scope: Scope) -> int:
    """The port that the request came to."""
    return int((scope.get("server") or ("", 0))[1] or 0)


def _head(scope: Scope) -> Head:
    return Head(
        scheme=SCHEMES[scope["scheme"]],
        method=scope.get("method", "GET"),
        path=scope["path"],
        hosts=header_values(scope, "host"),
        origins=header_values(scope, "origin"),
        sites=header_values(scope, "sec-fetch-site"),
        mode=header(scope, "sec-fetch-mode"),
        destination=header(scope, "sec-fetch-dest"),
    )


def _is_preflight(scope: Scope) -> bool:
    return scope.get("method") == "OPTIONS" and bool(header(scope, "access-control-request-method"))


async def _answer_preflight(send: Send) -> None:
    headers = {
        "Access-Control-Allow-Methods": METHODS,
        "Access-Control-Allow-Headers": "Authorization, Content-Type, Last-Event-ID, X-Request-Id",
        "Access-Control-Max-Age": "600",
    }
    await send({"type": "http.response.start", "status": 204, "headers": encoded(headers.items())})
    await send({"type": "http.response.body", "body": b""})
