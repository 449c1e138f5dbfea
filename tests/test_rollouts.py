"""Codex's rollouts: whose they are."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from roost.rollouts import begun, written

SECOND = 1_000_000_000
NOON_NS = 1_767_355_200 * SECOND
"""2026-01-02 12:00 UTC."""


def rollout(folder: Path, name: str, begin: Any = "2026-01-02T12:00:00.000Z", **fields: Any) -> Path:
    path = folder / "2026" / "01" / fields.pop("day", "02") / f"rollout-{name}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    payload = {"id": name, "cwd": "/w", "timestamp": begin} | fields
    path.write_text(json.dumps({"type": "session_meta", "payload": payload}) + "\n")
    return path


def names(found: list[Any]) -> list[str]:
    return [one.path.stem.removeprefix("rollout-") for one in found]


def test_a_conversation_is_of_its_directory_and_began_in_the_time(tmp_path: Path) -> None:
    rollout(tmp_path, "second", "2026-01-02T12:00:05Z")
    rollout(tmp_path, "first")
    rollout(tmp_path, "before", "2026-01-02T11:59:59Z")
    rollout(tmp_path, "elsewhere", cwd="/v")
    assert names(begun(tmp_path, "/w", NOON_NS)) == ["first", "second"]
    assert names(begun(tmp_path, "/w", NOON_NS, NOON_NS + SECOND)) == ["first"]
    assert begun(tmp_path / "none", "/w", NOON_NS) == []


def test_days_are_those_of_whoever_wrote(tmp_path: Path) -> None:
    rollout(tmp_path, "west", day="01")
    rollout(tmp_path, "long-ago", day="00")
    assert names(begun(tmp_path, "/w", NOON_NS)) == ["west"]


@pytest.mark.parametrize(
    "fields", [{"source": {"subagent": "review"}}, {"cwd": None}, {"timestamp": 7}, {"timestamp": "soon"}]
)
def test_what_does_not_say_whose_it_is_is_nobodys(tmp_path: Path, fields: dict[str, Any]) -> None:
    rollout(tmp_path, "x", **fields)
    assert begun(tmp_path, "/w", NOON_NS) == []


@pytest.mark.parametrize("text", ["", '{"type":"session_meta"', "7\n", "{half\n", '{"type":"event_msg"}\n'])
def test_a_file_without_a_first_line_is_looked_at_later(tmp_path: Path, text: str) -> None:
    path = rollout(tmp_path, "x")
    whole = path.read_text()
    path.write_text(text)
    assert begun(tmp_path, "/w", NOON_NS) == []
    if not text.endswith("\n"):
        path.write_text(whole)
        assert names(begun(tmp_path, "/w", NOON_NS)) == ["x"]


def test_what_was_written_last_comes_first_whenever_it_began(tmp_path: Path) -> None:
    for name, age_s in (("old", 20), ("newest", 1), ("newer", 5)):
        time_ns = NOON_NS - age_s * SECOND
        os.utime(rollout(tmp_path, name, "2020-01-01T00:00:00Z"), ns=(time_ns, time_ns))
    assert names(written(tmp_path, "/w", NOON_NS - 10 * SECOND)) == ["newest", "newer"]
