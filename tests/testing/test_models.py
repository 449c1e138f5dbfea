"""The fake model endpoint, asked in every maker's words."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from roost.testing.models.playing import located
from roost.testing.models.script import STEPS as STEP_NAMES
from roost.testing.models.script import Call, Fail, Say, Think, read_script
from roost.testing.models.server import FakeModel, fake_models
from roost.testing.models.toolnames import FreeText, made
from roost.testing.models.wire import MODEL, TOOL, USER, Turn

Json = dict[str, Any]
TALK = "@think Hm\n@say Hello there, this is a longer text.\n@bash echo one\n@also read a.txt\n@say Done."


@pytest.fixture
def model() -> Iterator[FakeModel]:
    with fake_models() as running:
        yield running


def post(model: FakeModel, path: str, body: Json) -> httpx.Response:
    return httpx.post(model.url + path, json=body, timeout=10)


def events(answer: httpx.Response) -> list[Json]:
    rows = [row.removeprefix("data: ") for row in answer.text.splitlines() if row.startswith("data: ")]
    return [json.loads(row) for row in rows if row != "[DONE]"]


def anthropic(*messages: Json, stream: bool = True, tools: bool = True, **fields: Any) -> Json:
    offered = [{"name": name} for name in ("Bash", "Read", "Write")] if tools else []
    return {"model": "m", "messages": list(messages), "stream": stream, "tools": offered, **fields}


def said(text: str) -> Json:
    return {"role": "user", "content": [{"type": "text", "text": text}]}


def test_anthropic_streams_blocks(model: FakeModel) -> None:
    answer = post(model, "/v1/messages", anthropic(said(TALK)))
    assert answer.headers["content-type"] == "text/event-stream"
    got = events(answer)
    starts = [event["content_block"]["type"] for event in got if event["type"] == "content_block_start"]
    assert starts == ["thinking", "text", "tool_use", "tool_use"]
    text = "".join(event["delta"].get("text", "") for event in got if event["type"] == "content_block_delta")
    assert text == "Hello there, this is a longer text."
    assert (got[0]["type"], got[-1]["type"]) == ("message_start", "message_stop")
    assert got[-2]["delta"]["stop_reason"] == "tool_use"


def test_anthropic_answers_whole(model: FakeModel) -> None:
    got = post(model, "/v1/messages", anthropic(said("@wait 0\n@tokens 5 6\n@stop max_tokens\n@say hi"), stream=False))
    body = got.json()
    assert (body["content"], body["stop_reason"]) == ([{"type": "text", "text": "hi"}], "max_tokens")
    assert (body["usage"]["input_tokens"], body["usage"]["output_tokens"]) == (5, 6)


def test_the_script_goes_on_after_the_results(model: FakeModel) -> None:
    called = {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "Bash", "input": {}}]}
    result = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "one"}]}
    body = post(model, "/v1/messages", anthropic(said(TALK), called, result, stream=False)).json()
    assert body["content"][0]["text"] == "Done."


def test_plain_words_are_given_back_and_side_requests_get_little(model: FakeModel) -> None:
    plain = post(model, "/v1/messages", anthropic(said("hello"), stream=False)).json()
    side = post(model, "/v1/messages", anthropic(said("@bash true"), stream=False, tools=False)).json()
    assert [body["content"][0]["text"] for body in (plain, side)] == ["You said: hello", "ok"]


@pytest.mark.parametrize(("status", "kind"), [(401, "authentication_error"), (429, "rate_limit_error"), (529, None)])
def test_errors_come_so_often_as_they_were_asked_for(model: FakeModel, status: int, kind: str | None) -> None:
    body = anthropic(said(f"@error {status} times=2\n@say better"), stream=False)
    answers = [post(model, "/v1/messages", body) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [status, status, 200]
    assert answers[0].json()["error"]["type"] == (kind or "overloaded_error")


def test_errors_can_be_of_one_model(model: FakeModel) -> None:
    body = anthropic(said("@error 529 model=opus\n@say hi"))
    assert post(model, "/v1/messages", {**body, "model": "claude-opus"}).status_code == 529
    assert post(model, "/v1/messages", {**body, "model": "claude-haiku"}).status_code == 200


def test_a_stream_can_be_cut_once(model: FakeModel) -> None:
    body = anthropic(said("@say part\n@cut\n@say end"))
    with pytest.raises(httpx.RemoteProtocolError):
        post(model, "/v1/messages", body)
    assert post(model, "/v1/messages", body).status_code == 200


def test_tokens_are_counted(model: FakeModel) -> None:
    assert post(model, "/v1/messages/count_tokens", anthropic(said("hello"))).json()["input_tokens"] > 1
    assert post(model, "/v1beta/models/g:countTokens", {"contents": []}).json()["totalTokens"] >= 1


def responses(*items: Json, stream: bool = True) -> Json:
    tools = [{"type": "function", "name": "exec_command"}, {"type": "custom", "name": "apply_patch"}]
    return {"model": "m", "input": list(items), "stream": stream, "tools": tools}


def test_openai_responses_stream_items(model: FakeModel) -> None:
    asked = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": TALK}]}
    got = events(post(model, "/v1/responses", responses(asked)))
    assert [event["sequence_number"] for event in got] == list(range(len(got)))
    done = [event["item"] for event in got if event["type"] == "response.output_item.done"]
    assert [item["type"] for item in done] == ["reasoning", "message", "function_call", "function_call"]
    assert json.loads(done[2]["arguments"]) == {"cmd": "echo one"}
    assert got[-1]["response"]["output"] == done


def test_openai_responses_patch_files_and_go_on(model: FakeModel) -> None:
    asked = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "@write a.txt x\n@say end"}]}
    first = post(model, "/v1/responses", responses(asked, stream=False)).json()["output"]
    assert (first[0]["type"], first[0]["name"]) == ("custom_tool_call", "apply_patch")
    output = {"type": "custom_tool_call_output", "call_id": "c", "output": "ok"}
    second = post(model, "/v1/responses", responses(asked, *first, output)).text
    assert "end" in second


def chat(*messages: Json, stream: bool = True) -> Json:
    tools = [{"type": "function", "function": {"name": name}} for name in ("bash", "read")]
    return {"model": "m", "messages": list(messages), "stream": stream, "tools": tools}


def test_openai_chat_streams_chunks(model: FakeModel) -> None:
    answer = post(model, "/v1/chat/completions", chat({"role": "user", "content": TALK}))
    assert answer.text.rstrip().endswith("data: [DONE]")
    chunks = [event["choices"][0] for event in events(answer) if event["choices"]]
    assert "".join(chunk["delta"].get("content") or "" for chunk in chunks) == "Hello there, this is a longer text."
    assert "".join(chunk["delta"].get("reasoning_content") or "" for chunk in chunks) == "Hm"
    assert chunks[-1]["finish_reason"] == "tool_calls"


def test_openai_chat_answers_whole(model: FakeModel) -> None:
    body = post(model, "/v1/chat/completions", chat({"role": "user", "content": TALK}, stream=False)).json()
    calls = [call["function"]["name"] for call in body["choices"][0]["message"]["tool_calls"]]
    assert calls == ["bash", "read"]
    refused = post(model, "/v1/chat/completions", chat({"role": "user", "content": "@error 500"}))
    assert (refused.status_code, refused.json()["error"]["code"]) == (500, "server_error")


def gemini(text: str) -> Json:
    tools = [{"functionDeclarations": [{"name": "run_shell_command"}, {"name": "read_file"}]}]
    return {"contents": [{"role": "user", "parts": [{"text": text}]}], "tools": tools}


def test_gemini_streams_and_answers_whole(model: FakeModel) -> None:
    got = events(post(model, "/v1beta/models/g-1:streamGenerateContent?alt=sse", gemini(TALK)))
    parts = [part for event in got for part in event["candidates"][0]["content"]["parts"]]
    assert parts[0] == {"text": "Hm", "thought": True}
    assert [part["functionCall"]["name"] for part in parts if "functionCall" in part] == [
        "run_shell_command",
        "read_file",
    ]
    assert got[-1]["candidates"][0]["finishReason"] == "STOP"
    whole = post(model, "/v1beta/models/g-1:generateContent", gemini("@say hi")).json()
    assert (whole["candidates"][0]["content"]["parts"], whole["modelVersion"]) == ([{"text": "hi"}], "g-1")
    refused = post(model, "/v1beta/models/g-1:generateContent", gemini("@error 429"))
    assert refused.json()["error"]["status"] == "RESOURCE_EXHAUSTED"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/responses", responses({"role": "user", "content": "@say part\n@wait 0\n@cut"})),
        ("/v1/chat/completions", chat({"role": "user", "content": "@say part\n@wait 0\n@cut"})),
        ("/v1beta/models/g:streamGenerateContent", gemini("@slow 0.01 part\n@wait 0\n@cut")),
    ],
)
def test_every_stream_can_be_cut(model: FakeModel, path: str, body: Json) -> None:
    with pytest.raises(httpx.RemoteProtocolError):
        post(model, path, body)


def test_models_are_listed_and_nothing_else_is_there(model: FakeModel) -> None:
    assert httpx.get(f"{model.url}/v1/models").json()["data"][0]["id"] == "fake-model"
    assert httpx.get(f"{model.url}/v1/models?client_version=1").json() == {"models": []}
    assert httpx.get(f"{model.url}/nothing").status_code == 404
    assert httpx.head(f"{model.url}/v1/models").status_code == 200
    assert post(model, "/nothing", {}).status_code == 404


def test_requests_are_recorded_without_keys(model: FakeModel) -> None:
    httpx.post(f"{model.url}/v1/messages", json=anthropic(said("hi")), headers={"x-api-key": "secret", "x-one": "1"})
    (request,) = model.requests
    assert (request.method, request.path, request.model, request.tools[0]) == ("POST", "/v1/messages", "m", "Bash")
    assert request.headers["x-one"] == "1"
    assert "secret" not in str(request)


def test_bodies_may_be_compressed_chunked_or_nonsense(model: FakeModel) -> None:
    def pieces() -> Iterator[bytes]:
        yield b'{"model": "m", '
        yield b'"messages": []}'

    assert httpx.post(f"{model.url}/v1/messages", content=pieces()).status_code == 200
    assert httpx.post(f"{model.url}/v1/messages", content=b"nonsense").status_code == 200
    packed = gzip.compress(json.dumps(anthropic(said("@say hi"), stream=False)).encode())
    answer = httpx.post(f"{model.url}/v1/messages", content=packed, headers={"content-encoding": "gzip"})
    assert answer.json()["content"][0]["text"] == "hi"


def test_answers_can_be_given_in_python() -> None:
    script = [[Think("Hm"), Call("bash", {"command": "true"})], [Fail(500)], [Say("end")]]
    with FakeModel(script) as model:
        answers = [post(model, "/v1/messages", anthropic(said("x"), stream=False)) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [200, 500, 200, 200]
    texts = [answer.json()["content"][-1].get("text") for answer in answers if answer.status_code == 200]
    assert texts == [None, "end", "Done."]


def test_it_runs_by_itself(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "roost.testing.models", "--port", "0", "--log", str(tmp_path / "log")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/v1/models").status_code == 200
        process.terminate()
        assert process.wait(10) == 0
    assert json.loads((tmp_path / "log").read_text())["path"] == "/v1/models"


def test_the_last_script_holds() -> None:
    turns = [Turn(USER, ("@say one",)), Turn(MODEL, ("one",)), Turn(USER, ("<env>x</env>", "@bash a\n@say two"))]
    assert located(turns) == ("@bash a\n@say two", 0)
    assert located([*turns, Turn(MODEL, ()), Turn(MODEL, ()), Turn(TOOL, ("a",))]) == ("@bash a\n@say two", 1)
    assert located([Turn(USER, ("<env>x</env>",))]) == ("", 0)


def test_steps_of_one_line_and_of_several() -> None:
    assert read_script("@bash echo a; echo b ; @also bash c ; @say d") == [
        [Call("bash", {"command": "echo a; echo b"}), Call("bash", {"command": "c"})],
        [Say("d")],
    ]
    assert read_script("@write 'a b.txt' one\ntwo")[0] == [Call("write", {"path": "a b.txt", "text": "one\ntwo"})]


OFFERED = {
    "claude": ("Bash", "Read"),
    "codex": ("exec_command", "apply_patch"),
    "older codex": ("shell",),
    "codex with one shell": ("shell_command",),
    "gemini": ("run_shell_command", "read_file"),
    "opencode": ("bash", "read"),
}
STEPS = ["@bash a", "@read a", "@write a b", "@edit a b => c", "@plan a | x b", "@ask a? | b", "@agent say a"]


@pytest.mark.parametrize("step", STEPS)
@pytest.mark.parametrize("offered", OFFERED.values(), ids=OFFERED)
def test_every_family_has_words_for_what_is_called(offered: tuple[str, ...], step: str) -> None:
    (call, *_), *_ = read_script(step)
    assert isinstance(call, Call)
    name, given = made(call, offered, "<cwd>/here</cwd>")
    assert name
    assert isinstance(given, FreeText) or "/here/a" in str(given) or "path" not in call.input


def test_a_working_directory_makes_paths_absolute() -> None:
    call = Call("read", {"path": "a.txt"})
    assert made(call, ("Read",), "Primary working directory: /home/me/x\\n") == (
        "Read",
        {"file_path": "/home/me/x/a.txt"},
    )
    assert made(call, ("Read",), "nothing") == ("Read", {"file_path": "a.txt"})
    assert made(call, ()) == ("read", {"path": "a.txt"})
    assert made(call._replace(is_raw=True), ("Read",)) == ("read", {"path": "a.txt"})


def test_every_step_is_in_the_reference() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "reference" / "testing-kit.md").read_text()
    assert [name for name in (*STEP_NAMES, "also") if f"| `@{name}" not in page] == []
