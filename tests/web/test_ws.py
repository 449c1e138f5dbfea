"""The control socket of an agent, against a whole server with real agents."""

import contextlib
import itertools
import json

import pytest
import websockets
from websockets.sync.client import connect

from roost.testing.server import run_server
from tests.waiting import scaled, until
from tests.web.conftest import TOKENS, Rest

CAT = ["sh", "-c", "stty -echo; echo ready; exec cat"]
names = (f"socket-{number}" for number in itertools.count())


@pytest.fixture
def agent(rest: Rest):
    name = next(names)
    rest.server.start_agent(name, *CAT)
    until(lambda: rest.server.agent(name)["lines"] == 1)
    yield name
    rest.call("POST", f"/api/agents/{name}/kill")


class Socket:
    """One client, its frames decoded; those that were not waited for are kept in `others`."""

    def __init__(self, rest, name, query="", token=None):
        url = f"{rest.server.url.replace('http', 'ws', 1)}/ws/agents/{name}{query}"
        headers = {"Authorization": f"Bearer {token or rest.server.token}"}
        self.stack = contextlib.ExitStack()
        self.socket = self.stack.enter_context(
            connect(url, additional_headers=headers, max_size=None, open_timeout=scaled(10))
        )
        self.others = []

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.stack.close()

    def send(self, frame):
        self.socket.send(json.dumps(frame) if isinstance(frame, dict) else frame)

    def receive(self):
        frame = self.socket.recv(scaled(10))
        return frame if isinstance(frame, bytes) else json.loads(frame)

    def until(self, wanted):
        """The next frame that `wanted` says yes to."""
        while True:
            frame = self.receive()
            if wanted(frame):
                return frame
            self.others.append(frame)

    def of(self, kind):
        return self.until(lambda frame: isinstance(frame, dict) and frame["type"] == kind)

    def command(self, command, data=None, **more):
        """Send a command and wait for what answers it."""
        self.send({"type": "command", "command": command, "data": data, "request_id": command, **more})
        return self.until(lambda frame: isinstance(frame, dict) and frame.get("request_id") == command)

    def output(self, until):
        """Binary frames joined until they hold these bytes."""
        found = b""
        while until not in found:
            found += self.until(lambda frame: isinstance(frame, bytes))
        return found


# Commands


def test_commands_are_answered_with_their_request_id(rest, agent):
    with Socket(rest, agent) as socket:
        answer = socket.command("pause")
        assert answer["type"] == "response"
        assert answer["command"] == "pause"
        assert answer["success"] is True
        assert answer["data"]["state"] == "paused"
        assert socket.command("resume")["data"]["state"] == "running"
        assert socket.command("send_input", {"input": "hello\n"})["data"] == {"accepted": True, "repeated": False}
        assert socket.command("resize", {"cols": 90, "rows": 20})["success"] is True
        until(lambda: rest.server.agent(agent)["cols"] == 90)
        assert socket.command("signal", {"signal": "SIGWINCH"})["success"] is True
        assert socket.command("kill")["data"]["state"] == "exited"


def test_stop_ends_the_agent(rest, agent):
    with Socket(rest, agent) as socket:
        assert socket.command("stop", {"grace_s": 5})["data"]["signal"] == "SIGTERM"


def test_every_change_of_state_is_told_to_all(rest, agent):
    with Socket(rest, agent) as acting, Socket(rest, agent) as watching:
        acting.command("pause")
        acting.command("resume")
        acting.command("kill")
        told = [watching.of("status")["data"] for _ in range(3)]
    assert [each["state"] for each in told] == ["paused", "running", "exited"]
    assert [each["previous"] for each in told] == ["running", "paused", "running"]
    assert all(each["name"] == agent for each in told)


def test_a_repeated_input_is_typed_once(rest, agent):
    with Socket(rest, agent, "?output=events") as socket:
        once = {"input": "once\n", "client_id": "me", "seq": 1}
        assert socket.command("send_input", once)["data"]["repeated"] is False
        assert socket.command("send_input", once)["data"]["repeated"] is True
        socket.command("send_input", {"input": "twice\n", "client_id": "me", "seq": 2})
        socket.until(lambda frame: frame["type"] == "log" and frame["data"]["line"] == "twice")
        lines = [frame["data"]["line"] for frame in socket.others if frame["type"] == "log"]
        assert lines.count("once") == 1


