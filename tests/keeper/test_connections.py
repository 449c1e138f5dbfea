"""Clients that speak nonsense, do not read, or come in crowds harm nobody."""

from __future__ import annotations

import contextlib
import json
import os
import random
import socket
import struct
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from roost.errors import BodyTooLarge, Forbidden, InvalidRequest, LimitReached, MalformedRequest
from roost.keeper import protocol, serving
from roost.keeper.client import KeeperClient
from roost.testing.processes import resident_bytes
from tests.keeper.kit import RunningKeeper, refusal
from tests.waiting import scaled, until


class Raw:
    """A socket to the keeper, for bytes that no client would send."""

    def __init__(self, keeper: RunningKeeper) -> None:
        self.link = socket.socket(socket.AF_UNIX)
        self.link.settimeout(scaled(10))
        directory = os.open(keeper.data, os.O_PATH)
        until(lambda: self._connected(f"/proc/self/fd/{directory}/keeper.sock"))
        os.close(directory)
        self._decoder = protocol.Decoder()
        self._answers: list[dict[str, Any]] = []

    def __enter__(self) -> Raw:
        return self

    def __exit__(self, *_: object) -> None:
        self.link.close()

    def _connected(self, address: str) -> bool:
        with contextlib.suppress(BlockingIOError):
            self.link.connect(address)
            return True
        return False

    def send(self, data: bytes) -> None:
        self.link.sendall(data)

    def answer(self) -> dict[str, Any]:
        """The next answer; `{}` when the keeper hung up."""
        while not self._answers:
            data = self.link.recv(65536)
            if not data:
                return {}
            self._answers += [message.body for message in self._decoder.feed(data)]
        return self._answers.pop(0)


HELLO = protocol.encode({"id": 1, "op": "hello", "protocol": [1, 1]})


def test_the_first_request_is_hello(keeper: RunningKeeper) -> None:
    with Raw(keeper) as raw:
        raw.send(protocol.encode({"id": 1, "op": "list"}))
        assert raw.answer()["error"]["code"] == InvalidRequest.code
        raw.send(HELLO)
        assert raw.answer()["ok"] is True


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"not json", MalformedRequest.code),
        (b"[1, 2]", MalformedRequest.code),
        (b"\xff", MalformedRequest.code),
        (b"{}", InvalidRequest.code),
        (b'{"id": {}, "op": "list"}', InvalidRequest.code),
        (b'{"id": "' + b"x" * 100 + b'", "op": "list"}', InvalidRequest.code),
        (b'{"id": 2, "op": "nope"}', InvalidRequest.code),
        (b'{"id": 2, "op": "describe"}', InvalidRequest.code),
    ],
)
def test_a_wrong_message_is_answered_and_the_next_is_served(keeper: RunningKeeper, body: bytes, code: str) -> None:
    with Raw(keeper) as raw:
        raw.send(HELLO + struct.pack(">II", len(body), 0) + body)
        assert raw.answer()["ok"] is True
        assert raw.answer()["error"]["code"] == code
        raw.send(protocol.encode({"id": 9, "op": "list"}))
        assert raw.answer()["id"] == 9


def test_a_message_that_is_too_long_ends_the_connection(keeper: RunningKeeper) -> None:
    with Raw(keeper) as raw:
        raw.send(struct.pack(">II", protocol.MAX_JSON + 1, 0))
        answer = raw.answer()
        assert (answer["id"], answer["error"]["code"]) == (None, BodyTooLarge.code)
        assert raw.answer() == {}


def test_requests_come_in_any_pieces_and_are_answered_in_order(keeper: RunningKeeper) -> None:
    stream = HELLO + b"".join(protocol.encode({"id": number, "op": "list"}) for number in range(2, 40))
    with Raw(keeper) as raw:
        for at in range(0, len(stream), 7):
            raw.send(stream[at : at + 7])
        assert [raw.answer()["id"] for _ in range(39)] == list(range(1, 40))


def test_random_bytes_do_no_harm(keeper: RunningKeeper) -> None:
    chance = random.Random(7)
    for _ in range(50):
        with Raw(keeper) as raw, contextlib.suppress(OSError):
            raw.send(HELLO)
            raw.send(chance.randbytes(chance.randrange(1, 2000)))
    for _ in range(50):
        body = json.dumps({"id": 1, "op": chance.choice(["start", "input", "stop"]), "x": [[]] * 9}).encode()
        damaged = bytearray(body)
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        with Raw(keeper) as raw:
            raw.send(HELLO + struct.pack(">II", len(damaged), 0) + damaged)
            assert raw.answer()["ok"] is True
            assert raw.answer()["ok"] is False
    assert keeper.call("status")["sessions"] == 0


