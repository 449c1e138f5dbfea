"""The real agents in their own screens, with typed events besides; see `docs/howto/test-with-real-clis.md`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from roost.testing.models.offline import install_offline
from roost.testing.server import RunningServer, run_server
from tests.agents import real
from tests.waiting import until

START_S = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.root]


def start(server: RunningServer, kind: str, base: Path, *arguments: str) -> None:
    home, work = base / "home", base / "work"
    work.mkdir()
    program = install_offline(base / "bin", kind, real.program(kind), home)
    env = {"HOME": str(home), "CODEX_HOME": str(home / ".codex")}
    server.start_agent("one", str(program), *arguments, cwd=str(work), env=env)


def told(server: RunningServer) -> list[dict[str, Any]]:
    """The events so far that somebody told of who looked over the agent's shoulder."""
    command = [sys.executable, "-m", "roost", "events", "one", "--data", str(server.data.root)]
    out = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    events = [json.loads(line) for line in out.splitlines()]
    return [event for event in events if event["data"].get("source") in ("transcript", "hook")]


def has(server: RunningServer, kind: str, **fields: Any) -> bool:
    return any(one["type"] == kind and fields.items() <= one["data"].items() for one in told(server))


def wait_for(server: RunningServer, kind: str, wants: str | None = None) -> None:
    path = "/api/agents/one/attention"
    until(
        lambda: ((said := server.call("GET", path))["kind"], said["wants"]) in ((kind, wants), ("done", wants)),
        START_S,
        what=f"{kind} {wants}",
    )


def ask(server: RunningServer, text: str) -> None:
    server.call("POST", "/api/agents/one/input", {"paste": text})
    shown(server, text[:10])
    press(server, "Enter")


def shown(server: RunningServer, text: str) -> None:
    path = "/api/agents/one/screen?format=json"
    until(lambda: text in "\n".join(server.call("GET", path)["rows_text"]), START_S, what=text)


def press(server: RunningServer, *keys: str) -> None:
    server.call("POST", "/api/agents/one/input", {"keys": list(keys)})


@real.needs("claude")
@pytest.mark.timeout(300)
def test_claude(tmp_path: Path) -> None:
    with run_server(tmp_path / "data") as server:
        start(server, "claude", tmp_path, "--permission-mode", "default")
        wait_for(server, "idle")
        ask(server, "@bash touch a.txt ; @say Made.")
        wait_for(server, "waits", "permission")
        until(lambda: has(server, "notice", code="WAITS_FOR_PERMISSION", source="hook"), START_S)
        # The hook runs before the screen asks, and takes keys.
        until(lambda: server.call("GET", "/api/agents/one/attention")["source"] == "screen", START_S)
        press(server, "Enter")
        until(lambda: has(server, "turn", state="completed", text="Made.", source="transcript"), START_S)
        wait_for(server, "idle")


@real.needs("codex")
@pytest.mark.timeout(300)
def test_codex(tmp_path: Path) -> None:
    with run_server(tmp_path / "data") as server:
        start(server, "codex", tmp_path, "--no-daemon", "-m", "gpt-5.5")
        wait_for(server, "waits", "question")
        press(server, "Down", "Enter")
        wait_for(server, "idle")
        ask(server, "@bash ls ; @say Looked.")
        until(lambda: has(server, "tool_call", title="Running ls", source="transcript"), START_S)
        until(lambda: has(server, "turn", state="completed", text="Looked.", source="transcript"), START_S)
