"""Scripted agents go wrong when they are told to, and only then."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest

from roost.testing import processes
from roost.testing.agents import NAMES, install, program
from roost.testing.models.script import FAULTS, BadStep, read_script, step_of
from tests.testing.duplex import Duplex, Json
from tests.testing.test_scripted_claude import DUPLEX, STREAM, blocks, claude, control, is_kind, one_shot, user
from tests.waiting import until


def raw(cwd: Path, prompt: str, **environment: str) -> tuple[list[bytes], int]:
    with claude(cwd, "-p", prompt, *STREAM[1:], "--allowedTools", "Bash", **environment) as run:
        run.close_input()
        code = run.finish()
        return run.raw, code


def kinds(lines: list[bytes]) -> list[str]:
    return [json.loads(line)["type"] for line in lines]


def test_garbage_is_no_json(tmp_path: Path) -> None:
    lines, _ = raw(tmp_path, "@garbage not {json\n@say ok")
    assert lines[1] == b"not {json\n"


def test_a_line_may_come_in_halves(tmp_path: Path) -> None:
    lines, _ = raw(tmp_path, "@half\n@say ok")
    assert kinds(lines) == ["system", "assistant", "result"]


def test_a_torn_line_is_the_end(tmp_path: Path) -> None:
    lines, code = raw(tmp_path, "@torn\n@say never")
    assert not lines[-1].endswith(b"\n")
    assert code == 0


def test_unknown_types_and_fields_come(tmp_path: Path) -> None:
    lines, _ = raw(tmp_path, "@unknown new_thing\n@fields\n@say ok")
    assert kinds(lines) == ["system", "new_thing", "assistant", "result"]
    assert all("strange_field" in json.loads(line) for line in lines[2:])


def test_lines_can_be_huge(tmp_path: Path) -> None:
    lines, _ = raw(tmp_path, "@huge 2000000")
    assert len(lines[1]) > 2_000_000


def test_a_line_may_come_twice(tmp_path: Path) -> None:
    lines, _ = raw(tmp_path, "@duplicate\n@say ok")
    assert lines[1] == lines[2]


def test_results_may_come_in_the_wrong_order(tmp_path: Path) -> None:
    lines, _ = raw(tmp_path, "@reverse\n@bash echo a\n@also bash echo b\n@also bash sleep 0.1; echo c")
    found: list[Json] = [json.loads(line) for line in lines]
    assert [block["content"] for block in blocks(found, "tool_result")] == ["c", "b", "a"]


@pytest.mark.parametrize(
    ("fault", "code"), [("@crash", -signal.SIGKILL), ("@crash SEGV", -signal.SIGSEGV), ("@leave 3", 3), ("@leave", 0)]
)
def test_it_may_end_in_mid_turn(tmp_path: Path, fault: str, code: int) -> None:
    lines, found = raw(tmp_path, f"@say half\n{fault}")
    assert (kinds(lines), found) == (["system", "assistant"], code)


def test_a_turn_may_never_end_but_for_an_interrupt(tmp_path: Path) -> None:
    with claude(tmp_path, *DUPLEX) as run:
        run.send(user("@say half\n@never"))
        run.expect(is_kind("assistant"))
        run.send(control("interrupt"))
        assert run.expect(is_kind("result"))["subtype"] == "error_during_execution"


def test_it_may_be_deaf(tmp_path: Path) -> None:
    with claude(tmp_path, *DUPLEX) as run:
        run.send(user("@deaf\n@say half\n@wait 0.3\n@say whole"))
        run.expect(is_kind("assistant"))
        run.send(control("interrupt"))
        assert run.expect(is_kind("result"))["result"] == "whole"


def test_a_stall_is_silence(tmp_path: Path) -> None:
    with claude(tmp_path, *DUPLEX) as run:
        run.send(user("@say half\n@stall 0.2\n@say whole"))
        run.expect(is_kind("assistant"))
        run.send(control("interrupt"))
        assert run.expect(is_kind("control_response"))
        assert run.expect(is_kind("result"))["subtype"] == "error_during_execution"


def test_a_tool_may_leave_its_process_group_and_outlive_the_agent(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    raw(tmp_path, f"@daemon echo $$ > {mark}; exec sleep 60")
    until(lambda: mark.exists() and mark.read_text().strip(), what="the daemon tells its pid")
    daemon = processes.process(int(mark.read_text()))
    assert daemon.is_alive
    daemon.end()


def test_the_environment_adds_faults_to_every_turn(tmp_path: Path) -> None:
    lines, _ = raw(tmp_path, "@say ok", SCRIPTED_AGENT_PRELUDE="@garbage x")
    assert lines[1] == b"x\n"


@pytest.mark.parametrize("name", ["codex", "gemini", "opencode"])
def test_every_agent_has_faults(tmp_path: Path, name: str) -> None:
    flags = {
        "codex": ["exec", "--json", "--skip-git-repo-check"],
        "gemini": ["-o", "stream-json", "-p"],
        "opencode": ["run", "--format", "json"],
    }[name]
    with Duplex([*program(name), *flags, "@garbage x\n@unknown new_thing\n@crash"], tmp_path) as run:
        run.close_input()
        assert run.finish() == -signal.SIGKILL
        assert b"x\n" in run.raw
        assert run.seen[-1]["type"] == "new_thing"


def test_every_fault_is_a_step() -> None:
    assert [name for name in FAULTS if step_of(name, "1" if name == "stall" else "") == []] == []


@pytest.mark.parametrize("text", ["@say ok\n@nonsense", "@edit a b", "@tool X {", "@wait long", "@slow fast words"])
def test_a_line_that_is_no_step_is_refused(text: str) -> None:
    with pytest.raises(BadStep):
        read_script(text)


def test_an_agent_says_what_it_does_not_understand(tmp_path: Path) -> None:
    lines, _ = one_shot(tmp_path, "@say ok\n@nonsense")
    assert lines[-1]["result"] == "I do not understand: there is no step @nonsense"


def test_programs_of_the_real_names_can_be_put_on_the_path(tmp_path: Path) -> None:
    directory = install(tmp_path / "bin")
    assert sorted(path.name for path in directory.iterdir()) == sorted(NAMES)
    with Duplex([str(directory / "claude"), "--version"], tmp_path) as run:
        run.close_input()
        assert run.finish() == 0


def test_there_are_no_other_agents() -> None:
    with pytest.raises(ValueError, match="no scripted agent aider"):
        program("aider")
