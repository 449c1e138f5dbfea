"""The files that a patch of codex changed."""

from __future__ import annotations

from typing import Any

from roost.agents.codex_fields import object_of, text_of
from roost.agents.driver import Item
from roost.model.events import ChangeKind, FileChange

_KINDS: dict[str, ChangeKind] = {"add": "created", "delete": "deleted"}


def kind_of(change: dict[str, Any]) -> str:
    """`add`, `delete` or `update`; `exec` says it as a word, the app-server as an object."""
    return text_of(object_of(change, "kind"), "type") or text_of(change, "kind")


def file_changes(changes: list[dict[str, Any]], call: str) -> list[Item]:
    """An event a file, credited to the call of this id."""
    return [_change(change, call) for change in changes if text_of(change, "path")]


def _change(change: dict[str, Any], call: str) -> Item:
    path, kind = text_of(change, "path"), kind_of(change)
    added, removed = counted(kind, text_of(change, "diff"))
    if moved := text_of(object_of(change, "kind"), "move_path"):
        return FileChange(0, 0, moved, "renamed", None, added, removed, call, path)
    return FileChange(0, 0, path, _KINDS.get(kind, "modified"), None, added, removed, call)


def counted(kind: str, diff: str) -> tuple[int | None, int | None]:
    """Lines added and removed; none where that was not said.

    Of a file that is new or gone codex gives the text, of another a unified diff that begins with its first hunk.
    """
    if not diff:
        return None, None
    if kind == "add":
        return len(diff.splitlines()), 0
    if kind == "delete":
        return 0, len(diff.splitlines())
    _, hunk, rest = diff.partition("@@")
    lines = (hunk + rest).splitlines()
    return sum(line.startswith("+") for line in lines), sum(line.startswith("-") for line in lines)
