"""The control socket of an agent, against a whole server with real agents."""

import contextlib
import itertools
import json

import pytest
import websockets
from websockets.sync.client import connect

from roost.core.typed import encode_typed
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
        assert socket.command("resize", {"cols": 90, "rows": 20})["data"]["cols"] == 90
        assert socket.command("signal", {"signal": "SIGWINCH"})["success"] is True
        assert socket.command("kill")["data"]["state"] == "exited"


def test_stop_ends_the_agent(rest, agent):
    with Socket(rest, agent) as socket:
        assert socket.command("stop", {"grace_s": 5})["data"]["signal"] == "SIGTERM"


def test_input_is_ended_behind_what_was_typed(rest):
    name = next(names)
    rest.server.start_agent(name, "sh", "-c", "cat; echo over", driver="lines")
    with Socket(rest, name, "?output=events") as socket:
        for number in range(5):
            socket.send({"type": "command", "command": "send_input", "data": {"input": f"{number}\n"}})
        assert socket.command("close_input")["success"] is True
        socket.of("complete")
        lines = [frame["data"]["line"] for frame in socket.others if frame["type"] == "log"]
    assert lines == ["0", "1", "2", "3", "4", "over"]


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
        ({"type": "command", "command": "prompt", "data": {"prompt": "x"}}, "NOT_STRUCTURED"),
        ({"type": "command", "command": "approve"}, "INVALID_REQUEST"),
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
        with pytest.raises(websockets.ConnectionClosed) as closed:
            for _ in range(300):
                socket.send("nonsense")
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
        socket.send({"type": "input", "client_id": "me", "session_id": "s"})
        assert socket.of("error")["code"] == "FORBIDDEN"
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


def test_numbered_frames_are_acknowledged_and_typed_once(rest, agent):
    with Socket(rest, agent, "?output=raw") as socket:
        session = begin_numbered(socket)
        for seq, text in [(1, b"one\n"), (2, b"two\n"), (1, b"one\n"), (3, b"three\n")]:
            socket.send(encode_typed(seq, text))
        socket.output(b"three")
    with Socket(rest, agent, "?output=raw") as socket:
        assert begin_numbered(socket) == session
        socket.send(encode_typed(3, b"three\n"))
        assert socket.of("acknowledged")["data"] == {"seq": 3}
        socket.send(encode_typed(4, b"four\n"))
        assert socket.of("acknowledged")["data"] == {"seq": 4}
    until(lambda: "four" in lines_of(rest, agent))
    assert lines_of(rest, agent) == ["ready", "one", "two", "three", "four"]


def test_a_number_is_of_one_client(rest, agent):
    with Socket(rest, agent, "?output=raw") as socket:
        for client in ("me", "you"):
            socket.send({"type": "input", "client_id": client, "session_id": rest.server.agent(agent)["session_id"]})
            socket.send(encode_typed(1, b"from " + client.encode() + b"\n"))
            socket.output(b"from " + client.encode())


def test_what_is_numbered_for_one_session_is_not_typed_at_the_next(rest, agent):
    with Socket(rest, agent, "?output=raw") as socket:
        begin_numbered(socket)
        rest.call("POST", f"/api/agents/{agent}/restart")
        socket.of("attached")
        socket.send(encode_typed(1, b"for the first\n"))
        error = socket.of("error")
        assert (error["code"], error["seq"]) == ("AGENT_NOT_RUNNING", 1)


def test_the_end_of_input_is_a_number_without_bytes(rest, agent):
    with Socket(rest, agent, "?output=raw") as socket:
        begin_numbered(socket)
        socket.send(encode_typed(1, b"last\n"))
        socket.send(encode_typed(2, b""))
        assert socket.of("complete")["data"]["exit_code"] == 0


def test_the_end_of_input_closes_a_pipe(rest):
    name = next(names)
    rest.server.start_agent(name, "sh", "-c", "cat; echo over", driver="lines")
    with Socket(rest, name, "?output=raw") as socket:
        begin_numbered(socket)
        socket.send(encode_typed(1, b"last\n"))
        socket.send(encode_typed(2, b""))
        socket.of("complete")
    until(lambda: lines_of(rest, name) == ["last", "over"])


@pytest.mark.parametrize(
    ("frame", "code"),
    [
        ({"type": "input"}, "INVALID_REQUEST"),
        ({"type": "input", "client_id": "no spaces", "session_id": "s"}, "INVALID_REQUEST"),
        (b"short", "INVALID_REQUEST"),
        (bytes(8), "INVALID_REQUEST"),
        (encode_typed(7, b"x" * 70_000), "INVALID_REQUEST"),
    ],
)
def test_a_bad_number_gets_an_error(rest, agent, frame, code):
    with Socket(rest, agent, "?output=raw") as socket:
        begin_numbered(socket)
        socket.send(frame)
        error = socket.of("error")
        assert error["code"] == code
        assert error.get("seq") == (7 if len(frame) > 70_000 else None)
        socket.send(encode_typed(1, b"fine\n"))
        socket.output(b"fine")


def test_who_is_attached_read_only_types_no_numbers(rest, agent):
    with Socket(rest, agent, "?output=raw&read_only=1") as socket:
        begin_numbered(socket)
        socket.send(encode_typed(1, b"x"))
        error = socket.of("error")
        assert (error["code"], error["seq"]) == ("FORBIDDEN", 1)


def test_what_an_agent_does_not_take_waits_for_it(rest):
    """More is typed than the keeper keeps for an agent that does not read; once it does, all of it comes, in order."""
    name = next(names)
    count = 24
    rest.server.start_agent(name, "sh", "-c", "echo ready; head -c 1 >/dev/null; sleep 1; wc -c", driver="lines")
    with Socket(rest, name, "?output=raw") as socket:
        begin_numbered(socket)
        rest.call("POST", f"/api/agents/{name}/pause")
        for seq in range(1, count + 1):
            socket.send(encode_typed(seq, b"x" * 65_536))
        acknowledged = socket.of("acknowledged")["data"]["seq"]
        socket.send(encode_typed(count + 1, b""))
        rest.call("POST", f"/api/agents/{name}/resume")
        while acknowledged <= count:
            acknowledged = socket.of("acknowledged")["data"]["seq"]
    until(lambda: lines_of(rest, name)[1:])
    assert int(lines_of(rest, name)[1]) <= count * 65_536


def test_who_types_more_than_can_wait_is_sent_away_to_come_back(rest, agent):
    with Socket(rest, agent, "?output=raw") as socket:
        begin_numbered(socket)
        rest.call("POST", f"/api/agents/{agent}/pause")
        with pytest.raises(websockets.ConnectionClosed) as closed:
            for seq in itertools.count(1):
                socket.send(encode_typed(seq, b"x" * 65_536))
        assert closed.value.rcvd.code == 1013


def begin_numbered(socket):
    """Number binary frames from now on, as the client `me`; the session's id."""
    session = socket.of("attached")["data"]["session_id"]
    socket.send({"type": "input", "client_id": "me", "session_id": session})
    return session


def lines_of(rest, name):
    return [line["line"] for line in rest.call("GET", f"/api/agents/{name}/logs?tail=1000").json()["lines"]]


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
            assert bob.command("resize", {"cols": 71, "rows": 11})["data"]["cols"] == 71
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
