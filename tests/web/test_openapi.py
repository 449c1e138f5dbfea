"""The OpenAPI document and the docs page say what the route table says."""

from __future__ import annotations

import re
from typing import Any

import pytest

from roost.web import docs, openapi
from roost.web.dispatch import Entry
from roost.web.problems import status_of
from roost.web.routes import ROUTES, paths
from tests.web.conftest import Rest

DESCRIBED = [entry for entry in ROUTES if openapi.is_described(entry)]


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi.document(ROUTES, "1.2.3")


def test_it_is_served(rest: Rest, document: dict[str, Any]) -> None:
    answer = rest.call("GET", "/api/openapi.json")
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()["paths"] == document["paths"]
    assert (answer.json()["openapi"], document["info"]["version"]) == ("3.1.0", "1.2.3")


@pytest.mark.parametrize("entry", DESCRIBED, ids=lambda entry: f"{entry.method} {entry.path}")
def test_every_route_is_described(document: dict[str, Any], entry: Entry) -> None:
    operation = document["paths"][entry.path][entry.method.lower()]
    assert operation["summary"]
    assert str(entry.status) in operation["responses"]
    assert {str(status_of(cls)) for cls in openapi.error_classes(entry)} <= set(operation["responses"])
    assert ("requestBody" in operation) is (entry.body is not None)


def test_every_operation_has_its_own_name(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for path in document["paths"].values() for operation in path.values()]
    assert len(names) == len(set(names)) == len(DESCRIBED)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    named = set(re.findall(r"#/components/schemas/(\w+)", str(document)))
    assert named <= set(document["components"]["schemas"])


def test_answers_always_have_all_their_fields(document: dict[str, Any]) -> None:
    schema = document["components"]["schemas"]["AgentView"]
    assert set(schema["required"]) == set(schema["properties"])


def test_parameters_are_those_of_the_query(document: dict[str, Any]) -> None:
    names = [each["name"] for each in document["paths"]["/api/agents"]["get"]["parameters"]]
    assert names == ["state", "attention", "label", "node", "driver", "q", "limit", "cursor"]


def test_the_table_has_every_path_once_a_method() -> None:
    keys = [(entry.method, entry.path) for entry in ROUTES]
    assert len(keys) == len(set(keys))
    assert paths() == sorted({path.replace(":path", "") for _, path in keys})


def test_every_entry_is_served_by_something() -> None:
    assert all((entry.handler is None) is not (entry.stream is None) for entry in ROUTES)
    assert all(entry.summary for entry in ROUTES)


def test_the_page_for_people_shows_every_route(document: dict[str, Any]) -> None:
    shown = docs.render(ROUTES, document)
    assert all(f"{entry.method} {entry.path}<" in shown for entry in DESCRIBED)
    assert all(f"id='{name}'" in shown for name in document["components"]["schemas"])
    assert "<script" not in shown
    assert "http" not in re.sub(r"https?_|http-", "", shown.replace("HTTP", "")).replace("https", "")


def test_the_page_for_people_is_served_with_its_own_policy(rest: Rest) -> None:
    answer = rest.call("GET", "/docs")
    assert "default-src 'none'; style-src 'sha256-" in answer.headers["content-security-policy"]
    assert answer.text.startswith("<!doctype html>")
