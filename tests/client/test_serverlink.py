"""An attachment through a server that behaves as it likes: a real WebSocket server, played by the test."""

import json
import select
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

from roost.client.discovery import Address
from roost.client.link import LinkLost, Update
from roost.client.outbox import Outbox
from roost.client.serverlink import ServerLink
from roost.client.websocket import Closed, WebSocket
from roost.core.typed import decode_typed
from roost.errors import AgentNotFound, ServerUnavailable
from tests.waiting import until

ATTACHED = json.dumps({"type": "attached", "data": {"session_id": "s", "cols": 80, "rows": 24, "terminal": True}})


@contextmanager
def playing(play: Callable[[ServerConnection], None], **options: object) -> Iterator[Address]:
    """A server on which `play` is done with every client."""

    def handle(client: ServerConnection) -> None:
        with_closing = (ConnectionClosed, OSError)
        try:
            play(client)
        except with_closing:
            return

    with serve(handle, "127.0.0.1", 0, **options) as server:  # type: ignore[arg-type]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Address(f"http://127.0.0.1:{server.socket.getsockname()[1]}", "secret")
        server.shutdown()
        thread.join(10)


def link_to(address: Address, outbox: Outbox | None = None, *, read_only: bool = False) -> ServerLink:
    return ServerLink(address, "one", (90, 20), outbox or Outbox("me"), read_only=read_only)


def acknowledge(client: ServerConnection, seq: int) -> None:
    client.send(json.dumps({"type": "acknowledged", "agent": "one", "data": {"seq": seq}}))


def hold(client: ServerConnection) -> None:
    """Take what comes until the client goes."""
    while True:
        client.recv()


def until_lost(link: ServerLink) -> None:
    with pytest.raises(LinkLost):
        until(lambda: updates(link, 99))
    link.close()


def updates(link: ServerLink, count: int) -> list[Update]:
    """The next `count` updates."""
    found: list[Update] = []

    def enough() -> bool:
        if link.has_early() or select.select([link.fileno()], [], [], 0.05)[0]:
            found.extend(link.receive())
        return len(found) >= count

    until(enough)
    return found


def test_the_first_bytes_are_the_snapshot_and_those_behind_output():
    def play(client: ServerConnection) -> None:
        client.send(ATTACHED)
        client.send(b"painted")
        client.send(b"more")
        client.send(json.dumps({"type": "viewers", "data": {"viewers": []}}))
        client.send(json.dumps({"type": "response", "command": "resize", "success": True}))
        client.send(json.dumps({"type": "skipped", "data": {"bytes": 5}}))
        client.send(b"painted again")
        client.send(json.dumps({"type": "complete", "data": {"exit_code": 3, "signal": None}}))
        hold(client)

    with playing(play) as address:
        link = link_to(address)
        found = updates(link, 7)
        link.close()
    assert [update.kind for update in found] == [
        "attached", "snapshot", "output", "viewers", "skipped", "snapshot", "complete",
    ]  # fmt: skip
    assert found[5].data == b"painted again"
    assert dict(found[6].info) == {"exit_code": 3, "signal": None}


def test_what_is_typed_waits_until_attached_and_is_numbered():
    frames: list[object] = []

    def play(client: ServerConnection) -> None:
        assert json.loads(client.recv())["command"] == "resize"
        client.send(ATTACHED)
        frames.append(json.loads(client.recv()))
        frames.extend(decode_typed(client.recv()) for _ in range(3))

    with playing(play) as address:
        outbox = Outbox("me")
        link = link_to(address, outbox)
        outbox.add(b"early")
        link.flush()
        link.resize(91, 21)
        updates(link, 1)
        outbox.add(b"late")
        outbox.end()
        link.flush()
        until(lambda: len(frames) == 4)
        link.close()
    assert frames == [
        {"type": "input", "client_id": "me", "session_id": "s"}, (1, b"early"), (2, b"late"), (3, b""),
    ]  # fmt: skip


def test_what_one_link_did_not_bring_over_the_next_one_does():
    frames: list[tuple[int, bytes]] = []

    def play(client: ServerConnection) -> None:
        client.send(ATTACHED)
        client.recv()
        frames.extend(decode_typed(client.recv()) for _ in range(2 if frames else 3))
        acknowledge(client, frames[-1][0] - (len(frames) == 3))
        client.close(1001)

    outbox = Outbox("me")
    for data in (b"a", b"b", b"c"):
        outbox.add(data)
        outbox.take()
    with playing(play) as address:
        until_lost(link_to(address, outbox))
        assert outbox.size == 1
        outbox.add(b"d")
        until_lost(link_to(address, outbox))
    assert frames == [(1, b"a"), (2, b"b"), (3, b"c"), (3, b"c"), (4, b"d")]
    assert not outbox.pending


