"""Making projections again from the recordings.

New rows are written beside the old ones, and one transaction swaps them: readers see either all that was or all that is
new. If it is cut short, what was written is cleared away by the next start. The caller sees to it that no server runs
on the data directory.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection

from msgspec import Struct

from roost.errors import SessionNotFound
from roost.model.events import AnyEvent
from roost.model.ids import ID
from roost.paths import RECORDING_SUFFIX, DataDirectory
from roost.projection.descriptors import Descriptors
from roost.projection.follower import Follower
from roost.projection.log_writer import LogWriter
from roost.projection.makers import makers_for
from roost.projection.text_logs import ROTATE_BYTES, LogPlace, TextLogs
from roost.store import swapping
from roost.store.database import Store, open_store
from roost.store.writer import Round, SessionWrite, StoreWriter

ROUND_BYTES = 1_048_576
ROUND_SESSIONS = 500


class Report(Struct):
    """What was made again. `unreadable` says why, by session, a recording could not be; its old rows stay."""

    sessions: int = 0
    events: int = 0
    lines: int = 0
    bytes: int = 0
    seconds: float = 0.0
    epoch: int = 0
    unreadable: dict[str, str] = {}


Progress = Callable[[Report], None]


def reproject(
    data: DataDirectory,
    sessions: Collection[str] | None = None,
    *,
    url: str = "",
    rotate_bytes: int = ROTATE_BYTES,
    progress: Progress = lambda report: None,
) -> Report:
    """Make the events, sessions and text logs of these sessions (or of all that have a recording) again.

    What agents were started with is kept, and removed agents stay removed. Positions change: the store's epoch does.

    Raises:
        SessionNotFound: a session that was named has no recording.
        RoostError: the store cannot be opened.
    """
    names = _names(data, sessions)
    with open_store(url or f"sqlite:///{data.database}") as store:
        with Descriptors() as files:
            return _Rebuild(data, store, files, rotate_bytes=rotate_bytes, progress=progress).run(names)


class _Rebuild:
    """One run; what was read waits in `_pending` until it is worth a transaction."""

    def __init__(
        self, data: DataDirectory, store: Store, files: Descriptors, *, rotate_bytes: int, progress: Progress
    ) -> None:
        self._files = files
        self._data = data
        self._store = store
        self._progress = progress
        self._report = Report()
        self._begun = time.monotonic()
        self._makers = makers_for(data.root)
        self._log_writer = LogWriter(TextLogs(data.logs / "agents", files, rotate_bytes=rotate_bytes), store.reader)
        self._staged = StoreWriter(store.writing, current=False)
        self._pending: dict[str, SessionWrite] = {}
        self._pending_bytes = 0

    def run(self, names: list[str]) -> Report:
        engine = self._store.writing
        self._purge()
        after_key = swapping.last_key(engine)
        followers = [follower for name in names if (follower := self._project(name, after_key))]
        self._flush()
        self._report.epoch = swapping.make_current(engine, after_key)
        self._write_logs(followers)
        self._purge()
        self._tell()
        return self._report

    def _project(self, name: str, after_key: int) -> Follower | None:
        kept = self._store.reader.checkpoint(name)
        node = kept.session.node if kept else ""
        path = self._data.recording(name)
        follower = Follower.begin(path, self._files, name, node=node, makers=self._makers)
        if kept is not None:
            follower.logs = LogPlace(LogPlace.decode(kept.logs).stem)
        try:
            self._read_all(follower)
        except OSError as exc:
            self._report.unreadable[name] = str(exc)
            self._flush()
            swapping.discard(self._store.writing, after_key, name)
            return None
        if kept is not None and kept.session.state == "lost":
            self._add(follower, follower.finish(kept.session.reason or "lost"), 0)
        return self._counted(follower)

    def _counted(self, follower: Follower) -> Follower | None:
        session = follower.session
        if not session.last_seq:
            return None
        self._report.sessions += 1
        self._report.events += session.last_seq
        self._report.lines += session.lines
        self._report.bytes += session.offset
        return follower

    def _read_all(self, follower: Follower) -> None:
        taken = 1
        while taken:
            events, taken = follower.read()
            self._add(follower, events, taken)

    def _add(self, follower: Follower, events: list[AnyEvent], taken: int) -> None:
        if follower.session.last_seq and (events or taken):
            self._log_writer.name(follower)
            follower.note()
            self._put(follower.to_write(events, 0.0))
            self._pending_bytes += taken
            if self._pending_bytes >= ROUND_BYTES or len(self._pending) >= ROUND_SESSIONS:
                self._flush()

    def _put(self, write: SessionWrite) -> None:
        name = write.session.session_id
        if name in self._pending:
            write.blocks = self._pending[name].blocks + write.blocks
        self._pending[name] = write

    def _flush(self) -> None:
        self._staged.commit(Round(list(self._pending.values())))
        self._pending, self._pending_bytes = {}, 0
        self._tell()

    def _write_logs(self, followers: list[Follower]) -> None:
        """The text logs from the new events. What cannot be written now, the next server catches up with."""
        for follower in followers:
            self._log_writer.write(follower, [], time.monotonic())
            follower.note()
        for at in range(0, len(followers), ROUND_SESSIONS):
            writes = [follower.to_write([], 0.0) for follower in followers[at : at + ROUND_SESSIONS]]
            self._store.writer.commit(Round(writes))

    def _purge(self) -> None:
        while swapping.purge_some(self._store.writing):
            pass

    def _tell(self) -> None:
        self._report.seconds = time.monotonic() - self._begun
        self._progress(self._report)


def _names(data: DataDirectory, chosen: Collection[str] | None) -> list[str]:
    recordings = data.recordings.glob(f"*{RECORDING_SUFFIX}")
    there = sorted(path.name.removesuffix(RECORDING_SUFFIX) for path in recordings)
    there = [name for name in there if ID.match(name)]
    if chosen is None:
        return there
    for name in chosen:
        if name not in there:
            raise SessionNotFound(f"there is no recording of a session {name[:80]!r}", session_id=name[:80])
    return sorted(set(chosen))
