"""Recorded terminals: how they are read, cleaned, and shown by an emulator."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

from roost.core.text import Cleaner, Line, Piece

GOLDENS = Path(__file__).resolve().parent.parent / "goldens" / "terminal"
QUIET_NS = 300_000_000


class Cast(NamedTuple):
    """A recording: size and output with times in nanoseconds."""

    cols: int
    rows: int
    output: list[tuple[int, bytes]]

    @property
    def data(self) -> bytes:
        """All output."""
        return b"".join(data for _, data in self.output)


def read_cast(path: Path) -> Cast:
    """An asciicast of version 2."""
    head, *events = [json.loads(line) for line in path.read_text().splitlines()]
    output = [(int(t * 1e9), text.encode()) for t, kind, text in events if kind == "o"]
    return Cast(head["width"], head["height"], output)


def clean(cast: Cast, *, step: int = 0) -> list[str]:
    """The lines of a recording, quiet included; with `step`, cut into pieces of that many bytes and checkpointed."""
    cleaner = Cleaner(columns=cast.cols, rows=cast.rows)
    pieces: list[Piece] = []
    last = 0
    for time_ns, data in cast.output:
        if time_ns - last >= QUIET_NS:
            pieces += cleaner.quiet(last + QUIET_NS)
        for at in range(0, len(data), step or len(data)):
            pieces += cleaner.feed(data[at : at + step] if step else data, time_ns)
            if step:
                cleaner = Cleaner.restore(cleaner.state())
        last = time_ns
    pieces += cleaner.finish(last)
    return [piece.text for piece in pieces if isinstance(piece, Line)]


def shown_lines(cast: Cast) -> list[str]:
    """Scroll-back and screen of libghostty in the end, soft-wrapped rows joined, without empty lines."""
    import pyghostty

    with pyghostty.Terminal(cols=cast.cols, rows=cast.rows, scrollback=100_000) as terminal:
        # The emulator's text begins at the first character, so something must stand before the first line's blanks.
        terminal.feed(cast.data if b"\x1b[H" in cast.data else b".\r\n" + cast.data)
        lines = [line.rstrip() for line in terminal.contents().split("\n")]
    return [line for line in lines if line and line != "."]
