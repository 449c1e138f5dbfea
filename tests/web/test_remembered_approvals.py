"""Answers that are remembered, and questions that nobody answers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import httpx

from roost.testing.server import RunningServer, run_server
from tests.waiting import until

CLAUDE = [sys.executable, "-m", "roost.testing.agents.claude"]


class Api:
    """The API of a server, with an agent `c` in `cwd`."""

    def __init__(self, server: RunningServer, cwd: Path) -> None:
        headers = {"Authorization": f"Bearer {server.token}"}
        self._client = httpx.Client(base_url=server.url, headers=headers, timeout=60)
        self.post("/api/agents", {"name": "c", "driver": "claude", "command": CLAUDE, "cwd": str(cwd)})

    def __enter__(self) -> Api:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def post(self, path: str, body: Any) -> Any:
        answer = self._client.post(path, json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def get(self, path: str) -> Any:
        return self._client.get(path).json()

    def delete(self, path: str) -> int:
        return self._client.delete(path).status_code

    def prompt(self, text: str) -> Any:
        return self.post("/api/agents/c/prompt?wait=true&timeout_s=30", {"prompt": text})

    def open(self) -> list[Any]:
        found: list[Any] = self.get("/api/approvals")["approvals"]
        return found


def test_a_remembered_answer_is_given_without_asking_until_it_is_forgotten(tmp_path: Path) -> None:
    with run_server(tmp_path / "data") as server, Api(server, tmp_path) as api:
        api.post("/api/agents/c/prompt", {"prompt": "@write a.txt one\n@say done"})
        (asked,) = until(api.open)
        api.post(f"/api/approvals/{asked['approval_id']}", {"decision": "allow", "remember": True})
        assert api.prompt("@write b.txt two\n@say again")["text"] == "again"
        assert (tmp_path / "b.txt").read_text() == "two"
        (rule,) = api.get("/api/approval-rules")["rules"]
        decided = api.get("/api/approvals?state=decided&agent=c")["approvals"]
        assert [one["by"] for one in decided] == ["owner", f"rule {rule['rule_id']} of owner"]
        assert api.delete(f"/api/approval-rules/{rule['rule_id']}") == 204
        assert api.delete(f"/api/approval-rules/{rule['rule_id']}") == 404
        api.post("/api/agents/c/prompt", {"prompt": "@write c.txt three"})
        assert until(api.open)


def test_what_nobody_answers_in_time_is_denied(tmp_path: Path) -> None:
    with run_server(tmp_path / "data", approvals_expire_s=0.2) as server, Api(server, tmp_path) as api:
        assert api.prompt("@write a.txt one\n@say done")["state"] == "completed"
        (decided,) = api.get("/api/approvals?state=decided&agent=c")["approvals"]
        assert (decided["decision"], decided["by"]) == ("deny", "expiry")
        assert not (tmp_path / "a.txt").exists()
