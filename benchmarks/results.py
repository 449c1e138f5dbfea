"""What a benchmark found, and how it is shown."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from typing import NamedTuple


class Result(NamedTuple):
    """One row: what was measured, roost's figure, the rival's, what roost must reach, whether it does."""

    what: str
    roost: str
    rival: str
    must: str
    met: bool | None = None
    """Null where it could not be compared, such as for want of a compiler."""


def table(results: Sequence[Result]) -> str:
    """The rows as a Markdown table."""
    rows = [("what", "roost", "beside it", "must", ""), ("---",) * 5]
    rows += [(each.what, each.roost, each.rival, each.must, _verdict(each.met)) for each in results]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def machine() -> str:
    """One line about where this ran."""
    load = os.getloadavg()[0]
    return f"Python {platform.python_version()}, Linux {platform.release()}, {os.cpu_count()} cores, load {load:.1f}"


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie; 0 when there are none."""
    if not values:
        return 0.0
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def _verdict(met: bool | None) -> str:
    return "not compared" if met is None else "met" if met else "missed"
