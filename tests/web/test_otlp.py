"""OpenTelemetry's records, as agents send them."""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest

from roost.testing.server import RunningServer, run_server
from tests.waiting import until

FAKE = [sys.executable, "-m", "roost.testing.fake_agent", "--say", "hello", "--sleep", "60"]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with run_server(tmp_path_factory.mktemp("otlp") / "data") as running:
        yield running


def post(server: RunningServer, path: str, body: bytes, **headers: str) -> httpx.Response:
    named = {"Authorization": f"Bearer {server.token}", "Content-Type": "application/json"}
    named |= {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(server.url + path, content=body, headers=named)


def get(server: RunningServer, path: str) -> Any:
    return httpx.get(server.url + path, headers={"Authorization": f"Bearer {server.token}"}).json()


def request(session: str, **more: Any) -> dict[str, Any]:
    given = {"model": "m", "input_tokens": "12", "cost_usd": 0.5, "session.id": session, "event.name": "api_request"}
    listed = [{"key": key, "value": {"stringValue": str(value)}} for key, value in (given | more).items()]
    record = {"timeUnixNano": "1795225638618000000", "attributes": listed}
    return {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]}


@pytest.fixture(scope="module")
def session(server: RunningServer) -> str:
    body = {"name": "a", "command": FAKE, "cwd": str(Path.home())}
    view = post(server, "/api/agents", json.dumps(body).encode()).json()
    return str(view["session_id"])


def spent(server: RunningServer) -> tuple[int, float | None]:
    total = get(server, "/api/usage?agent=a")["total"]
    return total["input_tokens"], total["cost_usd"]


def test_what_an_agent_reports_is_joined_to_its_session(server: RunningServer, session: str) -> None:
    answer = post(server, "/v1/logs", json.dumps(request(session)).encode())
    assert (answer.status_code, answer.json()) == (200, {})
    until(lambda: spent(server) == (12, 0.5))
    body = gzip.compress(json.dumps(request("elsewhere", **{"roost.session": session})).encode())
    assert post(server, "/v1/logs", body, Content_Encoding="gzip").json() == {}
    until(lambda: spent(server) == (24, 1.0))


def test_protobuf_says_the_same(server: RunningServer, session: str) -> None:
    before = spent(server)[0]
    message = ExportLogsServiceRequest()
    log = message.resource_logs.add().scope_logs.add().log_records.add()
    for key, value in (("session.id", session), ("event.name", "api_request"), ("input_tokens", "7")):
        attribute = log.attributes.add(key=key)
        attribute.value.string_value = value
    answer = post(server, "/v1/logs", message.SerializeToString(), Content_Type="application/x-protobuf")
    assert (answer.status_code, answer.content) == (200, b"")
    until(lambda: spent(server)[0] == before + 7)


def test_records_of_nobody_are_refused_in_the_answer(server: RunningServer) -> None:
    answer = post(server, "/v1/logs", json.dumps(request("nobody")).encode())
    assert answer.json()["partialSuccess"]["rejectedLogRecords"] == "1"


@pytest.mark.parametrize(
    ("body", "headers", "status", "code"),
    [
        (b"{", {}, 400, "MALFORMED_REQUEST"),
        (b"[]", {}, 400, "MALFORMED_REQUEST"),
        (b"{}", {"Content_Type": "text/plain"}, 415, "UNSUPPORTED_BODY"),
        (b"{}", {"Content_Encoding": "br"}, 415, "UNSUPPORTED_BODY"),
        (b"{}", {"Content_Encoding": "gzip"}, 400, "MALFORMED_REQUEST"),
        (gzip.compress(b" " * 2_000_000), {"Content_Encoding": "gzip"}, 413, "BODY_TOO_LARGE"),
        (b"\xff\xff", {"Content_Type": "application/x-protobuf"}, 400, "MALFORMED_REQUEST"),
        (b"{}", {"Authorization": "Bearer nobody"}, 401, "UNAUTHORIZED"),
    ],
)
def test_what_cannot_be_read_is_refused(
    server: RunningServer, body: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = post(server, "/v1/metrics", body, **headers)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
