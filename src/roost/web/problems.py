"""Errors as answers: the only place that knows which error has which status or close code."""

from __future__ import annotations

from typing import Any

import msgspec
import structlog

from roost import errors
from roost.errors import RoostError
from roost.model.views import ErrorBody, ErrorView

STATUS: dict[type[RoostError], int] = {
    errors.MalformedRequest: 400,
    errors.InvalidCursor: 400,
    errors.BodyTooLarge: 413,
    errors.UnsupportedBody: 415,
    errors.MethodNotAllowed: 405,
    errors.InvalidRequest: 422,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.Unauthorized: 401,
    errors.Refused: 403,
    errors.LimitReached: 429,
    errors.Unavailable: 503,
    errors.TimedOut: 504,
    errors.InternalError: 500,
    RoostError: 500,
}
"""The nearest ancestor counts."""

_log = structlog.get_logger("web")


def status_of(error: type[RoostError]) -> int:
    """The HTTP status of an error class."""
    return next(STATUS[cls] for cls in error.__mro__ if cls in STATUS)


def close_code(error: RoostError) -> int:
    """The WebSocket close code: 4000 and the HTTP status."""
    return 4000 + status_of(type(error))


def known(exc: BaseException, request_id: str) -> RoostError:
    """`exc` as an error that may be told; anything unforeseen is logged and becomes a bare `InternalError`."""
    if isinstance(exc, RoostError) and type(exc) is not RoostError:
        return exc
    _log.error("request failed", request_id=request_id, exc_info=exc)
    return errors.InternalError("something went wrong; the server's log has it under this request id")


def body(error: RoostError, request_id: str) -> bytes:
    """`{"error": {"code", "message", "details", "request_id"}}`."""
    said = error.to_dict()
    view = ErrorView(ErrorBody(said["code"], said["message"], said["details"], request_id))
    return msgspec.json.encode(view, enc_hook=str)


def headers(error: RoostError) -> dict[str, str]:
    """What an error's answer has besides its body."""
    found = {"Content-Type": "application/json"}
    if isinstance(error, errors.Unauthorized):
        found["WWW-Authenticate"] = 'Bearer realm="roost"'
    wait: Any = error.details.get("retry_after_s")
    if wait is not None or isinstance(error, errors.LimitReached):
        found["Retry-After"] = str(max(1, round(wait or 1)))
    if isinstance(error, errors.MethodNotAllowed):
        found["Allow"] = ", ".join(error.details.get("allowed", ()))
    return found
