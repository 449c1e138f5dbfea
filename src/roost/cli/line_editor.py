"""A line that is being typed in a terminal: edited here, drawn by others. Pure.

It knows what people reach for without thinking: arrows, Home, End, C-a, C-e, C-u, C-k, C-w, Backspace, Delete, the
lines that were sent before, and pastes. A pasted line break, and M-Enter, go into the line; Enter sends it.
"""

from __future__ import annotations

import codecs
import re
from typing import NamedTuple

from roost.core.width import width

MAX_HISTORY = 200
SHOWN_BREAK = "⏎"

_TOKEN = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1bO[ -~]|\x1b[\r\n]|\x1b.|.", re.DOTALL)
_INCOMPLETE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|O)?\Z")
_PASTE_BEGINS, _PASTE_ENDS = "\x1b[200~", "\x1b[201~"
BRACKETED_PASTE = (b"\x1b[?2004h", b"\x1b[?2004l")
"""Ask the terminal to mark pastes, and no longer to."""


class Typed(NamedTuple):
    """What came of the keys: lines that were sent, and whether somebody pressed C-c, or C-d on an empty line."""

    lines: list[str]
    interrupted: bool = False
    ended: bool = False


class LineEditor:
    """One line, its cursor, and the lines before it."""

    def __init__(self) -> None:
        self.text = ""
        self.cursor = 0
        self._history: list[str] = []
        self._at = 0
        self._pasting = False
        self._kept = ""
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._keys = {
            "\x01": self._home, "\x1b[H": self._home, "\x1bOH": self._home, "\x1b[1~": self._home,
            "\x05": self._end, "\x1b[F": self._end, "\x1bOF": self._end, "\x1b[4~": self._end,
            "\x02": self._left, "\x1b[D": self._left, "\x1bOD": self._left,
            "\x06": self._right, "\x1b[C": self._right, "\x1bOC": self._right,
            "\x10": self._earlier, "\x1b[A": self._earlier, "\x1bOA": self._earlier,
            "\x0e": self._later, "\x1b[B": self._later, "\x1bOB": self._later,
            "\x7f": self._rub_out, "\x08": self._rub_out, "\x1b[3~": self._delete,
            "\x15": self._cut_before, "\x0b": self._cut_behind, "\x17": self._cut_word,
            "\x1b\r": self._break, "\x1b\n": self._break,
        }  # fmt: skip

    def feed(self, data: bytes) -> Typed:
        """Take keys as the terminal sends them."""
        text = self._kept + self._decoder.decode(data)
        cut = _INCOMPLETE.search(text)
        # An escape alone at the end is the key itself: sequences come in one piece.
        self._kept = cut[0] if cut and len(cut[0]) > 1 else ""
        sent: list[str] = []
        interrupted = ended = False
        for token in _TOKEN.findall(text.removesuffix(self._kept) if self._kept else text):
            if token == "\x03":
                interrupted = True
            elif token == "\x04" and not self.text:
                ended = True
            elif token in ("\r", "\n") and not self._pasting:
                sent += self._send()
            else:
                self._take(token)
        return Typed(sent, interrupted, ended)

    def clear(self) -> None:
        """Throw the line away."""
        self.text, self.cursor = "", 0

    def shown(self, columns: int) -> tuple[str, int]:
        """What is to be seen of the line in so many columns, and the cursor's column in it."""
        text = self.text.replace("\n", SHOWN_BREAK)
        begin, room = self.cursor, max(1, columns - 1)
        while begin > 0 and _columns(text[begin - 1 : self.cursor]) <= room:
            begin -= 1
        end = begin
        while end < len(text) and _columns(text[begin : end + 1]) <= room:
            end += 1
        return text[begin:end], _columns(text[begin : self.cursor])

    def _send(self) -> list[str]:
        text = self.text.strip()
        self.clear()
        if text and self._history[-1:] != [text]:
            self._history = [*self._history, text][-MAX_HISTORY:]
        self._at = len(self._history)
        return [text] if text else []

    def _take(self, token: str) -> None:
        if token in (_PASTE_BEGINS, _PASTE_ENDS):
            self._pasting = token == _PASTE_BEGINS
        elif self._pasting and token in ("\r", "\n"):
            self._insert("\n")
        elif (act := self._keys.get(token)) is not None and not self._pasting:
            act()
        elif len(token) == 1 and (token.isprintable() or token == "\t"):
            self._insert(" " if token == "\t" else token)

    def _insert(self, text: str) -> None:
        self.text = self.text[: self.cursor] + text + self.text[self.cursor :]
        self.cursor += len(text)

    def _break(self) -> None:
        self._insert("\n")

    def _home(self) -> None:
        self.cursor = 0

    def _end(self) -> None:
        self.cursor = len(self.text)

    def _left(self) -> None:
        self.cursor = max(0, self.cursor - 1)

    def _right(self) -> None:
        self.cursor = min(len(self.text), self.cursor + 1)

    def _rub_out(self) -> None:
        if self.cursor:
            self._cut(self.cursor - 1, self.cursor)

    def _delete(self) -> None:
        self._cut(self.cursor, self.cursor + 1)

    def _cut_before(self) -> None:
        self._cut(0, self.cursor)

    def _cut_behind(self) -> None:
        self._cut(self.cursor, len(self.text))

    def _cut_word(self) -> None:
        kept = self.text[: self.cursor].rstrip()
        self._cut(max(kept.rfind(" "), kept.rfind("\n")) + 1, self.cursor)

    def _cut(self, begin: int, end: int) -> None:
        self.text = self.text[:begin] + self.text[end:]
        self.cursor = begin

    def _earlier(self) -> None:
        if self._at > 0:
            self._show_history(self._at - 1)

    def _later(self) -> None:
        if self._at < len(self._history):
            self._show_history(self._at + 1)

    def _show_history(self, at: int) -> None:
        self._at = at
        self.text = self._history[at] if at < len(self._history) else ""
        self._end()


def _columns(text: str) -> int:
    return sum(map(width, text))
