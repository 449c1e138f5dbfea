"""Smaller things that the real programs were seen to do, and that their stand-ins do too."""

from __future__ import annotations

from pathlib import Path

import pytest

from roost.testing.agents.claude_permissions import Permissions, read_rules, suggestions, unasked
from roost.testing.agents.claude_tools import structured_patch
from roost.testing.agents.flags import MANY, MAYBE, ON, ONE, BadFlag, read_flags, split_list
from roost.testing.agents.output import STRANGE, Output
from roost.testing.agents.performing import Interrupted
from roost.testing.agents.rpc import Peer
from roost.testing.agents.sessions import Transcript, newest
from roost.testing.agents.workshop import Tools
from roost.testing.models.script import Call
from tests.testing.test_scripted_claude import DUPLEX, blocks, claude, control, is_kind, one_shot, user
from tests.testing.test_scripted_codex import Client as CodexClient
from tests.testing.test_scripted_codex import client, method

__all__ = ["client"]

KNOWN = {"--on -o": ON, "--one": ONE, "--many": MANY, "--maybe": MAYBE}
SUBTYPES = [
    "mcp_status",
    "get_settings",
    "get_context_usage",
    "list_models",
    "get_session_cost",
    "get_usage",
    "get_binary_version",
    "background_tasks",
    "get_plan",
    "file_suggestions",
    "set_max_thinking_tokens",
    "rename_session",
]


def test_flags_are_read_as_the_real_programs_read_them() -> None:
    flags = read_flags(["a", "-o", "--one=1", "--one", "2", "--many", "x", "y", "--maybe", "m", "n", "--", "-z"], KNOWN)
    assert flags.words == ["a", "n", "-z"]
    assert flags.is_on("--on")
    assert flags.one("--one") == "2"
    assert flags.one("--none", "default") == "default"
    assert flags.many("--many") == ["x", "y"]


@pytest.mark.parametrize("arguments", [["--what"], ["-z"], ["--one"]])
def test_unknown_flags_and_missing_values_are_refused(arguments: list[str]) -> None:
    with pytest.raises(BadFlag):
        read_flags(arguments, KNOWN)


def test_lists_of_rules_are_parted_outside_of_parentheses() -> None:
    assert split_list("Read, Bash(git add *) Edit") == ["Read", "Bash(git add *)", "Edit"]


def permissions(*arguments: str) -> Permissions:
    known = {"--permission-mode": ONE, "--allowedTools": MANY, "--disallowedTools": MANY, "--tools": MANY}
    whole = {**known, "--add-dir": MANY, "--permission-prompt-tool": ONE, "--dangerously-skip-permissions": ON}
    return Permissions(read_flags(arguments, whole), Path("/here"))


@pytest.mark.parametrize(
    ("arguments", "tool", "given", "behavior"),
    [
        ((), "Read", {}, "allow"),
        ((), "Bash", {"command": "ls"}, "ask"),
        (("--allowedTools", "Bash(git *)"), "Bash", {"command": "git status"}, "allow"),
        (("--allowedTools", "Bash(git:*)"), "Bash", {"command": "git status"}, "allow"),
        (("--allowedTools", "Bash(git *)"), "Bash", {"command": "ls"}, "ask"),
        (("--allowedTools", "bash"), "Bash", {"command": "ls"}, "ask"),
        (("--disallowedTools", "Bash(rm *)", "--allowedTools", "Bash"), "Bash", {"command": "rm x"}, "deny"),
        (("--permission-mode", "acceptEdits"), "Write", {"file_path": "/here/a"}, "allow"),
        (("--permission-mode", "acceptEdits"), "Write", {"file_path": "/there/a"}, "ask"),
        (("--permission-mode", "acceptEdits", "--add-dir", "/there"), "Write", {"file_path": "/there/a"}, "allow"),
        (("--permission-mode", "bypassPermissions"), "Bash", {}, "allow"),
        (("--dangerously-skip-permissions",), "Bash", {}, "allow"),
        (("--permission-mode", "dontAsk"), "Bash", {}, "deny"),
        (("--permission-mode", "manual"), "Bash", {}, "ask"),
        (("--permission-mode", "bypassPermissions"), "AskUserQuestion", {}, "ask"),
    ],
)
def test_claude_decides_by_rules_and_modes(
    arguments: tuple[str, ...], tool: str, given: dict[str, str], behavior: str
) -> None:
    assert permissions(*arguments).rule(tool, given).behavior == behavior


def test_claude_learns_from_what_a_host_allows_for_later() -> None:
    one = permissions()
    assert one.apply({"type": "setMode", "mode": "plan"})
    (update,) = suggestions("Bash", {"command": "ls"})
    assert not one.apply(update)
    assert one.rule("Bash", {"command": "ls"}).behavior == "allow"
    assert not one.apply({"type": "something else"})
    assert "use Bash" in unasked("Bash", {})
    assert read_rules([]) == []


def test_claude_has_the_tools_that_it_is_given() -> None:
    assert permissions("--tools", "Bash,Read").tools() == ["Bash", "Read"]
    assert "Bash" not in permissions("--disallowedTools", "Bash").tools()
    assert "ExitPlanMode" in permissions("--permission-prompt-tool", "stdio").tools()
    assert permissions().has("Agent")
    assert permissions().has("mcp__demo__echo")


def test_claude_answers_every_control_request(tmp_path: Path) -> None:
    with claude(tmp_path, *DUPLEX) as run:
        run.send(*(control(subtype, subtype) for subtype in SUBTYPES))
        answers = [run.expect(is_kind("control_response"))["response"] for _ in SUBTYPES]
        assert [answer["request_id"] for answer in answers] == SUBTYPES
        assert {answer["subtype"] for answer in answers} == {"success"}
        run.send(control("end_session"))
        assert run.finish() == 0


