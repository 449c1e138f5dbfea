"""What keys and pastes type."""

import pytest

from roost.core.keys import NAMES, encode_keys, encode_paste
from roost.errors import InvalidRequest


@pytest.mark.parametrize(
    ("key", "typed"),
    [
        ("a", b"a"),
        ("é", "é".encode()),
        ("hello world", b"hello world"),
        ("Enter", b"\r"),
        ("tab", b"\t"),
        ("S-Tab", b"\x1b[Z"),
        ("Space", b" "),
        ("C-Space", b"\0"),
        ("Escape", b"\x1b"),
        ("Backspace", b"\x7f"),
        ("C-Backspace", b"\b"),
        ("M-Enter", b"\x1b\r"),
        ("C-Enter", b"\r"),
        ("C-c", b"\x03"),
        ("c-C", b"\x03"),
        ("C-[", b"\x1b"),
        ("C-?", b"\x7f"),
        ("C-@", b"\0"),
        ("M-x", b"\x1bx"),
        ("A-x", b"\x1bx"),
        ("S-x", b"X"),
        ("C-M-c", b"\x1b\x03"),
        ("Up", b"\x1b[A"),
        ("S-Up", b"\x1b[1;2A"),
        ("C-M-Right", b"\x1b[1;7C"),
        ("Home", b"\x1b[H"),
        ("Delete", b"\x1b[3~"),
        ("C-PageDown", b"\x1b[6;5~"),
        ("F1", b"\x1bOP"),
        ("S-F1", b"\x1b[1;2P"),
        ("F12", b"\x1b[24~"),
        ("C-", b"C-"),
    ],
)
def test_keys(key: str, typed: bytes) -> None:
    assert encode_keys([key]) == typed


def test_cursor_keys_follow_the_mode() -> None:
    assert encode_keys(["Up", "C-Up", "F1"], application_cursor=True) == b"\x1bOA\x1b[1;5A\x1bOP"


@pytest.mark.parametrize("key", ["C-nothing", "M-xy", "C-é", "C-M-5"])
def test_modifiers_before_no_key_are_refused(key: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        encode_keys([key])
    assert caught.value.details["field"] == "keys"


def test_every_name_types_something() -> None:
    assert all(encode_keys([name]) for name in NAMES)


def test_a_paste_is_marked_where_the_program_asked() -> None:
    assert encode_paste("a\nb\r\nc", bracketed=True) == b"\x1b[200~a\rb\rc\x1b[201~"
    assert encode_paste("a\nb", bracketed=False) == b"a\rb"


@pytest.mark.parametrize("bracketed", [True, False])
def test_bytes_that_are_no_text_are_pasted_as_they_are(bracketed: bool) -> None:
    assert b"\xff\x80\r" in encode_paste(b"\xff\x80\n".decode(errors="surrogateescape"), bracketed=bracketed)


def test_a_paste_cannot_end_itself() -> None:
    nested = "x\x1b[20\x1b[201~1~rm -rf"
    assert encode_paste(nested, bracketed=True) == b"\x1b[200~xrm -rf\x1b[201~"
