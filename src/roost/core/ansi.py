"""The grammar of what programs write to a terminal (ECMA-48, seven-bit form, text in UTF-8).

Rules:

1. C1 controls in their UTF-8 form are the seven-bit ones; raw bytes 0x80 to 0x9F are text (and not valid UTF-8).
2. OSC ends at BEL or ST; DCS, APC, PM and SOS end at ST. An ESC that begins no ST aborts them and begins anew.
3. CAN and SUB abort whatever sequence they stand in.
4. Controls inside a control sequence act as if they stood before it.
5. A control sequence longer than `MAX_PARAMETERS` is none: its introducer is dropped, the rest is text.

Everything works on bytes or text that ends with no sequence cut in two: `split_tail` sees to that.
"""

from __future__ import annotations

import re

MAX_PARAMETERS = 1024

_STRING = (
    rb"\][^\x07\x1b\x18\x1a]*(?:\x07|\x1b\\|(?=\x1b)|[\x18\x1a])|[PX^_][^\x1b\x18\x1a]*(?:\x1b\\|(?=\x1b)|[\x18\x1a])"
)

STRINGS = re.compile(rb"\x1b(?:" + _STRING + rb")")
"""OSC, DCS, APC, PM and SOS: they never change the text."""


def _noop(sets: bytes) -> re.Pattern[bytes]:
    return re.compile(
        rb"\x1b(?:"
        rb"\[[0-9;:]{0,1000}m"
        rb"|\[\?(?:1|12|25|66|100[0-6]|101[56]|2004|2026|2027|2031|2048)[hl]"
        rb"|\[[<=>][0-9;:]{0,1000}[\x20-\x2f]{0,2}[@-~]"
        rb"|\[\?[0-9;]{0,1000}[cmnqu]"
        rb"|\[[0-9;]{0,1000}(?:[cnt]| q)|" + sets + rb"%%G|[=>\\]"
        rb"|" + _STRING + rb"|[\x20-\x2f]{1,16}(?![\x20-\x7e])"
        rb"|(?:\[[\x20-\x3f]{0,%d})?(?:[\x18\x1a]|(?=[\x1b\x80-\xff])|\Z)"
        rb")" % MAX_PARAMETERS
    )


NOOP = _noop(rb"[()*+]B|")
"""What changes no text wherever the cursor stands: colours, strings, reports, key and mouse modes, what is aborted.

Choosing the set of plain letters is among them, for it is chosen already.
"""

NOOP_BUT_SETS = _noop(b"")
"""The same where another set may be chosen."""

GRAPHICS = re.compile(rb"\x1b[()]0")

SPECIAL = re.compile(rb"[\x08\x0b\x0c\x0e\x0f]|\r(?!\r*\n)|\x1b(?!\[0?K)")
"""What plain lines have none of. (Erasing behind the cursor does nothing while it stands at the line's end.)"""

SPECIAL_ON_TERMINAL = re.compile(SPECIAL.pattern + rb"|(?<![\r\n])\n")
"""On a terminal a line feed alone keeps the column, so it is special too."""

ERASE_END = re.compile("\x1b\\[0?K")

WRITTEN_OVER = re.compile(r"((?:\x1b\[[02]?K)*)([^\x00-\x1f\x7f]*)((?:\x1b\[0?K)*)")
"""Text from a row's start on, with what is erased before and behind it."""

IGNORED = bytes(c for c in range(32) if c not in b"\x07\x08\t\n\x0b\x0c\r\x0e\x0f\x18\x1a\x1b") + b"\x7f"
"""Controls that do nothing in any state."""

BELLS = b"\x07\x18\x1a"
"""Controls that end or abort a sequence and do nothing elsewhere."""

TEXT = bytes(c for c in range(32, 256) if c != 0x7F) + b"\t"
"""Bytes that are text, and the tab."""

COMMON = b"\x07\b\t\n\v\f\r\x0e\x0f\x18\x1a\x1b"
"""The other controls."""

SHIFT_OUT, SHIFT_IN = b"\x0e", b"\x0f"

