"""Framing: whatever pieces messages come in, they come out whole, and nonsense is named."""

import json
import struct
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roost.errors import AgentNotFound, BodyTooLarge
from roost.keeper import protocol
from roost.keeper.protocol import Decoder, Message

bodies = st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=8) | st.none(), max_size=4)
messages = st.lists(st.tuples(bodies, st.binary(max_size=20)), max_size=6)


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(messages, st.data())
def test_any_cutting_gives_the_same_messages(sent: list[tuple[dict[str, Any], bytes]], data: st.DataObject) -> None:
    stream = b"".join(protocol.encode(body, blob) for body, blob in sent)
    decoder, found = Decoder(), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        found += decoder.feed(stream[:size])
        stream = stream[size:]
    assert found == [Message(body, blob) for body, blob in sent]
    assert decoder.rest == b""


def test_the_beginning_of_a_message_is_kept() -> None:
    decoder = Decoder()
    start = protocol.encode({"op": "list"})[:-3]
    assert decoder.feed(start) == []
    assert decoder.rest == start


@pytest.mark.parametrize("text", [b"{", b"\xff\xfe", b"[" * 100_000, b"", b'{"a":1' + b"1" * 10])
def test_what_is_not_json_is_a_message_with_a_problem(text: bytes) -> None:
    (message,) = Decoder().feed(struct.pack(">II", len(text), 2) + text + b"xy")
    assert message == Message({}, b"xy", "the message is not JSON")


def test_json_that_is_no_object_is_a_message_with_a_problem() -> None:
    (message,) = Decoder().feed(struct.pack(">II", 2, 0) + b"[]")
    assert message.problem == "the message is not a JSON object"


@pytest.mark.parametrize("lengths", [(11, 0), (0, 5), (0xFFFFFFFF, 0xFFFFFFFF)])
def test_a_message_longer_than_allowed_is_refused_before_it_comes(lengths: tuple[int, int]) -> None:
    with pytest.raises(BodyTooLarge):
        Decoder(max_json=10, max_blob=4).feed(struct.pack(">II", *lengths))


def test_an_answer_and_a_refusal_carry_the_id_of_the_request() -> None:
    (good,) = Decoder().feed(protocol.answer(7, {"accepted": True}))
    assert good.body == {"id": 7, "ok": True, "accepted": True}
    (bad,) = Decoder().feed(protocol.refusal("x", AgentNotFound("no", agent="a")))
    assert bad.body["ok"] is False
    assert bad.body["error"] == {"code": "AGENT_NOT_FOUND", "message": "no", "details": {"agent": "a"}}


@pytest.mark.parametrize(
    ("low", "high", "chosen"),
    [(1, 1, 1), (0, 9, 1), (2, 3, None), (0, 0, None)],
)
def test_the_highest_common_version_is_chosen(low: int, high: int, chosen: int | None) -> None:
    assert protocol.choose_version(low, high) == chosen


def test_text_of_any_script_survives() -> None:
    (message,) = Decoder().feed(protocol.encode({"name": "naïve ☃ \udcff"}))
    assert message.body == json.loads(json.dumps({"name": "naïve ☃ \udcff"}))
