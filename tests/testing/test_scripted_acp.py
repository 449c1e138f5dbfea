"""The scripted agent of the Agent Client Protocol."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from roost.testing.agents import program
from tests.testing.duplex import Duplex, Json

FILES = {"fs": {"readTextFile": True, "writeTextFile": True}}


class Client(Duplex):
    """A client with one session."""

    session = ""
    _number = 0

    def request(self, method: str, **params: Any) -> Json:
        return self.answer(self.begin(method, **params))

    def begin(self, method: str, **params: Any) -> int:
        """Send a request and do not wait."""
        self._number += 1
        self.send({"jsonrpc": "2.0", "id": self._number, "method": method, "params": params})
        return self._number

    def answer(self, number: int) -> Json:
        return self.expect(lambda line: line.get("id") == number and "method" not in line)

    def open(self) -> None:
        self.request("initialize", protocolVersion=1, clientCapabilities=FILES)
        self.session = self.request("session/new", cwd=str(self.cwd), mcpServers=[])["result"]["sessionId"]

    def prompt(self, text: str) -> int:
        return self.begin("session/prompt", sessionId=self.session, prompt=[{"type": "text", "text": text}])

    def updates(self, kind: str) -> list[Json]:
        found = (line["params"]["update"] for line in self.seen if line.get("method") == "session/update")
        return [update for update in found if update["sessionUpdate"] == kind]


@contextmanager
def agent(cwd: Path, *arguments: str) -> Iterator[Client]:
    with Client([*program("acp"), *arguments], cwd) as run:
        run.open()
        yield run


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with agent(tmp_path) as run:
        yield run


@pytest.fixture
def asking(tmp_path: Path) -> Iterator[Client]:
    with agent(tmp_path, "--ask") as run:
        yield run


def method(name: str) -> Callable[[Json], bool]:
    return lambda line: line.get("method") == name


def test_a_prompt_is_answered_after_its_updates(client: Client, tmp_path: Path) -> None:
    number = client.prompt("@think hm\n@say hello\n@write a.txt one\n@bash echo two\n@plan x one | > two\n@say end")
    answer = client.answer(number)["result"]
    assert answer["stopReason"] == "end_turn"
    assert answer["usage"]["totalTokens"] > 0
    assert (tmp_path / "a.txt").read_text() == "one"
    assert [update["status"] for update in client.updates("tool_call_update")] == ["completed", "completed"]
    assert client.updates("tool_call_update")[0]["content"][0]["type"] == "diff"
    assert [entry["status"] for entry in client.updates("plan")[0]["entries"]] == ["completed", "in_progress"]
    assert client.updates("agent_thought_chunk")[0]["content"]["text"] == "hm"


@pytest.mark.parametrize(("option", "status"), [("yes", "completed"), ("no", "failed")])
def test_permission_is_asked_for(asking: Client, option: str, status: str) -> None:
    number = asking.prompt("@bash echo one")
    question = asking.expect(method("session/request_permission"))
    outcome = {"outcome": {"outcome": "selected", "optionId": option}}
    asking.send({"jsonrpc": "2.0", "id": question["id"], "result": outcome})
    assert asking.answer(number)["result"]["stopReason"] == "end_turn"
    assert asking.updates("tool_call_update")[-1]["status"] == status


def test_what_is_always_allowed_is_asked_once(asking: Client) -> None:
    number = asking.prompt("@bash true\n@bash true")
    question = asking.expect(method("session/request_permission"))
    outcome = {"outcome": {"outcome": "selected", "optionId": "always"}}
    asking.send({"jsonrpc": "2.0", "id": question["id"], "result": outcome})
    assert asking.answer(number)["result"]["stopReason"] == "end_turn"


def test_cancelling_ends_a_running_tool(client: Client) -> None:
    number = client.prompt("@bash sleep 60")
    client.expect(lambda line: line.get("params", {}).get("update", {}).get("sessionUpdate") == "tool_call")
    client.send({"jsonrpc": "2.0", "method": "session/cancel", "params": {"sessionId": client.session}})
    assert client.answer(number)["result"]["stopReason"] == "cancelled"


def test_cancelling_takes_an_open_question_back(asking: Client) -> None:
    number = asking.prompt("@bash true")
    asking.expect(method("session/request_permission"))
    asking.send({"jsonrpc": "2.0", "method": "session/cancel", "params": {"sessionId": asking.session}})
    assert asking.answer(number)["result"]["stopReason"] == "cancelled"


def test_files_are_reached_through_the_client(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one")
    with agent(tmp_path, "--client-files") as client:
        number = client.prompt("@edit a.txt one => two\n@read none.txt")
        reading = client.expect(method("fs/read_text_file"))
        client.send({"jsonrpc": "2.0", "id": reading["id"], "result": {"content": "one more"}})
        writing = client.expect(method("fs/write_text_file"))
        assert writing["params"]["content"] == "two more"
        client.send({"jsonrpc": "2.0", "id": writing["id"], "result": {}})
        reading = client.expect(method("fs/read_text_file"))
        client.send({"jsonrpc": "2.0", "id": reading["id"], "error": {"code": -32002, "message": "not found"}})
        assert client.answer(number)["result"]["stopReason"] == "end_turn"
        assert client.updates("tool_call_update")[-1]["status"] == "failed"


def test_loading_a_session_replays_it(client: Client, tmp_path: Path) -> None:
    client.answer(client.prompt("@say hello"))
    with Client(program("acp"), tmp_path) as again:
        again.request("initialize", protocolVersion=1)
        again.request("session/load", sessionId=client.session, cwd=str(tmp_path), mcpServers=[])
        assert again.updates("user_message_chunk")[0]["content"]["text"] == "@say hello"
        assert again.updates("agent_message_chunk")[0]["content"]["text"] == "hello"


def test_every_message_is_one_of_the_official_sdk(asking: Client) -> None:
    schema = pytest.importorskip("acp.schema", reason="needs the SDK of the protocol")
    number = asking.prompt("@think Hm\n@say hi\n@read none\n@write a.txt b\n@plan x a | > b\n@ask Which? | This | That")
    for option in ("yes", "This"):
        question = asking.expect(method("session/request_permission"))
        schema.RequestPermissionRequest.model_validate(question["params"])
        outcome = {"outcome": {"outcome": "selected", "optionId": option}}
        asking.send({"jsonrpc": "2.0", "id": question["id"], "result": outcome})
    schema.PromptResponse.model_validate(asking.answer(number)["result"])
    for line in asking.seen:
        if line.get("method") == "session/update":
            schema.SessionNotification.model_validate(line["params"])


def test_what_is_wrong_is_refused(client: Client) -> None:
    assert client.request("no/such")["error"]["code"] == -32601
    assert client.request("session/load", sessionId="none", cwd="/", mcpServers=[])["error"]["code"] == -32602
    assert client.request("session/new", cwd="relative", mcpServers=[])["error"]["code"] == -32602
    client.write(b"nonsense\n")
    assert client.expect(lambda line: "error" in line)["error"]["code"] == -32700


def test_an_error_of_the_endpoint_is_the_answer(client: Client) -> None:
    error = client.answer(client.prompt("@error 429"))["error"]
    assert (error["code"], error["data"]["errorKind"]) == (-32603, "rate_limit")


def test_the_mode_can_be_changed(client: Client) -> None:
    client.request("session/set_mode", sessionId=client.session, modeId="default")
    client.prompt("@bash true")
    assert client.expect(method("session/request_permission"))
    assert client.updates("current_mode_update")[0]["currentModeId"] == "default"


def test_what_a_session_cost_adds_up(client: Client) -> None:
    for _ in range(2):
        client.answer(client.prompt("@tokens 1000 100\n@say so"))
    first, second = [update["cost"]["amount"] for update in client.updates("usage_update")]
    assert second == pytest.approx(2 * first)
