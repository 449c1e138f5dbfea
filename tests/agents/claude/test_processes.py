"""Our driver and a running Claude Code: the scripted one, and the real one where it is installed."""

from __future__ import annotations

import uuid
from pathlib import Path
from typing import Any

import pytest

from roost.agents.claude import ClaudeDriver
from roost.model.agents import AgentOptions
from roost.model.events import (
    Conversation,
    FileChange,
    Notice,
    Output,
    Permission,
    Progress,
    ToolCall,
    ToolResult,
    Turn,
    Unknown,
    Usage,
)
from roost.testing.agents import program
from tests.agents import real
from tests.agents.running import Running


@pytest.fixture(params=["scripted", pytest.param("real", marks=[real.needs("claude"), pytest.mark.slow])])
def command(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Both programs."""
    return program("claude") if request.param == "scripted" else real.command("claude", tmp_path / "home")


def running(command: list[str], where: Path, **options: Any) -> Running:
    """The program, started by our driver."""
    return Running(ClaudeDriver(), command, where, AgentOptions(**options))


def states(agent: Running, turn_id: str) -> list[str]:
    """What became of a turn, step by step."""
    return [turn.state for turn in agent.of(Turn) if turn.turn_id == turn_id]


def test_one_turn_after_the_other(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path) as agent:
        first, second = agent.prompt("@say one"), agent.prompt("@say two")
        assert agent.ended(second).text == "two"
        assert states(agent, first) == ["queued", "sent", "started", "completed"]
        assert states(agent, second) == ["queued", "sent", "started", "completed"]
        assert [output.text for output in agent.of(Output)] == ["one", "two"]
        assert len(agent.of(Usage)) == 2
        assert agent.state.conversation_id
        assert agent.of(Unknown) == []


def test_tools_run_at_once_and_change_files(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path, allowed_tools=["Bash", "Write", "Edit", "Read"]) as agent:
        turn = agent.prompt("@bash echo one\n@also bash echo two\n@write a.txt x\\ny\\n\n@edit a.txt x => z\n@say done")
        assert agent.ended(turn).text == "done"
        assert {call.title for call in agent.of(ToolCall)} >= {"Running echo one", "Running echo two", "Writing a.txt"}
        assert {result.content for result in agent.of(ToolResult)} >= {"one", "two"}
        assert {call.tool_use_id for call in agent.of(ToolCall)} == {each.tool_use_id for each in agent.of(ToolResult)}
        changes = [(each.change, each.added, each.removed) for each in agent.of(FileChange)]
        assert changes == [("created", 2, 0), ("modified", 1, 1)]
        assert agent.of(Unknown) == []
    assert (tmp_path / "a.txt").read_text() == "z\ny\n"


def test_an_approval_may_change_the_input(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path) as agent:
        turn = agent.prompt("@write a.txt mine\n@say done")
        agent.until(lambda: agent.state.approvals)
        (asked,) = agent.state.approvals
        assert (asked.tool, asked.title) == ("Write", "Writing a.txt")
        agent.decide(allow=True, input=asked.input | {"content": "yours"})
        agent.ended(turn)
    assert (tmp_path / "a.txt").read_text() == "yours"


def test_a_denial_reaches_the_model_with_its_reason(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path) as agent:
        turn = agent.prompt("@write a.txt mine\n@say went on")
        agent.decide(allow=False, reason="not there")
        assert agent.ended(turn).text == "went on"
        (result,) = agent.of(ToolResult)
        assert (result.is_error, result.details["denied"]) == (True, True)
        assert "not there" in result.content
        assert [each.decision for each in agent.of(Permission)] == [None, "deny"]
    assert not (tmp_path / "a.txt").exists()


def test_what_was_always_allowed_is_not_asked_again(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path) as agent:
        turn = agent.prompt("@write a.txt one\n@write b.txt two\n@say done")
        agent.decide(allow=True, choice="always-1")
        agent.ended(turn)
        assert len(agent.of(Permission)) == 2
        assert agent.state.mode == "acceptEdits"


def test_a_question_is_answered(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path) as agent:
        turn = agent.prompt("@ask Which colour? | Red | Blue\n@say thanks")
        agent.until(lambda: agent.state.approvals)
        assert agent.state.approvals[0].kind == "question"
        agent.decide(allow=True, choice="Blue")
        agent.ended(turn)
        assert "Blue" in agent.of(ToolResult)[0].content


def test_a_plan_is_approved(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path, permission_mode="plan") as agent:
        turn = agent.prompt("@approve-plan 1. Do it\n@say approved")
        agent.until(lambda: agent.state.approvals)
        assert agent.state.approvals[0].kind == "plan"
        agent.decide(allow=True)
        assert agent.ended(turn).text == "approved"


def test_a_plan_of_its_own_is_progress(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path) as agent:
        agent.ended(agent.prompt("@plan x find it | > mend it | test it\n@say done"))
        last = agent.of(Progress)[-1]
        assert (last.done, last.total, last.current) == (1, 3, "mend it")


def test_an_interrupt_ends_the_turn_and_nothing_else(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path, allowed_tools=["Bash"]) as agent:
        turn = agent.prompt("@bash sleep 60\n@say never")
        agent.until(lambda: agent.state.calls)
        agent.mark("interrupt", by="ada")
        assert agent.ended(turn).state == "interrupted"
        assert agent.ended(agent.prompt("@say still here")).text == "still here"


def test_an_interrupt_takes_an_open_question_back(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path) as agent:
        turn = agent.prompt("@write a.txt x")
        agent.until(lambda: agent.state.approvals)
        agent.mark("interrupt", by="ada")
        assert agent.ended(turn).state == "interrupted"
        assert [each.decision for each in agent.of(Permission)] == [None, "withdrawn"]


def test_a_prompt_meanwhile_is_steered_into_the_turn(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path, allowed_tools=["Bash"]) as agent:
        turn = agent.prompt("@bash sleep 1\n@bash echo two\n@say done")
        agent.until(lambda: agent.state.calls)
        steered = agent.prompt("and mind the gap", policy="steer")
        agent.ended(turn)
        assert states(agent, steered) == ["queued", "sent", "steered"]


def test_an_error_of_the_api_fails_the_turn_and_not_the_session(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path) as agent:
        failed = agent.ended(agent.prompt("@error 400"))
        assert (failed.state, failed.text) == ("failed", "")
        assert "400" in (failed.reason or "")
        assert agent.ended(agent.prompt("@say again")).state == "completed"


def test_a_retry_is_told(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path) as agent:
        assert agent.ended(agent.prompt("@error 529 times=1\n@say recovered")).text == "recovered"
        assert "API_RETRY" in [notice.code for notice in agent.of(Notice)]


def test_model_and_mode_change_meanwhile(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path) as agent:
        agent.ended(agent.prompt("@say one"))
        agent.mark("change", what="mode", value="acceptEdits")
        agent.mark("change", what="model", value="claude-haiku-4-5")
        agent.mark("change", what="mode", value="bypassPermissions")
        agent.ended(agent.prompt("@write a.txt x\n@say two"))
        assert (agent.state.mode, agent.state.model) == ("acceptEdits", "claude-haiku-4-5")
        assert "MODE_REFUSED" in [notice.code for notice in agent.of(Notice)]
        assert agent.of(Permission) == []


def test_a_conversation_is_clear_of_another_after_a_command(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path) as agent:
        agent.ended(agent.prompt("@say one"))
        before = agent.state.conversation_id
        assert agent.ended(agent.prompt("/clear")).state == "completed"
        agent.ended(agent.prompt("@say two"))
        assert agent.state.conversation_id != before
        assert "CONVERSATION_RESET" in [notice.code for notice in agent.of(Notice)]


def test_pieces_come_before_the_whole_of_a_message(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path, partial=True) as agent:
        agent.ended(agent.prompt("@say one two three four five six seven eight"))
        pieces = [output for output in agent.of(Output) if output.partial]
        (whole,) = [output for output in agent.of(Output) if not output.partial]
        assert "".join(piece.text for piece in pieces) == whole.text
        assert {piece.message_id for piece in pieces} == {whole.message_id}


def test_sub_agents_are_told_apart(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path, allowed_tools=["Bash", "Task", "Agent"]) as agent:
        agent.prompt("@agent bash echo inside\n@say asked")
        agent.until(lambda: any(each.parent_tool_use_id for each in agent.of(ToolResult)))
        asking = next(call for call in agent.of(ToolCall) if call.tool in ("Task", "Agent"))
        inside = next(call for call in agent.of(ToolCall) if call.tool == "Bash")
        assert inside.parent_tool_use_id == asking.tool_use_id
        assert agent.of(Conversation)


def test_a_conversation_that_we_named_is_gone_on_with_and_forked(command: list[str], tmp_path: Path) -> None:
    chosen = str(uuid.uuid4())
    with running([*command, "--session-id", chosen], tmp_path) as agent:
        agent.ended(agent.prompt("@say one"))
        assert agent.state.conversation_id == chosen
        spent = agent.state.spent
    with running([*command, "--resume", chosen], tmp_path) as agent:
        agent.turns = 1
        agent.ended(agent.prompt("@say two"))
        assert agent.state.conversation_id == chosen
        assert (agent.state.spent.cost_usd or 0) < 2 * (spent.cost_usd or 0)
    with running([*command, "--resume", chosen, "--fork-session"], tmp_path) as agent:
        agent.turns = 2
        agent.ended(agent.prompt("@say three"))
        assert agent.state.conversation_id != chosen


def test_a_conversation_that_there_is_not_is_said(command: list[str], tmp_path: Path) -> None:
    with running([*command, "--resume", str(uuid.uuid4())], tmp_path) as agent:
        agent.until(lambda: [turn for turn in agent.of(Turn) if turn.state == "failed"])
        assert "No conversation found" in (agent.of(Turn)[-1].reason or "")


def test_another_model_may_take_over(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path, model="claude-opus-5-5", fallback_model="claude-haiku-4-5") as agent:
        assert agent.ended(agent.prompt("@error 529 model=opus\n@say took over")).text == "took over"
        told = [notice for notice in agent.of(Notice) if notice.code == "MODEL_FALLBACK"]
        assert told[0].details["fallback_model"].startswith("claude-haiku")


def test_work_in_the_background_makes_a_turn_of_its_own(command: list[str], tmp_path: Path) -> None:
    with running(command, tmp_path, allowed_tools=["Bash", "Task", "Agent"]) as agent:
        turn = agent.ended(agent.prompt("@agent bash sleep 1\n@say asked"))
        assert turn.text == "asked"
        own = agent.ended("own-1")
        assert own.details["origin"]["kind"] == "task-notification"
        agent.until(lambda: agent.decoder.session_state[0] == "idle")


@real.needs("claude")
@pytest.mark.slow
def test_a_prompt_that_the_conversation_has_already_is_not_waited_for(tmp_path: Path) -> None:
    command, chosen = real.command("claude", tmp_path / "home"), str(uuid.uuid4())
    with running([*command, "--session-id", chosen], tmp_path) as agent:
        agent.ended(agent.prompt("@say one"))
    with running([*command, "--resume", chosen], tmp_path) as agent:
        passed_over = agent.ended(agent.prompt("@say one"))
        assert (passed_over.state, "already" in (passed_over.reason or "")) == ("failed", True)
        assert agent.ended(agent.prompt("@say two")).text == "two"