def test_a_client_that_does_not_read_costs_little_and_holds_up_nobody(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx; done")
    with Raw(keeper) as deaf:
        deaf.send(HELLO + protocol.encode({"id": 2, "op": "watch"}))
        deaf.link.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            for number in range(3, 200_000):
                deaf.link.send(protocol.encode({"id": number, "op": "list"}))
        before = resident_bytes(keeper.process.pid)
        size = keeper.session(session_id)["offset"]
        until(lambda: keeper.session(session_id)["offset"] > size + 5_000_000, 30)
        assert resident_bytes(keeper.process.pid) < before + (4 << 20)
        keeper.call("kill", session_id=session_id)


def test_a_client_that_hangs_up_in_the_middle_is_forgotten(keeper: RunningKeeper) -> None:
    held = len(os.listdir(f"/proc/{keeper.process.pid}/fd"))
    for _ in range(20):
        with Raw(keeper) as raw:
            raw.send(HELLO + protocol.encode({"id": 2, "op": "watch"})[:10])
    until(lambda: len(os.listdir(f"/proc/{keeper.process.pid}/fd")) == held)


def test_an_answer_for_a_client_that_is_gone_is_dropped(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("trap '' TERM; echo up; while :; do sleep 0.02; done")
    keeper.said(session_id, "up")
    with keeper.connect() as other:
        other.post("stop", session_id=session_id, grace_s=0.5)
        until(lambda: keeper.session(session_id)["state"] == "stopping")
    assert keeper.ended(session_id)["reason"] == "stopped"


def test_too_many_connections_are_turned_away(keeper: RunningKeeper) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(serving.MAX_CONNECTIONS - 1):
            stack.enter_context(Raw(keeper))
        until(lambda: len(os.listdir(f"/proc/{keeper.process.pid}/fd")) > serving.MAX_CONNECTIONS)
        with Raw(keeper) as last:
            assert last.answer()["error"]["code"] == LimitReached.code
            assert last.answer() == {}
        with pytest.raises(LimitReached):
            KeeperClient.connect(keeper.data)
        assert keeper.call("status")["pid"] == keeper.process.pid


def test_large_input_and_answers_pass(keeper: RunningKeeper) -> None:
    session_id = keeper.shell("cat >/dev/null", terminal=False, definition={"text": "x" * 700_000})
    assert keeper.call("input", session_id=session_id, source="t", seq=1, blob=bytes(1 << 20))["accepted"]
    assert len(keeper.session(session_id)["request"]["definition"]["text"]) == 700_000


def test_a_recording_header_holds_at_most_a_frame(keeper: RunningKeeper) -> None:
    error = refusal(
        lambda: keeper.call(
            "start", session_id="s", agent="a", argv=["true"], cwd="/", env={}, definition={"": "x" * 1_048_400}
        )
    )
    assert error.code == InvalidRequest.code
    assert list((keeper.data / "recordings").iterdir()) == []


@pytest.mark.root
def test_other_users_are_turned_away(keeper: RunningKeeper) -> None:
    """Permissions keep them out; should these be loosened, the keeper still does."""
    for path in (keeper.data, *keeper.data.parents):
        if path != Path("/") and os.stat(path).st_uid == os.geteuid():
            path.chmod(path.stat().st_mode | 0o011)
    (keeper.data / "keeper.sock").chmod(0o666)
    code = (
        "import os, socket, sys; os.setuid(65534); link = socket.socket(socket.AF_UNIX);"
        "link.connect('keeper.sock'); print(link.recv(9999))"
    )
    result = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=keeper.data, capture_output=True, text=True, check=False, timeout=30
    )
    assert Forbidden.code in result.stdout, result.stderr


def test_a_watcher_that_is_slow_gets_fewer_and_larger_notices(keeper: RunningKeeper) -> None:
    sessions = [keeper.shell("while :; do echo x; sleep 0.002; done") for _ in range(5)]
    with keeper.connect() as watcher:
        watcher.call("watch")
        until(lambda: all(keeper.session(one)["offset"] > 3000 for one in sessions), 30)
        for one in sessions:
            keeper.client.call("kill", session_id=one)
        last: dict[str, int] = {}

        def told() -> bool:
            for notice in watcher.notices(0.2):
                last.update(notice.get("sessions", {}))
            return last == {one: keeper.recording(one).stat().st_size for one in sessions}

        until(told, 30)
