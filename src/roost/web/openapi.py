"""The OpenAPI 3.1 document, made from the route table and the structs that it names."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, get_type_hints

import msgspec

from roost import errors
from roost.errors import RoostError
from roost.model import views
from roost.model.views import ErrorView
from roost.web.problems import status_of

if TYPE_CHECKING:
    from roost.web.dispatch import Entry

Json = dict[str, Any]
REF = "#/components/schemas/{name}"
ALWAYS = (errors.HostRefused, errors.InternalError, errors.LimitReached, errors.MethodNotAllowed)
NEEDS_TOKEN = (errors.Unauthorized, errors.Forbidden)
HAS_BODY = (errors.MalformedRequest, errors.BodyTooLarge, errors.UnsupportedBody, errors.InvalidRequest)
HAS_QUERY = (errors.MalformedRequest, errors.InvalidRequest)
NAME_PATTERN = "^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$"


REFINED: dict[tuple[str, str], Json] = {
    ("StartAgent", "name"): {"pattern": NAME_PATTERN},
    ("LogsQuery", "since"): {"format": "date-time"},
    ("LogsQuery", "until"): {"format": "date-time"},
}
"""What is checked by hand, for the sake of a better error."""


def document(entries: Iterable[Entry], version: str) -> Json:
    """The document, for those entries that are part of the API."""
    described = [entry for entry in entries if is_described(entry)]
    schemas, components = _schemas(described)
    paths: dict[str, Json] = {}
    for entry in described:
        path = entry.path.replace(":path}", "}")
        paths.setdefault(path, {})[entry.method.lower()] = _operation(entry, schemas, components)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "roost",
            "version": version,
            "description": "Run, watch and steer command-line agents. Live sockets are described in the docs.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}, {"cookie": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "`roost token` prints it."},
                "cookie": {"type": "apiKey", "in": "cookie", "name": "roost_8151", "description": "From `/api/login`."},
            },
        },
    }


def is_described(entry: Entry) -> bool:
    """Whether the entry is part of the API: neither a socket nor a file of the page."""
    return entry.method != "WEBSOCKET" and (entry.path.startswith("/api/") or entry.path == "/metrics")


def operation_id(entry: Entry) -> str:
    """A name for the operation, such as `post_api_agents_name_kill`."""
    words = re.findall(r"[A-Za-z0-9]+", entry.path)
    return "_".join([entry.method.lower(), *words])


def error_classes(entry: Entry) -> list[type[RoostError]]:
    """Every error that the route may answer with."""
    found = [*entry.errors, *ALWAYS]
    found += NEEDS_TOKEN if entry.least != "anybody" else ()
    found += HAS_BODY if entry.body is not None else (errors.UnsupportedBody, errors.BodyTooLarge)
    found += HAS_QUERY if entry.query is not None else ()
    return sorted(set(found), key=lambda cls: (status_of(cls), cls.code))


def answers_of(entry: Entry) -> tuple[Any, ...]:
    """The types and media types that the route answers with."""
    if entry.answer is None:
        return ()
    return entry.answer if isinstance(entry.answer, tuple) else (entry.answer,)


def _schemas(entries: list[Entry]) -> tuple[dict[Any, Json], Json]:
    types: list[Any] = [ErrorView]
    for entry in entries:
        wanted = [*answers_of(entry), *([entry.body] if entry.body else [])]
        types += [kind for kind in wanted if not isinstance(kind, str) and kind not in types]
    schemas, components = msgspec.json.schema_components(types, ref_template=REF)
    for name, schema in components.items():
        _always_there(schema, getattr(views, name, None))
    _refine(components)
    return dict(zip(types, schemas, strict=True)), components


def _refine(components: Json) -> None:
    for (kind, field), more in REFINED.items():
        if kind in components:
            components[kind]["properties"][field] |= more


def _always_there(schema: Json, kind: Any) -> None:
    """An answer's fields are always there, also those that have a default."""
    if kind is not None and not kind.__struct_config__.omit_defaults:
        schema["required"] = list(schema.get("properties", {}))


def _operation(entry: Entry, schemas: dict[Any, Json], components: Json) -> Json:
    found: Json = {
        "operationId": operation_id(entry),
        "summary": entry.summary,
        "description": f"Least role: {entry.least}.",
        "tags": [_tag(entry)],
        "responses": _responses(entry, schemas),
    }
    parameters = [*_path_parameters(entry), *_query_parameters(entry, components)]
    if parameters:
        found["parameters"] = parameters
    if entry.body is not None:
        content = {"application/json": {"schema": schemas[entry.body]}}
        found["requestBody"] = {"required": True, "content": content}
    if entry.least == "anybody":
        found["security"] = []
    return found


def _tag(entry: Entry) -> str:
    return entry.path.removeprefix("/api").split("/")[1]


def _path_parameters(entry: Entry) -> list[Json]:
    names = re.findall(r"{(\w+)", entry.path)
    schema = {"type": "string", "pattern": NAME_PATTERN}
    return [{"name": name, "in": "path", "required": True, "schema": schema} for name in names]


def _query_parameters(entry: Entry, components: Json) -> list[Json]:
    if entry.query is None:
        return []
    (_,), found = msgspec.json.schema_components([entry.query], ref_template=REF)
    _refine(found)
    properties = found.pop(entry.query.__name__)["properties"]
    components.update(found)
    hints = get_type_hints(entry.query)
    return [
        {"name": name, "in": "query", "required": False, "schema": _parameter_schema(schema), "style": "form"}
        for name, schema in properties.items()
        if name in hints
    ]


def _parameter_schema(schema: Json) -> Json:
    """Without null, which a query string cannot say."""
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    plain = dict(schema)
    if len(options) == 1:
        del plain["anyOf"]
        plain |= options[0]
        plain.pop("default", None)
    if "enum" in plain:
        plain["enum"] = [value for value in plain["enum"] if value is not None]
        plain.pop("default", None) if plain.get("default", "") is None else None
    return plain


def _responses(entry: Entry, schemas: dict[Any, Json]) -> Json:
    found: Json = {str(entry.status): _success(entry, schemas)}
    if entry.path == "/api/agents/{name}" and entry.method == "DELETE":
        found["204"] = {"description": "The agent was removed."}
    if entry.stream is not None:
        found["204"] = {"description": "The stream ended where the cursor is: do not come again."}
    by_status: dict[int, list[str]] = {}
    for cls in error_classes(entry):
        by_status.setdefault(status_of(cls), []).append(cls.code)
    for status, codes in by_status.items():
        found[str(status)] = {
            "description": ", ".join(f"`{code}`" for code in dict.fromkeys(codes)),
            "content": {"application/json": {"schema": schemas[ErrorView]}},
        }
    if entry.path == "/api/health/ready":
        found["503"] = {**found["200"], "description": "Not yet, or no longer."}
    return found


def _success(entry: Entry, schemas: dict[Any, Json]) -> Json:
    content: Json = {}
    for kind in answers_of(entry):
        if isinstance(kind, str):
            media = kind.partition(";")[0]
            content[media] = {"schema": {"type": "object"} if media == "application/json" else {"type": "string"}}
        else:
            content["application/json"] = {"schema": schemas[kind]}
    return {"description": "Done.", "content": content} if content else {"description": "Done."}