_CONTROLS = bytes(range(32))
_EMBEDDED = re.compile(rb"\x1b(?:\[[\x20-\x3f]{0,%d})?[\x07-\x0f]" % MAX_PARAMETERS)
_SEQUENCE = re.compile(
    rb"\x1b(?P<kept>[\x07-\x0f]{0,16})[\x20-\x2f]{1,16}(?![\x20-\x7e])"
    rb"|\x1b(?P<body>[\x07-\x0f]{0,16}(?:\[[\x07-\x0f\x20-\x3f]{0,%d})?)"
    rb"(?:(?P<aborted>[\x18\x1a]|(?=[\x1b\x80-\xff])|\Z)|(?P<final>[\x30-\x7e]?))" % MAX_PARAMETERS
)
_C1 = re.compile(rb"\xc2([\x80-\x9f])")

_PARTIAL = re.compile(
    rb"\x1b[\x07-\x0f]{0,16}(?:\[[\x07-\x0f\x20-\x3f]{0,%d}|[\x20-\x2f]{1,16}"
    rb"|(?P<string>[\]PX^_])(?:(?<=\])[^\x07\x1b\x18\x1a]*|(?<!\])[^\x1b\x18\x1a]*))?\Z" % MAX_PARAMETERS
)
_PARTIAL_UTF8 = re.compile(
    rb"(?:[\xc2-\xdf]|\xe0[\xa0-\xbf]?|[\xe1-\xec\xee\xef][\x80-\xbf]?|\xed[\x80-\x9f]?"
    rb"|\xf0(?:[\x90-\xbf][\x80-\xbf]?)?|[\xf1-\xf3](?:[\x80-\xbf][\x80-\xbf]?)?|\xf4(?:[\x80-\x8f][\x80-\xbf]?)?)\Z"
)

TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f]+)"
    rf"|\x1b\[(?P<params>[ -?]{{0,{MAX_PARAMETERS}}})(?P<final>[@-~])"
    r"|\x1b(?P<middle>[ -/]{1,16})(?P<set>[0-~])"
    r"|\x1b(?P<escape>[0-OQ-WYZ`-~])"
    r"|(?P<control>\x1b\[?|[\x00-\x1f\x7f])"
)
"""One step of text that holds no string sequences. `control` also takes what is no sequence after all."""


def fold_c1(data: bytes) -> bytes:
    """C1 controls in UTF-8 as their seven-bit forms."""
    if b"\xc2" not in data:
        return data
    return _C1.sub(lambda m: bytes((0x1B, m[1][0] - 0x40)), data)


def settle_escapes(data: bytes) -> bytes:
    """Controls that stand within a sequence moved before it; of an aborted one they alone stay."""
    if not _EMBEDDED.search(data):
        return data
    return _SEQUENCE.sub(_settled, data)


def _settled(match: re.Match[bytes]) -> bytes:
    if match["body"] is None:
        return match["kept"]
    controls = bytes(byte for byte in match["body"] if byte < 32)
    if match["final"] is None:
        return controls
    if not controls:
        return match[0]
    return controls + b"\x1b" + match["body"].translate(None, _CONTROLS) + match["final"]


def split_tail(data: bytes) -> tuple[bytes, bytes]:
    """`data` without an unfinished sequence, character or line end, and that unfinished part.

    The content of an unfinished string is dropped at once, so the tail stays short whatever comes.
    """
    at = data.rfind(b"\x1b")
    if at >= 0:
        partial = _partial_at(data, at)
        if partial is not None:
            return partial
    last = data[-3:]
    match = _PARTIAL_UTF8.search(last)
    if match:
        cut = len(data) - len(match[0])
        return data[:cut], match[0]
    if last.endswith(b"\r"):
        kept = data.rstrip(b"\r")
        return kept, b"\r"
    return data, b""


def _partial_at(data: bytes, at: int) -> tuple[bytes, bytes] | None:
    """The split at the last ESC, which may be the first half of a string's end."""
    if at == len(data) - 1 and at:
        begin = data.rfind(b"\x1b", 0, at)
        outer = _PARTIAL.match(data[begin:at]) if begin >= 0 else None
        if outer and outer["string"]:
            return data[:begin], outer[0][: outer.end("string")] + b"\x1b"
    match = _PARTIAL.match(data, at)
    if match is None:
        return None
    return data[:at], (data[at : match.end("string")] if match["string"] else data[at:])
