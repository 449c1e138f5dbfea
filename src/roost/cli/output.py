"""What the command line prints: data on standard output, talk on standard error.

Agents' output is not to be trusted with a person's terminal: what is printed as a line or a table cell goes through
`visible`. Colours appear on a terminal only, and never where `NO_COLOR` is set.
"""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# Controls that a terminal acts on, and marks that turn the direction of text around (which hides what it says).
_UNSAFE = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")

COLOURS = {
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "dim": "2",
    "bold": "1",
}


def visible(text: str, *, tabs: bool = True) -> str:
    """`text` with every control shown instead of sent: `^[` for an escape, `<U+202E>` for a mark."""
    shown = _UNSAFE.sub(_show, text)
    return shown if tabs else shown.replace("\t", " ")


def _show(found: re.Match[str]) -> str:
    code = ord(found[0])
    if code < 0x20:
        return f"^{chr(code + 64)}"
    return "^?" if code == 0x7F else f"<U+{code:04X}>"


def colours_wanted(stream: Any) -> bool:
    """Whether `stream` is a terminal whose person wants colours."""
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def paint(text: str, colour: str) -> str:
    """`text` in a colour, where standard output shows colours; an unknown or empty colour changes nothing."""
    code = COLOURS.get(colour)
    return f"\x1b[{code}m{text}\x1b[0m" if code and colours_wanted(sys.stdout) else text


def say(text: str) -> None:
    """Talk to the person: on standard error."""
    print(text, file=sys.stderr, flush=True)


def write_json(value: Any) -> None:
    """One JSON document; indented where a person looks at it."""
    import json

    indent = 2 if sys.stdout.isatty() else None
    print(json.dumps(value, indent=indent, ensure_ascii=False))


def write_json_line(value: Any) -> None:
    """One line of NDJSON, at once."""
    import json

    sys.stdout.write(json.dumps(value, separators=(",", ":"), ensure_ascii=False) + "\n")
    sys.stdout.flush()


def write_table(heads: Sequence[str], rows: Sequence[Sequence[str]], *, colours: Sequence[Sequence[str]] = ()) -> None:
    """A table with columns as wide as their content; the last is cut at the terminal's edge.

    `colours` holds, row by row, a colour for each cell, or nothing.
    """
    cells = [[visible(cell, tabs=False) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    print(paint(_line(heads, widths, ()), "bold"))
    for at, row in enumerate(cells):
        print(_line(row, widths, colours[at] if at < len(colours) else ()))


def _line(cells: Sequence[str], widths: Sequence[int], colours: Sequence[str]) -> str:
    parts = [cell.ljust(width) for cell, width in zip(cells[:-1], widths[:-1], strict=True)]
    room = terminal_width() - sum(len(part) + 2 for part in parts)
    parts.append(shorten(cells[-1], max(room, 12)))
    painted = [paint(part, colours[at]) if at < len(colours) else part for at, part in enumerate(parts)]
    return "  ".join(painted).rstrip()


def shorten(text: str, width: int) -> str:
    """`text`, cut to `width` with an ellipsis where it is longer; whole where no terminal limits it."""
    return text if len(text) <= width or not sys.stdout.isatty() else text[: width - 1] + "…"


def terminal_width() -> int:
    """Columns of the terminal that standard output is; 80 where it is none."""
    try:
        return os.get_terminal_size(sys.stdout.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def duration(seconds: float) -> str:
    """A span for people: `5s`, `12m`, `3h`, `4d`."""
    for limit, size, unit in ((60, 1, "s"), (3600, 60, "m"), (172_800, 3600, "h")):
        if seconds < limit:
            return f"{max(0, int(seconds / size))}{unit}"
    return f"{int(seconds / 86_400)}d"


def size(count: int) -> str:
    """A number of bytes for people: `512 B`, `1.4 MiB`."""
    amount = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if amount < 1024:
            return f"{amount:.0f} {unit}" if unit == "B" else f"{amount:.1f} {unit}"
        amount /= 1024
    return f"{amount:.1f} TiB"


def write_bytes(data: bytes) -> None:
    """Bytes as they are, whatever the encoding of standard output, at once."""
    sys.stdout.flush()
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()
