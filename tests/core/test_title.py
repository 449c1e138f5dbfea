"""Titles of terminals, found in output that comes in any pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.title import MAX_TITLE, TitleWatch


def title_of(*pieces: bytes) -> str:
    watch = TitleWatch()
    for piece in pieces:
        watch.feed(piece)
    return watch.text


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (b"plain", ""),
        (b"\x1b]0;one\x07", "one"),
        (b"\x1b]2;two\x1b\\", "two"),
        (b"\x1b]1;icon\x07", ""),
        (b"\x1b]0;one\x07text\x1b]0; two \x07more", "two"),
        (b"\x1b]0;one\x07\x1b]0;\x07", ""),
        (b"\x1b]0;torn\x1b[31m\x07", ""),
        (b"\x1b]8;;http://example.org\x07\x1b]0;one\x07", "one"),
        ("\x1b]0;◐ Claude Code\x07".encode(), "◐ Claude Code"),
        (b"\x1b]0;\xff\x07", "\N{REPLACEMENT CHARACTER}"),
    ],
)
def test_the_newest_title_counts(data: bytes, title: str) -> None:
    assert title_of(data) == title


def test_a_long_title_is_cut() -> None:
    assert title_of(b"\x1b]0;" + b"x" * 5000 + b"\x07") == "x" * MAX_TITLE


@given(st.lists(st.integers(0, 60), max_size=6))
def test_a_title_is_the_same_however_it_is_cut(cuts: list[int]) -> None:
    data = "a\x1b]0;first\x07b\x1b]2;✳ second\x1b\\c\x1b]4;1;?\x07\x1b]0;◐ thïrd\x07d".encode()
    at = sorted({0, len(data), *(cut for cut in cuts if cut < len(data))})
    assert title_of(*(data[a:b] for a, b in pairwise(at))) == "◐ thïrd"


def test_what_never_ends_is_not_kept_for_ever() -> None:
    watch = TitleWatch()
    for _ in range(10):
        watch.feed(b"\x1b]0;" + b"x" * 3000)
    watch.feed(b"y" * 9000)
    watch.feed(b"\x07\x1b]0;one\x07")
    assert watch.text == "one"
