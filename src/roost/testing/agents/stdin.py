"""Standard input by lines, without a buffer that holds back what has come."""

from __future__ import annotations

import os
from collections.abc import Iterator


def input_lines() -> Iterator[bytes]:
    """Lines without their ends, blank ones left out, until the end of input."""
    pending = b""
    while piece := os.read(0, 65536):
        *whole, pending = (pending + piece).split(b"\n")
        yield from (line for line in whole if line.strip())
    if pending.strip():
        yield pending
