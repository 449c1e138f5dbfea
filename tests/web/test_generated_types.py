"""The generated types are fresh, and what makes them can tell."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from scripts import generate_types

from roost.web import openapi
from roost.web.routes import ROUTES


def test_the_files_are_fresh() -> None:
    command = [sys.executable, "-m", "scripts.generate_types", "--check"]
    found = subprocess.run(command, cwd=generate_types.ROOT, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stderr) == (0, "")


def test_a_stale_file_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(generate_types, "ROOT", tmp_path)
    monkeypatch.setattr(generate_types, "TYPESCRIPT", tmp_path / "schema.ts")
    monkeypatch.setattr(generate_types, "JSON_SCHEMA", tmp_path / "schema.json")
    assert generate_types.main(["--check"]) == 1
    assert "schema.ts is stale" in capsys.readouterr().err
    assert generate_types.main([]) == 0
    assert generate_types.main(["--check"]) == 0


def test_every_answer_and_event_has_its_type() -> None:
    text = generate_types.typescript({**components(), **generate_types.event_schemas()})
    for name in ("AgentView", "StartAgent", "LogPage", "LogEvent", "CompleteEvent", "ErrorView"):
        assert f"export interface {name} {{" in text
    assert re.search(r"export type AnyEvent =\s+(\| )?LogEvent\s+\| ", text)


def test_references_of_the_schema_lead_somewhere() -> None:
    found = json.loads(generate_types.outputs()[generate_types.JSON_SCHEMA])
    text = json.dumps(found)
    assert "#/components" not in text
    for name in {part.split('"')[0] for part in text.split("#/$defs/")[1:]}:
        assert name in found["$defs"]


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, "string"),
        ({"anyOf": [{"type": "integer"}, {"type": "number"}, {"type": "null"}]}, "number | null"),
        ({"enum": ["a", None]}, "'a' | null"),
        ({"type": "array", "items": {"anyOf": [{"type": "string"}, {"type": "null"}]}}, "(string | null)[]"),
        ({"type": "array"}, "unknown[]"),
        ({"type": "object"}, "Record<string, unknown>"),
        ({"type": "object", "additionalProperties": {"$ref": "#/x/Run"}}, "Record<string, Run>"),
        ({}, "unknown"),
    ],
)
def test_types(schema: dict[str, object], expected: str) -> None:
    assert generate_types.typescript({"Name": schema}).endswith(f"export type Name = {expected}\n")


def components() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = openapi.document(ROUTES, "")["components"]["schemas"]
    return found
