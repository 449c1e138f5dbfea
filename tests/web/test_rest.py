"""Agents over REST, against a real server with a real keeper and real programs."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.waiting import until
from tests.web.conftest import Rest

ECHO = ["python3", "-c", "import sys\nfor line in sys.stdin: print('got', line.strip(), flush=True)"]
FOREVER = ["sleep", "1000"]
Named = Callable[..., str]


@pytest.fixture
def started(rest: Rest, request: pytest.FixtureRequest) -> Named:
    """Starts an agent named after the test and gives its name; it is stopped and removed at the end."""
    names: list[str] = []

    def start(command: Any, suffix: str = "", **fields: Any) -> str:
        name = f"{request.node.originalname[:50]}{suffix}"
        answer = rest.call("POST", "/api/agents", json={"name": name, "command": command, **fields})
        assert answer.status_code == 201, answer.text
        names.append(name)
        return name

    def end() -> None:
        for name in names:
            rest.call("POST", f"/api/agents/{name}/kill")
            rest.call("DELETE", f"/api/agents/{name}?purge=true")

    request.addfinalizer(end)
    return start


def error_of(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def lines(rest: Rest, name: str, **query: Any) -> list[str]:
    answer = rest.call("GET", f"/api/agents/{name}/logs", params=query)
    assert answer.status_code == 200, answer.text
    return [line["line"] for line in answer.json()["lines"]]


def ended(rest: Rest, name: str) -> dict[str, Any]:
    def look() -> dict[str, Any] | None:
        view: dict[str, Any] = rest.call("GET", f"/api/agents/{name}").json()
        return view if view["state"] in ("exited", "failed") else None

    found = until(look, what=f"{name} to end")
    assert found is not None
    return found


# Starting


def test_an_agent_is_started_from_a_shell_like_string(rest: Rest, started: Named) -> None:
    name = started("sh -c 'echo \"hello $0\"; exit 3' world")
    view = ended(rest, name)
    assert (view["state"], view["exit_code"]) == ("failed", 3)
    assert view["command"] == ["sh", "-c", 'echo "hello $0"; exit 3', "world"]
    assert lines(rest, name) == ["hello world"]


def test_no_shell_is_started_that_was_not_named(rest: Rest, started: Named) -> None:
    name = started("echo $HOME ; echo x", args=["&&", "true"])
    ended(rest, name)
    assert lines(rest, name) == ["$HOME ; echo x && true"]


def test_variables_reach_the_agent_and_are_shown_by_name_only(rest: Rest, started: Named) -> None:
    name = started(["sh", "-c", "echo $SECRET"], env={"SECRET": "s3cret-value"})
    ended(rest, name)
    view = rest.call("GET", f"/api/agents/{name}")
    assert lines(rest, name) == ["s3cret-value"]
    assert "SECRET" in view.json()["env_names"]
    assert "s3cret-value" not in view.text


def test_a_plain_env_labels_the_environment(rest: Rest, started: Named) -> None:
    name = started(FOREVER, env="production", labels={"team": "web"}, role="reviewer", capabilities=["review"])
    view = rest.call("GET", f"/api/agents/{name}").json()
    assert (view["environment"], view["labels"], view["role"]) == ("production", {"team": "web"}, "reviewer")


def test_directory_and_size_are_the_agents(rest: Rest, started: Named, tmp_path: Any) -> None:
    name = started(["sh", "-c", "pwd; stty size"], cwd=str(tmp_path), size={"cols": 100, "rows": 30})
    ended(rest, name)
    assert lines(rest, name) == [str(tmp_path), "30 100"]


def test_a_request_repeated_with_its_session_id_starts_nothing_twice(rest: Rest, started: Named) -> None:
    name = started(FOREVER, session_id="chosen-by-the-caller")
    again = rest.call(
        "POST", "/api/agents", json={"name": name, "command": FOREVER, "session_id": "chosen-by-the-caller"}
    )
    assert again.status_code == 201
    assert again.json()["pid"] == rest.call("GET", f"/api/agents/{name}").json()["pid"]


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"name": "x"}, 422, "INVALID_REQUEST", "command"),
        ({"command": "true"}, 422, "INVALID_REQUEST", "name"),
        ({"name": "x", "command": ""}, 422, "INVALID_REQUEST", "command"),
        ({"name": "x", "command": []}, 422, "INVALID_REQUEST", "command"),
        ({"name": "x", "command": 7}, 422, "INVALID_REQUEST", "command"),
        ({"name": "x", "command": "sh -c 'open"}, 422, "INVALID_REQUEST", "command"),
        ({"name": "x", "command": ["a\0b"]}, 422, "INVALID_REQUEST", "command"),
        ({"name": "x", "command": "true", "colour": 1}, 422, "INVALID_REQUEST", "colour"),
        (
            {"name": "x", "command": "true", "limits": {"memory_bytes": "1G"}},
            422,
            "INVALID_REQUEST",
            "limits.memory_bytes",
        ),
        ({"name": "x", "command": "true", "size": {"cols": 0}}, 422, "INVALID_REQUEST", "size.cols"),
        ({"name": "x", "command": "true", "restart": "sometimes"}, 422, "INVALID_REQUEST", "restart"),
        ({"name": "x", "command": "true", "placement": {"node": "n"}}, 422, "NOT_SUPPORTED", "placement"),
        ({"name": "x", "command": "true", "worktree": True}, 422, "NOT_SUPPORTED", "worktree"),
        ({"name": "../x", "command": "true"}, 422, "INVALID_NAME", None),
        ({"name": "", "command": "true"}, 422, "INVALID_NAME", None),
        ({"name": "a" * 65, "command": "true"}, 422, "INVALID_NAME", None),
        ({"name": "ü", "command": "true"}, 422, "INVALID_NAME", None),
        ({"name": "x", "command": "no-such-program-anywhere"}, 422, "PROGRAM_NOT_FOUND", None),
        ({"name": "x", "command": "/etc/passwd"}, 422, "PROGRAM_NOT_EXECUTABLE", None),
        ({"name": "x", "command": "true", "cwd": "/nowhere/at/all"}, 422, "DIRECTORY_UNUSABLE", None),
        ({"name": "x", "command": "true", "cwd": "relative"}, 422, "DIRECTORY_UNUSABLE", None),
        ([], 422, "INVALID_REQUEST", ""),
        ("text", 422, "INVALID_REQUEST", ""),
    ],
)
def test_what_cannot_be_started_says_why(rest: Rest, body: Any, status: int, code: str, field: str | None) -> None:
    answer = rest.call("POST", "/api/agents", json=body)
    assert error_of(answer) == (status, code), answer.text
    if field is not None:
        assert answer.json()["error"]["details"]["field"] == field
    assert rest.call("GET", "/api/agents/x").status_code == 404


def test_a_running_agents_name_is_taken(rest: Rest, started: Named) -> None:
    name = started(FOREVER)
    assert error_of(rest.call("POST", "/api/agents", json={"name": name, "command": "true"})) == (409, "AGENT_RUNNING")


# Knowing


def test_agents_are_listed_filtered_and_paged(rest: Rest, started: Named) -> None:
    names = [started(FOREVER, f"-{letter}", labels={"for": "paging", "letter": letter}) for letter in "abc"]
    first = rest.call("GET", "/api/agents", params={"label": "for=paging", "limit": 2}).json()
    assert ([agent["name"] for agent in first["agents"]], first["total"]) == (names[:2], 3)
    rest_of = rest.call("GET", "/api/agents", params={"label": "for=paging", "cursor": first["next_cursor"]}).json()
    assert ([agent["name"] for agent in rest_of["agents"]], rest_of["next_cursor"]) == (names[2:], None)
    query = {"label": ["for=paging", "letter=b"], "state": ["running", "exited"], "driver": "terminal", "q": "SLEEP"}
    assert [agent["name"] for agent in rest.call("GET", "/api/agents", params=query).json()["agents"]] == names[1:2]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("limit=0", 422, "INVALID_REQUEST"),
        ("limit=10001", 422, "INVALID_REQUEST"),
        ("limit=x", 422, "INVALID_REQUEST"),
        ("limit=1&limit=2", 422, "INVALID_REQUEST"),
        ("state=sleeping", 422, "INVALID_REQUEST"),
        ("colour=red", 422, "INVALID_REQUEST"),
        ("cursor=abc", 400, "INVALID_CURSOR"),
        ("q=%ff", 400, "MALFORMED_REQUEST"),
        ("&".join(f"label=l{number}" for number in range(101)), 400, "MALFORMED_REQUEST"),
    ],
)
def test_a_list_says_what_is_wrong_with_the_question(rest: Rest, query: str, status: int, code: str) -> None:
    assert error_of(rest.call("GET", f"/api/agents?{query}")) == (status, code)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ""),
        ("DELETE", ""),
        ("DELETE", "?purge=true"),
        ("POST", "/kill"),
        ("POST", "/pause"),
        ("POST", "/resume"),
        ("POST", "/restart"),
        ("GET", "/screen"),
        ("GET", "/logs"),
        ("GET", "/logs?follow=true"),
        ("GET", "/stream"),
        ("GET", "/diff"),
        ("POST", "/interrupt"),
    ],
)
def test_an_unknown_agent_is_not_found(rest: Rest, method: str, path: str) -> None:
    assert error_of(rest.call(method, f"/api/agents/nobody{path}")) == (404, "AGENT_NOT_FOUND")


def test_an_ended_agent_cannot_be_steered(rest: Rest, started: Named) -> None:
    name = started("true")
    ended(rest, name)
    for method, path, body in (
        ("DELETE", "", None),
        ("POST", "/kill", None),
        ("POST", "/pause", None),
        ("POST", "/resume", None),
        ("POST", "/input", {"input": "x"}),
        ("POST", "/close-input", None),
        ("POST", "/resize", {"cols": 80, "rows": 24}),
        ("POST", "/signal", {"signal": "INT"}),
    ):
        answer = rest.call(method, f"/api/agents/{name}{path}", json=body)
        assert error_of(answer) == (409, "AGENT_NOT_RUNNING"), path


# Ending


def test_stopping_answers_when_the_agent_is_gone(rest: Rest, started: Named) -> None:
    name = started(FOREVER)
    answer = rest.call("DELETE", f"/api/agents/{name}?grace_s=5")
    assert (answer.status_code, answer.json()["signal"]) == (200, "SIGTERM")
    assert answer.json()["state"] in ("exited", "failed")


def test_an_agent_that_ignores_the_stop_is_killed_after_its_grace(rest: Rest, started: Named) -> None:
    name = started(["sh", "-c", "trap '' TERM HUP; echo ready; while :; do sleep 1; done"])
    until(lambda: lines(rest, name) == ["ready"])
    assert rest.call("DELETE", f"/api/agents/{name}?grace_s=0.2").json()["signal"] == "SIGKILL"


def test_killing(rest: Rest, started: Named) -> None:
    assert rest.call("POST", f"/api/agents/{started(FOREVER)}/kill").json()["signal"] == "SIGKILL"


def test_purging_removes_an_ended_agent_with_its_files(rest: Rest, started: Named) -> None:
    name = started("echo x")
    session = ended(rest, name)["session_id"]
    data = rest.server.data
    assert data.recording(session).exists()
    assert rest.call("DELETE", f"/api/agents/{name}?purge=true").status_code == 204
    assert error_of(rest.call("GET", f"/api/agents/{name}")) == (404, "AGENT_NOT_FOUND")
    assert not data.recording(session).exists()


def test_a_running_agent_is_not_purged(rest: Rest, started: Named) -> None:
    name = started(FOREVER)
    assert error_of(rest.call("DELETE", f"/api/agents/{name}?purge=true")) == (409, "AGENT_RUNNING")


@pytest.mark.parametrize("query", ["grace_s=-1", "grace_s=x", "grace_s=nan", "grace_s=3601", "purge=maybe"])
def test_a_stop_says_what_is_wrong_with_the_question(rest: Rest, query: str) -> None:
    assert error_of(rest.call("DELETE", f"/api/agents/nobody?{query}")) == (422, "INVALID_REQUEST")


# Steering


def test_pause_and_resume(rest: Rest, started: Named) -> None:
    name = started(FOREVER)
    assert rest.call("POST", f"/api/agents/{name}/pause").json()["state"] == "paused"
    assert rest.call("POST", f"/api/agents/{name}/resume").json()["state"] == "running"


def test_restarting_gives_a_new_session_of_the_same_definition(rest: Rest, started: Named) -> None:
    name = started(["sh", "-c", "echo $COLOUR; sleep 1000"], env={"COLOUR": "blue"}, labels={"a": "b"})
    first = rest.call("GET", f"/api/agents/{name}").json()
    second = rest.call("POST", f"/api/agents/{name}/restart").json()
    assert second["session_id"] != first["session_id"]
    assert (second["labels"], second["restarts"]) == ({"a": "b"}, 1)
    until(lambda: lines(rest, name) == ["blue"])
    older = rest.call("GET", f"/api/agents/{name}/logs", params={"session": first["session_id"]}).json()
    assert older["session_id"] == first["session_id"]


@pytest.mark.parametrize("signal", ["SIGINT", "int"])
def test_signals_have_names(rest: Rest, started: Named, signal: str) -> None:
    name = started(FOREVER, f"-{signal}")
    assert rest.call("POST", f"/api/agents/{name}/signal", json={"signal": signal}).status_code == 200
    assert ended(rest, name)["signal"] == "SIGINT"


@pytest.mark.parametrize("body", [{"signal": "SIGNOTHING"}, {"signal": ""}, {}, {"signal": "INT", "scope": "world"}])
def test_unknown_signals_are_refused(rest: Rest, started: Named, body: dict[str, str]) -> None:
    name = started(FOREVER, str(len(str(body))))
    assert error_of(rest.call("POST", f"/api/agents/{name}/signal", json=body)) == (422, "INVALID_REQUEST")


def test_resizing_tells_the_agent(rest: Rest, started: Named) -> None:
    name = started(["bash", "-c", "trap 'stty size' WINCH; echo ready; while :; do sleep 0.1; done"])
    until(lambda: lines(rest, name) == ["ready"])
    answer = rest.call("POST", f"/api/agents/{name}/resize", json={"cols": 120, "rows": 40})
    assert (answer.status_code, answer.json()["cols"], answer.json()["rows"]) == (200, 120, 40)
    until(lambda: "40 120" in lines(rest, name))


@pytest.mark.parametrize("body", [{"cols": 0, "rows": 1}, {"cols": 1001, "rows": 1}, {"cols": "80", "rows": 24}])
def test_impossible_sizes_are_refused(rest: Rest, body: dict[str, Any]) -> None:
    assert error_of(rest.call("POST", "/api/agents/nobody/resize", json=body)) == (422, "INVALID_REQUEST")


def test_what_comes_later_says_so(rest: Rest, started: Named) -> None:
    name = started("true", "-diff")
    assert error_of(rest.call("GET", f"/api/agents/{name}/diff")) == (422, "NOT_SUPPORTED")


# Typing


def typed(rest: Rest, name: str, **body: Any) -> dict[str, Any]:
    answer = rest.call("POST", f"/api/agents/{name}/input", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_text_keys_and_pastes_are_typed(rest: Rest, started: Named) -> None:
    name = started(ECHO)
    typed(rest, name, input="one\n")
    typed(rest, name, keys=["t", "w", "o", "Enter"])
    typed(rest, name, paste="three", enter=True)
    typed(rest, name, input_base64=base64.b64encode(b"four\n").decode())
    until(lambda: [line for line in lines(rest, name) if "got" in line] == [f"got {n}" for n in NUMBERS])


NUMBERS = ("one", "two", "three", "four")


def test_a_key_can_interrupt(rest: Rest, started: Named) -> None:
    name = started(FOREVER)
    typed(rest, name, keys=["C-c"])
    assert ended(rest, name)["signal"] == "SIGINT"


def test_a_paste_is_marked_for_programs_that_ask(rest: Rest, started: Named) -> None:
    program = "import sys,tty;tty.setraw(0);print('\\x1b[?2004hready',end='\\r\\n',flush=True);"
    program += "print(repr(sys.stdin.buffer.raw.read(100)),flush=True)"
    name = started(["python3", "-c", program])
    until(lambda: "ready" in "".join(lines(rest, name)))
    typed(rest, name, paste="a\nb")
    until(lambda: "b'\\x1b[200~a\\rb\\x1b[201~'" in "".join(lines(rest, name)))


@pytest.mark.parametrize("driver", ["lines", "terminal"])
def test_input_can_be_ended(rest: Rest, started: Named, driver: str) -> None:
    name = started(["sh", "-c", "cat; echo over"], f"-{driver}", driver=driver)
    typed(rest, name, paste_base64=base64.b64encode(b"bye\n").decode())
    answer = rest.call("POST", f"/api/agents/{name}/close-input")
    assert (answer.status_code, answer.json()["accepted"]) == (200, True)
    ended(rest, name)
    until(lambda: lines(rest, name)[-2:] == ["bye", "over"])


def test_what_a_new_agent_uses_is_known_at_once(rest: Rest, started: Named) -> None:
    view = rest.call("GET", f"/api/agents/{started(FOREVER)}").json()
    assert view["memory_bytes"] > 0
    assert view["processes"] >= 1
    assert view["cpu_percent"] is not None


def test_a_repeated_input_is_typed_once(rest: Rest, started: Named) -> None:
    name = started(ECHO)
    first = typed(rest, name, input="once\n", client_id="me", seq=1)
    again = typed(rest, name, input="once\n", client_id="me", seq=1)
    other = typed(rest, name, input="other\n", client_id="you", seq=1)
    assert [first["repeated"], again["repeated"], other["repeated"]] == [False, True, False]
    until(lambda: "got other" in lines(rest, name))
    assert lines(rest, name).count("got once") == 1


def test_an_agent_on_pipes_reads_lines(rest: Rest, started: Named) -> None:
    name = started(ECHO, driver="lines")
    typed(rest, name, input="plain", enter=True)
    typed(rest, name, paste="two\nlines", enter=True)
    until(lambda: lines(rest, name) == ["got plain", "got two", "got lines"])
    for path, body in (("resize", {"cols": 80, "rows": 24}), ("screen", None)):
        method = "POST" if body else "GET"
        assert error_of(rest.call(method, f"/api/agents/{name}/{path}", json=body)) == (409, "NO_TERMINAL")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "input"),
        ({"input": "a", "paste": "b"}, "paste"),
        ({"keys": []}, "keys"),
        ({"keys": ["C-nothing"]}, "keys"),
        ({"keys": "Enter"}, "keys"),
        ({"input": 1}, "input"),
        ({"input_base64": "§"}, "input_base64"),
        ({"input": "a", "seq": 1}, "seq"),
        ({"input": "a", "client_id": "me"}, "seq"),
        ({"input": "a", "client_id": "not me", "seq": 1}, "client_id"),
        ({"input": "a", "client_id": "me", "seq": 0}, "seq"),
    ],
)
def test_input_says_what_is_wrong_with_it(rest: Rest, started: Named, body: dict[str, Any], field: str) -> None:
    name = started(FOREVER, f"-{abs(hash(str(body)))}")
    answer = rest.call("POST", f"/api/agents/{name}/input", json=body)
    assert error_of(answer) == (422, "INVALID_REQUEST"), answer.text
    assert answer.json()["error"]["details"]["field"].startswith(field)


# Seeing


def test_the_screen_as_text_and_as_cells(rest: Rest, started: Named) -> None:
    name = started(["sh", "-c", r"printf '\033]0;my title\007\033[1;31mred\033[0m plain'; sleep 1000"])
    path = f"/api/agents/{name}/screen"
    text = until(lambda: (answer := rest.call("GET", path)).text.startswith("red plain") and answer)
    assert text.headers["content-type"] == "text/plain; charset=utf-8"
    shown = rest.call("GET", path, params={"format": "json"}).json()
    assert (shown["cols"], shown["rows"], shown["title"]) == (80, 24, "my title")
    assert shown["rows_text"][0] == "red plain"
    assert (shown["cells"][0][0]["text"], shown["cells"][0][0]["bold"]) == ("red", True)
    by_header = rest.call("GET", path, headers={"Accept": "application/json"})
    assert by_header.json() == shown
    assert error_of(rest.call("GET", path, params={"format": "png"})) == (422, "INVALID_REQUEST")


@pytest.fixture
def counted(rest: Rest, started: Named) -> str:
    """An ended agent that wrote twenty lines to each of its outputs."""
    name = started(["sh", "-c", "for i in $(seq 20); do echo out $i; echo err $i >&2; done"], driver="lines")
    ended(rest, name)
    return name


def test_lines_from_the_end(rest: Rest, counted: str) -> None:
    assert lines(rest, counted, tail=2, stream="stdout") == ["out 19", "out 20"]
    assert lines(rest, counted, tail=0) == []
    assert len(lines(rest, counted, tail=1000)) == 40


def test_lines_page_by_page(rest: Rest, counted: str) -> None:
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = rest.call("GET", f"/api/agents/{counted}/logs", params={"limit": 7, "stream": "stderr", **cursor}).json()
        found += [line["line"] for line in page["lines"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert found == [f"err {number}" for number in range(1, 21)]


def test_lines_that_hold_a_text(rest: Rest, counted: str) -> None:
    assert lines(rest, counted, grep="out 1", tail=100) == ["out 1", *(f"out {number}" for number in range(10, 20))]
    assert lines(rest, counted, grep="out.1") == []
    assert lines(rest, counted, grep="(" * 1000) == []


def test_lines_by_time(rest: Rest, counted: str) -> None:
    page = rest.call("GET", f"/api/agents/{counted}/logs", params={"limit": 40}).json()["lines"]
    last = page[-1]["timestamp"]
    assert lines(rest, counted, since="2100-01-01T00:00:00Z") == []
    assert lines(rest, counted, until="2000-01-01T00:00:00Z") == []
    assert [line["line"] for line in page if line["timestamp"] >= last] == lines(rest, counted, since=last)


def test_followed_lines_end_with_the_session(rest: Rest, started: Named) -> None:
    name = started(["sh", "-c", "for i in 1 2 3; do echo line $i; sleep 0.1; done"])
    answer = rest.call("GET", f"/api/agents/{name}/logs", params={"follow": "true"})
    assert (answer.text, answer.headers["content-type"]) == ("line 1\nline 2\nline 3\n", "text/plain; charset=utf-8")


def test_the_head_of_a_stream_of_lines_ends(rest: Rest, started: Named) -> None:
    answer = rest.call("HEAD", f"/api/agents/{started(FOREVER)}/logs", params={"follow": "true"})
    assert (answer.status_code, answer.content) == (200, b"")


def test_followed_lines_can_begin_near_the_end(rest: Rest, counted: str) -> None:
    answer = rest.call("GET", f"/api/agents/{counted}/logs", params={"follow": "true", "tail": 2, "stream": "stdout"})
    assert answer.text == "out 19\nout 20\n"
    later = rest.call("GET", f"/api/agents/{counted}/logs", params={"follow": "true", "since": "2100-01-01T00:00:00Z"})
    assert later.text == ""


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("since=yesterday", 422, "INVALID_REQUEST"),
        ("tail=-1", 422, "INVALID_REQUEST"),
        ("stream=stdin", 422, "INVALID_REQUEST"),
        ("follow=perhaps", 422, "INVALID_REQUEST"),
        ("cursor=nonsense", 400, "INVALID_CURSOR"),
        ("cursor=other:1", 400, "INVALID_CURSOR"),
        ("cursor={session}:999999", 400, "INVALID_CURSOR"),
        ("cursor={session}:1&session=other", 400, "INVALID_CURSOR"),
        ("cursor={session}:1&tail=1", 422, "INVALID_REQUEST"),
        ("session=other", 404, "SESSION_NOT_FOUND"),
        ("session=..%2F..%2Fetc", 404, "SESSION_NOT_FOUND"),
        ("session=other&follow=true", 404, "SESSION_NOT_FOUND"),
    ],
)
def test_lines_say_what_is_wrong_with_the_question(
    rest: Rest, counted: str, query: str, status: int, code: str
) -> None:
    session = rest.call("GET", f"/api/agents/{counted}").json()["session_id"]
    answer = rest.call("GET", f"/api/agents/{counted}/logs?{query.format(session=session)}")
    assert error_of(answer) == (status, code)
