"""The real Claude Code does with our fake model what its stand-in without a model does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roost.testing.agents import program
from tests.agents import real
from tests.testing import shapes
from tests.testing.duplex import Duplex, Json
from tests.testing.test_scripted_claude import HOSTED, STREAM, answer, blocks, control, is_kind, user

RECORD = os.environ.get("ROOST_TEST_RECORD", "")


@pytest.fixture(params=["scripted", pytest.param("real", marks=[real.needs("claude"), pytest.mark.slow])])
def claude(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Both commands, in a directory of their own."""
    (tmp_path / "hello.txt").write_text("hello file\nsecond line\n")
    return program("claude") if request.param == "scripted" else real.command("claude", tmp_path / "home")


@pytest.fixture
def hosted(claude: list[str], tmp_path: Path) -> Iterator[Duplex]:
    flags = [*HOSTED, "--replay-user-messages", "--include-partial-messages"]
    with Duplex([*claude, *flags], tmp_path, {"CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS": "1"}) as run:
        yield run
        checked(run, tmp_path)


def checked(run: Duplex, where: Path) -> None:
    """The lines have the shapes that we know; they are kept as a transcript when that is wanted."""
    if RECORD and "home" in {path.name for path in where.iterdir()}:
        target = Path(RECORD) / "claude-2.1.329"
        target.mkdir(parents=True, exist_ok=True)
        (target / f"{where.name}.stdout.jsonl").write_bytes(b"".join(run.raw))
        return
    known = shapes.load("claude")
    told = ((shapes.kind_of_claude(line), line) for line in run.seen)
    assert [complaint for kind, line in told for complaint in shapes.complaints(kind, line, known)] == []


def one_shot(command: list[str], where: Path, prompt: str, *flags: str, **environment: str) -> tuple[list[Json], int]:
    with Duplex([*command, "-p", prompt, *STREAM[1:], *flags], where, environment) as run:
        run.close_input()
        code = run.finish(real.START_S)
        checked(run, where)
        return run.seen, code


def asked(run: Duplex) -> Json:
    return run.expect(is_kind("control_request"), real.START_S)


def ended(run: Duplex) -> Json:
    return run.expect(is_kind("result"), real.START_S)


def allow(run: Duplex, question: Json, **changes: Any) -> None:
    given = {**question["request"]["input"], **changes}
    run.send(answer(question, behavior="allow", updatedInput=given))


def test_tools_run_and_parallel_ones_are_told_apart(claude: list[str], tmp_path: Path) -> None:
    prompt = "@think Hm\n@say I read.\n@read hello.txt\n@write out.txt one\\n\n@edit hello.txt hello => bye\n"
    prompt += "@bash sleep 0.2; echo a\n@also bash echo b\n@bash echo c >&2; exit 3\n@say Done."
    lines, code = one_shot(claude, tmp_path, prompt, "--allowedTools", "Read,Write,Edit,Bash")
    assert [block["text"] for block in blocks(lines, "text")] == ["I read.", "Done."]
    results = [block["content"] for block in blocks(lines, "tool_result")]
    assert results[0] == "1\thello file\n2\tsecond line\n3\t"
    assert sorted(results[3:5]) == ["a", "b"]
    assert results[5] == "Exit code 3\nc"
    assert (tmp_path / "out.txt").read_text() == "one\n"
    assert (tmp_path / "hello.txt").read_text() == "bye file\nsecond line\n"
    result = lines[-1]
    assert (result["num_turns"], result["is_error"], code) == (7, False, 0)


def test_a_background_command_makes_a_result_after_the_result(claude: list[str], tmp_path: Path) -> None:
    lines, _ = one_shot(claude, tmp_path, "@background sleep 0.5; echo late\n@say first", "--allowedTools", "Bash")
    results = [line for line in lines if line["type"] == "result"]
    assert [result["result"] for result in results] == ["first", "Done."]
    assert results[1]["origin"]["kind"] == "task-notification"


def test_an_overloaded_model_is_asked_again_and_then_another(claude: list[str], tmp_path: Path) -> None:
    flags = ["--model", "claude-opus-5-5", "--fallback-model", "claude-haiku-4-5"]
    lines, _ = one_shot(claude, tmp_path, "@error 529 model=opus\n@say hi", *flags)
    assert [line["error"] for line in lines if line.get("subtype") == "api_retry"] == ["overloaded"] * 2
    assert [line["model"] for line in (blocks_of(lines))] == ["claude-haiku-4-5"]


