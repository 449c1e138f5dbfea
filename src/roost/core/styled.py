"""Rows of styled text to and from the bytes that draw them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from roost.core.screen import PLAIN, Colour, Run, Style
from roost.core.width import columns

_PART = re.compile(rb"\x1b\[([0-9;:]*)m|\x1b[^a-zA-Z]*[a-zA-Z]|([^\x1b]+)")
_FLAGS = {1: "bold", 2: "faint", 3: "italic", 5: "blink", 7: "inverse", 8: "invisible", 9: "strike"}
_OFF = {
    22: ("bold", "faint"), 23: ("italic",), 25: ("blink",), 27: ("inverse",), 28: ("invisible",), 29: ("strike",),
}  # fmt: skip
_BRIGHT = 8


def parse_rows(rows: list[bytes]) -> list[list[Run]]:
    """Rows of text with colour sequences as runs. The style goes on from row to row."""
    style = PLAIN
    found = []
    for row in rows:
        runs: list[Run] = []
        for match in _PART.finditer(row):
            if match[1] is not None:
                style = apply_sgr(style, match[1].decode())
            elif match[2]:
                runs.append(Run(match[2].decode("utf-8", "replace"), style))
        found.append(_tidy(runs))
    return found


def _tidy(runs: list[Run]) -> list[Run]:
    """Neighbours of one style joined, plain blanks at the end left out."""
    joined: list[Run] = []
    for run in runs:
        if joined and joined[-1].style == run.style:
            joined[-1] = Run(joined[-1].text + run.text, run.style)
        else:
            joined.append(run)
    if joined and joined[-1].style == PLAIN:
        text = joined.pop().text.rstrip(" ")
        if text:
            joined.append(Run(text))
    return joined


def visible_width(row: bytes) -> int:
    """Columns that a row of bytes with colours takes."""
    return columns(_PART.sub(lambda match: match[2] or b"", row).decode("utf-8", "replace"))


def apply_sgr(style: Style, params: str) -> Style:
    """The style after a colour sequence with these parameters."""
    numbers = _split(params)
    for number, rest in numbers:
        if number == 0:
            style = PLAIN
        elif number == 4:
            style = style._replace(underline=rest[0] if rest else 1)
        elif number == 21:
            style = style._replace(underline=2)
        elif number == 24:
            style = style._replace(underline=0)
        elif number in _FLAGS:
            style = style._replace(**{_FLAGS[number]: True})
        elif number in _OFF:
            style = style._replace(**dict.fromkeys(_OFF[number], False))
        else:
            style = _coloured(style, number, rest)
    return style


def _coloured(style: Style, number: int, rest: list[int]) -> Style:
    if number in (38, 48):
        return _with(style, number, _colour(rest))
    if number in (39, 49):
        return _with(style, number, None)
    for base, offset in ((30, 0), (40, 0), (90, _BRIGHT), (100, _BRIGHT)):
        if base <= number < base + _BRIGHT:
            return _with(style, 38 if base in (30, 90) else 48, number - base + offset)
    return style


def _with(style: Style, number: int, colour: Colour) -> Style:
    return style._replace(fg=colour) if number in (38, 39) else style._replace(bg=colour)


def _colour(rest: list[int]) -> Colour:
    if rest[:1] == [5] and len(rest) > 1:
        return rest[1] & 255
    if rest[:1] == [2] and len(rest) > 3:
        red, green, blue = (value & 255 for value in rest[-3:])
        return f"#{red:02x}{green:02x}{blue:02x}"
    return None


def _split(params: str) -> Iterator[tuple[int, list[int]]]:
    """Each attribute with the numbers that belong to it, whether joined by colons or semicolons."""
    parts = params.split(";")
    at = 0
    while at < len(parts):
        number, *rest = [int(part) if part.isdigit() else 0 for part in parts[at].split(":")]
        at += 1
        if number in (38, 48, 58) and not rest and at < len(parts):
            taken = {"5": 2, "2": 4}.get(parts[at], 1)
            rest = [int(part) if part.isdigit() else 0 for part in parts[at : at + taken]]
            at += taken
        yield number, rest


def row_bytes(runs: list[Run]) -> bytes:
    """The bytes that draw a row, ending in the default style."""
    return b"".join(sgr(run.style) + run.text.encode() for run in runs) + (b"\x1b[0m" if runs else b"")


def sgr(style: Style) -> bytes:
    """The sequence that sets exactly this style."""
    numbers = ["0"]
    numbers += [str(number) for number, name in _FLAGS.items() if getattr(style, name)]
    if style.underline:
        numbers.append("4" if style.underline == 1 else f"4:{style.underline}")
    for base, colour in ((38, style.fg), (48, style.bg)):
        if isinstance(colour, str):
            red, green, blue = bytes.fromhex(colour[1:])
            numbers.append(f"{base};2;{red};{green};{blue}")
        elif colour is not None:
            numbers.append(f"{base};5;{colour}" if colour > 15 else str(_basic(base, colour)))
    return f"\x1b[{';'.join(numbers)}m".encode()


def _basic(base: int, colour: int) -> int:
    """The short number of one of the sixteen first colours."""
    return base - _BRIGHT + colour if colour < _BRIGHT else base + 52 + colour - _BRIGHT
