"""Terminal queries and their answers: who asks, who answers, and what viewers may be sent.

A program asks its terminal things ("where is the cursor?", "which colours?"). One emulator, the server's, answers. So
queries are taken out of what viewers are sent (`QueryFilter`), and should a viewer's terminal answer all the same, its
replies are taken out of what it types (`ReplyFilter`). `Neutraliser` takes out what an agent must not do to the
terminal of somebody who reads along: set the clipboard or the title, link to local files, load images.

Rules:

1. What is no query, reply or danger passes byte for byte, however it is cut.
2. An unfinished sequence is held until its end comes, at most `MAX_HELD` bytes of it; a longer one passes.
3. A reply that is also a key is a key: a cursor report for row 1 and columns 2 to 16 is what F3 with modifiers sends.
   Nor is what a person can type held: a lone ESC, and Alt with `[`, `]`, `P`, `X`, `^` or `_`.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

MAX_HELD = 4096

_CONTROLS = bytes(range(32)) + b"\x7f"
_BODY = rb"[\x00-\x17\x19\x1c-\x3f\x7f]{0,1024}"
_TEXT = rb"[^\x18\x1a\x1b\xc2]*(?:\xc2(?!\x9c)[^\x18\x1a\x1b\xc2]*)*"
_TEXT_BEFORE_BELL = rb"[^\x07\x18\x1a\x1b\xc2]*(?:\xc2(?!\x9c)[^\x07\x18\x1a\x1b\xc2]*)*"
_END = rb"\x1b\\|\xc2\x9c|[\x18\x1a]|(?=\x1b)"

_BEGIN = re.compile(rb"[\x05\x1b]|\xc2(?=[\x80-\x9f]|\Z)")
_SEQUENCE = re.compile(
    rb"(?:\x1b\[|\xc2\x9b)(?P<control>" + _BODY + rb"[@-~])"
    rb"|(?:\x1b\]|\xc2\x9d)(?P<command>" + _TEXT_BEFORE_BELL + rb")(?:\x07|" + _END + rb")"
    rb"|(?:\x1b(?P<kind>[PX^_])|\xc2(?P<kind1>[\x90\x98\x9e\x9f]))(?P<string>" + _TEXT + rb")(?:" + _END + rb")"
    rb"|(?P<single>\x1bZ|\xc2\x9a|\x05)"
)
_UNFINISHED = re.compile(
    rb"(?:(?:\x1b\[|\xc2\x9b)" + _BODY + rb"|(?:\x1b\]|\xc2\x9d)" + _TEXT_BEFORE_BELL + rb"\x1b?"
    rb"|(?:\x1b[PX^_]|\xc2[\x90\x98\x9e\x9f])" + _TEXT + rb"\x1b?|\x1b|\xc2)\Z"
)
_STRING_END = re.compile(rb"[\x07\x18\x1a\x1b]|\xc2\x9c")
_SINGLE_KINDS = {b"\x90": b"P", b"\x98": b"X", b"\x9e": b"^", b"\x9f": b"_"}


class _Filter(ABC):
    """Takes sequences out of a stream of bytes. `_CANDIDATE` finds quickly whether there may be any to look at."""

    _CANDIDATE: re.Pattern[bytes]

    def __init__(self) -> None:
        self._held = b""
        self._passing = False

    def feed(self, data: bytes) -> bytes:
        """What of these bytes, and of those held, may pass now."""
        data = self._held + data if self._held else data
        self._held = b""
        if self._passing:
            return self._pass_string(data)
        end = self._hold_from(data)
        tail = data[end:]
        data = self._filter(data, end) if self._may_hold_any(data) else data[:end]
        if len(tail) > MAX_HELD:
            self._passing = True
            return data + self._passed_long(tail)
        self._held = tail
        return data

    def flush(self) -> bytes:
        """What is held, as it is: its end will not come."""
        held, self._held = self._held, b""
        return held

    @property
    def is_holding(self) -> bool:
        """Whether the beginning of a sequence is held."""
        return bool(self._held)

    def _may_hold_any(self, data: bytes) -> bool:
        return b"\x05" in data or b"\xc2" in data or self._CANDIDATE.search(data) is not None

    def _filter(self, data: bytes, end: int) -> bytes:
        """What passes of the bytes up to `end`; those behind may be what ends a sequence, and are held."""
        parts = []
        at = 0
        while (match := _BEGIN.search(data, at)) and (begin := match.start()) < end:
            parts.append(data[at:begin])
            sequence = _SEQUENCE.match(data, begin)
            at = sequence.end() if sequence else begin + 1
            parts.append(self._passed(sequence) if sequence else data[begin:at])
        parts.append(data[at:end])
        return b"".join(parts)

    def _hold_from(self, data: bytes) -> int:
        """Where an unfinished sequence at the end begins."""
        at = max(data.rfind(b"\x1b"), data.rfind(b"\xc2", -1))
        if at < 0:
            at = len(data)
        elif at == len(data) - 1:
            outer = data.rfind(b"\x1b", 0, at)
            at = outer if outer >= 0 and _is_open_string(data[outer:]) else at
        elif not _UNFINISHED.match(data, at):
            at = len(data)
        return min(at, self._c1_from(data, at))

    def _c1_from(self, data: bytes, at: int) -> int:
        """The same for sequences that begin with a C1 control in UTF-8."""
        begin = max(data.rfind(b"\xc2" + bytes((last,))) for last in b"\x90\x98\x9b\x9d\x9e\x9f")
        return begin if 0 <= begin < at and _UNFINISHED.match(data, begin) else at

    def _pass_string(self, data: bytes) -> bytes:
        """The rest of a string that was too long to hold."""
        match = _STRING_END.search(data)
        if match is None:
            return self._passed_long(data)
        self._passing = False
        end = match.start() if match[0] == b"\x1b" else match.end()
        return self._passed_long(data[:end]) + self.feed(data[end:])

    def _passed_long(self, data: bytes) -> bytes:
        """What passes of a string that is too long to hold."""
        return data

    def _passed(self, match: re.Match[bytes]) -> bytes:
        """What passes of one sequence."""
        if match["control"] is not None:
            return self._passed_control(match)
        if match["command"] is not None:
            return self._passed_command(match)
        if match["string"] is not None:
            kind = match["kind"] or _SINGLE_KINDS[match["kind1"]]
            return self._passed_string(match, kind, match["string"])
        return self._passed_single(match)

    def _passed_control(self, match: re.Match[bytes]) -> bytes:
        return match[0]

    @abstractmethod
    def _passed_command(self, match: re.Match[bytes]) -> bytes: ...

    @abstractmethod
    def _passed_string(self, match: re.Match[bytes], kind: bytes, content: bytes) -> bytes: ...

    def _passed_single(self, match: re.Match[bytes]) -> bytes:
        return match[0]


def _is_open_string(data: bytes) -> bool:
    return data[1:2] in (b"]", b"P", b"X", b"^", b"_") and _UNFINISHED.match(data) is not None


# -- what programs ask -------------------------------------------------------------------------------------------------

_CONTROL_QUERY = re.compile(
    rb"[>=]?0*c"  # device attributes
    rb"|[56]n|\?[0-9;]*n"  # status and cursor
    rb"|\??[0-9]*\$p"  # is a mode set
    rb"|>0*q"  # name and version
    rb"|\?[0-9;]*[umS]"  # keyboard flags, modified keys, graphics
    rb"|(?:11|1[3-689]|2[01])(?:;[0-9;]*)?t"  # the window
    rb"|[01]?x|[0-9;]*\*y|[0-9]*\$[wu]|&u|\"v"  # terminal parameters, checksums, presentation
)
_COLOURS = re.compile(rb"(?:4|5|1[0-9])\Z")
_ASKS = re.compile(rb"\?|.*(?:;|=)\?|.*type=read", re.DOTALL)
_ITERM_ASKS = (b"Report", b"Request", b"Capabilities")


class QueryFilter(_Filter):
    """Takes queries out of an agent's output on its way to viewers."""

    _CANDIDATE = re.compile(rb"\x1b(?:[Z\]P_]|\[[\x00-\x1f !\"$&*0-9;=>?\x7f]{0,1024}[cnpqtuxySvwm])")

    def _passed_control(self, match: re.Match[bytes]) -> bytes:
        body: bytes = match["control"]
        if not _CONTROL_QUERY.fullmatch(body.translate(None, _CONTROLS)):
            return match[0]
        return bytes(byte for byte in body if byte < 32 and byte != 5)

    def _passed_command(self, match: re.Match[bytes]) -> bytes:
        number, _, rest = match["command"].partition(b";")
        if _COLOURS.match(number):
            return _without_colour_queries(match, number, rest)
        if number in (b"60", b"61"):
            return b""
        if number == b"1337":
            return b"" if rest.startswith(_ITERM_ASKS) else match[0]
        return b"" if number in (b"21", b"22", b"52", b"5522") and _ASKS.match(rest) else match[0]

    def _passed_string(self, match: re.Match[bytes], kind: bytes, content: bytes) -> bytes:
        asks = content.startswith((b"$q", b"+q", b"+Q")) if kind == b"P" else _is_graphics_query(kind, content)
        return b"" if asks else match[0]

    def _passed_single(self, match: re.Match[bytes]) -> bytes:
        return b""


