"""Real programs in a real terminal, run directly and through roost, side by side."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from roost.paths import DataDirectory
from tests.cli.conftest import anywhere, data, own_server, server, shared_server
from tests.cli.kit import ROOST
from tests.terminal.tmux import Tmux, Window, tmux
from tests.waiting import until

__all__ = ["anywhere", "data", "own_server", "server", "shared_server"]

LOCAL_TERMINAL = ["env", "TERM=xterm-256color"]
TEXT = "".join(f"line {number} äöü 漢字 🙂 \t end\n" for number in range(1, 201))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(needs("tmux"))


def needs(program: str) -> pytest.MarkDecorator:
    """Leaves a test out where a program is not installed."""
    return pytest.mark.skipif(shutil.which(program) is None, reason=f"needs {program}")


class Twins:
    """The same program twice, directly in a terminal and through roost; whatever is done is done to both."""

    def __init__(self, local: Window, ours: Window) -> None:
        self.local = local
        self.ours = ours

    def do(self, act: Callable[[Window], None]) -> None:
        act(self.local)
        act(self.ours)

    def type(self, text: str) -> None:
        self.do(lambda window: window.type(text))

    def press(self, *keys: str) -> None:
        self.do(lambda window: window.press(*keys))

    def paste(self, text: str) -> None:
        self.do(lambda window: window.paste(text))

    def resize(self, cols: int, rows: int) -> None:
        self.do(lambda window: window.resize(cols, rows))

    def show(self, text: str) -> None:
        """Wait until both show this, and then the same in every cell, with cursor and modes alike."""
        self.do(lambda window: window.shows(text))
        self.are_same()

    def are_same(self) -> None:
        """Wait until both look alike, and behave alike to what comes next."""
        same = lambda: (self.local.text, self.local.state) == (self.ours.text, self.ours.state)  # noqa: E731
        try:
            until(same, what="both look the same")
        except AssertionError as exc:
            seen = [f"{name} {window.state}\n{window.text}" for name, window in vars(self).items()]
            raise AssertionError("\n\n".join(["they differ", *seen])) from exc


class Machine:
    """A terminal, a directory with a text, and roost."""

    def __init__(self, terminals: Tmux, directory: Path) -> None:
        self._tmux = terminals
        self._directory = directory

    def local(self, *argv: str, cols: int = 100, rows: int = 30) -> Window:
        """A program directly in a terminal."""
        directory = self._fresh("local")
        return self._tmux.window(*LOCAL_TERMINAL, *argv, cols=cols, rows=rows, cwd=directory)

    def roost(self, *arguments: str, cols: int = 100, rows: int = 30) -> Window:
        """`roost` in a terminal."""
        return self._tmux.window(*ROOST, *arguments, cols=cols, rows=rows, cwd=self._fresh("ours"))

    def twins(self, *argv: str) -> Twins:
        """A program directly, and as agent `one` attached."""
        return Twins(self.local(*argv), self.roost("run", "one", "--", *argv))

    def reattached(self, twins: Twins, *options: str, cols: int = 100, rows: int = 30) -> Twins:
        """Detach and attach again, in a new terminal."""
        detach(twins.ours)
        return Twins(twins.local, self.roost("attach", "one", *options, cols=cols, rows=rows))

    def _fresh(self, name: str) -> Path:
        directory = self._directory / name
        if not directory.is_dir():
            directory.mkdir()
            (directory / "text.txt").write_text(TEXT)
        return directory


def detach(window: Window) -> None:
    """Leave the agent, and find the terminal as it was before."""
    window.press("C-]")
    window.type("d")
    assert window.ends() == 0
    state = window.state
    assert "which lives on" in window.text
    assert not (state.alternate or state.application_cursor or state.application_keypad or state.mouse), state
    assert state.cursor_shown and state.wrapping and not state.origin and not state.inserting, state


@pytest.fixture
def machine(anywhere: DataDirectory, tmp_path: Path) -> Iterator[Machine]:
    with tmux() as terminals:
        yield Machine(terminals, tmp_path)
