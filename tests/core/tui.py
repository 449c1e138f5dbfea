"""Recorded terminals as a projection sees them: a look wherever output came to rest, and between."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

from roost.core.manifest import Finding, Manifest, Sight
from roost.core.projection import REST_NS, SessionProjection
from roost.core.recording import Kind, Reader, encode_frame
from tests.core.terminal_goldens import GOLDENS, Cast, read_cast
from tests.projection.tape import Tape

TUI = GOLDENS.parent / "tui"
MANIFESTS = Path(__file__).resolve().parents[2] / "src" / "roost" / "core" / "manifests"
REST_AFTER_NS = REST_NS + 100_000_000


class Look(NamedTuple):
    """What was shown at a time."""

    time_ns: int
    resting: bool
    sight: Sight


@cache
def manifest(name: str) -> Manifest:
    return Manifest.parse((MANIFESTS / f"{name}.toml").read_text())


def tui(name: str) -> Cast:
    return read_cast(TUI / f"{name}.cast")


def looks(cast: Cast) -> Iterator[Look]:
    """What is shown after each piece of output, and at each rest."""
    projection, reader = SessionProjection("s1"), Reader()
    projection.feed(reader.feed(Tape(cols=cast.cols, rows=cast.rows).started().data))
    last_ns = 0
    for time_ns, data in cast.output:
        if time_ns - last_ns >= REST_AFTER_NS and projection.unfinished:
            projection.rest()
            yield _look(projection, last_ns + REST_AFTER_NS, resting=True)
        projection.feed(reader.feed(encode_frame(Kind.OUT, time_ns, data)))
        last_ns = time_ns
        yield _look(projection, time_ns, resting=False)
    projection.rest()
    yield _look(projection, last_ns + REST_AFTER_NS, resting=True)


def sight_at(cast: Cast, time_s: float) -> Sight:
    """What was shown `time_s` after the start."""
    shown = Sight("", (), "")
    for look in looks(cast):
        if look.time_ns > time_s * 1e9:
            break
        shown = look.sight
    return shown


def says(found: Finding | None) -> tuple[str, str | None, str] | None:
    return found and (found.kind, found.wants, found.summary)


def _look(projection: SessionProjection, time_ns: int, *, resting: bool) -> Look:
    sight = projection.sight()
    assert sight is not None
    return Look(time_ns, resting, sight)