def _is_graphics_query(kind: bytes, content: bytes) -> bool:
    return kind == b"_" and content.startswith(b"G") and b"a=q" in content.partition(b";")[0][1:].split(b",")


def _without_colour_queries(match: re.Match[bytes], number: bytes, rest: bytes) -> bytes:
    """Colours may be set and asked for in one command; what is set stays."""
    values = rest.split(b";")
    if b"?" not in values:
        return match[0]
    end = match[0][len(match["command"]) + 2 :]
    if number in (b"4", b"5"):
        pairs = list(zip(values[::2], values[1::2], strict=False))
        kept = [b"%b;%b" % pair for pair in pairs if pair[1] != b"?"]
        return b"\x1b]%b;%b%b" % (number, b";".join(kept), end) if kept else b""
    first = int(number)
    return b"".join(b"\x1b]%d;%b%b" % (first + at, value, end) for at, value in enumerate(values) if value != b"?")


def has_query(data: bytes) -> bool:
    """Whether `data` holds a whole query."""
    if b"\x05" not in data and b"\xc2" not in data and QueryFilter._CANDIDATE.search(data) is None:
        return False
    return QueryFilter()._filter(data, len(data)) != data


# -- what terminals answer ---------------------------------------------------------------------------------------------

_CONTROL_REPLY = re.compile(
    rb"[?>=][0-9;]*c"
    rb"|[03]n|\?[0-9;]*[nRuS]"
    rb"|\??[0-9]+;[0-9]+\$y"
    rb"|[0-9;]*[tx]"
    rb"|>[0-9;]*m"
    rb"|(?:(?!0*1;)[0-9]+;[0-9]+|0*1;(?!0*(?:[2-9]|1[0-6])R)[0-9]+)R"
)
_PASTE_BEGIN, _PASTE_END = b"200~", b"\x1b[201~"
_TYPABLE = re.compile(rb"\x1b[\[\]PX^_]?\Z|\xc2\Z")


