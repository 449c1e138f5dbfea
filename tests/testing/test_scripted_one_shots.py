"""The scripted Gemini CLI and opencode behave as the real ones were seen to."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest

from roost.testing.agents import program
from tests.testing.duplex import Duplex, Json
from tests.testing.test_scripted_acp import Client as AcpClient
from tests.testing.test_shapes import check

WORK = "@think Hm\n@say Reading.\n@read hello.txt\n@write out.txt one\n@bash echo two\n@say Done."


@pytest.fixture(autouse=True)
def _hello(tmp_path: Path) -> None:
    (tmp_path / "hello.txt").write_text("hello file\nsecond line\n")


def run(cwd: Path, *command: str) -> tuple[list[Json], int]:
    with Duplex([*program(command[0]), *command[1:]], cwd) as running:
        running.close_input()
        code = running.finish()
        return running.seen, code


def gemini(cwd: Path, prompt: str, *flags: str) -> tuple[list[Json], int]:
    lines, code = run(cwd, "gemini", "-p", prompt, "-o", "stream-json", *flags)
    check("gemini", lines)
    return lines, code


def opencode(cwd: Path, prompt: str, *flags: str) -> tuple[list[Json], int]:
    lines, code = run(cwd, "opencode", "run", "--format", "json", *flags, prompt)
    check("opencode", lines)
    return lines, code


def test_gemini_does_what_it_is_told(tmp_path: Path) -> None:
    lines, code = gemini(tmp_path, WORK, "--yolo")
    kinds = [line["type"] for line in lines]
    assert kinds == ["init", "message", "message", *["tool_use", "tool_result"] * 3, "message", "result"]
    assert [line["status"] for line in lines if line["type"] == "tool_result"] == ["success"] * 3
    assert ((tmp_path / "out.txt").read_text(), lines[-1]["stats"]["tool_calls"], code) == ("one", 3, 0)


def test_gemini_has_no_tools_that_change_anything_unless_it_is_told(tmp_path: Path) -> None:
    lines, code = gemini(tmp_path, "@write out.txt one")
    assert [line["error"]["type"] for line in lines if "error" in line] == ["tool_not_registered"]
    assert not (tmp_path / "out.txt").exists()
    assert code == 0


def test_a_failing_command_is_a_success_to_gemini(tmp_path: Path) -> None:
    lines, _ = gemini(tmp_path, "@bash echo oops; exit 3", "--yolo")
    assert [line["status"] for line in lines if line["type"] == "tool_result"] == ["success"]


@pytest.mark.parametrize(("prompt", "code"), [("@error 400", 144), ("@say part\n@cut", 1)])
def test_gemini_fails_with_the_endpoint(tmp_path: Path, prompt: str, code: int) -> None:
    lines, found = gemini(tmp_path, prompt)
    assert (lines[-1]["status"], found) == ("error", code)


def test_gemini_resumes(tmp_path: Path) -> None:
    first, _ = gemini(tmp_path, "hello")
    second, _ = gemini(tmp_path, "again", "--resume", "latest")
    assert first[0]["session_id"] == second[0]["session_id"]


def test_gemini_says_all_went_well_when_it_is_stopped(tmp_path: Path) -> None:
    with Duplex([*program("gemini"), "-p", "@wait 60", "-o", "stream-json"], tmp_path) as running:
        running.expect(lambda line: line["type"] == "message")
        running.process.send_signal(signal.SIGTERM)
        assert running.finish() == 0
        assert running.seen[-1]["type"] == "message"


def test_opencode_does_what_it_is_told(tmp_path: Path) -> None:
    lines, code = opencode(tmp_path, WORK, "--thinking")
    assert [line["part"]["tool"] for line in lines if line["type"] == "tool_use"] == ["read", "write", "bash"]
    reasons = [line["part"]["reason"] for line in lines if line["type"] == "step_finish"]
    assert (reasons, code) == (["tool-calls"] * 3 + ["stop"], 0)
    assert (tmp_path / "out.txt").read_text() == "one"


def test_opencode_understands_a_prompt_in_quotes(tmp_path: Path) -> None:
    lines, _ = opencode(tmp_path, '"@say hello"')
    assert [line["part"]["text"] for line in lines if line["type"] == "text"] == ["hello"]


def test_opencode_ends_after_a_rejected_tool(tmp_path: Path) -> None:
    lines, code = opencode(tmp_path, "@write out.txt one\n@say never", "--ask")
    assert lines[-2]["part"]["state"]["status"] == "error"
    assert (lines[-1]["type"], code) == ("step_finish", 0)


def test_opencode_fails_with_the_endpoint(tmp_path: Path) -> None:
    lines, code = opencode(tmp_path, "@error 400")
    assert (lines[-1]["error"]["data"]["statusCode"], code) == (400, 1)


def test_opencode_resumes_what_there_is(tmp_path: Path) -> None:
    first, _ = opencode(tmp_path, "hello")
    second, _ = opencode(tmp_path, "again", "-s", first[0]["sessionID"])
    assert first[0]["sessionID"] == second[0]["sessionID"]
    assert opencode(tmp_path, "again", "-s", "ses_doesnotexist") == ([], 1)


def test_opencode_dies_of_signals(tmp_path: Path) -> None:
    with Duplex([*program("opencode"), "run", "--format", "json", "@wait 60"], tmp_path) as running:
        running.expect(lambda line: line["type"] == "step_start")
        running.process.send_signal(signal.SIGINT)
        assert running.finish() == -signal.SIGINT


@pytest.mark.parametrize("command", [["gemini", "--acp"], ["opencode", "acp"]])
def test_both_speak_acp(tmp_path: Path, command: list[str]) -> None:
    with AcpClient([*program(command[0]), *command[1:]], tmp_path) as client:
        client.open()
        assert client.answer(client.prompt("@say hello"))["result"]["stopReason"] == "end_turn"


@pytest.mark.parametrize("name", ["claude", "codex", "acp", "gemini", "opencode"])
def test_each_tells_its_version(name: str, tmp_path: Path) -> None:
    with Duplex([*program(name), "--version"], tmp_path) as running:
        running.close_input()
        assert running.finish() == 0


@pytest.mark.parametrize("command", [["gemini", "--such-flag"], ["opencode", "run", "--such-flag"], ["opencode", "x"]])
def test_wrong_command_lines_are_refused(command: list[str], tmp_path: Path) -> None:
    assert run(tmp_path, *command) == ([], 1)


@pytest.mark.parametrize(
    "command",
    [
        ["claude", "-p", "@say hello"],
        ["codex", "exec", "--skip-git-repo-check", "@say hello"],
        ["gemini", "-p", "@say hello"],
        ["opencode", "run", "@say hello"],
    ],
    ids=lambda command: command[0],
)
def test_each_can_just_say_what_it_has_to_say(command: list[str], tmp_path: Path) -> None:
    with Duplex([*program(command[0]), *command[1:]], tmp_path) as running:
        running.close_input()
        assert running.finish() == 0
        assert running.raw == [b"hello\n"]


def test_claude_can_write_its_result_only(tmp_path: Path) -> None:
    lines, _ = run(tmp_path, "claude", "-p", "@say hello", "--output-format", "json")
    assert [(line["type"], line["result"]) for line in lines] == [("result", "hello")]


def test_gemini_can_write_its_counts_only(tmp_path: Path) -> None:
    with Duplex([*program("gemini"), "-p", "@say hello", "-o", "json"], tmp_path) as running:
        running.close_input()
        assert running.finish() == 0
        assert b'"total_tokens"' in b"".join(running.raw)
