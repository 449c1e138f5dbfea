"""JSON from agents comes in without raising, and as any store takes it."""

import pytest

from roost.agents.json_in import LONGEST_UNKNOWN, count_of, kept, read_object, unknown


@pytest.mark.parametrize(
    ("line", "value"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'{"a": "\\u0000"}', {"a": "\N{REPLACEMENT CHARACTER}"}),
        (b'{"a": "\\ud800"}', {"a": "\N{REPLACEMENT CHARACTER}" * 3}),
        (b'{"a": NaN}', {"a": "nan"}),
        (b'{"a": "\xff"}', {"a": "\N{REPLACEMENT CHARACTER}"}),
        (b"[1]", None),
        (b"{", None),
        (b"", None),
        (b"[" * 100_000, None),
    ],
)
def test_a_line_is_an_object_or_nothing(line, value):
    assert read_object(line) == value


def test_what_is_kept_is_neither_too_deep_nor_too_large():
    deep = {"a": 1 << 80}
    for _ in range(100):
        deep = {"in": deep}
    assert str(kept(deep)).count("in") < 40
    assert kept({"a": 1 << 80}) == {"a": hex(1 << 80)}


@pytest.mark.parametrize(
    ("value", "count"), [(3, 3), (2.9, 2), (True, 0), ("3", 0), (None, 0), (-1, 0), (1 << 70, 0), (float("nan"), 0)]
)
def test_a_count_counts_something(value, count):
    assert count_of(value) == count


def test_a_line_that_nobody_understands_is_told_to_a_length():
    assert len(unknown(b"x" * 100_000).line) == LONGEST_UNKNOWN
    assert unknown(b"\xff\x00", "odd").line == "\N{REPLACEMENT CHARACTER}\N{REPLACEMENT CHARACTER}"
