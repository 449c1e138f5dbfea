"""`roost prompt`, `interrupt`, `turns`, `approvals`, `approve`, `deny`, and conversing by `run` and `attach`."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.paths import DataDirectory
from roost.testing.server import RunningServer
from tests.cli.kit import Result, lines, roost, spawn, terminal
from tests.waiting import until

CLAUDE = [sys.executable, "-m", "roost.testing.agents.claude"]


EDITED = '✓ allowed by owner, edited to {"command": "echo FOUR"}'


@pytest.fixture
def agent(server: RunningServer, tmp_path: Path) -> Iterator[str]:
    """A coding agent without a model, which does what its prompts say."""
    assert roost("run", "-d", "talker", "--driver", "claude", "--", *CLAUDE).out == "talker\n"
    yield "talker"


def asked(count: int = 1) -> list[dict[str, str]]:
    found = until(lambda: len(approvals := _approvals()) >= count and approvals)
    assert isinstance(found, list)
    return found


def _approvals() -> list[dict[str, str]]:
    return list(json.loads(roost("approvals", "--json").out)["approvals"])


def state(agent: str, turn_id: str) -> str:
    listed = json.loads(roost("turns", agent, "--json").out)["turns"]
    return next(turn["state"] for turn in listed if turn["turn_id"] == turn_id)


def test_a_prompt_is_answered_by_the_turns_id_and_by_its_result_when_waited_for(agent: str) -> None:
    turn_id = roost("prompt", agent, "hello").out.strip()
    assert turn_id.startswith("t-")
    waited = roost("prompt", agent, "--wait", "hello again")
    assert (waited.code, waited.out) == (0, "You said: hello again\n")
    assert "completed after" in waited.err
    assert "$" in waited.err
    assert json.loads(roost("prompt", agent, "-w", "x", "--json").out)["text"] == "You said: x"
    assert [turn["state"] for turn in json.loads(roost("turns", agent, "--json").out)["turns"]] == ["completed"] * 3
    assert "hello again" in roost("turns", agent).out


def test_a_turns_id_given_twice_prompts_once(agent: str) -> None:
    first = roost("prompt", agent, "--turn-id", "mine", "--wait", "once")
    again = roost("prompt", agent, "--turn-id", "mine", "--wait", "once")
    assert (first.code, first.out, again.code, again.out) == (0, "You said: once\n", 0, "You said: once\n")
    assert "before" in roost("prompt", agent, "--turn-id", "mine", "once").err
    assert len(json.loads(roost("turns", agent, "--json").out)["turns"]) == 1


def test_what_an_agent_does_can_be_followed(agent: str) -> None:
    followed = lines(roost("prompt", agent, "-f", "@say I look.\n@plan > look | fix\n@say Done.").out)
    assert followed[0].startswith("— ")
    assert "I look." in followed
    assert followed[-1].startswith("✓ completed after")
    events = [json.loads(line) for line in lines(roost("prompt", agent, "-f", "--json", "x").out)]
    assert {"output", "usage", "turn"} <= {event["type"] for event in events}
    assert events[-1]["data"]["state"] == "completed"


@pytest.mark.parametrize(
    ("script", "code", "said"), [("@error 529", 1, "failed after"), ("@leave 3", 1, "the agent ended")]
)
def test_a_turn_that_fails_is_told_by_the_exit_code(agent: str, script: str, code: int, said: str) -> None:
    result = roost("prompt", agent, "--wait", script)
    assert (result.code, result.out) == (code, "")
    assert said in result.err


def test_a_turn_that_takes_too_long_goes_on(agent: str) -> None:
    late = roost("prompt", agent, "--wait", "--turn-id", "long", "--timeout", "0.5", "@wait 60")
    assert late.code == 124
    assert "it goes on" in late.err
    assert roost("interrupt", agent).out == f"{agent}\n"
    assert state(agent, "long") == "interrupted"
    assert "no turn of" in roost("interrupt", agent).err


def test_a_waiting_prompt_tells_of_interruption_and_the_next_one_ends_the_turn(agent: str) -> None:
    waiting = spawn("prompt", agent, "--wait", "--turn-id", "first", "@wait 60")
    until(lambda: "started" in roost("turns", agent).out)
    ended = roost("prompt", agent, "--interrupt", "--wait", "instead")
    assert (ended.code, ended.out) == (0, "You said: instead\n")
    _, err = waiting.communicate(timeout=20)
    assert waiting.returncode == 130
    assert "interrupted after" in err


def test_a_prompt_can_be_steered_into_the_turn(agent: str) -> None:
    roost("prompt", agent, "--turn-id", "first", "@wait 0.5\n@bash true\n@say one")
    until(lambda: "started" in roost("turns", agent).out)
    roost("prompt", agent, "--turn-id", "more", "--steer", "and more")
    asked()
    assert roost("approve", agent).code == 0
    until(lambda: state(agent, "first") == "completed")
    assert state(agent, "more") in ("steered", "completed")


def test_what_is_asked_can_be_allowed_denied_and_edited(agent: str) -> None:
    script = "@bash echo one\n@bash echo two\n@bash echo three"
    following = spawn("prompt", agent, "--follow", script)
    (first,) = asked()
    table = roost("approvals", agent).out
    assert "Running echo one?" in table
    assert first["approval_id"].split("-", 2)[2] in table
    assert roost("approve", first["approval_id"].split("-", 2)[2]).out == f"{first['approval_id']}\n"
    until(lambda: "echo two" in roost("approvals").out)
    assert roost("deny", agent, "--reason", "not that").code == 0
    until(lambda: "echo three" in roost("approvals").out)
    assert json.loads(roost("approve", agent, "--input", '{"command": "echo FOUR"}', "--json").out)["by"] == "owner"
    out, err = following.communicate(timeout=20)
    assert following.returncode == 0
    answers = [line.strip() for line in lines(out) if " by owner" in line]
    assert answers == ["✓ allowed by owner", "✗ denied by owner: not that", EDITED]
    assert [word for word in ("└ one", "└ two", "└ FOUR") if word in out] == ["└ one", "└ FOUR"]
    assert "waits for an answer" in err
    assert "deny" in roost("approvals", "--all").out


def test_an_answer_can_be_remembered_and_forgotten(agent: str) -> None:
    assert "no answer is remembered" in roost("approvals", "--rules").err
    following = spawn("prompt", agent, "--wait", "@bash true\n@bash true\n@say done")
    asked()
    assert roost("approve", agent, "--remember").code == 0
    assert following.communicate(timeout=20)[0] == "done\n"
    (rule,) = json.loads(roost("approvals", "--rules", "--json").out)["rules"]
    assert (rule["tool"], rule["decision"]) == ("Bash", "allow")
    assert rule["rule_id"] in roost("approvals", "--rules").out
    assert roost("approvals", "--forget", rule["rule_id"]).out == f"{rule['rule_id']}\n"
    assert roost("approvals", "--forget", rule["rule_id"]).code == 3


def test_a_question_wants_an_answer(agent: str) -> None:
    following = spawn("prompt", agent, "--turn-id", "asking", "--follow", "@ask Which one? | Red | Green")
    asked()
    assert lines(roost("approvals", agent).out)[-2:] == ["  1.1  Red", "  1.2  Green"]
    refused = roost("approve", agent)
    assert (refused.code, "'Red', 'Green'" in refused.err) == (2, True)
    assert roost("approve", agent, "--choice", "blue").code == 2
    assert roost("approve", agent, "--answer", "Blue").err == "roost: answered: Asking: Which one?\n"
    out, _ = following.communicate(timeout=20)
    assert [line for line in lines(out) if line.startswith("  ")][:2] == ["  1  Red", "  2  Green"]
    assert "  ✓ answered by owner" in lines(out)
    until(lambda: state(agent, "asking") == "completed")
    assert '"Which one?"="Blue"' in roost("logs", agent).out
    assert roost("approve", agent, "--answer", "Red").code == 6


def test_a_plan_can_be_read_before_it_is_approved(agent: str) -> None:
    roost("prompt", agent, "@approve-plan Leap")
    asked()
    assert "  Leap" in lines(roost("approvals", agent).out)
    assert "  Leap" in lines(roost("logs", agent).out)
    assert "  Leap" not in lines(roost("approvals").out)


def test_the_transcript_is_what_logs_show(agent: str) -> None:
    roost("prompt", agent, "-w", "hello")
    shown = lines(roost("logs", agent).out)
    assert shown[:1] == ["› hello"]
    assert "You said: hello" in shown
    assert lines(roost("logs", agent, "-n", "1").out) == shown[-1:]
    assert lines(roost("logs", agent, "--grep", "You said").out) == ["You said: hello"]


def test_a_picture_goes_with_a_prompt_if_it_is_one(agent: str, tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert roost("prompt", agent, "-w", "--image", str(tmp_path / "a.png"), "look").code == 0
    for wrong in ("a.txt", "none.png"):
        assert roost("prompt", agent, "--image", str(tmp_path / wrong), "look").code == 2


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (("prompt", "nobody", "x"), 3),
        (("prompt", "talker", ""), 2),
        (("prompt", "talker", "x", "--turn-id", "no spaces"), 2),
        (("approve", "nobody"), 3),
        (("turns", "nobody"), 3),
        (("interrupt", "nobody"), 3),
        (("send", "talker", "x"), 6),
    ],
)
def test_what_cannot_be_done_says_so(agent: str, command: tuple[str, ...], code: int) -> None:
    assert roost(*command).code == code


def test_without_a_server_it_is_said_who_is_missing(data: DataDirectory) -> None:
    result = roost("prompt", "talker", "x")
    assert result.code == 5
    assert "roost up" in result.err


def test_nothing_asked_is_said(server: RunningServer) -> None:
    assert roost("approvals") == Result(0, "", "roost: nothing is asked\n")


def test_a_conversation_in_a_terminal(agent: str) -> None:
    with terminal("attach", agent) as one:
        one.shows("›")
        one.type("hello\r")
        one.shows("You said: hello")
        one.type("@bash echo one\r")
        one.shows("give the number of a choice")
        one.type("maybe\r")
        one.shows("is no answer")
        one.type("1\r")
        one.shows("└ one")
        one.type("@wait 60\r")
        one.shows("› @wait 60")
        until(lambda: "started" in roost("turns", agent).out)
        one.shows("\n…")
        one.type("\x03")
        one.shows("■ interrupted")
        one.type("\x03")
        one.shows("no turn runs")
        one.type("\x1dd")
        assert one.ends() == 130
        assert "which lives on" in one.text
    with terminal("attach", agent, "--read-only") as again:
        again.shows("■ interrupted")
        again.type("\x04")
        assert again.ends() == 0


def test_a_conversation_outlives_the_server(own_server: RunningServer) -> None:
    own_server.start_agent("talker", *CLAUDE, driver="claude")
    with terminal("attach", "talker") as one:
        one.shows("›")
        own_server.kill9()
        one.shows("going on when it is back")
        one.type("too early\r")
        one.shows("no server runs")
        own_server.restart()
        one.type("hello\r")
        one.shows("You said: hello")
        one.type("@ask Which? | Red | Green\r")
        one.shows("an answer of your own")
        one.type("2\r")
        one.shows('"Which?"="Green"')
        one.type("\x04")
        assert one.ends() == 0


def test_lines_from_a_pipe_are_prompts_and_the_last_one_is_waited_for(agent: str) -> None:
    talk = spawn("attach", agent, stdin=-1)
    out, _ = talk.communicate("@say one\n@say two", timeout=20)
    assert talk.returncode == 0
    assert [line for line in lines(out) if line in ("one", "two")] == ["one", "two"]


def test_a_transcript_is_there_without_a_server_too(own_server: RunningServer) -> None:
    own_server.start_agent("talker", *CLAUDE, driver="claude")
    assert roost("prompt", "talker", "-w", "hello").code == 0
    with_server = roost("logs", "talker").out
    own_server.terminate()
    assert "You said: hello" in with_server
    assert roost("logs", "talker").out == with_server


def test_run_starts_a_server_for_a_coding_agent_and_ends_with_it(data: DataDirectory) -> None:
    with terminal("run", "talker", "--driver", "claude", "--prompt", "@say hi\n@leave 3", "--", *CLAUDE) as one:
        try:
            one.shows("started a server")
            assert one.ends(30) == 3
            assert "the agent ended with exit code 3" in one.text
        finally:
            roost("down")
