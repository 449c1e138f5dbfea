"""The scripted Codex behaves as the real one was seen to."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from roost.testing.agents import program
from tests.testing.duplex import Duplex, Json


class Client(Duplex):
    """A client of the app-server with one thread."""

    thread = ""
    patience_s = 10.0
    _number = 0

    def request(self, method: str, **params: Any) -> Json:
        """A request, and its whole answer."""
        self._number += 1
        self.send({"id": self._number, "method": method, "params": params})
        return self.expect(lambda line: line.get("id") == self._number and "method" not in line, self.patience_s)

    def open(self, **params: Any) -> None:
        """Initialize and start a thread."""
        self.request("initialize", clientInfo={"name": "test", "version": "1"})
        self.send({"method": "initialized"})
        answer = self.request("thread/start", cwd=str(self.cwd), **params)
        self.thread = answer["result"]["thread"]["id"]

    def turn(self, text: str) -> str:
        """Start a turn; its id."""
        given = [{"type": "text", "text": text}]
        return str(self.request("turn/start", threadId=self.thread, input=given)["result"]["turn"]["id"])

    def ended(self) -> Json:
        """The turn as it ended."""
        return dict(self.expect(method("turn/completed"), self.patience_s)["params"]["turn"])

    def completed(self, kind: str) -> list[Json]:
        """The items of a kind that were completed so far."""
        found = (line["params"]["item"] for line in self.seen if line.get("method") == "item/completed")
        return [item for item in found if item["type"] == kind]


def method(name: str) -> Callable[[Json], bool]:
    return lambda line: line.get("method") == name


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with Client([*program("codex"), "app-server"], tmp_path) as run:
        yield run


def run_exec(cwd: Path, *arguments: str, **environment: str) -> tuple[list[Json], int]:
    command = [*program("codex"), "exec", "--json", "--skip-git-repo-check", *arguments]
    with Duplex(command, cwd, environment) as run:
        run.close_input()
        code = run.finish()
        return run.seen, code


def test_a_turn_is_a_chain_of_items(client: Client) -> None:
    client.open(approvalPolicy="never")
    client.turn("@think hm\n@bash echo one\n@say done")
    turn = client.ended()
    assert (turn["status"], turn["items"][0]["text"]) == ("completed", "done")
    (command,) = client.completed("commandExecution")
    assert (command["aggregatedOutput"], command["exitCode"], command["status"]) == ("one\n", 0, "completed")
    assert client.completed("reasoning")[0]["summary"] == ["hm"]


def test_nothing_is_answered_before_initialize(client: Client) -> None:
    assert client.request("thread/list")["error"]["message"] == "Not initialized"


def test_unknown_methods_are_refused(client: Client) -> None:
    client.open()
    assert client.request("no/such")["error"]["code"] == -32600


@pytest.mark.parametrize(("decision", "status"), [("accept", "completed"), ("decline", "declined")])
def test_a_command_waits_for_approval(client: Client, decision: str, status: str) -> None:
    client.open(approvalPolicy="untrusted")
    client.turn("@bash echo one")
    question = client.expect(method("item/commandExecution/requestApproval"))
    client.send({"id": question["id"], "result": {"decision": decision}})
    assert client.ended()["status"] == "completed"
    assert client.completed("commandExecution")[0]["status"] == status


def test_cancelling_an_approval_interrupts_the_turn(client: Client, tmp_path: Path) -> None:
    client.open(approvalPolicy="untrusted")
    client.turn("@write out.txt x")
    question = client.expect(method("item/fileChange/requestApproval"))
    client.send({"id": question["id"], "result": {"decision": "cancel"}})
    assert client.ended()["status"] == "interrupted"
    assert not (tmp_path / "out.txt").exists()


def test_what_is_accepted_for_the_session_is_asked_once(client: Client) -> None:
    client.open(approvalPolicy="untrusted")
    client.turn("@bash true\n@bash true")
    question = client.expect(method("item/commandExecution/requestApproval"))
    client.send({"id": question["id"], "result": {"decision": "acceptForSession"}})
    assert client.ended()["status"] == "completed"


def test_file_changes_come_with_their_difference(client: Client, tmp_path: Path) -> None:
    (tmp_path / "hello.txt").write_text("hello file\nsecond line\n")
    client.open(approvalPolicy="never")
    client.turn("@write added.txt one\\n\n@edit hello.txt hello => goodbye")
    client.ended()
    added, edited = (item["changes"][0] for item in client.completed("fileChange"))
    assert added["kind"] == {"type": "add"}
    assert edited["diff"] == "@@ -1,2 +1,2 @@\n-hello file\n+goodbye file\n second line\n"
    diffs = [line["params"]["diff"] for line in client.seen if line.get("method") == "turn/diff/updated"]
    assert "+goodbye file" in diffs[-1]
    assert "+one" in diffs[-1]


def test_plans_are_updated(client: Client) -> None:
    client.open(approvalPolicy="never")
    client.turn("@plan x one | > two | three")
    steps = client.expect(method("turn/plan/updated"))["params"]["plan"]
    assert [step["status"] for step in steps] == ["completed", "inProgress", "pending"]


def test_questions_go_to_the_client(client: Client) -> None:
    client.open(approvalPolicy="never")
    client.turn("@ask Which? | Red | Blue")
    question = client.expect(method("item/tool/requestUserInput"))
    client.send({"id": question["id"], "result": {"answers": {"q1": {"answers": ["Red"]}}}})
    assert client.ended()["status"] == "completed"


def test_a_turn_is_interrupted_in_mid_tool(client: Client) -> None:
    client.open(approvalPolicy="never")
    turn = client.turn("@bash sleep 60")
    client.expect(lambda line: line.get("params", {}).get("item", {}).get("type") == "commandExecution")
    assert client.request("turn/interrupt", threadId=client.thread, turnId=turn)["result"] == {}
    assert client.ended()["status"] == "interrupted"


def test_an_interrupt_takes_an_open_question_back(client: Client) -> None:
    client.open(approvalPolicy="untrusted")
    turn = client.turn("@bash true")
    client.expect(method("item/commandExecution/requestApproval"))
    client.request("turn/interrupt", threadId=client.thread, turnId=turn)
    assert client.ended()["status"] == "interrupted"


def test_a_turn_is_steered(client: Client) -> None:
    client.open(approvalPolicy="untrusted")
    turn = client.turn("@bash true\n@say first")
    question = client.expect(method("item/commandExecution/requestApproval"))
    given = [{"type": "text", "text": "@say steered"}]
    wrong = client.request("turn/steer", threadId=client.thread, expectedTurnId="x", input=given)
    right = client.request("turn/steer", threadId=client.thread, expectedTurnId=turn, input=given)
    assert wrong["error"]["code"] == -32600
    assert right["result"] == {"turnId": turn}
    client.send({"id": question["id"], "result": {"decision": "accept"}})
    assert client.ended()["items"][0]["text"] == "steered"


def test_counts_are_of_the_whole_thread_after_a_resume_too(client: Client, tmp_path: Path) -> None:
    client.open(approvalPolicy="never")
    totals = []
    for _ in range(2):
        client.turn("hello")
        usage = client.expect(method("thread/tokenUsage/updated"))["params"]["tokenUsage"]
        totals.append(usage["total"]["totalTokens"])
        client.ended()
    assert totals[1] > totals[0]
    with Client([*program("codex"), "app-server"], tmp_path) as again:
        again.request("initialize", clientInfo={"name": "test", "version": "1"})
        again.request("thread/resume", threadId=client.thread)
        usage = again.expect(method("thread/tokenUsage/updated"))["params"]["tokenUsage"]
        assert usage["total"]["totalTokens"] == totals[1]


def test_an_error_of_the_endpoint_fails_the_turn(client: Client) -> None:
    client.open()
    client.turn("@error 500 times=10\n@say better")
    assert [client.expect(method("error"))["params"]["willRetry"] for _ in range(2)] == [True, True]
    assert client.ended()["status"] == "completed"
    client.turn("@error 400")
    turn = client.ended()
    assert (turn["status"], turn["error"]["codexErrorInfo"]) == ("failed", "badRequest")


def test_exec_writes_flat_items(tmp_path: Path) -> None:
    lines, code = run_exec(tmp_path, "@bash echo one; exit 3\n@write a.txt x\n@plan one | two\n@say done")
    kinds = [line["item"]["type"] for line in lines if line["type"] == "item.completed"]
    assert kinds == ["command_execution", "file_change", "agent_message", "todo_list"]
    assert (lines[0]["type"], lines[-1]["type"], code) == ("thread.started", "turn.completed", 0)
    command = next(line["item"] for line in lines if line["type"] == "item.completed")
    assert (command["exit_code"], command["status"]) == (3, "failed")


def test_exec_resumes_and_forks(tmp_path: Path) -> None:
    first, _ = run_exec(tmp_path, "hello")
    second, _ = run_exec(tmp_path, "resume", first[0]["thread_id"], "again")
    last, _ = run_exec(tmp_path, "resume", "--last", "again")
    forked, _ = run_exec(tmp_path, "fork", first[0]["thread_id"], "again")
    assert first[0]["thread_id"] == second[0]["thread_id"] == last[0]["thread_id"] != forked[0]["thread_id"]
    counts = [run[-1]["usage"]["input_tokens"] for run in (first, second, last)]
    assert counts == sorted(set(counts))


@pytest.mark.parametrize(
    ("arguments", "code"), [(["--nope", "x"], 2), (["resume", "00000000-0000-4000-8000-000000000000", "x"], 1)]
)
def test_exec_refuses_what_it_cannot_do(tmp_path: Path, arguments: list[str], code: int) -> None:
    assert run_exec(tmp_path, *arguments) == ([], code)


def test_exec_fails_with_the_endpoint(tmp_path: Path) -> None:
    lines, code = run_exec(tmp_path, "@error 429")
    assert ([line["type"] for line in lines[2:]], code) == (["error", "turn.failed"], 1)


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 1), (signal.SIGTERM, -signal.SIGTERM)])
def test_exec_ends_without_a_closing_line_on_a_signal(tmp_path: Path, number: signal.Signals, code: int) -> None:
    command = [*program("codex"), "exec", "--json", "--skip-git-repo-check", "@bash sleep 60"]
    with Duplex(command, tmp_path) as run:
        run.close_input()
        run.expect(lambda line: line["type"] == "item.started")
        run.process.send_signal(number)
        assert run.finish() == code
        assert run.seen[-1]["type"] == "item.started"


def test_exec_wants_a_repository(tmp_path: Path) -> None:
    with Duplex([*program("codex"), "exec", "--json", "hello"], tmp_path) as run:
        run.close_input()
        assert run.finish() == 1
        assert "--skip-git-repo-check" in run.stderr
