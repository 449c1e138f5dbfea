"""`roost usage`: what agents spent."""

from __future__ import annotations

import json
import sys

import httpx

from roost.paths import DataDirectory
from roost.testing.server import RunningServer
from tests.cli.kit import roost

CLAUDE = [sys.executable, "-m", "roost.testing.agents.claude"]


def test_what_was_spent_is_summed(server: RunningServer):
    headers = {"Authorization": f"Bearer {server.token}"}
    body = {"name": "c", "driver": "claude", "command": CLAUDE, "cwd": str(server.data.root)}
    assert httpx.post(f"{server.url}/api/agents", json=body, headers=headers).status_code == 201
    url = f"{server.url}/api/agents/c/prompt?wait=true&timeout_s=30"
    turn = httpx.post(url, json={"prompt": "@say hello"}, headers=headers, timeout=60).json()
    found = json.loads(roost("usage", "--json", "--by", "agent,turn").out)
    assert [(one["agent"], one["turn"]) for one in found["usage"]] == [("c", turn["turn_id"])]
    assert found["total"]["cost_usd"] == turn["cost_usd"] > 0
    table = roost("usage", "c", "--since", "1h").out.splitlines()
    assert table[0].split() == ["DAY", "AGENT", "MODEL", "INPUT", "OUTPUT", "CACHE-READ", "CACHE-WRITE", "COST"]
    assert table[-1].startswith("total")
    assert roost("usage", "--by", "nonsense").code == 2


def test_without_a_server_it_says_how_to_have_one(data: DataDirectory):
    result = roost("usage")
    assert result.code == 5
    assert "roost up" in result.err
