"""Which agents of this machine can be adopted, by what is known of their processes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from roost.client.adopting import candidates


class Machine:
    """A `/proc` with processes that are none, and a home directory."""

    def __init__(self, tmp_path: Path) -> None:
        self.proc, self.home, self.cwd = tmp_path / "proc", tmp_path / "home", tmp_path / "work"
        self.cwd.mkdir()
        (self.proc / "self").mkdir(parents=True)

    def process(self, pid: int, *command: str, **env: str) -> Path:
        folder = self.proc / str(pid)
        (folder / "fd").mkdir(parents=True)
        (folder / "cmdline").write_bytes(b"".join(word.encode() + b"\0" for word in command))
        named = {"HOME": str(self.home)} | env
        (folder / "environ").write_bytes(b"".join(f"{name}={value}".encode() + b"\0" for name, value in named.items()))
        (folder / "cwd").symlink_to(self.cwd)
        return folder

    def rollout(self, name: str, age_s: int = 0, cwd: Path | None = None) -> Path:
        path = self.home / ".codex" / "sessions" / "2026" / "01" / "02" / f"rollout-{name}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        payload = {"id": name, "cwd": str(cwd or self.cwd), "timestamp": "2026-01-02T00:00:00Z"}
        path.write_text(json.dumps({"type": "session_meta", "payload": payload}) + "\n")
        time_ns = 1_800_000_000 * 10**9 - age_s * 10**9
        os.utime(path, ns=(time_ns, time_ns))
        return path


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def test_codex_is_found_by_the_newest_rollout_of_its_directory(machine: Machine) -> None:
    machine.rollout("older", 10)
    machine.rollout("elsewhere", 0, machine.home)
    newest = machine.rollout("newest", 5)
    machine.process(7, "/usr/bin/codex")
    assert [tuple(one) for one in candidates(machine.proc)] == [(7, "codex", str(machine.cwd), newest)]


def test_two_in_one_directory_have_each_its_own(machine: Machine) -> None:
    older, newest = machine.rollout("older", 10), machine.rollout("newest")
    for pid in (7, 8, 9):
        machine.process(pid, "codex")
    assert [(one.pid, one.file) for one in candidates(machine.proc)] == [(7, newest), (8, older)]


def test_the_rollout_that_is_open_is_its_own(machine: Machine) -> None:
    older = machine.rollout("older", 10)
    machine.rollout("newest")
    folder = machine.process(7, "codex", "--no-daemon")
    (folder / "fd" / "3").symlink_to("/dev/null")
    (folder / "fd" / "4").write_text("")
    (folder / "fd" / "5").symlink_to(older)
    assert [one.file for one in candidates(machine.proc)] == [older]


def test_a_process_whose_files_are_hidden_is_found_by_its_directory(machine: Machine) -> None:
    newest = machine.rollout("newest")
    (machine.process(7, "codex") / "fd").rmdir()
    assert [one.file for one in candidates(machine.proc)] == [newest]


def test_claude_is_found_by_the_newest_transcript_of_its_directory(machine: Machine) -> None:
    folder = "".join(sign if sign.isalnum() else "-" for sign in str(machine.cwd))
    path = machine.home / ".claude" / "projects" / folder / "s.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text("")
    machine.process(7, "claude")
    machine.process(8, "claude")
    assert [(one.pid, one.file) for one in candidates(machine.proc)] == [(7, path)]


@pytest.mark.parametrize(
    ("command", "env"),
    [
        (["vim"], {}),
        (["codex", "login"], {}),
        (["codex"], {"ROOST_SESSION": "x"}),
        (["codex"], {"CODEX_HOME": "/none"}),
    ],
)
def test_what_is_no_agent_or_one_of_ours_is_left_out(machine: Machine, command: list[str], env: dict[str, str]) -> None:
    machine.rollout("newest")
    machine.process(7, *command, **env)
    (machine.proc / "8").mkdir()
    assert candidates(machine.proc) == []
