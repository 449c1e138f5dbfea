"""Agents that were started without roost."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.follow import started_at
from roost.paths import DataDirectory
from roost.testing.server import RunningServer
from tests.cli.kit import roost
from tests.waiting import until

PROMPT = {"type": "user", "sessionId": "s", "message": {"role": "user", "content": "hello"}}
ANSWER = {
    "type": "assistant",
    "sessionId": "s",
    "message": {"id": "m", "model": "x", "content": [{"type": "text", "text": "hi"}], "stop_reason": "end_turn"},
}


class Outside:
    """A process called `claude` with a transcript, as one that somebody started in another window."""

    def __init__(self, tmp_path: Path) -> None:
        self.cwd = tmp_path / "work"
        self.cwd.mkdir()
        folder = "".join(sign if sign.isalnum() else "-" for sign in str(self.cwd))
        self.file = tmp_path / "home" / ".claude" / "projects" / folder / "s.jsonl"
        self.file.parent.mkdir(parents=True)
        self.write(PROMPT)
        env = {"HOME": str(tmp_path / "home"), "PATH": os.environ["PATH"]}
        self.process = subprocess.Popen(["claude", "60"], executable="/bin/sleep", cwd=self.cwd, env=env)

    def write(self, line: dict) -> None:
        with self.file.open("a") as file:
            file.write(json.dumps(line) + "\n")

    def end(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    found = Outside(tmp_path)
    try:
        yield found
    finally:
        found.end()


def test_an_agent_is_found_adopted_and_watched_to_its_end(server: RunningServer, outside: Outside) -> None:
    pid = str(outside.process.pid)
    listed = until(lambda: json.loads(roost("adopt", "--json").out)["candidates"])
    assert [str(outside.cwd), str(outside.file)] in [[one["cwd"], one["file"]] for one in listed]
    assert roost("adopt", "guest", "--pid", pid).code == 0
    until(lambda: "hello" in roost("logs", "guest").out)
    again = roost("adopt", "another", "--pid", pid)
    assert (again.code, "watched already, as guest" in again.err) == (6, True)
    outside.write(ANSWER)
    until(lambda: "hi" in roost("logs", "guest").out)
    refused = roost("prompt", "guest", "more")
    assert refused.code != 0
    assert "only watched" in refused.err
    outside.end()
    until(lambda: json.loads(roost("ps", "-a", "--json", "--filter", "name=guest").out)["agents"][0]["exit_code"] == 0)


def test_a_transcript_of_the_past_can_be_adopted(server: RunningServer, outside: Outside) -> None:
    outside.write(ANSWER)
    assert roost("adopt", "past", "--file", str(outside.file)).code == 0
    until(lambda: "hi" in roost("logs", "past").out)
    assert roost("kill", "past").code == 0


@pytest.mark.parametrize("arguments", [["--pid", "1"], ["--file", "no-such-file"]])
def test_what_cannot_be_adopted_says_so(data: DataDirectory, arguments: list[str]) -> None:
    assert roost("adopt", "guest", *arguments).code == 3


def test_without_a_server_it_says_how_to_have_one(data: DataDirectory, outside: Outside) -> None:
    result = roost("adopt", "guest", "--file", str(outside.file))
    assert (result.code, "roost up" in result.err) == (5, True)


def test_following_ends_with_the_process(outside: Outside) -> None:
    command = [sys.executable, "-m", "roost.follow", str(outside.file), "--pid", str(outside.process.pid)]
    following = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert following.stdout is not None
    assert json.loads(following.stdout.readline()) == PROMPT
    outside.write(ANSWER)
    assert json.loads(following.stdout.readline()) == ANSWER
    outside.end()
    assert following.wait(timeout=20) == 0
    following.stdout.close()


def test_following_what_is_not_there_says_so(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "roost.follow", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (1, f"{tmp_path / 'none'}: No such file or directory\n")


def test_a_process_is_known_by_when_it_began() -> None:
    assert started_at(os.getpid()) == started_at(os.getpid())
    assert started_at(1 << 22) is None