def test_input_is_typed_in_order(rest, agent):
    with Socket(rest, agent, "?output=events&types=log&tail=0") as socket:
        for number in range(100):
            socket.send({"type": "command", "command": "send_input", "data": {"input": f"{number}\n"}})
        socket.until(lambda frame: frame["type"] == "log" and frame["data"]["line"] == "99")
        lines = [frame["data"]["line"] for frame in socket.others if frame["type"] == "log"]
        assert lines == [str(number) for number in range(99)]


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ("nonsense", "MALFORMED_REQUEST"),
        ("[1, 2]", "MALFORMED_REQUEST"),
        ("[" * 5000, "MALFORMED_REQUEST"),
        ("{}", "INVALID_REQUEST"),
        ({"type": "what"}, "INVALID_REQUEST"),
        ({"type": "command"}, "INVALID_REQUEST"),
        ({"type": "command", "command": 7}, "INVALID_REQUEST"),
        ({"type": "command", "command": "dance"}, "INVALID_REQUEST"),
        ({"type": "command", "command": "pause", "agent": "another"}, "INVALID_REQUEST"),
        ({"type": "command", "command": "resize", "data": {"cols": "wide"}}, "INVALID_REQUEST"),
        ({"type": "command", "command": "resize", "data": [1]}, "INVALID_REQUEST"),
        ({"type": "command", "command": "signal", "data": {}}, "INVALID_REQUEST"),
        ({"type": "command", "command": "send_input", "data": {}}, "INVALID_REQUEST"),
        ({"type": "command", "command": "prompt", "data": {"prompt": "x"}}, "NOT_SUPPORTED"),
        ({"type": "command", "command": "approve"}, "NOT_SUPPORTED"),
        (b"typed", "INVALID_REQUEST"),
        ("x" * 1_100_000, "FRAME_TOO_LARGE"),
        (b"x" * 1_100_000, "FRAME_TOO_LARGE"),
        (["x" * 600_000, "x" * 600_000], "FRAME_TOO_LARGE"),
    ],
)
def test_a_bad_frame_gets_an_error_and_the_socket_stays(rest, agent, frame, code):
    with Socket(rest, agent) as socket:
        if isinstance(frame, dict):
            frame |= {"request_id": "mine"}
        socket.send(frame)
        error = socket.of("error")
        assert (error["type"], error["code"]) == ("error", code)
        assert error["message"]
        assert error["request_id"] == ("mine" if isinstance(frame, dict) else None)
        socket.send({"type": "ping", "request_id": 5})
        assert socket.of("pong") == {"type": "pong", "request_id": 5}


def test_endless_nonsense_ends_the_socket(rest, agent):
    with Socket(rest, agent) as socket:
        for _ in range(300):
            socket.send("nonsense")
        with pytest.raises(websockets.ConnectionClosed) as closed:
            for _ in range(300):
                socket.receive()
        assert closed.value.rcvd.code == 1008


def test_a_command_to_an_agent_that_ended_is_a_conflict(rest, agent):
    with Socket(rest, agent) as socket:
        socket.command("kill")
        assert socket.command("pause")["code"] == "AGENT_NOT_RUNNING"
        assert socket.command("send_input", {"input": "x"})["code"] == "AGENT_NOT_RUNNING"


def test_viewers_may_look_and_not_touch(rest, agent):
    with Socket(rest, agent, "?output=raw", TOKENS["viewer"]) as socket:
        socket.of("attached")
        assert socket.command("kill")["code"] == "FORBIDDEN"
        socket.send(b"typed")
        assert socket.of("error")["code"] == "FORBIDDEN"


@pytest.mark.parametrize(
    ("name", "query", "status"),
    [
        ("nobody", "", 404),
        (None, "?output=smell", 422),
        (None, "?output=events&after=x", 400),
        (None, "?output=events&after=nobody:1", 400),
        (None, "?output=events&types=x", 422),
        (None, "?output=raw&cols=x&rows=2", 422),
        (None, "?tail=x", 422),
    ],
)
def test_a_wrong_address_is_refused_before_the_socket_is_taken(rest, agent, name, query, status):
    with pytest.raises(websockets.InvalidStatus) as refused:
        Socket(rest, name or agent, query)
    assert refused.value.response.status_code == status
    assert json.loads(refused.value.response.body)["error"]["code"]


# Events


def test_events_are_carried_with_their_positions(rest, agent):
    with Socket(rest, agent, "?output=events") as socket:
        assert socket.receive()["type"] == "connected"
        socket.command("send_input", {"input": "one\ntwo\n"})
        two = socket.until(lambda frame: frame["type"] == "log" and frame["data"]["line"] == "two")
        one = next(frame for frame in socket.others if frame["type"] == "log" and frame["data"]["line"] == "one")
    assert one["agent_name"] == agent
    with Socket(rest, agent, f"?output=events&after={one['position']}") as socket:
        assert socket.receive()["data"]["position"] == one["position"]
        assert socket.receive() == two


def test_events_go_on_with_the_next_session(rest, agent):
    with Socket(rest, agent, "?output=events&types=state,complete") as socket:
        first = rest.server.agent(agent)["session_id"]
        rest.call("POST", f"/api/agents/{agent}/restart")
        socket.of("complete")
        following = socket.until(lambda frame: frame.get("session_id") not in (None, first))
        assert following["type"] == "state"
    with Socket(rest, agent, f"?output=events&after={first}:0&types=complete") as socket:
        assert socket.of("complete")["session_id"] == first


