"""Conversations with agents outlive the server: nothing asked for is lost, done twice, or answered twice."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from roost.testing.server import RunningServer, run_server
from tests.waiting import until

CLAUDE = [sys.executable, "-m", "roost.testing.agents.claude"]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with run_server(tmp_path / "data") as running:
        yield running


def post(server: RunningServer, path: str, body: Any = None) -> httpx.Response:
    headers = {"Authorization": f"Bearer {server.token}"}
    return httpx.post(server.url + path, json=body, headers=headers, timeout=60)


def get(server: RunningServer, path: str) -> Any:
    return httpx.get(server.url + path, headers={"Authorization": f"Bearer {server.token}"}, timeout=60).json()


def kill(server: RunningServer) -> None:
    server.kill9()
    server.restart()


def start(server: RunningServer, cwd: Path) -> None:
    body = {"name": "c", "driver": "claude", "command": CLAUDE, "cwd": str(cwd)}
    assert post(server, "/api/agents", body).status_code == 201


def asked(server: RunningServer, besides: str = "") -> dict[str, Any]:
    """The question that is open."""

    def find() -> dict[str, Any] | None:
        found = get(server, "/api/approvals")["approvals"]
        return next((one for one in found if one["approval_id"] != besides), None)

    found = until(find)
    assert found is not None
    return found


def test_a_question_outlives_the_server_and_so_does_its_answer(server: RunningServer, tmp_path: Path) -> None:
    start(server, tmp_path)
    prompt = {"prompt": "@write a.txt one\n@bash echo two\n@say finished", "turn_id": "t1"}
    assert post(server, "/api/agents/c/prompt", prompt).status_code == 200
    first = asked(server)
    pid = get(server, "/api/agents/c")["pid"]
    kill(server)
    assert asked(server)["approval_id"] == first["approval_id"]
    assert get(server, "/api/agents/c")["state"] == "waiting"
    answer = post(server, f"/api/approvals/{first['approval_id']}", {"decision": "allow"})
    assert (answer.status_code, answer.json()["decision"]) == (200, "allow")
    second = asked(server, besides=first["approval_id"])
    kill(server)
    assert post(server, f"/api/approvals/{second['approval_id']}", {"decision": "allow"}).status_code == 200
    again = post(server, f"/api/approvals/{second['approval_id']}", {"decision": "deny"})
    assert (again.status_code, again.json()["error"]["code"]) == (409, "ALREADY_DECIDED")
    result = get(server, "/api/agents/c/turns/t1?wait=true&timeout_s=30")
    assert (result["state"], result["text"]) == ("completed", "finished")
    assert (tmp_path / "a.txt").read_text() == "one"
    assert get(server, "/api/agents/c")["pid"] == pid
    assert post(server, "/api/agents/c/prompt", prompt).json()["repeated"]


def test_prompts_are_done_once_each_and_in_order(server: RunningServer, tmp_path: Path) -> None:
    start(server, tmp_path)
    for number in range(4):
        body = {"prompt": f"@wait 0.3\n@say {number}", "turn_id": f"t{number}"}
        assert post(server, "/api/agents/c/prompt", body).status_code == 200
        kill(server)
    assert get(server, "/api/agents/c/turns/t3?wait=true&timeout_s=30")["ended"]
    assert [(turn["turn_id"], turn["state"], turn["text"]) for turn in get(server, "/api/agents/c/turns")["turns"]] == [
        (f"t{number}", "completed", str(number)) for number in range(4)
    ]


def test_the_conversation_goes_on_in_another_process(server: RunningServer, tmp_path: Path) -> None:
    start(server, tmp_path)
    post(server, "/api/agents/c/prompt?wait=true&timeout_s=30", {"prompt": "@say one"})
    known = get(server, "/api/agents/c")
    assert post(server, "/api/agents/c/kill").json()["state"] == "exited"
    refused = post(server, "/api/agents/c/prompt", {"prompt": "@say lost"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (409, "AGENT_NOT_RUNNING")
    assert post(server, "/api/agents/c/restart").status_code == 200
    turn = post(server, "/api/agents/c/prompt?wait=true&timeout_s=30", {"prompt": "@say two"}).json()
    assert (turn["state"], turn["text"]) == ("completed", "two")
    assert turn["session_id"] != known["session_id"]


def test_stopping_keeps_the_result_of_the_turn_that_ran(server: RunningServer, tmp_path: Path) -> None:
    start(server, tmp_path)
    post(server, "/api/agents/c/prompt", {"prompt": "@say begun\n@wait 60", "turn_id": "t1"})
    until(lambda: get(server, "/api/agents/c/turns/t1")["state"] == "started")
    headers = {"Authorization": f"Bearer {server.token}"}
    stopped = httpx.delete(f"{server.url}/api/agents/c", headers=headers, timeout=30).json()
    assert stopped["state"] == "exited"
    assert get(server, "/api/agents/c/turns/t1")["state"] == "interrupted"
