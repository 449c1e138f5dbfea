"""Editing a line that is typed."""

from __future__ import annotations

import pytest

from roost.cli.line_editor import LineEditor


def typed(*keys: str) -> LineEditor:
    editor = LineEditor()
    for key in keys:
        editor.feed(key.encode())
    return editor


@pytest.mark.parametrize(
    ("keys", "text"),
    [
        ("abc", "abc"),
        ("ab\x7f\x08c", "c"),
        ("abc\x1b[D\x1b[DX", "aXbc"),
        ("abc\x01X", "Xabc"),
        ("abc\x1b[HX\x1b[FY", "XabcY"),
        ("abc\x1bOHX\x1bOFY", "XabcY"),
        ("abc\x02\x02\x06X", "abXc"),
        ("abc\x01\x1b[3~", "bc"),
        ("abc\x01\x04", "abc"),
        ("one two\x17X", "one X"),
        ("one two  \x17X", "one X"),
        ("abc\x02\x15", "c"),
        ("abc\x02\x0b", "ab"),
        ("a\tb", "a b"),
        ("a\x1b\rb", "a\nb"),
        ("a\x1b[200~x\ny\x1b[31m\x1b[201~b", "ax\nyb"),
        ("a\x07\x1bqb", "ab"),
        ("", ""),
        ("\x7f\x1b[D\x1b[3~", ""),
        ("äö\x7f", "ä"),
    ],
)
def test_keys_edit_the_line(keys: str, text: str) -> None:
    assert typed(keys).text == text


def test_enter_sends_the_line() -> None:
    editor = LineEditor()
    assert editor.feed(b"one\rtwo\n\r  \rthr").lines == ["one", "two"]
    assert editor.text == "thr"


def test_a_character_may_come_in_pieces() -> None:
    editor = LineEditor()
    for byte in "ö\x1b[Dx".encode()[:2]:
        editor.feed(bytes([byte]))
    editor.feed(b"\x1b[")
    editor.feed(b"Dx")
    assert editor.text == "xö"


def test_lines_that_were_sent_come_again() -> None:
    editor = typed("one\r", "two\r", "two\r", "\x1b[A")
    assert editor.text == "two"
    editor.feed(b"\x10\x10")
    assert editor.text == "one"
    editor.feed(b"\x1b[B\x0e\x0e")
    assert editor.text == ""


def test_interrupts_and_the_end_are_told() -> None:
    editor = LineEditor()
    assert editor.feed(b"abc\x03").interrupted
    assert not editor.feed(b"\x04").ended
    editor.clear()
    assert editor.feed(b"\x04").ended


@pytest.mark.parametrize(
    ("keys", "columns", "shown"),
    [
        ("abc", 10, ("abc", 3)),
        ("abcdef", 4, ("def", 3)),
        ("abcdef\x01", 4, ("abc", 0)),
        ("漢字漢字", 6, ("漢字", 4)),
        ("a\x1b\rb", 10, ("a⏎b", 3)),
        ("", 0, ("", 0)),
    ],
)
def test_what_is_seen_of_the_line(keys: str, columns: int, shown: tuple[str, int]) -> None:
    assert typed(keys).shown(columns) == shown