def blocks_of(lines: list[Json]) -> list[Json]:
    return [line["message"] for line in lines if line["type"] == "assistant"]


def test_an_error_that_stays_is_a_success_that_is_an_error(claude: list[str], tmp_path: Path) -> None:
    lines, code = one_shot(claude, tmp_path, "@error 500", CLAUDE_CODE_MAX_RETRIES="1")
    result = lines[-1]
    assert (result["subtype"], result["is_error"], result["api_error_status"], code) == ("success", True, 500, 1)


def test_a_cut_connection_is_taken_up_again(claude: list[str], tmp_path: Path) -> None:
    lines, _ = one_shot(claude, tmp_path, "@say part\n@cut\n@say end")
    (told,) = [line["message"]["content"][0]["text"] for line in lines if line.get("isSynthetic")]
    assert told.startswith("Your response above was cut off")
    assert lines[-1]["result"] == "end"


def test_a_host_decides(hosted: Duplex, tmp_path: Path) -> None:
    hosted.send(control("initialize"))
    assert "commands" in hosted.expect(is_kind("control_response"), real.START_S)["response"]["response"]
    hosted.send(user("@write out.txt x\n@bash touch never\n@ask Which colour? | Red | Blue"))
    allow(hosted, asked(hosted), content="changed")
    hosted.send(answer(asked(hosted), behavior="deny", message="host says no"))
    allow(hosted, asked(hosted), answers={"Which colour?": "Blue"})
    result = ended(hosted)
    assert [denial["tool_name"] for denial in result["permission_denials"]] == ["Bash"]
    told = [str(block["content"]) for block in blocks(hosted.seen, "tool_result")]
    assert told[1] == "host says no"
    assert '"Which colour?"="Blue"' in told[2]
    assert (tmp_path / "out.txt").read_text() == "changed"
    assert not (tmp_path / "never").exists()


def test_a_plan_is_approved(hosted: Duplex, tmp_path: Path) -> None:
    hosted.send(control("set_permission_mode", mode="plan"), user("@approve-plan first this\n@write out.txt x"))
    question = asked(hosted)
    assert question["request"]["tool_name"] == "ExitPlanMode"
    allow(hosted, question)
    allow(hosted, asked(hosted))
    assert ended(hosted)["is_error"] is False
    assert (tmp_path / "out.txt").exists()


def test_interrupts_and_steering(hosted: Duplex) -> None:
    hosted.send(user("@bash touch here; sleep 60"))
    allow(hosted, asked(hosted))
    hosted.expect(lambda line: line.get("state") == "running")
    hosted.send(control("interrupt", "a"))
    result = ended(hosted)
    assert (result["subtype"], result["terminal_reason"]) == ("error_during_execution", "aborted_tools")
    hosted.send(user("@slow 30 one two three four five six seven eight nine"))
    hosted.expect(lambda line: line.get("event", {}).get("type") == "content_block_delta", real.START_S)
    hosted.send(control("interrupt", "b"))
    assert ended(hosted)["terminal_reason"] == "aborted_streaming"
    hosted.send(user("@bash touch here\n@say first"))
    question = asked(hosted)
    hosted.send(user("@say steered", uuid="22222222-2222-4222-8222-222222222222"))
    hosted.expect(is_kind("command_lifecycle"))
    allow(hosted, question)
    assert ended(hosted)["result"] == "steered"
    hosted.send(user("@bash touch here"))
    question = asked(hosted)
    hosted.send(control("interrupt", "c"))
    assert hosted.expect(is_kind("control_cancel_request"))["request_id"] == question["request_id"]
    # The real one may still be reading the answer of the model that made the call.
    assert ended(hosted)["terminal_reason"] in ("aborted_tools", "aborted_streaming")


def test_messages_sent_at_once_are_answered_one_after_the_other(hosted: Duplex) -> None:
    hosted.send(user("@say one"), user("/clear"), user("@say two"))
    results = [ended(hosted) for _ in range(3)]
    assert [result["result"] for result in results] == ["one", "", "two"]
    assert results[0]["session_id"] != results[2]["session_id"]


def test_a_session_is_resumed_with_what_it_has_cost(claude: list[str], tmp_path: Path) -> None:
    first, _ = one_shot(claude, tmp_path, "@say one")
    known = first[0]["session_id"]
    second, _ = one_shot(claude, tmp_path, "@say two", "--resume", known)
    assert second[0]["session_id"] == known
    assert second[-1]["total_cost_usd"] > first[-1]["total_cost_usd"]
