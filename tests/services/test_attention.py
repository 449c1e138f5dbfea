"""Who finds out what agents are about: from what they show, what they repeat, and what they no longer do."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path

import pytest

from roost.config import AttentionSettings
from roost.core.manifest import Sight
from roost.errors import DiskFull
from roost.model.agents import Definition, Session
from roost.model.attention import Attention
from roost.model.blocks import Block
from roost.model.conversations import ConversationState, OpenApproval, PendingTurn
from roost.model.events import AnyEvent, Log, ToolCall, ToolResult
from roost.services.attention import AttentionWatch
from roost.services.manifests import Manifests
from roost.services.process_figures import Figures as ProcessUse
from roost.services.process_figures import ProcessFigures

S = 1_000_000_000
ASKED = Sight("", ("Go on? [y/N] ",), "Go on? [y/N] ")
NOTHING = Sight("", ("one",), "")
CLAUDE_WORKS = Sight("◐ Claude Code", (), "")


class Figures(ProcessFigures):
    """Process figures as a test wants them."""

    percent = 0.0

    def sample(self, leaders: Iterable[int]) -> None:
        """All of them use as much."""
        self._known = {leader: ProcessUse(self.percent, 0, 1) for leader in leaders}


class Kit:
    """A watch over sessions of our making, and what it noted; `note` does as the projection would."""

    def __init__(self, tmp_path: Path) -> None:
        self.sessions: dict[str, Session] = {}
        self.noted: list[tuple[str, str, str | None]] = []
        self.refuse = False
        settings = AttentionSettings(stuck_s=60, loop_calls=3, loop_lines=3)
        self.foreground: list[str] = []
        self.figures = Figures()
        self.watch = AttentionWatch(
            manifests=Manifests.load(tmp_path),
            settings=settings,
            sessions=self._all,
            note=self._note,
            foreground=lambda pid: self.foreground,
            figures=self.figures,
        )

    def add(self, name: str, *command: str, driver: str = "terminal", **fields: object) -> Session:
        definition = Definition(command=list(command) or ["x"], driver=driver)
        known = {"state": "running", "started_ns": time.time_ns(), **fields}
        session = Session(session_id=name, agent_name=name, definition=definition, **known)  # type: ignore[arg-type]
        self.sessions[name] = session
        return session

    def _all(self) -> list[Session]:
        return list(self.sessions.values())

    async def _note(self, session_id: str, attention: Attention) -> None:
        if self.refuse:
            raise DiskFull("full")
        self.sessions[session_id].attention = attention
        self.noted.append((session_id, attention.kind, attention.wants))


def watching(tmp_path: Path, scene: Callable[[Kit], Awaitable[None]]) -> Kit:
    async def play() -> Kit:
        kit = Kit(tmp_path)
        await scene(kit)
        await settled()
        await kit.watch.close()
        return kit

    return asyncio.run(play())


async def settled() -> None:
    for _ in range(5):
        await asyncio.sleep(0)


# What is shown


def test_what_a_terminal_asks_is_noted_once(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        session = kit.add("one")
        for _ in range(3):
            kit.watch.saw(session, ASKED, True)
            await settled()

    assert watching(tmp_path, scene).noted == [("one", "waits", "question")]


def test_that_nothing_special_is_shown_is_not_noted_unless_something_was_before(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        session = kit.add("one")
        kit.watch.saw(session, NOTHING, True)
        await settled()
        assert kit.noted == []
        kit.watch.saw(session, ASKED, True)
        await settled()
        kit.watch.saw(session, NOTHING, True)

    assert [kind for _, kind, _ in watching(tmp_path, scene).noted] == ["waits", "works"]


def test_what_an_agent_said_itself_holds_until_its_screen_says_something(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        session = kit.add("one", "claude", attention=Attention(kind="works", since_ns=1, source="screen"))
        kit.watch.saw(session, NOTHING, True)
        session.attention = Attention(kind="waits", wants="permission", source="hook")
        kit.watch.saw(session, NOTHING, True)
        await settled()
        session.attention = Attention(kind="waits", since_ns=time.time_ns(), source="hook")
        kit.watch.saw(session, CLAUDE_WORKS, True)
        await settled()
        assert kit.noted == []
        session.attention = Attention(kind="waits", since_ns=1, source="hook")
        kit.watch.saw(session, CLAUDE_WORKS, True)

    assert watching(tmp_path, scene).noted == [("one", "works", None)]


def test_what_could_not_be_noted_is_tried_again_at_the_next_look(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        session = kit.add("one")
        kit.refuse = True
        kit.watch.saw(session, ASKED, True)
        await settled()
        kit.refuse = False
        kit.watch.saw(session, ASKED, True)

    assert watching(tmp_path, scene).noted == [("one", "waits", "question")]


def test_what_an_earlier_server_noted_is_known(tmp_path: Path) -> None:
    noted = Attention(kind="waits", wants="permission", since_ns=5, source="screen", summary="Write a.py?")

    async def scene(kit: Kit) -> None:
        session = kit.add("one", "claude", attention=noted)
        kit.watch.saw(session, NOTHING, True)
        await settled()
        assert kit.noted == []
        kit.watch.saw(session, CLAUDE_WORKS, False)

    assert [kind for _, kind, _ in watching(tmp_path, scene).noted] == ["works"]


def test_what_is_seen_of_a_session_that_has_ended_since_is_not_noted(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        session = kit.add("one")
        kit.watch.saw(session, ASKED, True)
        kit.sessions["one"] = kit.add("one", state="exited")
        await settled()
        kit.watch.saw(kit.add("two"), ASKED, True)
        del kit.sessions["two"]

    assert watching(tmp_path, scene).noted == []


def test_an_ended_session_is_forgotten(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        session = kit.add("one")
        kit.watch.saw(session, ASKED, True)
        await settled()
        kit.watch.take([block("one", [])], [kit.add("one", state="exited")])
        assert not (kit.watch._watched or kit.watch._noting or kit.watch._loops)

    watching(tmp_path, scene)


# Shells


def test_a_shell_without_a_process_is_read_like_any_program(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        kit.watch.saw(kit.add("one", "bash", pid=None), ASKED, True)

    assert watching(tmp_path, scene).noted == [("one", "waits", "question")]


@pytest.mark.parametrize(
    ("argv", "sight", "noted"),
    [
        (["bash", "-i"], NOTHING, ("idle", None)),
        (["bash", "-i"], ASKED, ("waits", "question")),
        (["claude"], CLAUDE_WORKS, ("works", None)),
        (["bash", "-c", "true"], ASKED, ("waits", "question")),
    ],
)
def test_of_a_shell_the_foreground_counts(
    argv: list[str], sight: Sight, noted: tuple[str, str | None], tmp_path: Path
) -> None:
    async def scene(kit: Kit) -> None:
        kit.foreground = argv
        kit.watch.saw(kit.add("one", "bash", pid=7), sight, True)

    assert watching(tmp_path, scene).noted == [("one", *noted)]


def test_a_program_that_becomes_another_is_read_as_that(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        session = kit.add("one", "start-it")
        kit.watch.saw(session, NOTHING, True)
        kit.foreground = ["claude"]
        kit.watch.saw(session, CLAUDE_WORKS, True)

    assert watching(tmp_path, scene).noted == [("one", "works", None)]


# Loops


def block(name: str, events: list[AnyEvent]) -> Block:
    return Block(id=1, session_id=name, agent_name=name, first_seq=1, last_seq=9, events=events)


def calls(number: int, name: str = "ls") -> list[AnyEvent]:
    now, title = time.time_ns(), f"Running {name}"
    return [
        event
        for at in range(number)
        for event in (
            ToolCall(1, now, f"{name}{at}", "Bash", {"command": name}, title),
            ToolResult(2, now, f"{name}{at}", "Bash", "same"),
        )
    ]


def test_a_structured_agent_that_repeats_itself_is_looping_until_it_does_something_else(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        turn = PendingTurn("t1", "go", state="started", queued_ns=time.time_ns() - S)
        session = kit.add("one", driver="claude", conversation=ConversationState(ready=True, running=turn))
        kit.watch.take([block("one", calls(2))], [session])
        await settled()
        assert kit.noted == []
        kit.watch.take([block("one", calls(1))], [session])
        await settled()
        assert kit.noted == [("one", "looping", None)]
        kit.watch.take([block("one", calls(3, "pwd") + calls(3, "id")[:4])], [session])

    assert [kind for _, kind, _ in watching(tmp_path, scene).noted] == ["looping", "works"]


def test_who_waits_is_not_said_to_loop(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        approval = OpenApproval("a", "Bash", {}, "Run?", [], "tool", 1)
        session = kit.add("one", driver="claude", conversation=ConversationState(approvals=(approval,)))
        kit.watch.take([block("one", calls(3))], [session])

    assert watching(tmp_path, scene).noted == []


def test_a_program_that_prints_the_same_error_again_and_again_is_looping_whatever_its_screen_shows(
    tmp_path: Path,
) -> None:
    async def scene(kit: Kit) -> None:
        session, now = kit.add("one"), time.time_ns()
        lines = [Log(1, now - (40 - 20 * at) * S, "error: no route", at) for at in range(3)]
        kit.watch.take([block("one", list(lines))], [session])
        await settled()
        kit.watch.saw(session, ASKED, True)
        await settled()
        kit.watch.saw(session, NOTHING, True)

    assert [kind for _, kind, _ in watching(tmp_path, scene).noted] == ["looping", "waits", "looping"]


def test_a_loop_that_is_over_is_noticed_without_any_output(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        kit.add("one", attention=Attention(kind="looping", since_ns=1, summary="the same"))
        await kit.watch.check()

    assert [kind for _, kind, _ in watching(tmp_path, scene).noted] == ["works"]


# Standing still


def quiet(kit: Kit, seconds: int, kind: str = "works", **fields: object) -> Session:
    long_ago = time.time_ns() - seconds * S
    noted = Attention(kind=kind, since_ns=long_ago, source="title")  # type: ignore[arg-type]
    known = {"attention": noted, "started_ns": long_ago, "last_output_ns": long_ago, **fields}
    return kit.add("one", "claude", **known)


def test_who_claims_to_work_and_does_nothing_for_long_is_stuck(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        session = quiet(kit, 120)
        await kit.watch.check()
        await settled()
        assert session.attention is not None
        assert session.attention.evidence[0] == "nothing came for 2 min, and its processes use no processor"
        await kit.watch.check()

    assert [kind for _, kind, _ in watching(tmp_path, scene).noted] == ["stuck"]


def test_short_silences_are_told_in_seconds(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        session = quiet(kit, 90)
        await kit.watch.check()
        await settled()
        assert session.attention is not None
        assert session.attention.evidence[0].startswith("nothing came for 90 s")

    watching(tmp_path, scene)


@pytest.mark.parametrize(("seconds", "kind"), [(40, "works"), (10, "works"), (900, "idle"), (900, "waits")])
def test_who_is_quiet_for_a_while_only_or_does_not_claim_to_work_is_not_stuck(
    seconds: int, kind: str, tmp_path: Path
) -> None:
    async def scene(kit: Kit) -> None:
        quiet(kit, seconds, kind)
        await kit.watch.check()

    assert watching(tmp_path, scene).noted == []


def test_who_uses_the_processor_is_not_stuck_and_no_longer_stuck(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        kit.figures.percent = 50.0
        session = quiet(kit, 900, pid=os.getpid())
        await kit.watch.check()
        kit.figures.percent = 0.0
        await kit.watch.check()
        await settled()
        assert kit.noted == []
        session.attention = Attention(kind="stuck", since_ns=session.last_output_ns or 0)
        kit.figures.percent = 50.0
        await kit.watch.check()

    assert [kind for _, kind, _ in watching(tmp_path, scene).noted] == ["works"]


def test_a_check_that_fails_does_not_end_the_checking(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("roost.services.attention.CHECK_S", 0.001)
    asked: list[int] = []

    async def scene(kit: Kit) -> None:
        def fail() -> list[Session]:
            asked.append(1)
            raise RuntimeError("planted")

        kit.watch._sessions = fail
        kit.watch.start()
        deadline = time.monotonic() + 10
        while len(asked) < 3 and time.monotonic() < deadline:  # noqa: ASYNC110 -- a condition of ours, with a deadline
            await asyncio.sleep(0.001)

    watching(tmp_path, scene)
    assert len(asked) >= 3


def test_what_is_seen_after_the_loop_has_closed_is_left_to_the_next_server(tmp_path: Path) -> None:
    async def scene(kit: Kit) -> None:
        pass

    kit = watching(tmp_path, scene)
    kit.watch.saw(kit.add("one"), ASKED, True)
    assert kit.noted == []
