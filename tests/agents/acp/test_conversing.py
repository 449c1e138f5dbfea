"""Our drivers speak with programs of the three kinds: stand-ins without a model and, where installed, the real ones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from roost.agents.driver import Driver
from roost.agents.registry import DRIVERS
from roost.model.agents import AgentOptions
from roost.model.events import FileChange, Output, Permission, ToolCall, ToolResult, Turn, Unknown, Usage
from roost.testing.agents import program
from tests.agents import real
from tests.agents.running import NO_OPTIONS, Running

SCRIPTED = {"acp": ["--ask"], "gemini": [], "opencode": []}
REAL = {f"real-{name}": name for name in ("gemini", "opencode")}
KINDS = [*SCRIPTED, *[pytest.param(one, marks=[real.needs(name), pytest.mark.slow]) for one, name in REAL.items()]]


@pytest.fixture(params=KINDS)
def agent(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Driver, list[str]]:
    """A driver, and the command that it starts."""
    name = REAL.get(request.param)
    if name is None:
        return DRIVERS[request.param], [*program(request.param), *SCRIPTED[request.param]]
    # Left to itself, Gemini CLI asks a model which model to ask.
    model = ["-m", "gemini-2.5-flash"] if name == "gemini" else []
    return DRIVERS[name], [*real.command(name, tmp_path / "home"), *model]


@pytest.fixture
def where(tmp_path: Path) -> Path:
    """The directory that the agent works in, where it is to ask."""
    folder = tmp_path / "work"
    folder.mkdir()
    (folder / "hello.txt").write_text("hello file\nsecond line\n")
    (folder / "opencode.json").write_text(json.dumps({"permission": {"bash": "ask", "edit": "ask"}}))
    return folder


def running(agent: tuple[Driver, list[str]], where: Path, options: AgentOptions = NO_OPTIONS) -> Running:
    return Running(*agent, where, options)


def test_turns_follow_one_another(agent: tuple[Driver, list[str]], where: Path) -> None:
    with running(agent, where) as run:
        first, second = run.prompt("@say one"), run.prompt("@read hello.txt\n@say two")
        assert [run.ended(turn).text for turn in (first, second)] == ["one", "two"]
        (call,), (result,) = run.of(ToolCall), run.of(ToolResult)
        assert call.title == "Reading hello.txt"
        assert (result.tool_use_id, result.is_error) == (call.tool_use_id, False)
        assert {spent.turn_id for spent in run.of(Usage)} == {first, second}
        assert (run.decoder.session_state, run.of(Unknown)) == (("idle", None), [])


def test_a_person_decides(agent: tuple[Driver, list[str]], where: Path) -> None:
    with running(agent, where) as run:
        turn = run.prompt("@write new.txt one\\ntwo\\n\n@bash touch denied\n@say Done.")
        run.decide(allow=True)
        run.decide(allow=False)
        assert run.ended(turn).state in ("completed", "interrupted")
        titles = [asked.title for asked in run.of(Permission) if asked.decision is None]
        assert [title.partition(" ")[2] for title in titles] == ["new.txt", "touch denied"]
        (change,) = run.of(FileChange)
        assert (Path(change.path).name, change.change, change.added) == ("new.txt", "created", 2)
        assert run.of(ToolResult)[-1].details["denied"]
    assert ((where / "new.txt").exists(), (where / "denied").exists()) == (True, False)


def test_a_turn_is_interrupted(agent: tuple[Driver, list[str]], where: Path) -> None:
    with running(agent, where) as run:
        turn = run.prompt("@bash sleep 60\n@say never")
        run.decide(allow=True)
        run.until(lambda: run.state.calls)
        run.mark("interrupt", by="ada")
        assert (run.ended(turn).state, run.state.calls) == ("interrupted", ())
        assert run.ended(run.prompt("@say after")).text == "after"


def test_an_error_of_the_model_fails_the_turn(agent: tuple[Driver, list[str]], where: Path) -> None:
    with running(agent, where) as run:
        failed = run.ended(run.prompt("@error 400"))
        assert (failed.state, bool(failed.reason)) == ("failed", True)
        assert run.ended(run.prompt("@say after")).state == "completed"


def test_a_conversation_goes_on_in_another_process(agent: tuple[Driver, list[str]], where: Path) -> None:
    if agent[0].name == "gemini" and agent[1][-2:] == ["-m", "gemini-2.5-flash"]:
        pytest.skip("Gemini CLI cannot within the minute: it writes over the conversation's file")
    with running(agent, where) as run:
        run.ended(run.prompt("@say one"))
        known = run.state.conversation_id
    with running(agent, where, AgentOptions(resume=known)) as run:
        assert run.ended(run.prompt("@say two")).text == "two"
        assert run.state.conversation_id == known
        assert [said.text for said in run.of(Output)] == ["two"]
        assert len([turn for turn in run.of(Turn) if turn.state == "started"]) == 1
