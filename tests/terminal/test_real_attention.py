"""What the real agents' own terminal interfaces are seen to be about; see `docs/howto/test-with-real-clis.md`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from roost.testing.server import RunningServer, run_server
from tests.agents import real
from tests.waiting import until

START_S = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.root]


def about(server: RunningServer, kind: str, wants: str | None = None) -> dict[str, Any]:
    """What is said of the agent once it is about this."""
    path = "/api/agents/one/attention"
    known = ("title", "screen")
    return until(
        lambda: (
            ((said := server.call("GET", path))["kind"], said["wants"]) == (kind, wants)
            and said["source"] in known
            and said
        ),
        START_S,
        what=f"{kind} {wants}",
    )


def press(server: RunningServer, *keys: str) -> None:
    server.call("POST", "/api/agents/one/input", {"keys": list(keys)})


def ask(server: RunningServer, text: str) -> None:
    server.call("POST", "/api/agents/one/input", {"paste": text})
    until(lambda: text[:10] in "\n".join(server.call("GET", "/api/agents/one/screen?format=json")["rows_text"]))
    press(server, "Enter")


@real.needs("claude")
@pytest.mark.timeout(300)
def test_claude(tmp_path: Path) -> None:
    with run_server(tmp_path / "data") as server:
        server.start_agent("one", *real.command("claude", tmp_path / "home"), cwd=str(tmp_path))
        about(server, "idle")
        press(server, "S-Tab")
        ask(server, "@bash sleep 2 ; @write a.txt hello")
        about(server, "works")
        assert about(server, "waits", "permission")["summary"] == "Do you want to create a.txt?"
        press(server, "Escape")
        about(server, "idle")
        ask(server, "@ask Colour: Red / Blue")
        assert about(server, "waits", "question")["summary"] == "Colour: Red / Blue"
        press(server, "Escape")
        about(server, "idle")


@real.needs("codex")
@pytest.mark.timeout(300)
def test_codex(tmp_path: Path) -> None:
    with run_server(tmp_path / "data") as server:
        command = [*real.command("codex", tmp_path / "home"), "--no-daemon"]
        server.start_agent("one", *command, cwd=str(tmp_path))
        about(server, "waits", "question")
        press(server, "Down", "Enter")
        about(server, "idle")
        ask(server, "@bash sleep 2")
        about(server, "works")
        about(server, "idle")
