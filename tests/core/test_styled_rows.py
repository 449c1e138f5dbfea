"""Rows of styled text."""

from __future__ import annotations

from roost.core.screen import PLAIN, Run
from roost.core.styled import parse_rows


def test_neighbours_of_one_style_are_one_run_and_blanks_at_the_end_are_none() -> None:
    assert parse_rows([b"a\x1b[mb\x1b[m  ", b"\x1b[1m\x1b[0m", b""]) == [[Run("ab", PLAIN)], [], []]


def test_sequences_that_are_no_style_are_left_out() -> None:
    assert parse_rows([b"a\x1b[2Kb"]) == [[Run("ab", PLAIN)]]
