"""Looking into a recording's file: is it whole, what is it, what does it hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from msgspec import Struct

from roost.core.projection import SessionProjection
from roost.core.recording import Damage, Frame, Kind, Reader
from roost.core.wire import timestamp
from roost.model.agents import Definition
from roost.model.events import Log
from roost.projection.makers import makers_for

CHUNK_BYTES = 262_144
STREAMS = {"stdout": (Kind.OUT,), "stderr": (Kind.ERR,), "output": (Kind.OUT, Kind.ERR)}


class DamageReport(Struct, frozen=True):
    """A stretch that cannot be read; `reason` as in the recording format."""

    offset: int
    length: int
    reason: str


class Verification(Struct, frozen=True, kw_only=True):
    """Whether a recording is whole. `ended`: its last word is how the session ended."""

    path: str
    bytes: int
    frames: int
    whole: bool
    ended: bool
    damaged_bytes: int
    damage: list[DamageReport]


class Description(Struct, frozen=True, kw_only=True):
    """What a recording says about its session. Times are RFC 3339 in UTC."""

    path: str
    session_id: str
    agent_name: str
    state: str
    reason: str | None
    definition: Definition
    node: str
    pid: int | None
    cols: int
    rows: int
    started_at: str
    ended_at: str | None
    duration_ms: int
    exit_code: int | None
    signal: str | None
    bytes: int
    output_bytes: int
    lines: int
    events: int
    frames: dict[str, int]
    """How many frames of each kind there are."""
    damaged_bytes: int


def read_frames(path: Path) -> Iterator[Frame | Damage]:
    """Every frame and every stretch of damage of a recording, in constant memory.

    Raises:
        OSError: the file cannot be read.
    """
    reader = Reader()
    with path.open("rb") as file:
        while data := file.read(CHUNK_BYTES):
            yield from reader.feed(data)
    yield from reader.finish()


def verify(path: Path) -> Verification:
    """Read all of it and check every checksum.

    Raises:
        OSError: the file cannot be read.
    """
    frames, end, ended = 0, 0, False
    damage: list[DamageReport] = []
    for item in read_frames(path):
        if isinstance(item, Frame):
            frames, end = frames + 1, item.end
            ended = ended or item.kind == Kind.EXIT
        else:
            damage.append(DamageReport(*item))
            end = item.offset + item.length
    return Verification(
        path=str(path),
        bytes=end,
        frames=frames,
        whole=not damage,
        ended=ended,
        damaged_bytes=sum(item.length for item in damage),
        damage=damage,
    )


def info(path: Path) -> Description:
    """What the session was and did. One that has no end is shown as it stood last.

    Raises:
        OSError: the file cannot be read.
    """
    projection = SessionProjection(path.stem, makers=makers_for())
    kinds: Counter[str] = Counter()
    last_ns = 0
    for item in read_frames(path):
        projection.feed([item])
        if isinstance(item, Frame):
            kinds[Kind(item.kind).name.lower()] += 1
            last_ns = item.time_ns
    of = projection.session
    return Description(
        path=str(path),
        session_id=of.session_id,
        agent_name=of.agent_name,
        state=of.state,
        reason=of.reason,
        definition=of.definition,
        node=of.node,
        pid=of.pid,
        cols=of.cols,
        rows=of.rows,
        started_at=timestamp(of.started_ns),
        ended_at=None if of.ended_ns is None else timestamp(of.ended_ns),
        duration_ms=last_ns // 1_000_000,
        exit_code=of.exit_code,
        signal=of.signal,
        bytes=of.offset,
        output_bytes=of.bytes,
        lines=of.lines,
        events=of.last_seq,
        frames=dict(kinds),
        damaged_bytes=of.damage,
    )


def cat(path: Path, stream: str = "output") -> Iterator[bytes]:
    """The raw bytes that the agent wrote; `stream` is `output`, `stdout` or `stderr`.

    Raises:
        OSError: the file cannot be read.
        KeyError: there is no such stream.
    """
    kinds = STREAMS[stream]
    return (item.payload for item in read_frames(path) if isinstance(item, Frame) and item.kind in kinds)


def cat_text(path: Path, stream: str = "output") -> Iterator[str]:
    """The clean lines that the agent wrote, without line ends; `stream` as for `cat`.

    Raises:
        OSError: the file cannot be read.
    """
    projection = SessionProjection(path.stem, makers=makers_for())
    for item in read_frames(path):
        for event in projection.feed([item]):
            if isinstance(event, Log) and stream in ("output", event.stream):
                yield event.line
    for event in projection.lose("the recording ends here"):
        if isinstance(event, Log) and stream in ("output", event.stream):
            yield event.line
