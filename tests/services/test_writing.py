"""What is to be written to an agent is written, in order, whenever it comes."""

from __future__ import annotations

import asyncio

from roost.model.agents import Session
from roost.model.conversations import ConversationState, Outgoing
from roost.services.writing import Writing


def asks(*numbers: int) -> list[Session]:
    outgoing = tuple(Outgoing(number, b"x") for number in numbers)
    return [Session(session_id="s1", agent_name="a", state="idle", conversation=ConversationState(outgoing=outgoing))]


def test_what_comes_just_as_the_last_was_written_is_not_left() -> None:
    written: list[int] = []

    async def type_in(session_id: str, number: int, data: bytes) -> None:
        written.append(number)
        if number == 1:
            # Runs after the writer's last look and before any callback of its task.
            asyncio.get_running_loop().call_soon(lambda: writing.take(asks(2)))

    async def run() -> None:
        writing.take(asks(1))
        for _ in range(10):
            await asyncio.sleep(0)

    writing = Writing(type_in)
    asyncio.run(run())
    assert written == [1, 2]