class ReplyFilter(_Filter):
    """Takes a terminal's replies out of what its user types. What stands in a bracketed paste is not looked at."""

    _CANDIDATE = re.compile(rb"\x1b[\[\]P_]")

    def __init__(self) -> None:
        super().__init__()
        self._pasting = b""

    def feed(self, data: bytes) -> bytes:
        """What of these bytes was typed."""
        if self._pasting:
            return self._paste(data)
        begin = (self._held + data).find(b"\x1b[" + _PASTE_BEGIN)
        if begin < 0:
            return super().feed(data)
        data, self._held = self._held + data, b""
        before = super().feed(data[:begin]) + self.flush()
        self._pasting = b"\0"
        return before + self._paste(data[begin:])

    def _paste(self, data: bytes) -> bytes:
        """Pass bytes up to the mark that ends the paste, which may be cut."""
        seen = self._pasting + data
        end = seen.find(_PASTE_END)
        if end < 0:
            self._pasting = seen[-len(_PASTE_END) :]
            return data
        cut = end + len(_PASTE_END) - len(self._pasting)
        self._pasting = b""
        return data[:cut] + self.feed(data[cut:])

    def _hold_from(self, data: bytes) -> int:
        at = super()._hold_from(data)
        return len(data) if _TYPABLE.match(data, at) else at

    def _passed_control(self, match: re.Match[bytes]) -> bytes:
        return b"" if _CONTROL_REPLY.fullmatch(match["control"]) else match[0]

    def _passed_command(self, match: re.Match[bytes]) -> bytes:
        return b"" if match["command"][:1].isdigit() or match["command"][:1] in (b"l", b"L") else match[0]

    def _passed_string(self, match: re.Match[bytes], kind: bytes, content: bytes) -> bytes:
        answers = {b"P": (b"0$r", b"1$r", b"0+r", b"1+r", b">|", b"!|"), b"_": (b"G",)}.get(kind, ())
        return b"" if content.startswith(answers) else match[0]


# -- what must not reach a reader's terminal ---------------------------------------------------------------------------

_SAFE_LINK = re.compile(rb"[^;]*;(?:https?://[\x21-\x7e]*)?\Z", re.IGNORECASE)


class Neutraliser(_Filter):
    """Takes out strings of every kind but web links and prompt marks: no clipboard, title, file link, image, message.

    A link to anything else loses its address, its text stays.
    """

    _CANDIDATE = re.compile(rb"\x1b[\]PX^_]")

    def _passed_long(self, data: bytes) -> bytes:
        return b""

    def _passed_command(self, match: re.Match[bytes]) -> bytes:
        number, _, rest = match["command"].partition(b";")
        if number == b"133":
            return match[0]
        if number == b"8":
            return match[0] if _SAFE_LINK.match(rest) else b"\x1b]8;;\x1b\\"
        return b""

    def _passed_string(self, match: re.Match[bytes], kind: bytes, content: bytes) -> bytes:
        return b""


def neutralise(data: bytes) -> bytes:
    """All of `data` through a `Neutraliser`; an unfinished string at its end is dropped."""
    neutraliser = Neutraliser()
    passed = neutraliser.feed(data)
    held = neutraliser.flush()
    return passed if _is_open_string(held) or held.startswith((b"\x1b", b"\xc2")) else passed + held
