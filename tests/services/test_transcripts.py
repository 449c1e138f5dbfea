"""Reading what coding agents keep of their conversations."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from roost.model.agents import Definition, Session
from roost.model.conversations import ConversationState
from roost.services import transcripts
from roost.services.transcripts import Transcripts

LATE_S = 20


def line(kind: str, text: str, **more: Any) -> str:
    return json.dumps({"type": kind, "message": {"content": text}} | more, separators=(",", ":"))


def session(cwd: Path, *, conversation_id: str | None = "u", read: int | None = None, **fields: Any) -> Session:
    talk = None if read is None else ConversationState(read=(("u.jsonl", read),))
    definition = Definition(command=["claude"], cwd=str(cwd), conversation_id=conversation_id)
    named = {"session_id": "s1", "agent_name": "a", "state": "running"} | fields
    return Session(definition=definition, conversation=talk, **named)


class Folder:
    """A home directory with the transcripts of one working directory."""

    def __init__(self, tmp_path: Path) -> None:
        self.cwd = tmp_path / "work"
        self.home = tmp_path / "home"
        name = "".join(sign if sign.isalnum() else "-" for sign in str(self.cwd))
        self.path = self.home / ".claude" / "projects" / name
        self.path.mkdir(parents=True)

    def write(self, *lines: str, file: str = "u.jsonl", end: str = "\n") -> None:
        with (self.path / file).open("a") as out:
            out.write("\n".join(lines) + end)


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcripts, "POLL_S", 0.01)


def noted(
    folder: Folder | Rollouts, sessions: list[Session], then: Callable[[asyncio.Queue[Any]], Awaitable[Any]]
) -> Any:
    async def run() -> Any:
        marks: asyncio.Queue[Any] = asyncio.Queue()

        async def note(session_id: str, mark: dict[str, Any]) -> None:
            await marks.put((session_id, mark))

        reading = Transcripts(note, lambda name: {"HOME": str(folder.home)}, enabled=True)
        reading.take(sessions)
        try:
            return await asyncio.wait_for(then(marks), LATE_S)
        finally:
            await reading.close()

    return asyncio.run(run())


async def first(marks: asyncio.Queue[Any]) -> Any:
    return await marks.get()


def test_lines_are_noted_with_where_they_stand(folder: Folder) -> None:
    folder.write(line("mode", "x"), line("user", "hello"), line("assistant", "hi"))
    session_id, mark = noted(folder, [session(folder.cwd)], first)
    begin = len(line("mode", "x")) + 1
    assert session_id == "s1"
    assert mark == {
        "type": "transcript",
        "cli": "claude",
        "file": "u.jsonl",
        "offset": begin,
        "lines": [line("user", "hello"), line("assistant", "hi")],
    }


def test_what_was_read_before_is_not_read_again(folder: Folder) -> None:
    folder.write(line("user", "one"), line("user", "two"))
    _, mark = noted(folder, [session(folder.cwd, read=len(line("user", "one")) + 1)], first)
    assert mark["lines"] == [line("user", "two")]


def test_a_line_is_noted_when_it_is_whole(folder: Folder) -> None:
    folder.write(line("user", "one"))
    folder.write('{"type":"user",', end="")

    async def follow(marks: asyncio.Queue[Any]) -> list[Any]:
        found = [(await marks.get())[1]["lines"]]
        folder.write('"message":{}}')
        return [*found, (await marks.get())[1]["lines"]]

    assert noted(folder, [session(folder.cwd)], follow) == [[line("user", "one")], ['{"type":"user","message":{}}']]


def test_lines_that_no_mark_could_hold_are_left_out(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transcripts, "LONGEST_LINE", 100)
    monkeypatch.setattr(transcripts, "MARK_BYTES", 150)
    folder.write(line("user", "x" * 200), *[line("user", f"{number}" * 30) for number in range(4)])

    async def follow(marks: asyncio.Queue[Any]) -> list[int]:
        counts: list[int] = []
        while sum(counts) < 4:
            counts.append(len((await marks.get())[1]["lines"]))
        return counts

    counts = noted(folder, [session(folder.cwd)], follow)
    assert len(counts) > 1


def test_a_conversation_without_a_known_id_is_the_newest_of_its_directory(folder: Folder) -> None:
    folder.write(line("user", "old", timestamp="2020-01-01T00:00:00Z"), file="mine.jsonl")
    folder.write(line("user", "new", timestamp="2026-01-01T00:00:00Z"), file="mine.jsonl")
    folder.write(line("user", "other"), file="older.jsonl")
    started_ns = 1_700_000_000 * 10**9
    os.utime(folder.path / "older.jsonl", ns=(1, 1))
    _, mark = noted(folder, [session(folder.cwd, conversation_id=None, started_ns=started_ns)], first)
    assert mark["file"] == "mine.jsonl"
    assert [json.loads(one)["message"]["content"] for one in mark["lines"]] == ["new"]


class Rollouts:
    """The same of Codex, which keeps all directories' together."""

    def __init__(self, tmp_path: Path) -> None:
        self.home, self.cwd = tmp_path / "home", tmp_path / "work"
        self.path = self.home / ".codex" / "sessions" / "2026" / "01" / "02"
        self.path.mkdir(parents=True)

    def write(self, name: str, begin: str, *told: str) -> None:
        first = {"type": "session_meta", "payload": {"id": name, "cwd": str(self.cwd), "timestamp": begin}}
        lines = [{"type": "event_msg", "timestamp": begin, "payload": {"message": one}} for one in told]
        skipped = {"type": "world_state", "payload": {}}
        text = [json.dumps(one, separators=(",", ":")) for one in (first, skipped, *lines)]
        (self.path / f"rollout-{name}.jsonl").write_text("\n".join(text) + "\n")


