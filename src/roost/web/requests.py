"""From a request to what a handler is called with: path, query and body, decoded and checked."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, get_origin, get_type_hints
from urllib.parse import parse_qsl

import msgspec

from roost.errors import BodyTooLarge, InvalidRequest, MalformedRequest, RoostError, Unauthorized, UnsupportedBody
from roost.web.auth import Principal

if TYPE_CHECKING:
    from starlette.types import Receive, Scope

    from roost.web.context import Context

B = TypeVar("B")
Q = TypeVar("Q")
T = TypeVar("T")

MAX_PARAMETERS = 100
JSON_MEDIA = "application/json"
_PLACE = re.compile(r"(?P<what>.*?)(?: - at `(?:key in )?\$?\.?(?P<field>[^`]*)`)?\Z", re.DOTALL)
_FIELD = re.compile(r"field `([^`]*)`")


@dataclass(slots=True)
class Exchange:
    """What is known of a request while it is served; `scope["roost"]`."""

    request_id: str
    headers: dict[str, list[str]] = field(default_factory=dict)
    """Every line of each header, names in lower case."""
    principal: Principal | None = None
    refusal: RoostError | None = None
    """Why there is no principal."""
    foreign: str | None = None
    """The allowed origin elsewhere that the request comes from."""
    route: str = ""
    """The route's path with its parameters' names, such as `/api/agents/{name}`."""
    streaming: bool = False
    agent: str | None = None
    status: int = 0
    code: str | None = None
    """The error's code, where there was one."""


@dataclass(frozen=True, slots=True)
class Call(Generic[B, Q]):
    """One call of a route; `body` and `query` are of the types that the route names, None where it names none."""

    context: Context
    exchange: Exchange
    body: B
    query: Q
    scope: Scope

    @property
    def caller(self) -> Principal:
        """Whom the request comes from.

        Raises:
            Unauthorized: nobody known; only on routes that need no credentials.
        """
        return caller(self.scope)

    @property
    def name(self) -> str:
        """The agent's name in the path."""
        name: str = self.scope["path_params"]["name"]
        return name

    def parameter(self, name: str) -> str:
        """Another parameter of the path."""
        value: str = self.scope["path_params"][name]
        return value

    def header(self, name: str) -> str:
        """A header's value, lower-case names; empty where it is absent."""
        return header(self.scope, name)


def exchange(scope: Scope) -> Exchange:
    """What is known of the request."""
    found: Exchange = scope["roost"]
    return found


def caller(scope: Scope) -> Principal:
    """Whom the request comes from.

    Raises:
        Unauthorized: nobody known.
    """
    found = exchange(scope)
    if found.principal is None:
        raise found.refusal or Unauthorized()
    return found.principal


def read_headers(scope: Scope) -> dict[str, list[str]]:
    """Every header line by its name in lower case."""
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    return found


def header_values(scope: Scope, name: str) -> list[str]:
    """Every header line of that name, which is given in lower case."""
    return exchange(scope).headers.get(name, [])


def header(scope: Scope, name: str) -> str:
    """The first header line of that name; empty where there is none."""
    lines = exchange(scope).headers.get(name)
    return lines[0] if lines else ""


def check_body(scope: Scope, limit: int, media: Collection[str] = (JSON_MEDIA,)) -> None:
    """Refuse a body that is of none of these media types, or says that it is too large.

    Raises:
        UnsupportedBody: there is a body of another type.
        BodyTooLarge: its length is above `limit` bytes.
        MalformedRequest: its length is no number.
    """
    length = header(scope, "content-length") or "0"
    if not (length.isascii() and length.isdigit()):
        raise MalformedRequest("Content-Length is not a number")
    if length.strip("0") == "" and not header(scope, "transfer-encoding"):
        return
    kind = header(scope, "content-type").partition(";")[0].strip().lower()
    if kind not in media:
        wanted = " or ".join(media)
        raise UnsupportedBody(f"a body must have the Content-Type {wanted}", content_type=kind[:100])
    if len(length) > 18 or int(length) > limit:
        raise _too_large(limit)


async def read_body(receive: Receive, limit: int) -> bytes:
    """The whole body.

    Raises:
        BodyTooLarge: it went beyond `limit` bytes; the rest is not read.
        MalformedRequest: the client went away before its end.
    """
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise MalformedRequest("the client went away before its request was whole")
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit:
            raise _too_large(limit)
        if not message.get("more_body", False):
            return b"".join(parts)


def decode_body(body: bytes, kind: type[T]) -> T:
    """A JSON body as `kind`.

    Raises:
        MalformedRequest: it is not JSON.
        InvalidRequest: a field is unknown, is missing or has the wrong type; `details.field` names it.
    """
    if not body:
        raise MalformedRequest("the request needs a JSON body")
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as exc:
        raise _invalid(str(exc), "body") from exc
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
        place = re.search(r"byte (\d+)", str(exc))
        details: dict[str, Any] = {"byte": int(place[1])} if place else {}
        raise MalformedRequest(f"the body is not JSON: {exc}", **details) from exc


def decode_query(raw: bytes, kind: type[T]) -> T:
    """A query string as `kind`; a field that is a list may be given several times.

    Raises:
        MalformedRequest: it is not UTF-8, or has too many parameters.
        InvalidRequest: a parameter is unknown, given twice or has the wrong type; `details.field` names it.
    """
    try:
        pairs = parse_qsl(raw.decode("ascii"), True, encoding="utf-8", errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError as exc:
        raise MalformedRequest(f"the query string cannot be read: {exc}") from exc
    lists = _list_fields(cast(Any, kind))
    values: dict[str, Any] = {}
    for name, value in pairs:
        if name in lists:
            values.setdefault(name, []).append(value)
        elif name in values:
            raise InvalidRequest(f"the parameter {name[:80]!r} is given twice", field=name[:80])
        elif name != "ticket":
            values[name] = value
    try:
        found = msgspec.convert(values, kind, strict=False)
    except msgspec.ValidationError as exc:
        raise _invalid(str(exc), "query") from exc
    for name, value in values.items():
        _refuse_lax(name, value, getattr(found, name))
    return found


@cache
def _list_fields(kind: Any) -> frozenset[str]:
    return frozenset(name for name, hint in get_type_hints(kind).items() if get_origin(hint) is list)


def _refuse_lax(name: str, given: object, read: object) -> None:
    """Refuse what msgspec reads generously: `null` for nothing, `1` for true, ` 7` for 7."""
    is_plain = isinstance(read, str | list | float) or str(read) == given
    is_truth = isinstance(read, bool) and given in ("true", "false")
    if not (is_plain or is_truth):
        raise InvalidRequest(f"{name}: {str(given)[:80]!r} cannot be read", field=name, where="query")


def _invalid(message: str, where: str) -> InvalidRequest:
    match = _PLACE.match(message)
    what, field = (match["what"], match["field"]) if match else (message, None)
    named = _FIELD.search(what)
    path = ".".join(part for part in (field or "", named[1] if named else "") if part)
    return InvalidRequest(f"{path or where}: {what[:1].lower()}{what[1:]}", field=path, where=where)


def _too_large(limit: int) -> BodyTooLarge:
    return BodyTooLarge(f"a body may have {limit} bytes at most", limit=limit)