def test_events_wait_for_the_next_session_at_the_end_of_one(rest, agent):
    rest.call("POST", f"/api/agents/{agent}/kill")
    ended = rest.server.agent(agent)
    with Socket(rest, agent, f"?output=events&after={ended['session_id']}:{ended['last_seq']}") as socket:
        assert socket.receive()["type"] == "connected"
        rest.call("POST", f"/api/agents/{agent}/restart")
        begun = socket.of("state")
        assert begun["session_id"] != ended["session_id"]


def test_paced_events_come_in_batches(rest, agent):
    with Socket(rest, agent, "?output=events&rate=20&batch_ms=100&tail=0") as socket:
        socket.command("send_input", {"input": "".join(f"{number}\n" for number in range(200))})
        numbers, skipped = [], 0
        while "199" not in numbers:
            frame = socket.until(lambda frame: frame["type"] in ("batch", "skipped"))
            if frame["type"] == "skipped":
                skipped += frame["data"]["count"]
            else:
                numbers += [event["data"]["line"] for event in frame["events"] if event["type"] == "log"]
        assert skipped + len(numbers) == 200
        assert skipped > 0


# The terminal


def test_a_terminal_is_attached_shown_and_typed_into(rest, agent):
    with Socket(rest, agent, "?output=raw&cols=100&rows=30&viewer=ann") as socket:
        attached = socket.receive()
        assert attached["type"] == "attached"
        data = attached["data"]
        assert data["state"] == "running"
        assert [viewer["name"] for viewer in data["viewers"]] == ["ann"]
        assert data["you"] == data["owner"] == data["viewers"][0]["id"]
        assert isinstance(socket.receive(), bytes)
        until(lambda: (rest.server.agent(agent)["cols"], rest.server.agent(agent)["rows"]) == (100, 30))
        socket.send(b"typed\n")
        assert b"typed\r\n" in socket.output(b"typed\r\n")
    with Socket(rest, agent, "?output=raw") as socket:
        socket.of("attached")
        assert b"typed" in socket.receive()


def test_what_is_typed_at_once_waits_for_the_terminal(rest, agent):
    with Socket(rest, agent, "?output=raw") as socket:
        socket.send(b"early\n")
        socket.output(b"early")


def test_viewers_know_of_each_other_and_the_last_to_type_owns_the_size(rest, agent):
    with Socket(rest, agent, "?output=raw&cols=100&rows=30&viewer=ann") as ann:
        mine = ann.of("attached")["data"]["you"]
        with Socket(rest, agent, "?output=raw&cols=70&rows=10&viewer=bob") as bob:
            theirs = bob.of("attached")["data"]["you"]
            both = ann.until(lambda frame: isinstance(frame, dict) and len(frame["data"].get("viewers", ())) == 2)
            assert both["type"] == "viewers"
            assert both["data"]["owner"] == mine
            bob.send(b"b\n")
            size = ann.until(lambda frame: isinstance(frame, dict) and frame["data"].get("cols") == 70)
            assert (size["type"], size["data"]) == ("size", {"cols": 70, "rows": 10})
            bob.command("resize", {"cols": 71, "rows": 11})
            assert ann.until(lambda frame: isinstance(frame, dict) and frame["data"].get("cols") == 71)
        left = ann.until(lambda frame: isinstance(frame, dict) and len(frame["data"].get("viewers", (1, 2))) == 1)
        assert theirs not in json.dumps(left)


def test_a_terminal_says_when_it_is_over_and_shows_the_next_session(rest, agent):
    with Socket(rest, agent, "?output=raw") as socket:
        first = socket.of("attached")["data"]["session_id"]
        rest.call("POST", f"/api/agents/{agent}/restart")
        assert socket.of("complete")["data"]["signal"]
        assert socket.of("attached")["data"]["session_id"] != first


def test_typing_into_a_terminal_that_is_over_is_an_error(rest, agent):
    with Socket(rest, agent, "?output=raw") as socket:
        socket.of("attached")
        rest.call("POST", f"/api/agents/{agent}/kill")
        socket.of("complete")

        def refused():
            socket.send(b"x")
            return socket.of("error")["code"] == "AGENT_NOT_RUNNING"

        until(refused)


# Start and end of the server


def test_the_server_says_goodbye(tmp_path):
    with run_server(tmp_path / "data") as server:
        rest = Rest(server)
        server.start_agent("demo", *CAT)
        with (
            Socket(rest, "demo") as plain,
            Socket(rest, "demo", "?output=events") as events,
            Socket(rest, "demo", "?output=raw") as raw,
        ):
            raw.of("attached")
            events.of("connected")
            assert server.terminate() == 0, server.output.read_text()[-3000:]
            for socket in (plain, events, raw):
                with pytest.raises(websockets.ConnectionClosed) as closed:
                    while True:
                        socket.receive()
                assert closed.value.rcvd.code == 1012
