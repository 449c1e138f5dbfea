"""The API's description: the OpenAPI document, and a page of plain HTML for people."""

from __future__ import annotations

import base64
import hashlib
import html
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from starlette.responses import HTMLResponse

from roost.web import openapi
from roost.web.problems import status_of

if TYPE_CHECKING:
    from roost.web.dispatch import Entry
    from roost.web.requests import Call

STYLE = """
:root{color-scheme:light dark}
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}
code,pre{font:14px/1.4 ui-monospace,monospace}
section{border-top:1px solid #8886;padding:.5rem 0 1rem}
h2{font-size:1.1rem;margin:.5rem 0;overflow-wrap:anywhere}
h2 code{font-size:1rem}
table{border-collapse:collapse;display:block;overflow-x:auto}
td,th{text-align:left;vertical-align:top;padding:.15rem .8rem .15rem 0}
dt{font-weight:600;margin-top:.4rem}
"""
_STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
CONTENT_POLICY = f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; frame-ancestors 'none'"


async def document(call: Call[None, None]) -> dict[str, Any]:
    """The OpenAPI document."""
    return openapi.document(call.context.routes, call.context.version)


async def page(call: Call[None, None]) -> HTMLResponse:
    """The same for people."""
    found = openapi.document(call.context.routes, call.context.version)
    return HTMLResponse(render(call.context.routes, found), headers={"Content-Security-Policy": CONTENT_POLICY})


def render(entries: tuple[Entry, ...], found: dict[str, Any]) -> str:
    """The document as HTML without scripts."""
    sections = "".join(_section(entry, found) for entry in entries if openapi.is_described(entry))
    schemas, version = found["components"]["schemas"], _text(found["info"]["version"])
    types = "".join(_type(name, schemas[name]) for name in sorted(schemas))
    return (
        "<!doctype html><html lang=en><head><meta charset=utf-8>"
        "<meta name=viewport content='width=device-width,initial-scale=1'>"
        f"<title>roost API</title><style>{STYLE}</style></head><body><main><h1>roost {version}: API</h1>"
        "<p>Every request carries <code>Authorization: Bearer TOKEN</code>; <code>roost token</code> prints the token."
        " For programs: <a href=/api/openapi.json>OpenAPI 3.1</a>.</p>"
        f"{sections}<h1>Types</h1>{types}</main></body></html>"
    )


def _section(entry: Entry, found: dict[str, Any]) -> str:
    path = entry.path.replace(":path}", "}")
    operation = found["paths"][path][entry.method.lower()]
    return (
        f"<section><h2><code>{entry.method} {_text(path)}</code></h2>"
        f"<p>{_text(entry.summary)}. Least role: {entry.least}.</p>"
        f"{''.join(_facts(entry, operation))}</section>"
    )


def _facts(entry: Entry, operation: dict[str, Any]) -> Iterator[str]:
    query = [each for each in operation.get("parameters", ()) if each["in"] == "query"]
    if query:
        rows = "".join(f"<tr><td><code>{each['name']}</code><td>{_shape(each['schema'])}" for each in query)
        yield f"<table><tr><th>Parameter<th>Type{rows}</table>"
    if entry.body is not None:
        yield f"<p>Body: {_link(entry.body.__name__)}</p>"
    answers = [kind if isinstance(kind, str) else kind.__name__ for kind in openapi.answers_of(entry)]
    links = " or ".join(_text(name) if "/" in name else _link(name) for name in answers)
    yield f"<p>Answer: {entry.status} {links}</p>"
    codes = (f"{status_of(cls)} <code>{cls.code}</code>" for cls in openapi.error_classes(entry))
    yield f"<p>Errors: {', '.join(codes)}</p>"


def _type(name: str, schema: dict[str, Any]) -> str:
    required = schema.get("required", ())
    rows = "".join(
        f"<tr><td><code>{_text(field)}</code>{'' if field in required else '?'}<td>{_shape(kind)}"
        for field, kind in schema.get("properties", {}).items()
    )
    about = _text(schema.get("description", ""))
    return f"<section id='{_text(name)}'><h2>{_text(name)}</h2><p>{about}</p><table>{rows}</table></section>"


def _shape(schema: dict[str, Any]) -> str:
    if "$ref" in schema:
        return _link(schema["$ref"].rpartition("/")[2])
    if "anyOf" in schema:
        return " or ".join(_shape(option) for option in schema["anyOf"])
    if "enum" in schema:
        return " | ".join(f"<code>{_text(str(value))}</code>" for value in schema["enum"])
    kind = str(schema.get("type", "anything"))
    if kind == "array":
        return f"list of {_shape(schema.get('items') or {})}"
    limits = "".join(f", {name} {schema[name]}" for name in ("minimum", "maximum", "maxLength") if name in schema)
    return _text(kind + limits)


def _link(name: str) -> str:
    return f"<a href='#{_text(name)}'>{_text(name)}</a>"


def _text(value: str) -> str:
    return html.escape(value)
