"""What a keeper hands over to the image that takes its place: a JSON object. Pure; fields that a reader does not know
are ignored, and those that are missing have defaults, so that neighbouring releases understand each other."""

from __future__ import annotations

import binascii
import json
from typing import TYPE_CHECKING, Any

from roost.keeper.session import Session

if TYPE_CHECKING:
    from roost.keeper.recorder import Recorder

FORMAT = 1

Json = dict[str, Any]

_PLAIN = (
    "pid",
    "start_ticks",
    "tag",
    "origin_ns",
    "started_at_ns",
    "ended_at_ns",
    "last_frame_ns",
    "last_output_ns",
    "code",
    "signal",
    "core",
    "end_reason",
    "paused",
    "reaped",
    "usage",
    "cols",
    "rows",
    "limits_unmet",
    "sources",
    "processes",
)


def pack_bytes(data: bytes | bytearray) -> str:
    """Bytes as text."""
    return binascii.b2a_base64(data, newline=False).decode()


def unpack_bytes(text: str) -> bytes:
    """What `pack_bytes` packed."""
    return binascii.a2b_base64(text)


def pack_session(session: Session) -> Json:
    """All of a session that is not an object of this process."""
    recorder, queue, ending = session.recorder, session.input, session.ending
    return {
        "args": json.loads(session.request),
        **{name: getattr(session, name) for name in _PLAIN},
        "sids": sorted(session.sids),
        "stopped_before": sorted(session.stopped_before),
        "cgroup": session.cgroup is not None,
        "recorder": {
            "fd": recorder.fd,
            "offset": recorder.offset,
            "waiting": pack_bytes(recorder.waiting),
            "blocked_since_ns": recorder.blocked_since_ns,
        },
        "outputs": [[one.fd, int(one.kind)] for one in session.outputs],
        "input": None
        if queue is None
        else {"fd": queue.fd, "waiting": pack_bytes(queue.waiting), "closing": queue.closing},
        "ending": None if ending is None else {"deadline_ns": ending.deadline_ns, "by": ending.by},
    }


def unpack_session(packed: Json, recorder: Recorder) -> Session:
    """The session again, without its descriptors' readers and writers.

    Raises:
        KeyError, TypeError, ValueError: this is no packed session.
    """
    session = Session(packed["args"], recorder)
    for name in _PLAIN:
        if name in packed:
            setattr(session, name, packed[name])
    session.sids = set(packed.get("sids", ()))
    session.stopped_before = {(pid, ticks) for pid, ticks in packed.get("stopped_before", ())}
    recorder.offset = int(packed["recorder"]["offset"])
    recorder.waiting = unpack_bytes(packed["recorder"]["waiting"])
    recorder.blocked_since_ns = int(packed["recorder"]["blocked_since_ns"])
    return session


def descriptors(packed: Json) -> set[int]:
    """The descriptors that a packed session names."""
    found = {packed["recorder"]["fd"], *(fd for fd, _ in packed["outputs"])}
    if packed["input"] is not None:
        found.add(packed["input"]["fd"])
    return {fd for fd in found if fd >= 0}
