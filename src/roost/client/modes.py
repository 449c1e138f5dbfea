"""Which modes an agent's output has set in the local terminal, so that leaving can set them back. Pure."""

from __future__ import annotations

import re

_CONTROL = re.compile(
    rb"\x1b(?:\[(?P<private>\?[\d;]{0,64})(?P<set>[hl])|\[(?P<kitty>[<>=])(?P<flags>[\d;]{0,64})u"
    rb"|\[>(?P<other>[\d;]*)m"
    rb"|(?P<reset>c)|\[(?P<soft>!)p|\[(?P<unstyle>0?) q|\[[\d;]*(?P<style> )q|\[\d*;?\d*(?P<margins>r)"
    rb"|\[\?(?P<retab>5)W|\[[\d;]*(?P<untab>g)|(?P<tab>H)|(?P<keypad>[=>])|[()](?P<charset>[0A-Z])"
    rb"|\](?P<colour>4;\d+|1[0-2]);(?=[^?])|\](?P<uncolour>104|11[0-2])(?=[\x07\x1b]))"
)
_UNFINISHED = re.compile(rb"\x1b(?:\[[?<>=!]?[\d;]* ?|[()]|\][\d;]{0,12})?\Z")
MAX_HELD = 64

_DEFAULT_ON = frozenset({7, 25})
_ALTERNATE = frozenset({47, 1047, 1049})
_SOFTLY_RESET = frozenset({1, 6, 7, 25, 66})
"""What a soft reset sets back; it leaves the alternate screen, the mouse and pasting alone."""


class _Keyboard:
    """What was done to the keyboard on one of the two screens, which have a stack each."""

    def __init__(self) -> None:
        self.depth = 0
        self.is_set = False

    def take(self, kind: bytes, flags: bytes) -> None:
        if kind == b">":
            self.depth += 1
        elif kind == b"<":
            self.depth = max(0, self.depth - int(flags.partition(b";")[0] or 1))
        else:
            self.is_set = True

    def restore(self) -> bytes:
        popped = b"\x1b[<%du" % self.depth if self.depth else b""
        return (b"\x1b[=0;1u" if self.is_set and not popped else b"") + popped


class Modes:
    """Follows the output of an agent."""

    def __init__(self) -> None:
        self._held = b""
        self._changed: dict[int, bool] = {}
        self._extras: set[str] = set()
        self._keyboards = (_Keyboard(), _Keyboard())

    @property
    def alternate(self) -> bool:
        """Whether the alternate screen is shown."""
        return any(self._changed.get(mode) for mode in _ALTERNATE)

    @property
    def bracketed_paste(self) -> bool:
        """Whether the program asked to be told where a paste begins and ends."""
        return bool(self._changed.get(2004))

    @property
    def application_cursor(self) -> bool:
        """Whether arrow keys are told as `ESC O A` instead of `ESC [ A`."""
        return bool(self._changed.get(1))

    def feed(self, data: bytes) -> None:
        """Take note of what `data` sets and resets."""
        if b"\x1b" not in data and not self._held:
            return
        data = self._held + data
        for match in _CONTROL.finditer(data):
            self._take(match)
        match_end = _UNFINISHED.search(data[-MAX_HELD:])
        self._held = match_end[0] if match_end else b""

    def _take(self, match: re.Match[bytes]) -> None:
        if match["set"]:
            for number in match["private"][1:].split(b";"):
                if number:
                    self._changed[int(number)] = match["set"] == b"h"
        elif match["kitty"]:
            self._keyboards[self.alternate].take(match["kitty"], match["flags"])
        elif match["reset"]:
            self._forget()
        elif match["soft"]:
            self._changed = {mode: on for mode, on in self._changed.items() if mode not in _SOFTLY_RESET}
            self._extras -= {"margins", "keypad", "charset"}
        elif match["colour"]:
            self._extras.add(_COLOURS[match["colour"].partition(b";")[0]])
        else:
            self._take_extra(match)

    def _take_extra(self, match: re.Match[bytes]) -> None:
        if match["unstyle"] is not None:
            self._extras.discard("style")
        elif match["retab"]:
            self._extras.discard("tabs")
        elif match["uncolour"]:
            self._extras.discard(_COLOURS[match["uncolour"][1:].lstrip(b"0")])
        elif match["tab"] or match["untab"]:
            self._extras.add("tabs")
        else:
            self._extras.update(name for name in ("other", "style", "margins", "keypad", "charset") if match[name])

    def _forget(self) -> None:
        self._changed.clear()
        self._extras.clear()
        self._keyboards = (_Keyboard(), _Keyboard())

    def restore(self) -> bytes:
        """What sets a terminal back to how a shell expects it, and touches nothing that was not changed."""
        main, other = self._keyboards
        parts = [b"\x1b[0m", other.restore() if self.alternate else b""]
        if "margins" in self._extras:
            parts.append(b"\x1b7\x1b[r\x1b8")
        for mode, is_set in sorted(self._changed.items()):
            if is_set != (mode in _DEFAULT_ON) and mode not in (*_ALTERNATE, 3, 1048):
                parts.append(b"\x1b[?%d%s" % (mode, b"h" if mode in _DEFAULT_ON else b"l"))
        parts += [code for name, code in _BACK if name in self._extras]
        parts += [b"\x1b[?%dl" % mode for mode in sorted(_ALTERNATE) if self._changed.get(mode)]
        return b"".join([*parts, main.restore()])


_COLOURS = {b"4": "palette", b"10": "foreground", b"11": "background", b"12": "cursor"}
_BACK = (
    ("other", b"\x1b[>4m"),
    ("style", b"\x1b[0 q"),
    ("keypad", b"\x1b>"),
    ("charset", b"\x1b(B"),
    ("tabs", b"\x1b[?5W"),
    ("palette", b"\x1b]104\x1b\\"),
    ("foreground", b"\x1b]110\x1b\\"),
    ("background", b"\x1b]111\x1b\\"),
    ("cursor", b"\x1b]112\x1b\\"),
)
