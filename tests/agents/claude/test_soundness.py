"""What an agent says may be anything; what comes of it can always be kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from roost.agents.driver import Finished, Item, Write
from roost.model.events import Error, Notice, Output, ToolCall, ToolResult, Unknown, Usage, encode_events
from tests.agents.claude.talk import Talk, only

HUGE = 10**30
DEEP = json.loads("[" * 250 + "]" * 250)


def call(**given: Any) -> ToolCall:
    """The call with this input, which must be fit to be kept."""
    line = {"type": "tool_use", "id": "t1", "name": "Dance", "input": given}
    told = Talk().line(json.dumps({"type": "assistant", "message": {"id": "m", "content": [line]}}).encode())
    event = only(told, ToolCall)
    encode_events([event])
    return event


def test_numbers_too_large_become_text() -> None:
    assert call(number=HUGE).input == {"number": hex(HUGE)}


def test_what_lies_too_deep_is_left_out() -> None:
    assert len(json.dumps(call(deep=DEEP).input)) < 100


def test_what_is_broad_is_kept() -> None:
    broad = {"list": [{"a": number} for number in range(300)], "text": "x" * 300}
    assert call(**broad).input == broad
    assert call(text="[" * 300).input == {"text": "[" * 300}


def test_nul_is_replaced_wherever_it_is() -> None:
    talk = Talk()
    assert only(talk.blocks({"type": "text", "text": "a\0b"}), Output).text == "a\ufffdb"
    assert only(talk.gives("a\0b"), ToolResult).content == "a\ufffdb"
    assert only(talk.result(result="a\0b"), Finished).text == "a\ufffdb"
    assert talk.asks("a\0").tool == "a\ufffd"
    told = talk.say("control_request", request_id="r", request={"subtype": "x\0"})
    assert [type(item) for item in told] == [Write, Unknown]


def test_details_are_kept_too() -> None:
    talk = Talk()
    kept: list[Item] = [
        only(talk.system("permission_denied", tool_name=HUGE), Notice),
        only(talk.blocks({"type": "text", "text": "no"}, is_api_error_message=True, api_error_status=HUGE), Error),
    ]
    encode_events(kept)  # type: ignore[arg-type]
    assert talk.asks("Bash", blocked_path=HUGE).details == {"blocked_path": hex(HUGE)}
    assert only(talk.result(num_turns=HUGE), Finished).details == {"num_turns": hex(HUGE)}


def test_amounts_that_cannot_be_are_left_out() -> None:
    told = Talk().result(model_usage_since_last_result={"opus": {"inputTokens": HUGE}})
    assert [item for item in told if isinstance(item, Usage)] == []


def test_half_a_character_is_replaced() -> None:
    line = rb'{"type":"assistant","message":{"id":"m","content":[{"type":"text","text":"cut \ud83d"}]}}'
    assert only(Talk().line(line), Output).text.rstrip("\ufffd") == "cut "


def test_bytes_that_are_no_utf8_are_replaced() -> None:
    line = b'{"type":"assistant","message":{"id":"m","content":[{"type":"text","text":"caf\xe9"}]}}'
    assert only(Talk().line(line), Output).text == "caf\ufffd"


@pytest.mark.parametrize("depth", [500, 100_000])
def test_a_thousand_brackets_do_no_harm(depth: int) -> None:
    talk = Talk()
    line = b'{"type":"assistant","message":{"content":[{"type":"tool_use","id":"t","input":{"a":%s}}]}}'
    told = talk.line(line % (b"[" * depth + b"]" * depth))
    assert len(told) == 1
    encode_events([each for each in told if isinstance(each, ToolCall | Unknown)])
    assert only(talk.blocks({"type": "text", "text": "still here"}), Output)


def test_a_field_that_is_odd_leaves_the_rest_understood_and_the_line_told() -> None:
    told = Talk().blocks({"type": "text", "text": "hello"}, uuid=7)
    assert only(told, Output).text == "hello"
    assert "Expected `str | null`, got `int`" in only(told, Unknown).reason


def test_what_is_unknown_in_an_odd_line_is_told_once() -> None:
    assert [type(item) for item in Talk().say("dance", uuid=7)] == [Unknown]
    assert [type(item) for item in Talk().line(b'{"type":7}')] == [Unknown]


def test_a_line_that_is_long_and_unknown_is_told_in_part() -> None:
    assert len(only(Talk().line(b'{"type":"x","y":"' + b"z" * 1_000_000 + b'"}'), Unknown).line) == 1 << 16
