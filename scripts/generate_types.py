"""TypeScript types for the page, the JSON Schema, and tables of the reference, from what the server really has.

With `--check` nothing is written: the exit code says whether the files are fresh.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from scripts import reference_tables

from roost.model import events
from roost.web import openapi
from roost.web.routes import ROUTES

ROOT = Path(__file__).resolve().parent.parent
TYPESCRIPT = ROOT / "ui" / "src" / "api" / "schema.ts"
JSON_SCHEMA = ROOT / "docs" / "reference" / "schema.json"
WIDTH = 110
Json = dict[str, Any]
SIMPLE = {"string": "string", "integer": "number", "number": "number", "boolean": "boolean", "null": "null"}


def main(arguments: list[str]) -> int:
    """Write both files, or say which are stale."""
    parser = argparse.ArgumentParser(prog="generate-types", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether the files are fresh")
    options = parser.parse_args(arguments)
    stale = [path for path, text in outputs().items() if not path.exists() or path.read_text() != text]
    if options.check:
        for path in stale:
            print(f"{path.relative_to(ROOT)} is stale: run scripts/generate-types", file=sys.stderr)
        return 1 if stale else 0
    for path, text in outputs().items():
        path.write_text(text)
    return 0


def outputs() -> dict[Path, str]:
    """What each file should hold."""
    schemas = {**openapi.document(ROUTES, "")["components"]["schemas"], **event_schemas()}
    moved = json.loads(json.dumps(schemas).replace("#/components/schemas/", "#/$defs/"))
    whole = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "roost", "$defs": moved}
    return {
        TYPESCRIPT: typescript(schemas),
        JSON_SCHEMA: json.dumps(whole, indent=1, sort_keys=True, ensure_ascii=False) + "\n",
        **reference_tables.pages(),
    }


def event_schemas() -> dict[str, Json]:
    """Events as clients see them; `data` has the fields of the event's struct behind its place and time."""
    found: dict[str, Json] = {}
    for kind in get_args(events.AnyEvent):
        tag = kind.__struct_config__.tag
        found[f"{kind.__name__}Event"] = _event(kind, tag)
    found["AnyEvent"] = {"anyOf": [{"$ref": f"#/components/schemas/{name}"} for name in found]}
    return found


def _event(kind: Any, tag: str) -> Json:
    import msgspec

    fields = [field for field in msgspec.structs.fields(kind) if field.name not in ("seq", "time_ns")]
    (schemas, _) = msgspec.json.schema_components([field.type for field in fields])
    data = {field.name: schema for field, schema in zip(fields, schemas, strict=True)}
    plain: Json = {name: {"type": "string"} for name in ("timestamp", "agent_name", "session_id")}
    properties = {"type": {"enum": [tag]}, **plain, "data": _object(data)}
    return _object(properties) | {"description": (kind.__doc__ or "").partition("\n")[0]}


def _object(properties: Json) -> Json:
    return {"type": "object", "properties": properties, "required": list(properties)}


def typescript(schemas: dict[str, Json]) -> str:
    """All schemas as TypeScript."""
    parts = ["/** Made by scripts/generate-types from the server's own types; do not edit. */\n"]
    parts += [_declaration(name, schemas[name]) for name in sorted(schemas)]
    return "\n".join(parts)


def _declaration(name: str, schema: Json) -> str:
    about = schema.get("description", "").partition("\n")[0]
    comment = f"/** {about} */\n" if about else ""
    if "properties" not in schema:
        return f"{comment}{_alias(name, schema)}\n"
    return f"{comment}export interface {name} {{\n" + "".join(_fields(schema, "  ")) + "}\n"


def _alias(name: str, schema: Json) -> str:
    line = f"export type {name} = {_type(schema, '')}"
    if len(line) <= WIDTH:
        return line
    return f"export type {name} =\n" + "\n".join(f"  | {option}" for option in _options(schema, ""))


def _fields(schema: Json, indent: str) -> Iterator[str]:
    required = schema.get("required", ())
    for name, kind in schema["properties"].items():
        mark = "" if name in required else "?"
        line = f"{indent}{name}{mark}: {_type(kind, indent)}"
        if len(line) > WIDTH and len(_options(kind, indent)) > 1:
            line = f"{indent}{name}{mark}:\n" + "\n".join(f"{indent}  | {each}" for each in _options(kind, indent))
        yield line + "\n"


def _type(schema: Json, indent: str) -> str:
    return " | ".join(_options(schema, indent))


def _options(schema: Json, indent: str) -> list[str]:
    if "$ref" in schema:
        return [schema["$ref"].rpartition("/")[2]]
    if "anyOf" in schema:
        found = [option for each in schema["anyOf"] for option in _options(each, indent)]
        return list(dict.fromkeys(found))
    if "enum" in schema:
        return ["null" if value is None else f"'{value}'" for value in schema["enum"]]
    if schema.get("type") == "array":
        inner = _type(schema.get("items") or {}, indent)
        return [f"({inner})[]" if " | " in inner else f"{inner}[]"]
    if "properties" in schema:
        return ["{\n" + "".join(_fields(schema, indent + "  ")) + f"{indent}}}"]
    if schema.get("type") == "object":
        values = schema.get("additionalProperties")
        return [f"Record<string, {_type(values, indent) if isinstance(values, dict) else 'unknown'}>"]
    return [SIMPLE.get(str(schema.get("type")), "unknown")]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
