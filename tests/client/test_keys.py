"""The keys that detach, however a terminal tells of them."""

import pytest

from roost.client.keys import DetachKeys, parse_keys, typed_character
from roost.errors import InvalidRequest


def detached_by(*pieces: bytes, keys: str = "C-] d") -> tuple[bytes, bool]:
    watch = DetachKeys(parse_keys(keys))
    passed = b"".join(watch.feed(piece) for piece in pieces)
    return passed, watch.detached


def test_the_keys_detach_and_are_not_typed():
    assert detached_by(b"ab\x1ddxyz") == (b"ab", True)


def test_they_may_come_one_by_one():
    assert detached_by(b"\x1d", b"d") == (b"", True)


def test_the_first_key_is_typed_when_another_follows():
    assert detached_by(b"\x1dx") == (b"\x1dx", False)


def test_the_first_key_twice_types_one_and_waits():
    assert detached_by(b"\x1d\x1d") == (b"\x1d", False)
    assert detached_by(b"\x1d\x1dd") == (b"\x1d", True)


def test_everything_else_passes():
    typed = b"hello\r\x1b[A\x1bOP\x1bx\xc3\xa4\x00\xff"
    assert detached_by(typed) == (typed, False)


@pytest.mark.parametrize(
    "typed",
    [
        b"\x1b[93;5ud",
        b"\x1b[93;5u\x1b[100u",
        b"\x1b[93;5:1u\x1b[93;5:3u\x1b[100;1:1u",
        b"\x1b[27;5;93~d",
        b"\x1b[57442;5u\x1b[93;5u\x1b[57442;1:3ud",
    ],
    ids=["kitty", "kitty both", "kitty with releases", "modifyOtherKeys", "kitty with modifiers alone"],
)
def test_other_ways_of_telling_keys_are_known(typed):
    assert detached_by(typed)[1]


def test_a_release_between_is_typed_when_nothing_comes_of_it():
    assert detached_by(b"\x1b[93;5u\x1b[93;5:3ux") == (b"\x1b[93;5u\x1b[93;5:3ux", False)


def test_other_keys_may_be_chosen():
    assert detached_by(b"\x10\x11", keys="ctrl-p,ctrl-q") == (b"", True)
    assert detached_by(b"\x1d", keys="^]") == (b"", True)
    assert detached_by(b"~.", keys="~ .") == (b"", True)
    assert detached_by(b"\x1b", keys="escape") == (b"", True)


def test_none_means_never():
    assert detached_by(b"\x1dd", keys="none") == (b"\x1dd", False)


@pytest.mark.parametrize("text", ["C-", "C-é", "F13", "ctrl-1", "hello"])
def test_what_is_no_key_is_refused(text):
    with pytest.raises(InvalidRequest, match="no key"):
        parse_keys(text)


def test_a_comma_can_be_a_key():
    assert parse_keys(",") == (",",)


@pytest.mark.parametrize(
    ("token", "character"),
    [
        (b"\x1b[97u", "a"),
        (b"\x1b[97;2u", "a"),
        (b"\x1b[97;5u", "\x01"),
        (b"\x1b[97;3u", "\x1b[97;3u"),
        (b"\x1b[97;1:3u", None),
        (b"\x1b[9999999u", ""),
    ],
)
def test_kitty_keys(token, character):
    assert typed_character(token) == character