def test_claude_runs_slash_commands(tmp_path: Path) -> None:
    with claude(tmp_path, *DUPLEX) as run:
        run.send(user("/compact"), user("/context"), user("/nothing"))
        results = [run.expect(is_kind("result")) for _ in range(3)]
    assert [result.get("local_command") for result in results] == ["compact", "context", None]
    assert results[2]["result"] == "You said: /nothing"


def test_claude_plans_edits_and_calls_tools_by_name(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    prompt = "@plan x a | > b\n@edit a.txt none => some\n@read missing.txt\n@tool mcp__x__y {}\n@write a.txt new"
    lines, _ = one_shot(tmp_path, prompt, "--allowedTools", "Edit,Write,mcp__x__y")
    told = [(str(block["content"])[:20], block.get("is_error", False)) for block in blocks(lines, "tool_result")]
    assert [is_error for _, is_error in told] == [False, True, True, False, False]
    updates = [line["tool_use_result"] for line in lines if isinstance(line.get("tool_use_result"), dict)]
    assert updates[-1]["type"] == "update"


def test_claude_knows_its_newest_session(tmp_path: Path) -> None:
    first, _ = one_shot(tmp_path, "hello")
    second, _ = one_shot(tmp_path, "again", "--continue")
    kept, _ = one_shot(tmp_path, "again", "--continue", "--no-session-persistence")
    assert first[0]["session_id"] == second[0]["session_id"] == kept[0]["session_id"]
    assert "already in use" in claude_complaint(tmp_path, "--session-id", first[0]["session_id"])


def claude_complaint(cwd: Path, *arguments: str) -> str:
    with claude(cwd, "-p", "x", *arguments) as run:
        run.close_input()
        run.finish()
        return run.stderr


def test_codex_lists_reads_and_forks_threads(client: CodexClient) -> None:
    client.open(approvalPolicy="never")
    assert [one["id"] for one in client.request("thread/list", limit=5)["result"]["data"]] == [client.thread]
    assert client.request("thread/read", threadId=client.thread)["result"]["thread"]["id"] == client.thread
    assert client.request("model/list")["result"]["data"][0]["isDefault"]
    forked = client.request("thread/fork", threadId=client.thread)["result"]["thread"]["id"]
    assert forked != client.thread
    assert "error" in client.request("thread/read", threadId="none")
    assert "error" in client.request("thread/resume", threadId="00000000-0000-4000-8000-000000000000")
    assert "error" in client.request("turn/interrupt", threadId=client.thread, turnId="none")
    assert "error" in client.request("initialize", clientInfo={"name": "again"})


def test_codex_takes_a_second_turn_for_steering(client: CodexClient) -> None:
    client.open(approvalPolicy="untrusted")
    turn = client.turn("@bash true\n@say first")
    question = client.expect(method("item/commandExecution/requestApproval"))
    assert client.turn("@say second") == turn
    client.send({"id": question["id"], "error": {"code": 1, "message": "no"}})
    assert client.ended()["items"][0]["text"] == "second"
    assert client.completed("commandExecution")[0]["status"] == "declined"


def test_codex_says_what_it_does_not_understand(client: CodexClient) -> None:
    client.open(approvalPolicy="never")
    client.turn("@say ok\n@nonsense")
    assert "there is no step" in client.ended()["items"][0]["text"]


def test_hunks_have_three_lines_of_context() -> None:
    before = "".join(f"{number}\n" for number in range(20))
    (hunk,) = structured_patch(before, before.replace("10\n", "ten\n"))
    assert (hunk["oldStart"], hunk["oldLines"], len(hunk["lines"])) == (8, 7, 8)


def test_a_killed_workshop_starts_nothing(tmp_path: Path) -> None:
    tools = Tools(tmp_path)
    ticket = tools.ticket()
    tools.kill()
    assert tools.run(Call("bash", {"command": "touch a"}), ticket=ticket).exit_code == 137
    assert not (tmp_path / "a").exists()
    assert tools.run(Call("bash", {"command": "echo a"})).text == "a\n"


def test_transcripts_are_read_up_to_the_last_whole_line(tmp_path: Path) -> None:
    transcript = Transcript(tmp_path / "a" / "b.jsonl")
    assert transcript.lines() == []
    transcript.append({"a": 1})
    with transcript.path.open("a") as file:
        file.write('{"b": ')
    assert transcript.lines() == [{"a": 1}]
    assert newest([]) is None
    assert "strange_field" in STRANGE


def test_a_question_that_is_taken_back_interrupts() -> None:
    peer = Peer(Output(lambda _: ""), {})
    with pytest.raises(Interrupted):
        peer.ask("x", {}, lambda _: peer.cancel())


def test_claude_leaves_a_transcript(tmp_path: Path) -> None:
    lines, _ = one_shot(
        tmp_path, "@bash echo one\n@say done", "--allowedTools", "Bash", CLAUDE_CONFIG_DIR=str(tmp_path)
    )
    (path,) = tmp_path.glob(f"projects/*/{lines[0]['session_id']}.jsonl")
    kept = Transcript(path).lines()
    assert [line["type"] for line in kept] == [
        "queue-operation",
        "user",
        "assistant",
        "user",
        "assistant",
        "cost-state",
    ]
    talk = kept[1:-1]
    assert [line["parentUuid"] for line in talk] == [None, *(line["uuid"] for line in talk[:-1])]
    assert talk[0]["message"]["content"] == "@bash echo one\n@say done"
    assert talk[2]["toolUseResult"]["stdout"] == "one"
    assert path.stat().st_mode & 0o777 == 0o600
