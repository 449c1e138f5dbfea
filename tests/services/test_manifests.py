"""Manifests of ours, and those that somebody puts over them."""

from __future__ import annotations

from pathlib import Path

from roost.core.manifest import Sight
from roost.services.manifests import Manifests

RULES = '[[rules]]\nkind = "idle"\npattern = "zzz"\n'


def test_without_a_directory_there_are_ours(tmp_path: Path) -> None:
    found = Manifests.load(tmp_path / "none")
    assert {"aider", "any", "claude", "codex", "gemini", "opencode", "shell"} <= set(found.names)
    assert found.of(["/bin/claude"]).name == "claude"
    assert found.of(["bash"]).foreground
    assert found.of(["make"]) is found.any


def test_a_file_takes_the_place_of_ours(tmp_path: Path) -> None:
    (tmp_path / "claude.toml").write_text('name = "claude"\nprograms = ["claude", "my-claude"]\n' + RULES)
    found = Manifests.load(tmp_path).of(["my-claude"])
    assert (found.name, len(found.rules)) == ("claude", 1)


def test_a_file_that_extends_goes_in_front_of_ours(tmp_path: Path) -> None:
    (tmp_path / "any.toml").write_text('name = "any"\nextends = true\n' + RULES)
    found = Manifests.load(tmp_path).any
    assert found.otherwise == "works"
    assert found.read(Sight("", ("zzz",), "")).kind == "idle"  # type: ignore[union-attr]


def test_two_files_of_one_name_are_put_together(tmp_path: Path) -> None:
    (tmp_path / "1.toml").write_text('name = "mine"\nprograms = ["mine"]\n' + RULES)
    (tmp_path / "2.toml").write_text('name = "mine"\nextends = true\n' + RULES)
    assert len(Manifests.load(tmp_path).of(["mine"]).rules) == 2


def test_a_new_cli_comes_before_ours(tmp_path: Path) -> None:
    (tmp_path / "mine.toml").write_text('name = "mine"\nprograms = ["codex"]\n')
    assert Manifests.load(tmp_path).of(["codex"]).name == "mine"


def test_a_file_that_cannot_be_used_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "claude.toml").write_text("name = ")
    (tmp_path / "codex.toml").write_bytes(b"\xff\xfe")
    (tmp_path / "gemini.toml").mkdir()
    found = Manifests.load(tmp_path)
    assert len(found.of(["claude"]).rules) > 1
    assert found.of(["codex"]).rules
