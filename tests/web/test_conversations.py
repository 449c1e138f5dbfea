"""Conversations with coding agents over REST and the control socket, with a scripted agent."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from roost.core.recording import Frame, Kind, Reader, decode_input
from tests.waiting import until
from tests.web.conftest import Rest
from tests.web.test_ws import Socket

CLAUDE = [sys.executable, "-m", "roost.testing.agents.claude"]
ONE_MINUTE = "@wait 60"
names = (f"conversation-{number}" for number in itertools.count())
Json = dict[str, Any]


class Talker:
    """A scripted coding agent and whoever talks to it."""

    def __init__(self, rest: Rest, name: str) -> None:
        self.rest = rest
        self.name = name

    def call(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        """A request about the agent."""
        return self.rest.call(method, f"/api/agents/{self.name}{path}", json=body, **more)

    def prompt(self, prompt: str, query: str = "", **fields: Any) -> Json:
        """Prompt it; the turn."""
        answer = self.call("POST", f"/prompt{query}", {"prompt": prompt, **fields})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def result(self, prompt: str, **fields: Any) -> Json:
        """Prompt it and wait."""
        return self.prompt(prompt, "?wait=true&timeout_s=20", **fields)

    def turn(self, turn_id: str, query: str = "") -> Json:
        return dict(self.call("GET", f"/turns/{turn_id}{query}").json())

    def ended(self, turn_id: str) -> Json:
        """The turn once it has ended."""
        return self.turn(turn_id, "?wait=true&timeout_s=20")

    def asked(self) -> Json:
        """What it asks, once it asks."""
        found = until(self.approvals)
        return dict(found[0])

    def approvals(self, state: str = "open") -> list[Json]:
        answer = self.rest.call("GET", f"/api/approvals?agent={self.name}&state={state}")
        return list(answer.json()["approvals"])

    def decide(self, approval_id: str, **body: Any) -> httpx.Response:
        return self.rest.call("POST", f"/api/approvals/{approval_id}", json=body)

    def running(self, prompt: str = ONE_MINUTE, **fields: Any) -> str:
        """A turn that runs; its id."""
        turn_id = self.prompt(prompt, **fields)["turn_id"]
        until(lambda: self.turn(turn_id)["state"] == "started")
        return str(turn_id)

    def written(self) -> list[bytes]:
        """What was written to its standard input."""
        session_id = self.rest.server.agent(self.name)["session_id"]
        path = Path(self.rest.server.data.recording(session_id))
        frames = Reader().feed(path.read_bytes())
        return [
            decode_input(frame.payload).data for frame in frames if isinstance(frame, Frame) and frame.kind == Kind.IN
        ]


@pytest.fixture
def talker(rest: Rest, tmp_path: Path) -> Iterator[Talker]:
    name = next(names)
    rest.server.start_agent(name, *CLAUDE, driver="claude", cwd=str(tmp_path))
    yield Talker(rest, name)
    rest.call("POST", f"/api/agents/{name}/kill")


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


# Turns


def test_a_prompt_is_answered_by_its_turn_and_the_turn_by_its_result(talker: Talker) -> None:
    begun = talker.prompt("hello")
    assert (begun["prompt"], begun["by"], begun["repeated"]) == ("hello", "owner", False)
    ended = talker.ended(begun["turn_id"])
    assert (ended["state"], ended["ended"], ended["text"]) == ("completed", True, "You said: hello")
    assert ended["cost_usd"] > 0
    assert ended["usage"][0]["output_tokens"] > 0
    assert ended["queued_at"] <= ended["started_at"] <= ended["ended_at"]
    assert talker.call("GET", "/turns").json()["turns"] == [ended]


def test_a_result_tells_what_was_changed_and_what_went_wrong(talker: Talker) -> None:
    turn_id = talker.prompt("@write a.txt one\\ntwo\n@say Written.")["turn_id"]
    talker.decide(talker.asked()["approval_id"], decision="allow")
    ended = talker.ended(turn_id)
    assert [(Path(file["path"]).name, file["change"]) for file in ended["files"]] == [("a.txt", "created")]
    failed = talker.result("@error 529")
    assert failed["state"] == "failed"
    assert failed["reason"]


def test_a_repeated_turn_id_prompts_once(talker: Talker) -> None:
    first = talker.result("hello", turn_id="mine")
    again = talker.result("hello", turn_id="mine")
    assert again == first | {"repeated": True}
    assert talker.prompt("something else", turn_id="mine")["repeated"]
    assert len(talker.call("GET", "/turns").json()["turns"]) == 1


def test_a_prompt_waits_while_a_turn_runs_and_can_be_taken_back(talker: Talker) -> None:
    first = talker.running()
    waiting, other = talker.prompt("second"), talker.prompt("third")
    assert waiting["state"] == other["state"] == "queued"
    assert talker.call("DELETE", f"/turns/{other['turn_id']}").json()["state"] == "cancelled"
    assert code(talker.call("DELETE", f"/turns/{first}")) == (404, "TURN_NOT_FOUND")
    assert talker.call("POST", "/interrupt").json()["accepted"]
    assert talker.turn(first)["state"] == "interrupted"
    assert talker.ended(waiting["turn_id"])["text"] == "You said: second"


def test_a_prompt_that_interrupts_is_next(talker: Talker) -> None:
    first, queued = talker.running(), talker.prompt("last")
    assert talker.result("first", policy="interrupt")["text"] == "You said: first"
    assert talker.turn(first)["state"] == "interrupted"
    assert talker.ended(queued["turn_id"])["state"] == "completed"


def test_a_prompt_that_steers_goes_into_the_turn(talker: Talker) -> None:
    first = talker.running("@wait 0.5\n@bash true\n@say done")
    steered = talker.prompt("and this", policy="steer")
    assert steered["state"] in ("sent", "steered")
    talker.decide(talker.asked()["approval_id"], decision="allow")
    assert talker.ended(first)["state"] == "completed"
    assert talker.ended(steered["turn_id"])["state"] in ("steered", "completed")


def test_nothing_to_interrupt_is_said(talker: Talker) -> None:
    assert talker.call("POST", "/interrupt").json() == {"accepted": False, "repeated": False}


def test_a_turn_that_takes_longer_than_wanted_goes_on(talker: Talker) -> None:
    late = talker.call("POST", "/prompt?wait=true&timeout_s=0.2", {"prompt": ONE_MINUTE, "turn_id": "long"})
    assert code(late) == (504, "TIMED_OUT")
    assert talker.turn("long")["state"] in ("sent", "started")


def test_another_model_and_mode_hold_from_the_next_turn_on(talker: Talker) -> None:
    talker.result("hello", options={"model": "haiku", "permission_mode": "acceptEdits"})
    assert talker.rest.server.agent(talker.name)["conversation"]["mode"] == "acceptEdits"


def test_a_turn_ends_with_its_agent(talker: Talker) -> None:
    turn_id = talker.running()
    talker.call("POST", "/kill")
    assert talker.ended(turn_id)["state"] == "failed"
    assert code(talker.call("POST", "/prompt", {"prompt": "x"})) == (409, "AGENT_NOT_RUNNING")


# Approvals


def test_what_is_asked_is_listed_and_can_be_allowed(talker: Talker, tmp_path: Path) -> None:
    turn_id = talker.prompt("@write a.txt one")["turn_id"]
    asked = talker.asked()
    assert (asked["agent_name"], asked["kind"], asked["tool"]) == (talker.name, "tool", "Write")
    assert [choice["kind"] for choice in asked["choices"]] == ["allow_once", "allow_always", "deny_once"]
    assert talker.rest.server.agent(talker.name)["state"] == "waiting"
    assert talker.rest.call("GET", f"/api/approvals/{asked['approval_id']}").json() == asked
    decided = talker.decide(asked["approval_id"], decision="allow").json()
    assert (decided["decision"], decided["by"]) == ("allow", "owner")
    assert talker.ended(turn_id)["state"] == "completed"
    assert (tmp_path / "a.txt").read_text() == "one"
    assert talker.approvals() == []
    assert [one["decision"] for one in talker.approvals("decided")] == ["allow"]


def test_a_denial_reaches_the_agent_with_its_reason(talker: Talker, tmp_path: Path) -> None:
    turn_id = talker.prompt("@write a.txt one")["turn_id"]
    talker.decide(talker.asked()["approval_id"], decision="deny", reason="use b.txt")
    assert talker.ended(turn_id)["ended"]
    assert not (tmp_path / "a.txt").exists()
    assert "use b.txt" in talker.call("GET", "/logs").text


def test_a_denial_can_end_the_turn(talker: Talker) -> None:
    turn_id = talker.prompt("@bash true\n@say never said")["turn_id"]
    talker.decide(talker.asked()["approval_id"], decision="deny", interrupt=True)
    assert talker.ended(turn_id)["state"] == "interrupted"


def test_an_edited_input_is_what_runs(talker: Talker) -> None:
    turn_id = talker.prompt("@bash echo one")["turn_id"]
    talker.decide(talker.asked()["approval_id"], decision="allow", input={"command": "echo EDITED"})
    talker.ended(turn_id)
    assert "EDITED" in talker.call("GET", "/logs").text


@pytest.mark.parametrize(
    "body",
    [
        {"decision": "allow", "answers": {"Which one?": "Green"}},
        {"decision": "allow", "choice": "1.2"},
    ],
)
def test_a_question_is_answered(talker: Talker, body: Json) -> None:
    turn_id = talker.prompt("@ask Which one? | Red | Green")["turn_id"]
    asked = talker.asked()
    assert (asked["kind"], [choice["label"] for choice in asked["choices"]]) == ("question", ["Red", "Green"])
    assert talker.decide(asked["approval_id"], **body).status_code == 200
    talker.ended(turn_id)
    assert '\\"Which one?\\"=\\"Green\\"' in talker.call("GET", "/logs").text


@pytest.mark.parametrize(
    "body",
    [
        {"decision": "allow", "choice": "none-of-them"},
        {"decision": "deny", "choice": "allow"},
        {"decision": "perhaps"},
        {"choice": "allow"},
        {"decision": "allow", "input": "text"},
        {"decision": "allow", "no_such_field": 1},
    ],
)
def test_a_decision_that_makes_no_sense_is_refused_and_can_be_made_again(talker: Talker, body: Json) -> None:
    talker.prompt("@bash true")
    asked = talker.asked()
    refused = talker.decide(asked["approval_id"], **body)
    assert code(refused) == (422, "INVALID_REQUEST")
    assert ("deny (No)" in refused.text) == (body.get("choice") == "none-of-them")
    assert talker.decide(asked["approval_id"], decision="allow", choice="allow").status_code == 200


def test_of_two_who_answer_at_once_one_wins_and_the_other_is_told(talker: Talker) -> None:
    for number in range(3):
        talker.prompt(f"@bash echo {number}")
        asked = talker.asked()["approval_id"]
        with ThreadPoolExecutor(4) as pool:
            ways = ["allow", "deny", "allow", "deny"]
            answers = list(pool.map(lambda way, asked=asked: (way, talker.decide(asked, decision=way)), ways))
        won = [(way, answer.json()) for way, answer in answers if answer.status_code == 200]
        lost = [answer for _, answer in answers if answer.status_code != 200]
        assert [(way, view["decision"]) for way, view in won] == [(won[0][0], won[0][0])]
        assert {code(answer) for answer in lost} == {(409, "ALREADY_DECIDED")}
        assert {answer.json()["error"]["details"]["decision"] for answer in lost} == {won[0][0]}
        until(lambda: talker.rest.server.agent(talker.name)["state"] == "idle")
    replies = [data for data in talker.written() if b'"control_response"' in data]
    assert len(replies) == 3


def test_what_was_asked_of_an_agent_that_ended_is_settled(talker: Talker) -> None:
    talker.prompt("@bash true")
    asked = talker.asked()["approval_id"]
    talker.call("POST", "/kill")
    until(lambda: talker.approvals() == [])
    assert code(talker.decide(asked, decision="allow")) == (409, "ALREADY_DECIDED")
    assert talker.rest.call("GET", f"/api/approvals/{asked}").json()["decision"] == "withdrawn"


# What is refused


def test_garbage_never_reaches_the_agent(talker: Talker) -> None:
    talker.result("hello")
    before = talker.written()
    for body in (
        {},
        {"prompt": ""},
        {"prompt": 5},
        {"prompt": "x", "policy": "now"},
        {"prompt": "x", "turn_id": "a b"},
    ):
        assert code(talker.call("POST", "/prompt", body)) == (422, "INVALID_REQUEST")
    options = {"dangerously_skip_permissions": "true"}
    assert code(talker.call("POST", "/prompt", {"prompt": "x", "options": options})) == (422, "INVALID_REQUEST")
    misspelt = talker.call("POST", "/prompt", {"prompt": "x", "options": {"permission_mode": "pln"}})
    assert code(misspelt) == (422, "INVALID_REQUEST")
    assert "'plan'" in misspelt.text
    assert talker.rest.call("POST", f"/api/agents/{talker.name}/prompt", content=b"{").status_code in (400, 415)
    assert code(talker.call("POST", "/input", {"input": '{"type":"user"}\n'})) == (409, "INPUT_REFUSED")
    assert code(talker.call("POST", "/input", {"keys": ["C-c"]})) == (409, "INPUT_REFUSED")
    assert talker.written() == before
    assert talker.result("still here")["text"] == "You said: still here"


def test_others_take_no_prompts(rest: Rest) -> None:
    name = next(names)
    rest.server.start_agent(name, "sleep", "1000", driver="lines")
    answers = [
        rest.call("POST", f"/api/agents/{name}/prompt", json={"prompt": "x"}),
        rest.call("GET", f"/api/agents/{name}/turns"),
        rest.call("POST", f"/api/agents/{name}/interrupt"),
    ]
    assert {code(answer) for answer in answers} == {(409, "NOT_STRUCTURED")}
    rest.call("POST", f"/api/agents/{name}/kill")


def test_what_is_not_there_is_not_found(talker: Talker) -> None:
    call = talker.rest.call
    assert code(call("POST", "/api/agents/nobody/prompt", json={"prompt": "x"})) == (404, "AGENT_NOT_FOUND")
    assert code(call("GET", "/api/approvals?agent=nobody&state=decided")) == (404, "AGENT_NOT_FOUND")
    assert code(talker.call("GET", "/turns/none")) == (404, "TURN_NOT_FOUND")
    assert code(talker.decide("none-1", decision="allow")) == (404, "APPROVAL_NOT_FOUND")
    assert code(call("GET", "/api/approvals/none")) == (404, "APPROVAL_NOT_FOUND")


def test_who_may_only_look_may_not_talk(talker: Talker) -> None:
    talker.prompt("@bash true")
    asked = talker.asked()["approval_id"]
    call = talker.rest.call
    refused = [
        call("POST", f"/api/agents/{talker.name}/prompt", role="viewer", json={"prompt": "x"}),
        call("POST", f"/api/agents/{talker.name}/interrupt", role="viewer"),
        call("POST", f"/api/approvals/{asked}", role="viewer", json={"decision": "allow"}),
    ]
    assert {code(answer) for answer in refused} == {(403, "FORBIDDEN")}
    assert call("GET", "/api/approvals", role="viewer").status_code == 200


# The control socket


def test_the_socket_prompts_interrupts_and_answers(talker: Talker) -> None:
    with Socket(talker.rest, talker.name, "?output=events&types=turn,permission") as client:
        turn = client.command("prompt", {"prompt": "@bash echo one\n@wait 60", "turn_id": "mine"})["data"]
        assert (turn["turn_id"], turn["repeated"]) == ("mine", False)
        assert client.command("prompt", {"prompt": "x", "turn_id": "mine"})["data"]["repeated"]
        asked = client.until(lambda frame: frame["type"] == "permission")["data"]
        decided = client.command("approve", {"approval_id": asked["approval_id"]})["data"]
        assert decided["decision"] == "allow"
        again = client.command("approve", {"approval_id": asked["approval_id"], "decision": "deny"})
        assert (again["type"], again["code"]) == ("error", "ALREADY_DECIDED")
        assert client.command("interrupt")["data"]["accepted"]
        if not any(_is_interrupted(frame) for frame in client.others):
            client.until(_is_interrupted)


def _is_interrupted(frame: Json) -> bool:
    return frame["type"] == "turn" and frame["data"]["turn_id"] == "mine" and frame["data"]["state"] == "interrupted"


def test_garbage_on_the_socket_gets_an_error_and_never_reaches_the_agent(talker: Talker) -> None:
    talker.result("hello")
    before = talker.written()
    with Socket(talker.rest, talker.name) as client:
        for command, data in (
            ("prompt", {}),
            ("prompt", {"prompt": ["x"]}),
            ("approve", {}),
            ("approve", {"approval_id": 1}),
        ):
            assert client.command(command, data)["code"] == "INVALID_REQUEST"
        assert client.command("approve", {"approval_id": "none"})["code"] == "APPROVAL_NOT_FOUND"
        assert client.command("send_input", {"input": "{}\n"})["code"] == "INPUT_REFUSED"
        client.send("not json")
        assert client.of("error")["code"] == "MALFORMED_REQUEST"
        assert talker.written() == before
        assert client.command("prompt", {"prompt": "still here"})["success"]


def test_lines_of_a_conversation_are_its_transcript(talker: Talker) -> None:
    talker.result("hello")
    page = talker.call("GET", "/logs?limit=2").json()
    assert [line["line"] for line in page["lines"]][:1] == ["› hello"]
    rest = talker.call("GET", f"/logs?cursor={page['next_cursor']}").json()["lines"]
    assert "You said: hello" in [line["line"] for line in rest]
    assert rest[-1]["line"].startswith("✓ completed after")
    talker.call("POST", "/kill")
    followed = talker.call("GET", "/logs?follow=true").text.splitlines()
    assert followed[0] == "› hello"
    assert followed[-1] == "— the agent ended with SIGKILL"
