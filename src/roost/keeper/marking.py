"""Marks on recordings, also of sessions that ended or that the keeper no longer remembers."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from roost.core import recording
from roost.core.recording import FRAME_OVERHEAD, MAX_PAYLOAD, Frame, Kind, Reader
from roost.errors import DiskFull
from roost.keeper import recorder
from roost.keeper.loop import now_ns

if TYPE_CHECKING:
    from roost.keeper.keeper import Keeper


def mark(keeper: Keeper, session_id: str, value: dict[str, Any]) -> int:
    """Record a mark; the recording's length with it.

    Raises:
        SessionNotFound: there is no such recording.
        DiskFull: it cannot be written now.
    """
    session = keeper.sessions.get(session_id)
    if session is not None and keeper.blocked(session):
        raise DiskFull("the disk is full")
    if session is not None and not session.ended:
        keeper.note(session, value)
        return session.recorder.offset + len(session.recorder.waiting)
    at_ns = session.at(now_ns()) if session is not None else None
    length = _append(keeper, session_id, value, at_ns)
    if session is not None:
        session.recorder.offset = length
        keeper.advanced(session)
    keeper.syncer.written()
    return length


def _append(keeper: Keeper, session_id: str, value: dict[str, Any], at_ns: int | None) -> int:
    fd = recorder.reopen(keeper.storage, keeper.recordings_fd, session_id)
    try:
        frame = recording.encode_json(Kind.MARK, _since_start(fd) if at_ns is None else at_ns, value)
        length = os.fstat(fd).st_size
        try:
            whole = keeper.storage.write(fd, frame) == len(frame)
        except OSError as exc:
            raise recorder.disk_error(exc, "the mark cannot be written") from exc
        if not whole:
            os.ftruncate(fd, length)
            raise DiskFull("the mark cannot be written: the disk is full")
        return length + len(frame)
    finally:
        os.close(fd)


def _since_start(fd: int) -> int:
    """Time since a session that is not remembered began, by its header and the wall clock."""
    head = os.pread(fd, FRAME_OVERHEAD + MAX_PAYLOAD, 0)
    for item in Reader().feed(head):
        if isinstance(item, Frame) and item.kind == Kind.HEADER:
            started_at_ns = recording.decode_json(item.payload).get("started_at_ns")
            if isinstance(started_at_ns, int):
                return max(0, time.time_ns() - started_at_ns)
    return 0
