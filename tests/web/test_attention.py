"""What agents need somebody for, as a server finds out and tells it, with real processes."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roost.testing.server import RunningServer, run_server
from tests.waiting import until

CLAUDE = r"""
import sys, tty
tty.setcbreak(0)
def show(title, *rows):
    sys.stdout.write(f"\x1b]0;{title}\x07\x1b[2J\x1b[H" + "\r\n".join(rows))
    sys.stdout.flush()
rule = "─" * 40
sys.stdout.write("\x1b[?1049h")
show("◐ Claude Code", "✽ Thinking…", rule, "❯", rule)
sys.stdin.read(1)
show("✳ Claude Code", "● Write(a.py)", rule, " Do you want to create a.py?", " ❯ 1. Yes", "   2. No", "", " Esc")
sys.stdin.read(1)
show("✳ Claude Code", "● Done.", rule, "❯", rule)
sys.stdin.read(1)
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    with run_server(tmp_path_factory.mktemp("attention") / "data") as running:
        yield running


@pytest.fixture
def claude(server: RunningServer, tmp_path: Path) -> Iterator[str]:
    """An agent whose program looks like a coding agent; each key brings its next screen."""
    program = tmp_path / "claude"
    program.write_text(f"#!{sys.executable}\n{CLAUDE}")
    program.chmod(0o755)
    server.start_agent("writer", str(program))
    yield "writer"
    server.call("POST", "/api/agents/writer/kill")
    server.call("DELETE", "/api/agents/writer?purge=true")


def about(server: RunningServer, name: str, kind: str) -> dict[str, Any]:
    """What is said of the agent once it is of this kind."""
    path = f"/api/agents/{name}/attention"
    return until(lambda: (said := server.call("GET", path))["kind"] == kind and said["source"] != "process" and said)


def type_key(server: RunningServer, name: str) -> None:
    server.call("POST", f"/api/agents/{name}/input", {"input": "x"})


def test_a_terminal_is_followed_from_work_to_question_to_rest(server: RunningServer, claude: str) -> None:
    about(server, claude, "works")
    type_key(server, claude)
    asks = about(server, claude, "waits")
    assert (asks["wants"], asks["summary"], asks["state"]) == ("permission", "Do you want to create a.py?", "waiting")
    assert asks["evidence"] == ["the screen asks for permission: “Do you want to create a.py?”"]
    assert (asks["needs_you"], asks["source"]) == (True, "screen")
    assert "roost attach writer" in asks["advice"]
    view = server.agent(claude)
    assert (view["attention"], view["attention_kind"]) == ("permission: Do you want to create a.py?", "waits")
    assert view["attention_since"] == asks["since"]
    type_key(server, claude)
    assert about(server, claude, "idle")["state"] == "idle"
    assert server.agent(claude)["attention"] is None


def test_what_an_agent_waits_for_outlives_the_server_and_is_an_issue_that_takes_no_health_away(
    server: RunningServer, claude: str
) -> None:
    about(server, claude, "works")
    type_key(server, claude)
    before = about(server, claude, "waits")
    server.kill9()
    server.start()
    assert server.call("GET", "/api/agents/writer/attention") == before
    health = server.call("GET", "/api/health")
    issue = next(issue for issue in health["issues"] if issue["code"] == "WAITING")
    assert (issue["severity"], issue["details"]["agent"]) == ("info", "writer")
    assert issue["message"] == "agent writer waits for permission: Do you want to create a.py?"
    assert health["status"] == "healthy"


def test_agents_are_listed_by_what_they_are_about(server: RunningServer) -> None:
    server.start_agent("asks", "sh", "-c", "printf 'Overwrite? [y/N] '; exec sleep 100")
    server.start_agent("works", "sleep", "100")
    about(server, "asks", "waits")

    def names(query: str) -> list[str]:
        return [agent["name"] for agent in server.call("GET", f"/api/agents?{query}")["agents"]]

    assert names("attention=needed") == ["asks"]
    assert names("attention=works") == ["works"]
    assert names("attention=works&attention=waits") == ["asks", "works"]
    assert names("attention=stuck") == []
    urgency = {agent["name"]: agent["urgency"] for agent in server.agents()}
    assert urgency["asks"] < urgency["works"]
    for name in ("asks", "works"):
        server.call("POST", f"/api/agents/{name}/kill")
        server.call("DELETE", f"/api/agents/{name}?purge=true")


def test_a_structured_agent_says_itself_what_it_waits_for(server: RunningServer, tmp_path: Path) -> None:
    program = tmp_path / "claude"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m roost.testing.agents.claude "$@"\n')
    program.chmod(0o755)
    server.start_agent("talker", str(program), driver="claude", cwd=str(tmp_path))
    assert about(server, "talker", "idle")["source"] == "protocol"
    server.call("POST", "/api/agents/talker/prompt", {"prompt": "@ask Colour: Red / Blue ; @say Done."})
    asks = about(server, "talker", "waits")
    assert (asks["wants"], asks["source"], asks["state"]) == ("question", "protocol", "waiting")
    approval = server.call("GET", "/api/approvals")["approvals"][0]["approval_id"]
    server.call("POST", f"/api/approvals/{approval}", {"decision": "deny"})
    assert about(server, "talker", "done")["summary"] == "Done."
    assert server.agent("talker")["doing"] == "Done."
    server.call("POST", "/api/agents/talker/kill")
    server.call("DELETE", "/api/agents/talker?purge=true")
