"""The stream client reads what the format allows, in any pieces, and comes back where it was."""

import http.server
import threading
from collections.abc import Iterator

import pytest

from roost.client.discovery import Address
from roost.errors import RoostError
from roost.testing.event_stream import Parser, ResumingClient, StreamEvent, read_stream

STREAM = b": a comment\n\nid: s:1\nevent: log\ndata: {}\n\ndata: a\ndata:b\n\nevent: complete\nid:s:2\ndata: {}\n\n"
EVENTS = [StreamEvent("s:1", "log", b"{}"), StreamEvent("", "message", b"a\nb"), StreamEvent("s:2", "complete", b"{}")]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 1000])
def test_events_are_the_same_in_any_pieces(size: int) -> None:
    parser = Parser()
    pieces = [STREAM[at : at + size] for at in range(0, len(STREAM), size)]
    assert [event for piece in pieces for event in parser.feed(piece)] == EVENTS


def test_an_unfinished_event_is_none() -> None:
    assert Parser().feed(b"data: half") == []


class Flaky(http.server.BaseHTTPRequestHandler):
    """Sends one event a connection, then hangs up in the middle of the next."""

    asked: list[str | None]

    def do_GET(self) -> None:
        after = self.headers.get("Last-Event-ID")
        self.asked.append(after)
        number = int(after or 0) + 1
        kind = "complete" if number == 3 else "log"
        self.send_response(404 if self.path == "/missing" else 200)
        self.end_headers()
        self.wfile.write(f"id: {number}\nevent: {kind}\ndata: {{}}\n\nid: 99\nda".encode())

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def flaky() -> Iterator[Address]:
    Flaky.asked = []
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Flaky) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield Address(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()
        thread.join()


def test_a_client_resumes_after_the_last_whole_event(flaky: Address) -> None:
    taken: list[str] = []
    client = ResumingClient(lambda: flaky, "/", take=lambda event: taken.append(event.id))
    client.start()
    client.join(20)
    assert client.ended
    assert taken == ["1", "2", "3"]
    assert Flaky.asked == [None, "1", "2"]


def test_a_refusal_is_an_error(flaky: Address) -> None:
    with pytest.raises(RoostError, match="answered 404"):
        list(read_stream(flaky, "/missing"))
