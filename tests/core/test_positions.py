"""Cursors: what was given out is taken back, all else is refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.positions import FleetPosition, Position, parse_fleet_position, parse_position
from roost.errors import InvalidCursor


@given(st.from_regex(r"[A-Za-z0-9_-]{1,64}", fullmatch=True), st.integers(0, 10**18 - 1))
def test_an_agents_position_comes_back(session_id: str, seq: int) -> None:
    position = Position(session_id, seq)
    assert parse_position(str(position)) == position


@given(st.integers(0, 10**18 - 1), st.integers(0, 10**18 - 1), st.integers(0, 10**18 - 1))
def test_a_fleet_position_comes_back(epoch: int, block: int, seq: int) -> None:
    position = FleetPosition(epoch, block, seq)
    assert parse_fleet_position(str(position)) == position


@pytest.mark.parametrize(
    "text", ["", "5", "s1", "s1:", ":5", "s1:-1", "s1:1.0", "s1: 5", "a/b:5", "s1:٣", "s1:" + "9" * 19, "a:b:5"]
)
def test_what_is_no_position_of_an_agent_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor) as caught:
        parse_position(text)
    assert caught.value.details["cursor"] == text[:80]


@pytest.mark.parametrize("text", ["", "1", "1.2", "1.2.3.4", "1.2.x", "1..3", "-1.2.3", "1.2.³", "s1:5"])
def test_what_is_no_fleet_position_is_refused(text: str) -> None:
    with pytest.raises(InvalidCursor):
        parse_fleet_position(text)


@given(st.text())
def test_no_text_makes_parsing_fail_otherwise(text: str) -> None:
    for parse in (parse_position, parse_fleet_position):
        try:
            parse(text)
        except InvalidCursor as exc:
            assert exc.code == "INVALID_CURSOR"
