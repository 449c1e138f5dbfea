"""The real Gemini CLI and opencode do with our fake model what their stand-ins without a model do."""

from __future__ import annotations

from pathlib import Path

import pytest

from roost.testing.agents import program
from tests.agents import real
from tests.testing.duplex import Duplex, Json

WORK = (
    "@think Hm\n@say Reading.\n@read hello.txt\n@write out.txt one\n@bash echo two\n@also bash echo three\n@say Done."
)
FLAGS = {
    "gemini": ["--approval-mode", "yolo", "-m", "gemini-2.5-flash", "-o", "stream-json", "-p"],
    "opencode": ["run", "--format", "json"],
}
START_S = 100.0


@pytest.fixture(params=["scripted", "real"])
def is_real(request: pytest.FixtureRequest) -> bool:
    return bool(request.param == "real")


def run(name: str, cwd: Path, *, is_real: bool) -> list[Json]:
    if is_real and not real.program(name):
        pytest.skip(f"needs {name}: scripts/setup --agents {name}")
    if is_real and not real.can_isolate():
        pytest.skip("needs root or user namespaces")
    (cwd / "hello.txt").write_text("hello file\n")
    command = real.command(name, cwd / "home") if is_real else program(name)
    with Duplex([*command, *FLAGS[name], WORK], cwd) as running:
        running.close_input()
        assert running.finish(START_S) == 0
        return running.seen


@pytest.mark.slow
def test_gemini(is_real: bool, tmp_path: Path) -> None:
    lines = run("gemini", tmp_path, is_real=is_real)
    said = [line["content"] for line in lines if line.get("role") == "assistant"]
    assert said == ["Reading.", "Done."]
    tools = [line["tool_name"] for line in lines if line["type"] == "tool_use"]
    assert tools == ["read_file", "write_file", "run_shell_command", "run_shell_command"]
    results = [line for line in lines if line["type"] == "tool_result"]
    assert {line["status"] for line in results} == {"success"}
    assert sorted(line.get("output", "") for line in results) == ["", "", "three", "two"]
    assert (lines[-1]["status"], lines[-1]["stats"]["tool_calls"]) == ("success", 4)
    assert (tmp_path / "out.txt").read_text() == "one"


@pytest.mark.slow
@pytest.mark.timeout(200)
def test_opencode(is_real: bool, tmp_path: Path) -> None:
    lines = run("opencode", tmp_path, is_real=is_real)
    parts = [line["part"] for line in lines]
    assert [part["text"] for part in parts if part["type"] == "text"] == ["Reading.", "Done."]
    assert [part["tool"] for part in parts if part["type"] == "tool"] == ["read", "write", "bash", "bash"]
    assert [part["reason"] for part in parts if part["type"] == "step-finish"] == ["tool-calls"] * 3 + ["stop"]
    assert (tmp_path / "out.txt").read_text() == "one"
