"""Who answers what a program asks its terminal: the server's emulator, once, whoever looks and whenever."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from roost.errors import AgentNotFound
from roost.model.agents import Definition, Session
from roost.paths import DataDirectory
from roost.services.terminals import Terminals
from tests.projection.tape import Tape
from tests.waiting import scaled

WHERE = b"\x1b[6n"


class Typed:
    """A link to a keeper that takes whatever it is given."""

    def __init__(self) -> None:
        self.replies: list[bytes] = []

    async def call(self, op: str, blob: bytes, **fields: Any) -> dict[str, Any]:
        assert (op, fields["reply"]) == ("input", True)
        self.replies.append(blob)
        return {"accepted": True}


class OneAgent:
    """An agent that is known up to some offset of its recording."""

    def __init__(self, offset: int) -> None:
        definition = Definition(command=["demo"], driver="terminal", cwd="/")
        self.session = Session(
            session_id="s1", agent_name="demo", state="running", definition=definition, node="n", offset=offset
        )

    def resolve_session(self, name: str) -> Session:
        return self.session

    def record(self, name: str) -> SimpleNamespace:
        raise AgentNotFound(name)


@pytest.fixture
def data(tmp_path: Path) -> DataDirectory:
    found = DataDirectory(tmp_path / "data")
    found.create()
    return found


async def look(terminals: Terminals) -> None:
    async with terminals.attach("demo", "somebody") as attachment:
        attachment.snapshot()


def replies(data: DataDirectory, tape: Tape, known: int, *steps: Any) -> list[bytes]:
    """What was answered after these steps, where the projection has come to the offset `known`."""
    tape.write(data.recording("s1"))
    link = Typed()

    async def run() -> None:
        terminals = Terminals(data, OneAgent(known), link)  # type: ignore[arg-type]
        for step in steps:
            await step(terminals)
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        await terminals.close()

    asyncio.run(run())
    return link.replies


def asked(start: int, end: int) -> Any:
    async def tell(terminals: Terminals) -> None:
        terminals.asked("s1", start, end)
        async with asyncio.timeout(scaled(10)):
            while terminals.live_count == 0:  # noqa: ASYNC110 -- polled, as in all our tests
                await asyncio.sleep(0.001)

    return tell


def test_what_is_asked_is_answered_though_nobody_looks(data: DataDirectory) -> None:
    tape = Tape("demo").started()
    before = len(tape.data)
    tape.out(WHERE)
    assert replies(data, tape, before, asked(before, len(tape.data))) == [b"\x1b[1;1R"]


def test_who_looks_before_the_projection_has_come_to_a_question_lets_it_be_answered_once(data: DataDirectory) -> None:
    tape = Tape("demo").started()
    before = len(tape.data)
    tape.out(b"ab" + WHERE)
    assert replies(data, tape, before, look, asked(before, len(tape.data)), look) == [b"\x1b[1;3R"]


def test_who_looks_at_a_question_of_long_ago_does_not_answer_it(data: DataDirectory) -> None:
    tape = Tape("demo").started().out(WHERE)
    assert replies(data, tape, len(tape.data), look) == []
