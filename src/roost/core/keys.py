"""What a terminal types: names of keys, and pasted text, as bytes.

A key is a character (`a`, `é`), a name (`Enter`, `Up`, `F5`) or either with modifiers before it: `C-` control, `M-` or
`A-` alt, `S-` shift, as in `C-c`, `M-x`, `C-S-Up`. Names are known in any case. Any other text is typed as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from roost.errors import InvalidRequest

_PLAIN = {
    "enter": "\r",
    "return": "\r",
    "tab": "\t",
    "space": " ",
    "escape": "\x1b",
    "esc": "\x1b",
    "backspace": "\x7f",
    "bspace": "\x7f",
    "btab": "\x1b[Z",
}
_CURSOR = {"up": "A", "down": "B", "right": "C", "left": "D", "end": "F", "home": "H"}
_TILDE = {
    "insert": 2,
    "ic": 2,
    "delete": 3,
    "dc": 3,
    "pageup": 5,
    "pgup": 5,
    "ppage": 5,
    "pagedown": 6,
    "pgdn": 6,
    "npage": 6,
    "f5": 15,
    "f6": 17,
    "f7": 18,
    "f8": 19,
    "f9": 20,
    "f10": 21,
    "f11": 23,
    "f12": 24,
}
_FUNCTION = {"f1": "P", "f2": "Q", "f3": "R", "f4": "S"}
_MODIFIED = re.compile(r"((?:[CMAScmas]-)+)(.+)\Z", re.DOTALL)
_BITS = {"S": 1, "M": 2, "A": 2, "C": 4}
_CONTROL_SIGNS = {"@": 0, " ": 0, "[": 27, "\\": 28, "]": 29, "^": 30, "_": 31, "?": 127, "/": 31, "2": 0}
PASTE_BEGIN, PASTE_END = "\x1b[200~", "\x1b[201~"

NAMES: tuple[str, ...] = tuple(sorted({**_PLAIN, **_CURSOR, **_TILDE, **_FUNCTION}))


def encode_keys(keys: Iterable[str], *, application_cursor: bool = False) -> bytes:
    """What a terminal sends for these keys; `application_cursor` is a mode that the program has set.

    Raises:
        InvalidRequest: modifiers before something that is no key.
    """
    return "".join(_encode(key, application_cursor) for key in keys).encode()


def encode_paste(text: str, *, bracketed: bool) -> bytes:
    """Pasted text as a terminal sends it: line ends as Enter, and marked where the program asked for it.

    Bytes that are no UTF-8 stand in the text as surrogates (`surrogateescape`) and come out as they were.
    The mark of the end is taken out of the text, which could otherwise go on as if it were typed.
    """
    typed = text.replace("\r\n", "\r").replace("\n", "\r")
    if not bracketed:
        return typed.encode(errors="surrogateescape")
    while PASTE_END in typed:
        typed = typed.replace(PASTE_END, "")
    return (PASTE_BEGIN + typed + PASTE_END).encode(errors="surrogateescape")


def _encode(key: str, application_cursor: bool) -> str:
    match = _MODIFIED.match(key)
    if match is None:
        return _named(key, 0, application_cursor) or key
    bits = 0
    for letter in match[1][::2].upper():
        bits |= _BITS[letter]
    typed = _named(match[2], bits, application_cursor) or _character(match[2], bits)
    if typed is None:
        raise InvalidRequest(f"{key[:64]!r} is no key", field="keys", hint=_hint(match[1], match[2]), key=key[:64])
    return typed


def _hint(modifiers: str, name: str) -> str:
    near = get_close_matches(name.lower()[:64], NAMES, n=3, cutoff=0.6)
    if near:
        return "did you mean " + " or ".join(modifiers + word.capitalize() for word in near) + "?"
    return "write C-c, M-x, S-Up, Enter"


def _named(name: str, bits: int, application_cursor: bool) -> str | None:
    lower = name.lower()
    if lower in _PLAIN:
        return _plain(lower, bits)
    if lower in _TILDE:
        return f"\x1b[{_TILDE[lower]};{bits + 1}~" if bits else f"\x1b[{_TILDE[lower]}~"
    final = _CURSOR.get(lower) or _FUNCTION.get(lower)
    if final is None:
        return None
    if bits:
        return f"\x1b[1;{bits + 1}{final}"
    return f"\x1bO{final}" if application_cursor or lower in _FUNCTION else f"\x1b[{final}"


def _plain(name: str, bits: int) -> str:
    typed = _PLAIN[name]
    if typed == "\t" and bits & 1:
        typed = "\x1b[Z"
    elif bits & 4:
        typed = {" ": "\0", "\x7f": "\b"}.get(typed, typed)
    return "\x1b" + typed if bits & 2 else typed


def _character(text: str, bits: int) -> str | None:
    if len(text) != 1:
        return None
    typed: str | None = text.upper() if bits & 1 else text
    if bits & 4:
        typed = _control(text)
    return "\x1b" + typed if typed is not None and bits & 2 else typed


def _control(letter: str) -> str | None:
    if letter.isascii() and letter.isalpha():
        return chr(ord(letter.upper()) - 0x40)
    code = _CONTROL_SIGNS.get(letter)
    return None if code is None else chr(code)
