"""What scripted agents write has the shapes of what the real programs wrote."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from roost.testing.agents import program
from tests.testing import shapes
from tests.testing.duplex import Json
from tests.testing.test_scripted_acp import agent
from tests.testing.test_scripted_claude import HOSTED, answer, claude, control, is_kind, one_shot, user
from tests.testing.test_scripted_codex import Client as CodexClient
from tests.testing.test_scripted_codex import method, run_exec

WORK = "@think Hm\n@say I read.\n@read hello.txt\n@write out.txt one\\n\n@edit hello.txt hello => bye\n@bash echo one"
ALL_CLAUDE = f"{WORK}\n@also bash echo two\n@bash exit 3\n@tool NoSuch {{}}\n@say Done."
# What no transcript shows, but the program's own schema or documents do.
UNSEEN = {
    "codex_server": (
        "item/started/mcpToolCall: not a kind of line that was seen",
        "item/completed/mcpToolCall: not a kind of line that was seen",
        "item/started/plan: not a kind of line that was seen",
        "item/completed/plan: not a kind of line that was seen",
        "item/tool/requestUserInput: not a kind of line that was seen",
        "turn/plan/updated: not a kind of line that was seen",
        "item/commandExecution/requestApproval: .params.commandActions[].name was never seen",
        "item/commandExecution/requestApproval: .params.commandActions[].path was never seen",
    ),
    "acp": ("update/plan: not a kind of line that was seen",),
}


def check(name: str, lines: list[Json]) -> None:
    """Every line has the shape of its kind."""
    kind_of, known = shapes.KINDS[name], shapes.load(name)
    told = ((kind_of(line), line) for line in lines)
    found = [complaint for kind, line in told if kind for complaint in shapes.complaints(kind, line, known)]
    assert sorted(set(found) - set(UNSEEN.get(name, ()))) == []


@pytest.fixture(autouse=True)
def _hello(tmp_path: Path) -> None:
    (tmp_path / "hello.txt").write_text("hello file\nsecond line\n")


@pytest.mark.parametrize(
    "arguments",
    [
        (ALL_CLAUDE, "--allowedTools", "Read,Write,Edit,Bash", "--include-partial-messages"),
        (WORK,),
        (WORK, "--permission-mode", "dontAsk"),
        ("@error 529 times=2\n@say better",),
        ("@error 400",),
        ("@bash true\n@bash true", "--max-turns", "1", "--allowedTools", "Bash"),
        ("@background echo 1", "--allowedTools", "Bash"),
        ("@agent bash echo in sub-agent", "--allowedTools", "Bash"),
        ("hello", "--resume", "00000000-0000-4000-8000-000000000000"),
        ("/cost",),
    ],
    ids=lambda arguments: " ".join(arguments[0].split("\n")[-1:]),
)
def test_claude_one_shot(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    lines, _ = one_shot(tmp_path, *arguments)
    check("claude", lines)


def is_echo(line: dict[str, Any]) -> bool:
    """Whether the line is an answer of ours, which the real program repeats as it was."""
    return line["type"] == "control_response" and "behavior" in (line["response"].get("response") or {})


def test_claude_with_a_host(tmp_path: Path) -> None:
    flags = [*HOSTED, "--replay-user-messages", "--include-partial-messages"]
    with claude(tmp_path, *flags, CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS="1") as run:
        run.send(control("initialize", "a"), control("set_model", "b", model="haiku"), control("nothing", "c"))
        run.send(user("@ask Which? | Red | Blue\n@write out.txt x\n@bash sleep 60", uuid="1"))
        for update in ([], [{"type": "setMode", "mode": "acceptEdits", "destination": "session"}], []):
            question = run.expect(is_kind("control_request"))
            run.send(answer(question, behavior="allow", updatedPermissions=update))
        run.send(control("interrupt", "d"))
        run.expect(is_kind("result"))
        run.send(user("@slow 30 some words\n@say end"))
        run.expect(lambda line: line.get("event", {}).get("type") == "content_block_delta")
        run.send(control("interrupt", "e"))
        run.expect(is_kind("result"))
        run.send(user("@bash true"))
        run.expect(is_kind("control_request"))
        run.send(control("interrupt", "f"))
        run.expect(is_kind("result"))
        run.send(user("/clear"), user("/compact"), user("hello"))
        run.close_input()
        run.finish()
        check("claude", [line for line in run.seen if not is_echo(line)])


def test_codex_server(tmp_path: Path) -> None:
    with CodexClient([*program("codex"), "app-server"], tmp_path) as run:
        run.open(approvalPolicy="untrusted")
        run.turn(f"{WORK}\n@plan one | two\n@tool mcp__demo__echo {{}}\n@approve-plan first this\n@say done")
        for _ in range(4):
            question = run.expect(lambda line: "requestApproval" in line.get("method", ""))
            run.send({"id": question["id"], "result": {"decision": "accept"}})
        run.ended()
        run.turn("@error 500 times=1\n@error 400")
        run.ended()
        turn = run.turn("@slow 30 some words")
        run.expect(method("item/agentMessage/delta"))
        run.request("turn/interrupt", threadId=run.thread, turnId=turn)
        run.ended()
        check("codex_server", run.seen)


@pytest.mark.parametrize("prompt", [f"{WORK}\n@bash exit 3\n@tool mcp__demo__echo {{}}\n@say done", "@error 500"])
def test_codex_exec(tmp_path: Path, prompt: str) -> None:
    lines, _ = run_exec(tmp_path, prompt)
    check("codex_exec", lines)


def test_acp(tmp_path: Path) -> None:
    with agent(tmp_path, "--ask") as run:
        number = run.prompt(f"{WORK}\n@plan one | two\n@say done")
        for option in ("yes", "always", "yes"):
            question = run.expect(method("session/request_permission"))
            outcome = {"outcome": {"outcome": "selected", "optionId": option}}
            run.send({"jsonrpc": "2.0", "id": question["id"], "result": outcome})
        run.answer(number)
        check("acp", run.seen)


def test_a_missing_key_is_noticed() -> None:
    known = shapes.shapes_of([("a", {"one": 1, "two": [{"three": None}]})])
    assert shapes.complaints("a", {"one": 1, "two": [{"three": None}]}, known) == []
    assert shapes.complaints("a", {"one": "1", "two": []}, known) == [
        "a: .two[] is missing",
        "a: .two[].three is missing",
        "a: .one is ['str'] and was ['number']",
    ]
    assert shapes.complaints("b", {}, known) == ["b: not a kind of line that was seen"]
