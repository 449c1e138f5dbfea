"""What is typed at a local terminal: the keys that detach. Pure.

A program in the agent may have asked the terminal for another way to tell of keys (kitty's protocol, xterm's
modifyOtherKeys); `C-]` is recognised in all of them.
"""

from __future__ import annotations

import re

from roost.errors import InvalidRequest

ESCAPE = 0x1B

_SEQUENCE = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[ -~]|\x1b.|.", re.DOTALL)
_KITTY = re.compile(rb"\x1b\[(\d+)(?::\d*)*(?:;(\d*)(?::(\d+))?)?(?:;[\d:]*)?u\Z")
_MODIFY_OTHER = re.compile(rb"\x1b\[27;(\d+);(\d+)~\Z")
_NAMED = {"space": " ", "enter": "\r", "tab": "\t", "escape": "\x1b", "esc": "\x1b", "backspace": "\x7f"}


def parse_keys(text: str) -> tuple[str, ...]:
    """Detach keys such as `C-] d` or `ctrl-p,ctrl-q`, each as the character that it types; none for `none`.

    Raises:
        InvalidRequest: a key is not known.
    """
    words = text.replace(",", " ").split() if text != "," else [","]
    return () if [word.lower() for word in words] == ["none"] else tuple(_parse_key(word) for word in words)


def _parse_key(word: str) -> str:
    lower = word.lower()
    for prefix in ("ctrl-", "ctrl+", "c-", "^"):
        if lower.startswith(prefix) and len(word) == len(prefix) + 1:
            return _control(word[-1], word)
    if len(word) == 1 and word.isprintable():
        return word
    if lower in _NAMED:
        return _NAMED[lower]
    raise _unknown(word)


def _control(letter: str, word: str) -> str:
    code = ord(letter.upper())
    if 0x40 <= code <= 0x5F:
        return chr(code - 0x40)
    raise _unknown(word)


def _unknown(word: str) -> InvalidRequest:
    return InvalidRequest(f"{word!r} is no key that can detach", hint="give keys such as 'C-] d' or 'C-p C-q'")


class DetachKeys:
    """Watches what is typed for the keys that detach."""

    def __init__(self, keys: tuple[str, ...]) -> None:
        self._keys = keys
        self._held: list[bytes] = []
        self.detached = False

    def feed(self, data: bytes) -> bytes:
        """What is to be typed into the agent. Once `detached` is set, all that came after is gone."""
        passed: list[bytes] = []
        for token in _SEQUENCE.findall(data):
            self._take(token, passed)
            if self.detached:
                break
        return b"".join(passed)

    def _take(self, token: bytes, passed: list[bytes]) -> None:
        key = typed_character(token)
        if key is None and self._held:
            self._held.append(token)
            return
        matched = sum(typed_character(held) is not None for held in self._held)
        if self._keys and key == self._keys[matched]:
            self._held.append(token)
            self.detached = matched + 1 == len(self._keys)
            return
        passed += self._held
        self._held = []
        if self._keys and key == self._keys[0]:
            self._held.append(token)
        else:
            passed.append(token)


def typed_character(token: bytes) -> str | None:
    """The character that a key types, its control bit folded in; None for a key's release and for a bare modifier."""
    match = _KITTY.match(token)
    if match:
        code, modifiers, event = int(match[1]), int(match[2] or 1), match[3] or b"1"
        is_press = event != b"3" and not 57_344 <= code <= 63_743
        return _with_modifiers(code, modifiers) if is_press else None
    match = _MODIFY_OTHER.match(token)
    if match:
        return _with_modifiers(int(match[2]), int(match[1]))
    return token.decode("latin-1")


def _with_modifiers(code: int, modifiers: int) -> str:
    bits = (modifiers - 1) & 0x3F
    if bits & 4 and 0x40 <= code < 0x80:
        return chr(code & 0x1F)
    if bits & ~0x01:
        return f"\x1b[{code};{modifiers}u"
    return chr(code) if code < 0x110000 else ""
