"""The real Codex does with our fake model what its stand-in without a model does."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.testing.agents import program
from tests.agents import real
from tests.testing import shapes
from tests.testing.duplex import Duplex, Json
from tests.testing.test_scripted_codex import Client, method

RECORD = os.environ.get("ROOST_TEST_RECORD", "")
# Notes about the machine, and about accounts that there are none of.
OF_THE_MACHINE = (
    "configWarning",
    "remoteControl/status/changed",
    "deprecationNotice",
    "mcpServer/startupStatus/updated",
)


@pytest.fixture(params=["scripted", pytest.param("real", marks=[real.needs("codex"), pytest.mark.slow])])
def codex(request: pytest.FixtureRequest, tmp_path: Path) -> list[str]:
    """Both commands, in a directory of their own."""
    (tmp_path / "hello.txt").write_text("hello file\nsecond line\n")
    return program("codex") if request.param == "scripted" else real.command("codex", tmp_path / "home")


@pytest.fixture
def client(codex: list[str], tmp_path: Path) -> Iterator[Client]:
    with Client([*codex, "app-server"], tmp_path) as run:
        run.patience_s = real.START_S
        yield run
        checked("codex_server", run, tmp_path)


def checked(protocol: str, run: Duplex, where: Path) -> None:
    """The lines have the shapes that we know; they are kept as a transcript when that is wanted."""
    if "home" in {path.name for path in where.iterdir()}:
        if RECORD:
            name = f"6_{where.name}.duplex.jsonl" if protocol == "codex_server" else f"{where.name}.stdout.jsonl"
            target = Path(RECORD) / "codex" / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(b"".join(run.raw))
        return
    known, kind_of = shapes.load(protocol), shapes.KINDS[protocol]
    told = ((kind_of(line), line) for line in run.seen)
    assert [complaint for kind, line in told if kind for complaint in shapes.complaints(kind, line, known)] == []


def allow(client: Client, kind: str, decision: str = "accept") -> None:
    question = client.expect(method(f"item/{kind}/requestApproval"), real.START_S)
    client.send({"id": question["id"], "result": {"decision": decision}})


def run_exec(command: list[str], where: Path, prompt: str, *flags: str) -> tuple[list[Json], int]:
    always = ["exec", "--json", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox"]
    with Duplex([*command, *always, *flags, prompt], where) as run:
        run.close_input()
        code = run.finish(real.START_S)
        checked("codex_exec", run, where)
        return run.seen, code


def items(lines: list[Json], kind: str) -> list[Json]:
    found = (line["item"] for line in lines if line["type"] == "item.completed")
    return [item for item in found if item["type"] == kind]


def test_exec_runs_tools(codex: list[str], tmp_path: Path) -> None:
    prompt = "@think Hm\n@say Now.\n@bash echo a\n@also bash echo b\n@write out.txt one\n"
    prompt += "@edit hello.txt hello file => bye file\n@bash echo c >&2; exit 3\n@say Done."
    lines, code = run_exec(codex, tmp_path, prompt)
    assert [item["text"] for item in items(lines, "agent_message")] == ["Now.", "Done."]
    commands = items(lines, "command_execution")
    assert sorted(one["aggregated_output"] for one in commands) == ["a\n", "b\n", "c\n"]
    assert (commands[-1]["exit_code"], commands[-1]["status"]) == (3, "failed")
    assert (tmp_path / "out.txt").read_text().strip() == "one"
    assert (tmp_path / "hello.txt").read_text() == "bye file\nsecond line\n"
    assert (lines[-1]["type"], code) == ("turn.completed", 0)


def test_exec_fails_when_the_endpoint_does(codex: list[str], tmp_path: Path) -> None:
    lines, code = run_exec(codex, tmp_path, "@error 400")
    assert ([line["type"] for line in lines][-2:], code) == (["error", "turn.failed"], 1)


def test_exec_goes_on_after_a_cut(codex: list[str], tmp_path: Path) -> None:
    lines, code = run_exec(codex, tmp_path, "@say part\n@cut\n@say end")
    assert [item["text"] for item in items(lines, "agent_message")] == ["part", "end"]
    assert "Reconnecting... 1/" in next(line["message"] for line in lines if line["type"] == "error")
    assert code == 0


def test_exec_resumes(codex: list[str], tmp_path: Path) -> None:
    first, _ = run_exec(codex, tmp_path, "@say one")
    with Duplex([*codex, "exec", "--json", "--skip-git-repo-check", "resume", "--last", "@say two"], tmp_path) as run:
        run.close_input()
        assert run.finish(real.START_S) == 0
        assert run.seen[0]["thread_id"] == first[0]["thread_id"]
        assert run.seen[-1]["usage"]["input_tokens"] > first[-1]["usage"]["input_tokens"]


def test_approvals_of_both_kinds(client: Client, tmp_path: Path) -> None:
    client.open(approvalPolicy="untrusted", sandbox="workspace-write")
    client.turn("@bash echo one > one.txt\n@bash touch never\n@write out.txt x\n@say done")
    allow(client, "commandExecution")
    allow(client, "commandExecution", "decline")
    allow(client, "fileChange")
    turn = client.ended()
    assert (turn["status"], turn["items"][0]["text"]) == ("completed", "done")
    assert [item["status"] for item in client.completed("commandExecution")] == ["completed", "declined"]
    assert (tmp_path / "one.txt").exists()
    assert not (tmp_path / "never").exists()
    assert client.completed("fileChange")[0]["changes"][0]["kind"] == {"type": "add"}
    client.turn("@bash touch never")
    allow(client, "commandExecution", "cancel")
    assert client.ended()["status"] == "interrupted"


def test_interrupt_steer_and_failure(client: Client) -> None:
    client.open(approvalPolicy="never", sandbox="danger-full-access")
    turn = client.turn("@bash sleep 60")
    client.expect(lambda line: line.get("params", {}).get("item", {}).get("type") == "commandExecution", real.START_S)
    assert "result" in client.request("turn/interrupt", threadId=client.thread, turnId=turn)
    assert client.ended()["status"] == "interrupted"
    turn = client.turn("@bash sleep 1\n@say first")
    client.expect(lambda line: line.get("params", {}).get("item", {}).get("type") == "commandExecution", real.START_S)
    given = [{"type": "text", "text": "@say steered"}]
    steered = client.request("turn/steer", threadId=client.thread, expectedTurnId=turn, input=given)
    assert steered["result"] == {"turnId": turn}
    assert client.ended()["items"][-1]["text"] == "steered"
    client.turn("@error 500 times=1\n@say better")
    assert client.ended()["items"][-1]["text"] == "better"
    client.turn("@say part\n@cut\n@read hello.txt")
    assert client.expect(method("error"), real.START_S)["params"]["willRetry"] is True
    assert client.ended()["status"] == "completed"
    client.turn("@error 400")
    assert client.ended()["status"] == "failed"
    totals = [one["params"]["tokenUsage"]["total"]["totalTokens"] for one in client.seen if is_usage(one)]
    assert totals == sorted(totals)


@real.needs("codex")
def test_all_that_the_stand_in_says_is_in_the_schema_of_the_real_one(tmp_path: Path) -> None:
    schemas = pytest.importorskip("jsonschema_rs")
    words = [real.program("codex"), "app-server", "generate-json-schema", "--out", str(tmp_path / "schema")]
    subprocess.run(words, env={"HOME": str(tmp_path), "PATH": os.defpath}, capture_output=True, check=True)
    known = {
        is_request: json.loads((tmp_path / "schema" / f"Server{name}.json").read_text())
        for is_request, name in ((False, "Notification"), (True, "Request"))
    }
    for line in conversation(tmp_path):
        validator = schemas.validator_for(variant(known["id" in line], line["method"]))
        assert [error.message for error in validator.iter_errors(line)] == []


def conversation(where: Path) -> list[Json]:
    """All notifications and requests of some turns of the stand-in."""
    (where / "hello.txt").write_text("hello file\n")
    with Client([*program("codex"), "app-server"], where) as run:
        run.open(approvalPolicy="untrusted")
        prompt = "@think Hm\n@say I look.\n@read hello.txt\n@write out.txt one\n@plan one | two"
        run.turn(f"{prompt}\n@tool mcp__demo__echo {{}}\n@approve-plan first this\n@ask Which? | A | B\n@say done")
        allow(run, "commandExecution")
        allow(run, "fileChange")
        question = run.expect(method("item/tool/requestUserInput"))
        run.send({"id": question["id"], "result": {"answers": {"q1": {"answers": ["A"]}}}})
        run.ended()
        run.turn("@error 500 times=6\n@error 400")
        run.ended()
        return [line for line in run.seen if "method" in line]


def variant(schema: Json, name: str) -> Json:
    """The part of a schema that holds for one method."""
    (found,) = [one for one in schema["oneOf"] if name in one["properties"]["method"]["enum"]]
    return {**found, "definitions": schema["definitions"]}


def is_usage(line: Json) -> bool:
    return line.get("method") == "thread/tokenUsage/updated"
