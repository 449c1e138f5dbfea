"""The badly behaved clients behave as badly as they say."""

import socket
from collections.abc import Iterator

import pytest

from roost.client.discovery import Address
from roost.testing.stall_kit import Crowd
from tests.waiting import until

PIECE = b"x" * 65536


class Listener:
    """A server that takes connections and leaves them to the test."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.address = Address(f"http://127.0.0.1:{self.socket.getsockname()[1]}", "secret")
        self.taken: list[socket.socket] = []

    def take(self, count: int) -> list[socket.socket]:
        self.taken += [self.socket.accept()[0] for _ in range(count)]
        return self.taken[-count:]

    def close(self) -> None:
        for one in [self.socket, *self.taken]:
            one.close()


@pytest.fixture
def listener() -> Iterator[Listener]:
    made = Listener()
    yield made
    made.close()


def test_who_never_reads_asks_properly_and_takes_little(listener: Listener) -> None:
    with Crowd() as crowd:
        crowd.never_reading(listener.address, "/api/stream", 2)
        one, _ = listener.take(2)
        head = one.recv(4096).decode()
        assert head.startswith("GET /api/stream HTTP/1.1\r\n") and "Bearer secret" in head
        one.setblocking(False)
        sent = 0
        with pytest.raises(BlockingIOError):
            while sent < 64 << 20:
                sent += one.send(PIECE)
        assert len(crowd) == 2


def test_the_silent_say_nothing(listener: Listener) -> None:
    with Crowd() as crowd:
        crowd.silent(listener.address, 1)
        (one,) = listener.take(1)
        one.setblocking(False)
        with pytest.raises(BlockingIOError):
            one.recv(1)


def test_slow_heads_and_bodies_never_finish(listener: Listener) -> None:
    with Crowd() as crowd:
        crowd.slow_heads(listener.address, 1)
        crowd.slow_bodies(listener.address, "/api/agents", 1)
        crowd.drip()
        heads, bodies = (one.recv(4096) for one in listener.take(2))
        assert b"\r\n\r\n" not in heads
        assert bodies.partition(b"\r\n\r\n")[2] in (b"{", b"{x")


def test_it_is_known_who_was_hung_up_on(listener: Listener) -> None:
    with Crowd() as crowd:
        crowd.silent(listener.address, 3)
        listener.take(3)[0].close()
        until(lambda: crowd.hung_up_by_server() == 1)


def test_who_vanishes_resets_the_connection(listener: Listener) -> None:
    with Crowd() as crowd:
        crowd.silent(listener.address, 1)
        (one,) = listener.take(1)
        crowd.vanish()
        with pytest.raises(ConnectionResetError):
            one.recv(1)