def codex(cwd: Path, started_s: int, name: str = "s1", *words: str) -> Session:
    definition = Definition(command=["codex", *words], cwd=str(cwd))
    started_ns = started_s * 10**9
    return Session(session_id=name, agent_name="a", state="running", definition=definition, started_ns=started_ns)


NOON_S = 1_767_355_200


def said(mark: dict[str, Any]) -> list[str]:
    told = [json.loads(one)["payload"] for one in mark["lines"]]
    return [one["message"] for one in told if "message" in one]


def test_codex_is_found_by_its_directory_and_when_it_began(tmp_path: Path) -> None:
    folder = Rollouts(tmp_path)
    folder.write("before", "2026-01-02T11:00:00Z", "no")
    folder.write("mine", "2026-01-02T12:00:01Z", "yes")
    marks = noted(folder, [codex(folder.cwd, NOON_S)], lambda marks: asyncio.gather(marks.get(), marks.get()))
    assert {mark["file"] for _, mark in marks} == {"2026/01/02/rollout-mine.jsonl"}
    assert [said(mark) for _, mark in marks] == [[], ["yes"]]


def test_two_agents_in_a_directory_have_each_its_own(tmp_path: Path) -> None:
    folder = Rollouts(tmp_path)
    folder.write("second", "2026-01-02T12:00:11Z", "two")

    async def follow(marks: asyncio.Queue[Any]) -> dict[str, str]:
        found: dict[str, str] = {}
        while len(found) < 2:
            session_id, mark = await marks.get()
            for text in said(mark):
                found[session_id] = text
            folder.write("first", "2026-01-02T12:00:01Z", "one")
        return found

    sessions = [codex(folder.cwd, NOON_S, "s1"), codex(folder.cwd, NOON_S + 10, "s2")]
    assert noted(folder, sessions, follow) == {"s1": "one", "s2": "two"}


def test_a_codex_that_goes_on_is_found_by_what_is_written_now(tmp_path: Path) -> None:
    folder = Rollouts(tmp_path)
    folder.write("old", "2026-01-02T11:00:00Z", "then")
    with (folder.path / "rollout-old.jsonl").open("a") as file:
        file.write('{"type":"event_msg","timestamp":"2026-01-02T12:00:05Z","payload":{"message":"now"}}\n')
    _, mark = noted(folder, [codex(folder.cwd, NOON_S, "s1", "resume")], first)
    assert said(mark) == ["now"]


def test_other_agents_are_left_alone(folder: Folder) -> None:
    async def nothing(marks: asyncio.Queue[Any]) -> bool:
        return marks.empty()

    ended = session(folder.cwd, state="exited")
    structured = Session(session_id="s2", agent_name="b", definition=Definition(command=["claude"], driver="claude"))
    vim = Session(session_id="s3", agent_name="c", definition=Definition(command=["vim"]))
    assert noted(folder, [ended, structured, vim], nothing)
