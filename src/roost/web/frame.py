"""The outermost layer: every answer's request id and headers, errors as answers, the audit log, request metrics."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Awaitable, Iterable, Sequence
from itertools import count
from typing import TYPE_CHECKING

import structlog

from roost.errors import RoostError
from roost.web import problems
from roost.web.requests import Exchange, header, read_headers

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from roost.web.context import Context

REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}\Z")
READING = frozenset({"GET", "HEAD", "OPTIONS"})
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}
"""What an answer has unless it says otherwise itself."""

DRAINED_BYTES = 16_777_216
"""How much of a refused body is read for the sake of the connection; after a larger one it is closed."""

_STARTED = secrets.token_hex(4)
_numbers = count(1)
_log = structlog.get_logger("web")
audit_log = structlog.get_logger("audit")
Headers = list[tuple[bytes, bytes]]


def encoded(headers: Iterable[tuple[str, str]]) -> Headers:
    """Headers as ASGI wants them."""
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


_SAFE = encoded(SAFE_HEADERS.items())


class Frame:
    """An ASGI application around the guard."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            return
        headers = read_headers(scope)
        found = scope["roost"] = Exchange(_request_id(headers.get("x-request-id", ())), headers)
        started = time.perf_counter()
        answer = _Answer(found, send)
        try:
            await self._app(scope, receive, answer.send)
        except Exception as exc:  # noqa: BLE001 - the top of a request: `known` logs what was not foreseen
            await self._fail(exc, scope, answer)
        finally:
            self._account(scope, found, time.perf_counter() - started)

    async def _fail(self, exc: Exception, scope: Scope, answer: _Answer) -> None:
        error = problems.known(exc, answer.exchange.request_id)
        answer.exchange.code = error.code
        if scope["type"] == "websocket":
            await _refuse_socket(error, scope, answer)
        elif answer.started:
            # The status is out; breaking the connection is the only way left to say that the answer is not whole.
            raise exc
        else:
            await send_error(error, answer.exchange.request_id, answer.send, closing=_has_endless_body(scope))

    def _account(self, scope: Scope, found: Exchange, took_s: float) -> None:
        method = scope.get("method", "GET")
        if scope["type"] == "http":
            self._context.metrics.served(method, found.route, found.status, None if found.streaming else took_s)
            _log.debug(
                "request",
                method=method,
                route=found.route,
                agent=found.agent,
                status=found.status,
                code=found.code,
                request_id=found.request_id,
                took_ms=round(took_s * 1000, 2),
            )
        if method not in READING:
            audit(found, f"{method} {found.route or 'unknown'}", status=found.status)


def audit(found: Exchange, action: str, *, status: int = 0, code: str | None = None) -> None:
    """One line of the audit log: who did what to which agent, and what came of it."""
    who = found.principal
    code = code or found.code
    audit_log.info(
        "audit",
        who=who.name if who else None,
        role=who.role if who else None,
        action=action,
        agent=found.agent,
        request_id=found.request_id,
        outcome="error" if code or status >= 400 else "ok",
        code=code,
        status=status or None,
    )


async def send_error(error: RoostError, request_id: str, send: Send, *, closing: bool = False) -> None:
    """Answer with an error; `closing` ends the connection after it."""
    body = problems.body(error, request_id)
    headers = problems.headers(error) | {"Content-Length": str(len(body))}
    if closing:
        headers["Connection"] = "close"
    await send(
        {"type": "http.response.start", "status": problems.status_of(type(error)), "headers": encoded(headers.items())}
    )
    await send({"type": "http.response.body", "body": body})


class _Answer:
    """What goes out: adds the headers that every answer has, and notes how far it got."""

    def __init__(self, exchange: Exchange, send: Send) -> None:
        self.exchange = exchange
        self.started = False
        self._send = send

    def send(self, message: Message) -> Awaitable[None]:
        """Send on. Not a coroutine of its own, for the sake of streams, which send often."""
        kind = message["type"]
        if kind in ("http.response.start", "websocket.http.response.start"):
            self.started = True
            self.exchange.status = message["status"]
            message["headers"] = self._completed(message.get("headers", ()))
        elif kind in ("websocket.accept", "websocket.close"):
            self.started = True
        return self._send(message)

    def _completed(self, given: Iterable[tuple[bytes, bytes]]) -> Headers:
        names = {name.lower() for name, _ in given}
        found = [*given, *(pair for pair in _SAFE if pair[0] not in names)]
        found.append((b"x-request-id", self.exchange.request_id.encode()))
        if self.exchange.foreign is not None:
            found += encoded(cors_headers(self.exchange.foreign).items())
        return found


def cors_headers(origin: str) -> dict[str, str]:
    """What lets a page of an allowed origin read an answer."""
    return {
        "Access-Control-Allow-Origin": origin,
        "Access-Control-Allow-Credentials": "true",
        "Access-Control-Expose-Headers": "X-Request-Id, Retry-After, Content-Disposition",
        "Vary": "Origin",
    }


async def _refuse_socket(error: RoostError, scope: Scope, answer: _Answer) -> None:
    if answer.started:
        await answer.send({"type": "websocket.close", "code": problems.close_code(error), "reason": error.code})
        return
    if "websocket.http.response" not in scope.get("extensions", {}):
        await answer.send({"type": "websocket.close", "code": problems.close_code(error), "reason": error.code})
        return
    body = problems.body(error, answer.exchange.request_id)
    headers = encoded((problems.headers(error) | {"Content-Length": str(len(body))}).items())
    status = problems.status_of(type(error))
    await answer.send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await answer.send({"type": "websocket.http.response.body", "body": body})


def _has_endless_body(scope: Scope) -> bool:
    """Whether reading on, to what may come after the body, could take for ever."""
    length = header(scope, "content-length")
    is_long = length.isascii() and length.isdigit() and (len(length) > 12 or int(length) > DRAINED_BYTES)
    return is_long or bool(header(scope, "transfer-encoding"))


def _request_id(given: Sequence[str]) -> str:
    if len(given) == 1 and REQUEST_ID.match(given[0]):
        return given[0]
    return f"{_STARTED}-{next(_numbers):x}"
