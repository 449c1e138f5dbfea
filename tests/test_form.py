"""The form that all of our Python keeps: small files, small functions, finished words, nothing of one machine."""

import ast
import functools
import re
import statistics
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent
LONGEST_FILE = 600
LONGEST_FUNCTION = 60
LONGEST_MEDIAN = 8
VAGUE_NAMES = {"util", "utils", "helper", "helpers", "common", "base", "misc", "stuff", "tools"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|NotImplementedError|lorem ipsum)\b")
OF_ONE_MACHINE = re.compile(r"(?<![\w.~])/(home/(?!me\b|dev\b|user\b|you\b|alice\b|agent\b)\w+|root/|work/|Users/\w)")
TEXT_SUFFIXES = {".py", ".md", ".toml", ".sh", ".ts", ".tsx", ".css", ".html", ".json", ".yml", ".yaml", ".ini", ""}


class Function(NamedTuple):
    """`lines` are from `def` to the end, without the docstring."""

    name: str
    lines: int


def test_no_python_file_is_too_long() -> None:
    lengths = {_name(path): len(path.read_text().splitlines()) for path in python_files()}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_too_long() -> None:
    assert [function for function in _functions("src") if function.lines > LONGEST_FUNCTION] == []


def test_functions_are_small() -> None:
    assert statistics.median(function.lines for function in _functions("src")) <= LONGEST_MEDIAN


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [_name(path) for path in python_files() if path.stem.strip("_") in VAGUE_NAMES] == []


def test_nothing_is_left_unfinished() -> None:
    assert _matches(UNFINISHED) == []


def test_nothing_names_a_place_on_one_machine() -> None:
    assert _matches(OF_ONE_MACHINE) == []


def test_every_module_of_the_package_says_what_it_is() -> None:
    silent = [
        _name(path)
        for path in python_files("src")
        if path.stat().st_size and not ast.get_docstring(ast.parse(path.read_text()))
    ]
    assert silent == []


@pytest.mark.parametrize("text", ["# TODO: later", "FIXME", "raise NotImplementedError"])
def test_unfinished_words_are_found(text: str) -> None:
    assert UNFINISHED.search(text)


@pytest.mark.parametrize("text", ["/home/joe/roost", "cd /root/x", "see /" + "work/main"])
def test_places_on_one_machine_are_found(text: str) -> None:
    assert OF_ONE_MACHINE.search(text)


@pytest.mark.parametrize(
    "text", ["https://example.org/w" + "ork/x", "/home/me/project", "a/root/b", "/workspace", "~/w" + "ork/x"]
)
def test_other_paths_are_allowed(text: str) -> None:
    assert not OF_ONE_MACHINE.search(text)


@functools.cache
def tracked_files() -> list[Path]:
    """What git knows or would add; in an unpacked archive, every file."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    names = listing.stdout.splitlines() if listing.returncode == 0 else []
    found = [ROOT / name for name in names] or [path for path in ROOT.rglob("*") if ".venv" not in path.parts]
    return sorted(path for path in found if path.is_file())


def python_files(folder: str = "") -> list[Path]:
    """All Python files, or those under `folder`."""
    return [path for path in tracked_files() if path.suffix == ".py" and path.is_relative_to(ROOT / folder)]


def _name(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else path.name


@functools.cache
def _functions(folder: str) -> list[Function]:
    return [
        Function(f"{_name(path)}:{node.lineno} {node.name}", _length(node))
        for path in python_files(folder)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    body = node.body[1:] if ast.get_docstring(node) and len(node.body) > 1 else node.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 2


def _matches(pattern: re.Pattern[str]) -> list[str]:
    return [
        f"{_name(path)}:{number} {line.strip()[:80]}"
        for path in tracked_files()
        if path.suffix in TEXT_SUFFIXES and path.name not in ("package-lock.json", Path(__file__).name)
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]
