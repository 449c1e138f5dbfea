"""While many sessions write, what each wrote is gathered for its text log: every line is there once all the same."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.model.blocks import Block
from roost.model.events import Log
from roost.paths import DataDirectory
from roost.projection.descriptors import Descriptors
from roost.projection.follower import Follower
from roost.projection.log_writer import GATHER_S, MOST_GATHERED, LogWriter
from roost.projection.projector import FEW, LONGEST_PAUSE_S, pause_s
from roost.projection.text_logs import TextLogs
from roost.store.database import open_store
from tests.projection.kit import data_directory, log_text, running, url
from tests.projection.tape import Tape
from tests.waiting import until

MANY = FEW + 5


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    return data_directory(tmp_path)


def test_every_line_of_many_sessions_is_in_their_logs_once(data: DataDirectory) -> None:
    tapes = {f"s{number}": Tape(f"agent-{number}").started() for number in range(MANY)}
    with running(data) as kit:
        for first in range(1, 100, 20):
            for name, tape in tapes.items():
                kit.record(name, tape.lines(first, first + 19))
        expected = "".join(f"line {number}\n" for number in range(1, 101))
        for number in range(MANY):
            until(lambda number=number: log_text(data, f"agent-{number}") == expected, what=f"log {number}")


def test_what_is_gathered_is_written_when_the_projector_stops(data: DataDirectory) -> None:
    tapes = {f"s{number}": Tape(f"agent-{number}").started().lines(1, 3) for number in range(MANY)}
    with running(data) as kit:
        for name, tape in tapes.items():
            kit.record(name, tape)
        for name in tapes:
            kit.wait_for(name, 5)
    assert {log_text(data, f"agent-{number}") for number in range(MANY)} == {"line 1\nline 2\nline 3\n"}


class Writing:
    """A log writer and a follower whose events are in the store as far as the test says."""

    def __init__(self, data: DataDirectory, logs: LogWriter, files: Descriptors) -> None:
        self.logs = logs
        self.follower = Follower.begin(data.recording("s1"), files, "s1")
        self.follower.session.agent_name = "demo"
        logs.name(self.follower)

    def block(self) -> Block:
        session = self.follower.session
        session.last_seq += 1
        seq = session.last_seq
        return Block(seq, "s1", "demo", seq, seq, [Log(seq, 0, f"line {seq}", seq)])


@pytest.fixture
def writing(data: DataDirectory) -> Iterator[Writing]:
    with open_store(url(data)) as store, Descriptors() as files:
        yield Writing(data, LogWriter(TextLogs(data.logs / "agents", files), store.reader), files)


def test_a_gathered_block_waits_its_time(data: DataDirectory, writing: Writing) -> None:
    assert writing.logs.patience(0.0) is None
    writing.logs.write(writing.follower, [writing.block()], 1.0, gather=True)
    assert writing.logs.patience(1.0) == pytest.approx(GATHER_S)
    writing.logs.flush(1.0 + GATHER_S / 2)
    assert not data.agent_logs("demo").exists()
    writing.logs.flush(1.0 + GATHER_S)
    assert log_text(data, "demo") == "line 1\n"
    assert writing.logs.patience(9.0) is None


def test_no_more_is_gathered_than_so_many_blocks(data: DataDirectory, writing: Writing) -> None:
    for _ in range(MOST_GATHERED):
        assert not data.agent_logs("demo").exists()
        writing.logs.write(writing.follower, [writing.block()], 1.0, gather=True)
    assert log_text(data, "demo").count("\n") == MOST_GATHERED


def test_what_is_not_gathered_takes_what_waits_with_it(data: DataDirectory, writing: Writing) -> None:
    writing.logs.write(writing.follower, [writing.block()], 1.0, gather=True)
    writing.logs.write(writing.follower, [writing.block()], 1.0)
    assert log_text(data, "demo") == "line 1\nline 2\n"
    assert writing.follower.logs.seq == 2


def test_nothing_is_written_for_who_is_not_followed_any_longer(data: DataDirectory, writing: Writing) -> None:
    writing.logs.write(writing.follower, [writing.block()], 1.0, gather=True)
    writing.follower.release()
    writing.logs.flush(9.0)
    assert not data.agent_logs("demo").exists()
    assert writing.logs.patience(9.0) is None


def test_rounds_of_many_sessions_are_further_apart() -> None:
    pauses = [pause_s(sessions) for sessions in (0, 1, FEW, 100, 1000)]
    assert pauses == sorted(pauses)
    assert (pauses[0], pauses[-1]) == (0.0, LONGEST_PAUSE_S)
