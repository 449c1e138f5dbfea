"""Our driver speaks with codex: with its stand-in that has no model and, where it is installed, with the real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from roost.agents.codex import CodexDriver
from roost.model.agents import AgentOptions
from roost.model.events import Error, FileChange, Notice, Output, Permission, ToolCall, ToolResult, Unknown, Usage
from roost.testing.agents import program
from tests.agents import real
from tests.agents.running import Running

ASKING = AgentOptions(permission_mode="untrusted,workspace-write")
FREE = AgentOptions(dangerously_skip_permissions=True)


@pytest.fixture(params=["scripted", pytest.param("real", marks=[real.needs("codex"), pytest.mark.slow])])
def codex(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Both commands."""
    monkeypatch.setenv("CODEX_HOME", str(tmp_path / "home" / ".codex"))
    return program("codex") if request.param == "scripted" else real.command("codex", tmp_path / "home")


@pytest.fixture
def where(tmp_path: Path) -> Path:
    """The directory that codex works in."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "hello.txt").write_text("hello file\nsecond line\n")
    return folder


def running(command: list[str], where: Path, options: AgentOptions = FREE) -> Running:
    return Running(CodexDriver(), command, where, options)


def test_turns_follow_one_another(codex: list[str], where: Path) -> None:
    with running(codex, where) as run:
        first, second = run.prompt("@think Hm\n@say one"), run.prompt("@bash echo out; exit 3\n@say two")
        assert [run.ended(turn).text for turn in (first, second)] == ["one", "two"]
        (call,), (result,) = run.of(ToolCall), run.of(ToolResult)
        assert (call.tool, call.title) == ("shell", "Running echo out; exit 3")
        assert (result.content, result.is_error, result.details) == ("out\n", True, {"exit_code": 3})
        assert {spent.turn_id for spent in run.of(Usage)} == {first, second}
        assert sum(spent.output_tokens for spent in run.of(Usage)) == run.state.spent.output_tokens > 0
        assert (run.decoder.session_state, run.of(Unknown)) == (("idle", None), [])


def test_a_person_decides(codex: list[str], where: Path) -> None:
    with running(codex, where, ASKING) as run:
        turn = run.prompt("@bash touch allowed\n@bash touch denied\n@say Done.")
        run.decide(allow=True)
        run.decide(allow=False, reason="not that")
        assert (run.ended(turn).state, run.state.approvals) == ("completed", ())
        assert [asked.tool for asked in run.of(Permission) if asked.decision is None] == ["shell", "shell"]
        assert [result.details.get("denied", False) for result in run.of(ToolResult)] == [False, True]
    assert ((where / "allowed").exists(), (where / "denied").exists()) == (True, False)


def test_a_patch_is_asked_about_and_told_with_its_lines(codex: list[str], where: Path) -> None:
    with running(codex, where, ASKING) as run:
        turn = run.prompt("@write new.txt one\\ntwo\\n\n@say Done.")
        run.until(lambda: run.state.approvals)
        assert run.state.approvals[0].title == "Writing new.txt"
        run.decide(allow=True)
        assert run.ended(turn).state == "completed"
        (change,) = run.of(FileChange)
        assert (Path(change.path).name, change.change, change.added, change.removed) == ("new.txt", "created", 2, 0)
    assert (where / "new.txt").read_text() == "one\ntwo\n"


def test_a_turn_is_interrupted_while_a_tool_runs(codex: list[str], where: Path) -> None:
    with running(codex, where) as run:
        turn = run.prompt("@bash sleep 60\n@say never")
        run.until(lambda: run.state.calls)
        run.mark("interrupt", by="ada")
        assert (run.ended(turn).state, run.state.calls) == ("interrupted", ())
        assert run.ended(run.prompt("@say after")).text == "after"


def test_a_question_is_withdrawn_with_its_turn(codex: list[str], where: Path) -> None:
    with running(codex, where, ASKING) as run:
        turn = run.prompt("@bash touch never\n@say never")
        run.until(lambda: run.state.approvals)
        run.mark("interrupt", by="ada")
        assert run.ended(turn).state == "interrupted"
        run.until(lambda: not run.state.approvals)
        assert run.of(Permission)[-1].decision == "withdrawn"


def test_a_prompt_is_taken_into_the_turn_that_runs(codex: list[str], where: Path) -> None:
    with running(codex, where) as run:
        turn = run.prompt("@bash sleep 0.5\n@say first")
        run.until(lambda: run.state.calls)
        steered = run.prompt("@say steered", "steer")
        assert run.ended(turn).state == "completed"
        assert [event.state for event in run.of(type(run.ended(turn))) if event.turn_id == steered][-1] == "steered"
        assert "steered" in [event.text for event in run.of(Output)]


def test_a_conversation_is_gone_on_with(codex: list[str], where: Path) -> None:
    with running(codex, where) as run:
        run.ended(run.prompt("@say one"))
        known, spent = run.state.conversation_id, run.state.spent
    again = AgentOptions(resume=known, dangerously_skip_permissions=True)
    with running(codex, where, again) as run:
        assert run.ended(run.prompt("@say two")).text == "two"
        assert run.state.conversation_id == known
        assert 0 < run.state.spent.output_tokens <= 2 * spent.output_tokens


def test_a_conversation_that_is_not_there_is_told(codex: list[str], where: Path) -> None:
    with running(codex, where, AgentOptions(resume="00000000-0000-4000-8000-000000000000")) as run:
        refused = run.ended(run.prompt("@say hi"))
        assert (refused.state, [error.code for error in run.of(Error)]) == ("refused", ["CONVERSATION_FAILED"])
        assert "no rollout found" in (refused.reason or "")


def test_an_error_of_the_model_fails_the_turn_after_tries(codex: list[str], where: Path) -> None:
    with running(codex, where) as run:
        assert run.ended(run.prompt("@error 500")).state == "failed"
        assert "API_RETRY" in [notice.code for notice in run.of(Notice)]
        assert run.ended(run.prompt("@say better")).text == "better"


def test_one_shot(codex: list[str], where: Path) -> None:
    with running([*codex, "exec", "--json", "--skip-git-repo-check", "@bash echo out\n@say one"], where) as run:
        run.until(lambda: run.state.last)
        assert (run.state.last.state, run.state.last.text) == ("completed", "one") if run.state.last else False
        assert [result.content for result in run.of(ToolResult)] == ["out\n"]
        assert run.ended(run.prompt("@say more")).state == "refused"
