"""A program that is run offline reaches a fake model and nothing else, and inherits next to nothing."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from roost.testing.models.offline import SETUPS, install_offline, offline
from tests.agents.real import can_isolate
from tests.waiting import scaled, until

pytestmark = pytest.mark.skipif(not can_isolate(), reason="needs root or user namespaces")

ASK = """
import json, os, sys, urllib.request
url = os.environ["ANTHROPIC_BASE_URL"]
body = {"model": "m", "messages": [{"role": "user", "content": "@say hello"}], "tools": [{"name": "Bash"}]}
request = urllib.request.Request(url + "/v1/messages", json.dumps(body).encode())
json.dump(json.load(urllib.request.urlopen(request))["content"][0]["text"], sys.stdout)
"""


def run(kind: str, home: Path, *command: str, **environment: str) -> str:
    whole = os.environ | {"SECRET": "mine", "ROOST_TOKEN": "kept", "TERM": "xterm"} | environment
    words = [*offline(kind, command[0], home), *command[1:]]
    return subprocess.run(words, env=whole, capture_output=True, text=True, check=True, timeout=scaled(20)).stdout


def test_the_model_answers_and_requests_are_logged(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert json.loads(run("claude", tmp_path / "home", sys.executable, "-c", ASK, OFFLINE_LOG=str(log))) == "hello"
    assert json.loads(log.read_text())["path"] == "/v1/messages"


def test_there_is_only_loopback(tmp_path: Path) -> None:
    devices = run("claude", tmp_path / "home", "/bin/cat", "/proc/net/dev").splitlines()[2:]
    assert [line.partition(":")[0].strip() for line in devices] == ["lo"]


def test_the_network_may_be_shared(tmp_path: Path) -> None:
    here = run("claude", tmp_path / "home", "/usr/bin/readlink", "/proc/self/ns/net", OFFLINE_SHARES_LOOPBACK="1")
    assert here.strip() == os.readlink("/proc/self/ns/net")


@pytest.mark.parametrize("kind", SETUPS)
def test_the_environment_is_made_from_nothing(kind: str, tmp_path: Path) -> None:
    rows = dict(row.split("=", 1) for row in run(kind, tmp_path / "home", "/usr/bin/env").splitlines())
    assert "SECRET" not in rows
    assert (rows["HOME"], rows["ROOST_TOKEN"], rows["TERM"]) == (str(tmp_path / "home"), "kept", "xterm")
    assert any(name.endswith(("_API_KEY", "_CONTENT")) for name in rows)


def test_the_process_becomes_the_program_and_takes_the_model_with_it(tmp_path: Path) -> None:
    program = install_offline(tmp_path / "bin", "claude", "/bin/sh", tmp_path / "home")
    script = "cat /proc/$$/task/$$/children; echo; exec sleep 60"
    with subprocess.Popen([str(program), "-c", script], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        model = Path("/proc") / process.stdout.readline().split()[0]
        assert model.exists()
        process.terminate()
        assert process.wait(scaled(10)) == -signal.SIGTERM
        until(lambda: not model.exists() or "State:\tZ" in (model / "status").read_text(), what="the model ends")
