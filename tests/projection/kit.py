"""A projector on a data directory of its own, for tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from roost.model.agents import Session
from roost.model.blocks import Block
from roost.model.events import AnyEvent, Log
from roost.paths import DataDirectory
from roost.projection.projector import Projector
from roost.store.database import Store, open_store
from tests.projection.tape import Tape
from tests.waiting import until


def data_directory(path: Path) -> DataDirectory:
    data = DataDirectory(path / "data")
    data.create()
    return data


def url(data: DataDirectory) -> str:
    return f"sqlite:///{data.database}"


class Running:
    """A running projector, its store, and what it published."""

    def __init__(self, data: DataDirectory, store: Store, **options: int) -> None:
        self.data = data
        self.store = store
        self.blocks: list[Block] = []
        self.sessions: dict[str, Session] = {}
        self.after_publish: Callable[[list[Block]], None] = lambda blocks: None
        self.projector = Projector(data=data, store=store, publish=self._publish, **options)

    def _publish(self, blocks: list[Block], sessions: list[Session]) -> None:
        self.blocks += blocks
        self.sessions.update({session.session_id: session for session in sessions})
        self.after_publish(blocks)

    def record(self, session_id: str, tape: Tape) -> None:
        """The recording as it is now, and the notice of it."""
        path = self.data.recording(session_id)
        known = path.stat().st_size if path.exists() else 0
        with path.open("ab") as file:
            file.write(tape.data[known:])
        self.projector.advanced({session_id: len(tape.data)})

    def published(self, session_id: str) -> list[AnyEvent]:
        return [event for block in self.blocks if block.session_id == session_id for event in block.events]

    def wait_for(self, session_id: str, seq: int) -> list[AnyEvent]:
        """Wait until the event `seq` was published; all of the session's."""
        until(lambda: len(self.published(session_id)) >= seq, what=f"event {seq} of {session_id}")
        return self.published(session_id)

    def wait_state(self, session_id: str, state: str) -> Session:
        return until(
            lambda: (of := self.sessions.get(session_id)) and of.state == state and of, what=f"{session_id} {state}"
        )


@contextmanager
def running(data: DataDirectory, *, wait: bool = True, **options: int) -> Iterator[Running]:
    with open_store(url(data)) as store:
        kit = Running(data, store, **options)
        kit.projector.start()
        try:
            assert not wait or kit.projector.wait_caught_up(30)
            yield kit
        finally:
            assert kit.projector.stop(30)


def stored_events(store: Store, session_id: str) -> list[AnyEvent]:
    """Every event of a session that the store has, read page by page."""
    found: list[AnyEvent] = []
    while blocks := store.reader.blocks(session_id, found[-1].seq if found else 0, limit=7):
        found += [event for block in blocks for event in block.events]
    return found


def stored_lines(store: Store, session_id: str) -> list[str]:
    return [event.line for event in stored_events(store, session_id) if isinstance(event, Log)]


def numbered(first: int, last: int) -> list[str]:
    return [f"line {number}" for number in range(first, last + 1)]


def log_text(data: DataDirectory, agent: str, stream: str = "stdout") -> str:
    """All text logs of an agent's stream, the rotated ones first, sessions in order."""
    directory = data.agent_logs(agent)
    logs = sorted(directory.glob(f"*-{stream}.log")) if directory.exists() else []
    return "".join(part.read_text() for log in logs for part in _parts(log))


def _parts(log: Path) -> list[Path]:
    rotated = sorted(log.parent.glob(f"{log.name}.*"), key=lambda path: int(path.suffix[1:]))
    return [*rotated, log]
