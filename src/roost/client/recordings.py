"""What recordings say of their sessions, read without a database: their header and their end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from roost.core.recording import Frame, Kind, Reader, decode_json
from roost.paths import RECORDING_SUFFIX

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from roost.paths import DataDirectory

    Json = dict[str, Any]

HEAD_BYTES = 262_144
MAX_HEAD_BYTES = 2 << 20
TAIL_BYTES = 65_536


class Recorded(NamedTuple):
    """A session as its recording tells of it; `exit` is empty where nobody saw its end. Times are wall time."""

    path: Path
    header: Json
    exit: Json
    ended_ns: int
    last_output_ns: int | None
    size: int

    @property
    def session_id(self) -> str:
        return self.path.name.removesuffix(RECORDING_SUFFIX)

    @property
    def agent(self) -> str:
        return str(self.header.get("agent", ""))


def newest_sessions(
    data: DataDirectory, *, known: Collection[str] = (), skipped: Collection[str] = ()
) -> dict[str, Recorded]:
    """The newest session of every agent that is not `known`, by the agent's name; `skipped` sessions are not read."""
    found: dict[str, Recorded] = {}
    for path in newest_first(data):
        if path.name.removesuffix(RECORDING_SUFFIX) in skipped:
            continue
        header = read_header(path)
        name = str(header.get("agent", ""))
        if name and name not in found and name not in known:
            found[name] = read_end(path, header)
    return found


def newest_session(data: DataDirectory, agent: str) -> Recorded | None:
    """The newest session of one agent."""
    for path in newest_first(data):
        header = read_header(path)
        if header.get("agent") == agent:
            return read_end(path, header)
    return None


def newest_first(data: DataDirectory) -> Iterator[Path]:
    """The recordings; their names sort by the time at which they began."""
    try:
        yield from sorted(data.recordings.glob(f"*{RECORDING_SUFFIX}"), reverse=True)
    except OSError:
        return


def read_header(path: Path) -> Json:
    """The header of a recording; empty where it cannot be read."""
    reader = Reader()
    try:
        with path.open("rb") as file:
            while file.tell() < MAX_HEAD_BYTES and (data := file.read(HEAD_BYTES)):
                for item in reader.feed(data):
                    if isinstance(item, Frame):
                        return decode_json(item.payload) if item.kind == Kind.HEADER else {}
    except OSError:
        pass
    return {}


def read_end(path: Path, header: Json) -> Recorded:
    """What the last frames of a recording say."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            start = file.seek(max(0, size - TAIL_BYTES))
            data = file.read()
    except OSError:
        return Recorded(path, header, {}, 0, None, 0)
    reader = Reader(start)
    frames = [item for item in (*reader.feed(data), *reader.finish()) if isinstance(item, Frame)]
    base = int(header.get("started_at_ns") or 0)
    ended, ended_ns, output_ns = {}, base, None
    for frame in frames:
        if frame.kind == Kind.EXIT:
            ended, ended_ns = decode_json(frame.payload), base + frame.time_ns
        elif frame.kind in (Kind.OUT, Kind.ERR):
            output_ns = base + frame.time_ns
    return Recorded(path, header, ended, ended_ns or base, output_ns, size)


def view_of_recorded(recorded: Recorded) -> Json:
    """An ended session in the form in which the server shows agents."""
    header, ended = recorded.header, recorded.exit
    code, signal, reason = ended.get("code"), ended.get("signal"), ended.get("reason")
    asked = reason in ("stopped", "killed")
    state = "lost" if not ended else "exited" if code == 0 or asked else "failed"
    view = _from_header(recorded.session_id, header)
    view |= {
        "state": state,
        "reason": reason or ("nobody saw how it ended" if not ended else None),
        "ended_at": timestamp(recorded.ended_ns),
        "exit_code": code,
        "signal": signal,
        "uptime_s": (recorded.ended_ns - int(header.get("started_at_ns") or 0)) / 1e9,
        "last_output_at": timestamp(recorded.last_output_ns) if recorded.last_output_ns else None,
    }
    return view


def view_of_held(session: Json, header: Json, now_ns: int) -> Json:
    """A session that the keeper holds, in the same form."""
    ended_ns = session.get("ended_at_ns")
    code, reason = session.get("code"), session.get("reason")
    state = session["state"]
    if state == "exited" and not (code == 0 or reason in ("stopped", "killed")):
        state = "failed"
    view = _from_header(session["session_id"], header)
    view |= {
        "name": session["agent"],
        "state": state,
        "reason": reason,
        "command": session["argv"],
        "cwd": session["cwd"],
        "pid": None if ended_ns else session["pid"],
        "terminal": session["terminal"],
        "cols": session["cols"],
        "rows": session["rows"],
        "started_at": timestamp(session["started_at_ns"]),
        "ended_at": timestamp(ended_ns) if ended_ns else None,
        "uptime_s": ((ended_ns or now_ns) - session["started_at_ns"]) / 1e9,
        "exit_code": code,
        "signal": session.get("signal"),
        "processes": session.get("processes"),
        "last_output_at": timestamp(session["last_output_ns"]) if session.get("last_output_ns") else None,
    }
    return view


def _from_header(session_id: str, header: Json) -> Json:
    definition = header.get("definition")
    known: Json = definition if isinstance(definition, dict) else {}
    return {
        "name": str(header.get("agent", "")),
        "session_id": session_id,
        "driver": "terminal" if header.get("terminal", True) else "lines",
        "command": header.get("argv") or [],
        "cwd": header.get("cwd") or "",
        "node": header.get("host") or "",
        "environment": known.get("environment"),
        "env_names": header.get("env_names") or [],
        "labels": known.get("labels") or {},
        "role": known.get("role"),
        "model": known.get("model"),
        "restart": known.get("restart", "no"),
        "pid": None,
        "terminal": bool(header.get("terminal", True)),
        "cols": header.get("cols") or 80,
        "rows": header.get("rows") or 24,
        "started_at": timestamp(int(header.get("started_at_ns") or 0)),
        "attention": None,
        "attention_kind": None,
        "attention_since": None,
        "doing": None,
    }


def timestamp(time_ns: int) -> str:
    """RFC 3339 in UTC with milliseconds and a `Z`, as the server writes it."""
    moment = datetime.fromtimestamp(time_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{time_ns // 1_000_000 % 1000:03d}Z"
