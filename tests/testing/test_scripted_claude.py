"""The scripted Claude Code behaves as the real one was seen to."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from roost.testing.agents import program
from tests.testing.duplex import Duplex, Json

STREAM = ["-p", "--output-format", "stream-json", "--verbose"]
DUPLEX = [*STREAM, "--input-format", "stream-json"]
HOSTED = [*DUPLEX, "--permission-prompt-tool", "stdio"]


def is_kind(kind: str, subtype: str = "") -> Any:
    return lambda line: line["type"] == kind and (not subtype or line.get("subtype") == subtype)


def user(text: str, **fields: Any) -> Json:
    message = {"role": "user", "content": [{"type": "text", "text": text}]}
    return {"type": "user", "message": message, "parent_tool_use_id": None, "session_id": "", **fields}


def control(subtype: str, request_id: str = "r1", **fields: Any) -> Json:
    return {"type": "control_request", "request_id": request_id, "request": {"subtype": subtype, **fields}}


def answer(question: Json, **response: Any) -> Json:
    body = {"subtype": "success", "request_id": question["request_id"], "response": response}
    return {"type": "control_response", "response": body}


def claude(cwd: Path, *arguments: str, **environment: str) -> Duplex:
    return Duplex([*program("claude"), *arguments], cwd, environment)


def one_shot(cwd: Path, prompt: str, *arguments: str, **environment: str) -> tuple[list[Json], int]:
    with claude(cwd, "-p", prompt, *STREAM[1:], *arguments, **environment) as run:
        run.close_input()
        code = run.finish()
        return run.seen, code


def blocks(lines: list[Json], kind: str) -> list[Json]:
    found = (block for line in lines if line["type"] in ("assistant", "user") for block in _content(line))
    return [block for block in found if block["type"] == kind]


def _content(line: Json) -> list[Json]:
    content = line["message"]["content"]
    return content if isinstance(content, list) else []


@pytest.fixture
def hosted(tmp_path: Path) -> Iterator[Duplex]:
    with claude(tmp_path, *HOSTED, CLAUDE_CODE_EMIT_SESSION_STATE_EVENTS="1") as run:
        yield run


def test_a_turn_begins_with_init_and_ends_with_a_result(tmp_path: Path) -> None:
    lines, code = one_shot(tmp_path, "hello")
    assert [line["type"] for line in lines] == ["system", "assistant", "result"]
    assert lines[-1]["result"] == "You said: hello"
    assert code == 0


def test_tools_really_run(tmp_path: Path) -> None:
    lines, _ = one_shot(tmp_path, "@bash echo one\n@write out.txt two\\n\n@say ok", "--allowedTools", "Bash,Write")
    assert (tmp_path / "out.txt").read_text() == "two\n"
    assert blocks(lines, "tool_result")[0]["content"] == "one"
    assert lines[-1]["num_turns"] == 3


def test_wrong_tool_names_grant_nothing(tmp_path: Path) -> None:
    lines, code = one_shot(tmp_path, "@write out.txt x", "--allowedTools", "write")
    assert not (tmp_path / "out.txt").exists()
    assert lines[-1]["permission_denials"][0]["tool_name"] == "Write"
    assert (lines[-1]["is_error"], code) == (False, 0)


def test_parallel_calls_are_announced_before_their_results(tmp_path: Path) -> None:
    lines, _ = one_shot(tmp_path, "@bash sleep 0.2; echo a\n@also bash echo b", "--allowedTools", "Bash")
    kinds = [block["type"] for line in lines if line["type"] in ("assistant", "user") for block in _content(line)]
    assert kinds == ["tool_use", "tool_use", "tool_result", "tool_result", "text"]
    assert [block["content"] for block in blocks(lines, "tool_result")] == ["b", "a"]


def test_a_host_may_change_what_is_written(hosted: Duplex, tmp_path: Path) -> None:
    hosted.send(user("@write out.txt x"))
    question = hosted.expect(is_kind("control_request"))
    given = question["request"]["input"]
    hosted.send(answer(question, behavior="allow", updatedInput={**given, "content": "changed"}))
    assert hosted.expect(is_kind("result"))["is_error"] is False
    assert (tmp_path / "out.txt").read_text() == "changed"


def test_a_host_may_refuse(hosted: Duplex) -> None:
    hosted.send(user("@bash touch never"))
    hosted.send(answer(hosted.expect(is_kind("control_request")), behavior="deny", message="no"))
    result = hosted.expect(is_kind("result"))
    assert blocks(hosted.seen, "tool_result")[0]["content"] == "no"
    assert len(result["permission_denials"]) == 1


def test_questions_are_answered_with_what_was_chosen(hosted: Duplex) -> None:
    hosted.send(user("@ask Which colour? | Red | Blue"))
    question = hosted.expect(is_kind("control_request"))
    given = question["request"]["input"]
    hosted.send(answer(question, behavior="allow", updatedInput={**given, "answers": {"Which colour?": "Blue"}}))
    hosted.expect(is_kind("result"))
    assert '"Which colour?"="Blue"' in blocks(hosted.seen, "tool_result")[0]["content"]


def test_answers_are_repeated_where_prompts_are(tmp_path: Path) -> None:
    with claude(tmp_path, *HOSTED, "--replay-user-messages") as hosted:
        hosted.send(user("@bash true"))
        told = answer(hosted.expect(is_kind("control_request")), behavior="deny", message="no")
        hosted.send(told)
        assert hosted.expect(is_kind("control_response")) == told


def test_an_interrupt_ends_the_tool_and_keeps_the_result(hosted: Duplex) -> None:
    hosted.send(user("@bash sleep 60"))
    hosted.send(answer(hosted.expect(is_kind("control_request")), behavior="allow"))
    hosted.expect(lambda line: line.get("state") == "running")
    hosted.send(control("interrupt"))
    assert hosted.expect(is_kind("control_response"))["response"]["response"] == {"still_queued": []}
    result = hosted.expect(is_kind("result"))
    assert (result["subtype"], result["terminal_reason"]) == ("error_during_execution", "aborted_tools")
    hosted.send(user("@say again"))
    assert hosted.expect(is_kind("result"))["result"] == "again"


def test_an_interrupt_takes_an_open_question_back(hosted: Duplex) -> None:
    hosted.send(user("@bash true"))
    question = hosted.expect(is_kind("control_request"))
    hosted.send(control("interrupt"))
    assert hosted.expect(is_kind("control_cancel_request"))["request_id"] == question["request_id"]
    assert hosted.expect(is_kind("result"))["terminal_reason"] == "aborted_tools"


def test_text_is_cut_short_by_an_interrupt(tmp_path: Path) -> None:
    with claude(tmp_path, *DUPLEX, "--include-partial-messages") as run:
        run.send(user("@slow 30 " + "word " * 40))
        run.expect(lambda line: line.get("event", {}).get("type") == "content_block_delta")
        run.send(control("interrupt"))
        assert run.expect(is_kind("assistant"))["aborted"] is True
        assert run.expect(is_kind("result"))["terminal_reason"] == "aborted_streaming"


def test_what_is_said_meanwhile_steers_the_turn(tmp_path: Path) -> None:
    with claude(tmp_path, *HOSTED, "--replay-user-messages") as run:
        run.send(user("@bash true\n@say first"))
        question = run.expect(is_kind("control_request"))
        run.send(user("@say steered", uuid="22222222-2222-4222-8222-222222222222"))
        run.expect(is_kind("command_lifecycle"))
        run.send(answer(question, behavior="allow"))
        assert run.expect(is_kind("result"))["result"] == "steered"
        assert [line["uuid"] for line in run.seen if line.get("isReplay")][1] == "22222222-2222-4222-8222-222222222222"


def test_a_line_that_is_not_json_kills_it(tmp_path: Path) -> None:
    with claude(tmp_path, *DUPLEX) as run:
        run.write(b"nonsense {\n")
        assert run.finish() == 1
        assert "Error parsing streaming input line" in run.stderr


def test_unknown_input_is_ignored_and_unknown_requests_are_refused(tmp_path: Path) -> None:
    with claude(tmp_path, *DUPLEX) as run:
        run.send({"type": "bogus"}, control("no_such"))
        assert run.expect(is_kind("control_response"))["response"]["error_code"] == "unsupported_request"


def test_model_and_mode_can_be_set(tmp_path: Path) -> None:
    with claude(tmp_path, *DUPLEX) as run:
        run.send(control("initialize"), control("set_model", model="haiku"))
        run.send(control("set_permission_mode", mode="plan"), control("set_permission_mode", mode="bypassPermissions"))
        answers = [run.expect(is_kind("control_response"))["response"]["subtype"] for _ in range(4)]
        assert answers == ["success", "success", "success", "error"]
        run.send(user("hello"))
        init = run.expect(is_kind("system", "init"))
        assert (init["model"], init["permissionMode"]) == ("haiku", "plan")


def test_a_session_is_resumed_with_what_it_has_cost(tmp_path: Path) -> None:
    first, _ = one_shot(tmp_path, "hello")
    second, _ = one_shot(tmp_path, "again", "--resume", first[0]["session_id"])
    forked, _ = one_shot(tmp_path, "again", "--resume", first[0]["session_id"], "--fork-session")
    assert second[0]["session_id"] == first[0]["session_id"] != forked[0]["session_id"]
    assert second[-1]["total_cost_usd"] > first[-1]["total_cost_usd"]
    assert second[-1]["usage"]["input_tokens"] < second[-1]["modelUsage"]["claude-opus-5-5"]["inputTokens"]


def test_an_unknown_session_is_a_result_and_a_failure(tmp_path: Path) -> None:
    lines, code = one_shot(tmp_path, "hello", "--resume", "00000000-0000-4000-8000-000000000000")
    assert (lines[0]["subtype"], code) == ("error_during_execution", 1)


def test_a_session_id_is_used_once(tmp_path: Path) -> None:
    mine = "11111111-2222-4333-8444-555555555555"
    assert one_shot(tmp_path, "hello", "--session-id", mine)[0][0]["session_id"] == mine
    assert one_shot(tmp_path, "hello", "--session-id", mine) == ([], 1)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["-p", "x", "--no-such-flag"], "error: unknown option '--no-such-flag'"),
        (["-p", "x", "--output-format", "stream-json"], "requires --verbose"),
        (["-p", "--output-format", "stream-json", "--verbose"], "Input must be provided"),
    ],
)
def test_wrong_command_lines_are_refused(arguments: list[str], complaint: str, tmp_path: Path) -> None:
    with claude(tmp_path, *arguments) as run:
        run.close_input()
        assert run.finish() == 1
        assert complaint in run.stderr


def test_errors_of_the_api_are_retried(tmp_path: Path) -> None:
    lines, code = one_shot(tmp_path, "@error 429 times=2\n@say better")
    assert [line["error"] for line in lines if line.get("subtype") == "api_retry"] == ["rate_limit"] * 2
    assert (lines[-1]["result"], code) == ("better", 0)


def test_an_error_that_stays_is_a_success_that_is_an_error(tmp_path: Path) -> None:
    lines, code = one_shot(tmp_path, "@error 529", CLAUDE_CODE_MAX_RETRIES="2")
    result = lines[-1]
    assert (result["subtype"], result["is_error"], result["api_error_status"], code) == ("success", True, 529, 1)


def test_the_fallback_model_takes_over(tmp_path: Path) -> None:
    lines, _ = one_shot(tmp_path, "@error 529 model=opus\n@say hi", "--fallback-model", "haiku")
    assert [line["fallback_model"] for line in lines if line.get("subtype") == "model_fallback"] == ["haiku"]
    assert lines[-1]["is_error"] is False


def test_a_background_task_makes_a_result_after_the_result(tmp_path: Path) -> None:
    lines, _ = one_shot(tmp_path, "@background echo later\n@say first", "--allowedTools", "Bash")
    results = [line for line in lines if line["type"] == "result"]
    assert [result["result_index"] for result in results] == [0, 1]
    assert results[1]["origin"]["kind"] == "task-notification"


def test_sigint_keeps_the_result_and_sigterm_does_not(tmp_path: Path) -> None:
    for number, code, has_result in ((signal.SIGINT, 0, True), (signal.SIGTERM, 143, False)):
        with claude(tmp_path, "-p", "@bash sleep 60", *STREAM[1:], "--allowedTools", "Bash") as run:
            run.close_input()
            run.expect(is_kind("assistant"))
            run.process.send_signal(number)
            assert run.finish() == code
            assert (run.seen[-1]["type"] == "result") is has_result


def test_max_turns_is_an_error(tmp_path: Path) -> None:
    lines, code = one_shot(tmp_path, "@bash true\n@bash true", "--max-turns", "1", "--allowedTools", "Bash")
    assert (lines[-1]["subtype"], code) == ("error_max_turns", 1)


def test_end_of_input_refuses_an_open_question(hosted: Duplex) -> None:
    hosted.send(user("@bash true"))
    hosted.expect(is_kind("control_request"))
    hosted.close_input()
    assert hosted.expect(is_kind("result"))["permission_denials"]
    assert hosted.finish() == 0


def test_clear_changes_the_session(tmp_path: Path) -> None:
    with claude(tmp_path, *DUPLEX) as run:
        run.send(user("hello"), user("/clear"), user("hello"))
        results = [run.expect(is_kind("result")) for _ in range(3)]
        assert results[0]["session_id"] != results[2]["session_id"]
