"""Which files change, told in lines."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from roost.model.agents import Definition, Session
from roost.services import file_contents
from roost.services.file_contents import FileContents, TooLarge
from roost.services.file_watch import MOST_CHANGES, FileWatch, _marks

LATE_S = 20


def session(cwd: Path, **fields: Any) -> Session:
    named = {"session_id": "s1", "agent_name": "a", "state": "idle"} | fields
    return Session(definition=Definition(command=["c"], driver=named.pop("driver", "claude"), cwd=str(cwd)), **named)


def learned(root: Path) -> FileContents:
    contents = FileContents(root)
    contents.learn()
    return contents


def change(contents: FileContents, path: Path, *, deleted: bool = False) -> dict[str, Any] | None:
    return contents.change(str(path), deleted=deleted)


def test_what_is_made_changed_and_deleted_is_told_in_lines(tmp_path: Path) -> None:
    (tmp_path / "old.txt").write_text("1\n2\n")
    contents, new = learned(tmp_path), tmp_path / "new.txt"
    new.write_text("a\nb\n")
    created = {"type": "file_changed", "path": str(new), "change": "created", "bytes": 4, "added": 2, "removed": 0}
    assert change(contents, new) == created
    (tmp_path / "old.txt").write_text("1\n3\n4\n")
    found = change(contents, tmp_path / "old.txt")
    assert found is not None
    assert (found["change"], found["added"], found["removed"]) == ("modified", 2, 1)
    new.unlink()
    found = change(contents, new)
    assert found is not None
    assert (found["change"], found["removed"]) == ("deleted", 2)


def test_what_is_as_it_was_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    contents = learned(tmp_path)
    assert change(contents, tmp_path / "a") is None
    assert change(contents, tmp_path / "gone", deleted=True) is None
    assert change(contents, tmp_path) is None


def test_lines_of_what_is_no_text_or_large_are_not_counted(tmp_path: Path) -> None:
    contents = learned(tmp_path)
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "large").write_text("x" * (file_contents.MOST_BYTES + 1))
    for name in ("binary", "large"):
        found = change(contents, tmp_path / name)
        assert found is not None
        assert "added" not in found


def test_folders_that_programs_fill_are_passed_over_and_too_many_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "node_modules" / "a").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    monkeypatch.setattr(file_contents, "MOST_FOLDERS", 2)
    learned(tmp_path)
    (tmp_path / "c").mkdir()
    with pytest.raises(TooLarge):
        learned(tmp_path)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_contents, "MOST_FILES", 1)
    (tmp_path / "a").touch()
    (tmp_path / "b").touch()
    with pytest.raises(TooLarge):
        learned(tmp_path)


def test_a_flood_is_counted(tmp_path: Path) -> None:
    contents, changes = learned(tmp_path), []
    for number in range(MOST_CHANGES + 5):
        path = tmp_path / f"{number:04}"
        path.touch()
        changes.append((str(path), 1))
    marks = _marks(contents, changes)
    assert (len(marks), marks[-1]) == (MOST_CHANGES + 1, {"type": "files_changed", "count": 5})


class Notes:
    """What was noted, and on whose recording."""

    def __init__(self) -> None:
        self.all: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()

    async def make(self, session_id: str, mark: dict[str, Any]) -> None:
        await self.all.put((session_id, Path(mark["path"]).name, mark["change"]))

    async def next(self) -> tuple[str, str, str]:
        return await asyncio.wait_for(self.all.get(), LATE_S)


async def _write_until_seen(path: Path, notes: Notes) -> tuple[str, str, str]:
    """Watching begins a little later than it is asked for."""
    for number in range(400):
        path.write_text(f"{number}\n")  # noqa: ASYNC240 - a few bytes
        if not notes.all.empty():
            return await notes.next()
        await asyncio.sleep(0.05)
    raise AssertionError("no change was seen")


def test_the_directories_of_structured_agents_are_watched_while_they_run(tmp_path: Path) -> None:
    first, second, third = tmp_path / "1", tmp_path / "2", tmp_path / "3"
    for folder in (first, second, third):
        folder.mkdir()

    async def run() -> None:
        notes = Notes()
        watch = FileWatch(notes.make, enabled=True)
        watch.take([session(first), session(third, session_id="s3", driver="terminal")])
        seen = await _write_until_seen(first / "a", notes)
        assert seen[:2] == ("s1", "a")
        watch.take([session(second, session_id="s2")])
        (third / "x").write_text("not watched")
        while (seen := await _write_until_seen(second / "b", notes))[0] == "s1":
            pass
        assert seen[:2] == ("s2", "b")
        watch.take([session(first, state="exited"), session(second, session_id="s2", state="exited")])
        await watch.close()

    asyncio.run(run())


def test_nothing_is_watched_where_that_is_switched_off(tmp_path: Path) -> None:
    async def run() -> None:
        watch = FileWatch(Notes().make, enabled=False)
        watch.take([session(tmp_path)])
        await watch.close()

    asyncio.run(run())
