"""Values from outside, made fit for any store."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from roost.core.soundness import MAX_DEPTH, integer_or_none, sound, sound_object, text_or_none

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()) | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=20,
)


@given(st.dictionaries(st.text(st.characters()), JSON))
def test_whatever_it_was_it_can_be_encoded(value: dict) -> None:
    made = sound_object(value)
    assert msgspec.json.decode(msgspec.json.encode(made)) == made
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(made)) == made


@pytest.mark.parametrize(
    ("value", "made"),
    [
        ("plain ünï", "plain ünï"),
        ("a\0b", "a\ufffdb"),
        (True, True),
        (1.5, 1.5),
        (float("nan"), "nan"),
        (1 << 63, "0x8000000000000000"),
        (object(), None),
        ({1: [None]}, {"1": [None]}),
    ],
)
def test_what_becomes_of_a_value(value: object, made: object) -> None:
    assert sound(value) == made


def test_what_lies_too_deep_is_left_out() -> None:
    value: object = "bottom"
    for _ in range(MAX_DEPTH + 5):
        value = [value]
    made, depth = sound(value), 0
    while isinstance(made, list) and made:
        made, depth = made[0], depth + 1
    assert (made, depth) == (None, MAX_DEPTH)


def test_text_is_text_and_bounded() -> None:
    assert text_or_none("abc", 2) == "ab"
    assert text_or_none(7) is None


@pytest.mark.parametrize(("value", "made"), [(5, 5), (0, None), (11, None), (True, None), ("5", None), (5.0, None)])
def test_integers_are_integers_in_bounds(value: object, made: int | None) -> None:
    assert integer_or_none(value, 1, 10) == made