def test_what_is_refused_for_good_is_not_sent_again():
    outbox = Outbox("me")
    outbox.add(b"x")

    def play(client: ServerConnection) -> None:
        client.send(ATTACHED)
        client.recv()
        client.recv()
        client.send(json.dumps({"type": "error", "code": "CONFLICT", "message": "closed", "seq": 1}))
        client.send(json.dumps({"type": "size", "data": {"cols": 1, "rows": 1}}))
        hold(client)

    with playing(play) as address:
        link = link_to(address, outbox)
        updates(link, 2)
        assert not outbox.pending
        link.close()


def test_who_only_looks_does_not_number():
    def play(client: ServerConnection) -> None:
        client.send(ATTACHED)
        client.send(ATTACHED)
        hold(client)

    with playing(play) as address:
        outbox = Outbox("me")
        outbox.add(b"x")
        link = link_to(address, outbox, read_only=True)
        updates(link, 2)
        link.close()
    assert outbox.pending


def test_size_viewer_and_wishes_stand_in_the_address():
    paths: list[str] = []
    tokens: list[str] = []

    def play(client: ServerConnection) -> None:
        assert client.request is not None
        paths.append(client.request.path)
        tokens.append(client.request.headers["Authorization"])

    with playing(play) as address:
        link_to(address, read_only=True).close()
        until(lambda: paths)
    assert paths[0].startswith("/ws/agents/one?output=raw&cols=90&rows=20&viewer=")
    assert paths[0].endswith("&read_only=1")
    assert tokens == ["Bearer secret"]


@pytest.mark.parametrize(("code", "final"), [(1001, False), (1011, False), (4401, True)])
def test_a_loss_is_told_and_whether_it_is_final(code: int, final: bool):
    with playing(lambda client: client.close(code, "why")) as address:
        link = link_to(address)
        with pytest.raises(LinkLost) as caught:
            until(lambda: updates(link, 1))
        assert caught.value.final is final
        with pytest.raises(LinkLost):
            for _ in range(100):
                link.resize(1, 1)
        link.close()


@pytest.mark.parametrize(("code", "final"), [("AGENT_NOT_FOUND", True), ("UNAVAILABLE", False)])
def test_an_error_before_attaching_ends_it(code: str, final: bool):
    def play(client: ServerConnection) -> None:
        client.send(json.dumps({"type": "error", "code": code, "message": "no"}))
        hold(client)

    with playing(play) as address:
        link = link_to(address)
        with pytest.raises(LinkLost, match="no") as caught:
            updates(link, 1)
        link.close()
    assert caught.value.final is final


def test_an_error_later_is_passed_over():
    def play(client: ServerConnection) -> None:
        client.send(ATTACHED)
        client.send(json.dumps({"type": "error", "code": "LIMIT_REACHED", "message": "slow down"}))
        client.send(b"x")
        hold(client)

    with playing(play) as address:
        link = link_to(address)
        assert [update.kind for update in updates(link, 2)] == ["attached", "snapshot"]
        link.close()


def test_a_refused_handshake_is_its_error():
    def refuse(client: ServerConnection, _: object) -> object:
        body = '{"error": {"code": "AGENT_NOT_FOUND", "message": "none", "details": {}}}'
        return client.respond(404, body)

    with playing(lambda _: None, process_request=refuse) as address, pytest.raises(AgentNotFound):
        link_to(address)


def test_a_wrong_handshake_is_no_server():
    def lie(_: object, __: object, response: object) -> object:
        response.headers["Sec-WebSocket-Accept"] = "wrong"  # type: ignore[attr-defined]
        return response

    with playing(lambda _: None, process_response=lie) as address, pytest.raises(ServerUnavailable):
        link_to(address)


def test_pings_are_answered():
    pongs: list[bool] = []
    with playing(lambda client: pongs.append(client.ping().wait(10))) as address:
        socket = WebSocket(address, "/")
        until(lambda: pongs or _receive(socket))
        assert pongs == [True]
        socket.close()


def _receive(socket: WebSocket) -> bool:
    try:
        return bool(socket.receive())
    except Closed:
        return False


def test_a_long_message_comes_whole():
    def play(client: ServerConnection) -> None:
        client.send(ATTACHED)
        client.send(b"x" * 3_000_000)
        client.send([b"y" * 10, b"z" * 10])
        hold(client)

    with playing(play) as address:
        link = link_to(address)
        found = updates(link, 3)
        link.close()
    assert [len(update.data) for update in found] == [0, 3_000_000, 20]
