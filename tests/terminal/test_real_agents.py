"""The real agents are used through roost as in a local terminal; see `docs/howto/test-with-real-clis.md`.

They run offline: with a model of our own on loopback, in a network namespace that holds nothing else.
"""

import os
import sys
from pathlib import Path

import pytest

from roost.paths import DataDirectory
from tests.terminal.conftest import Machine, detach
from tests.terminal.tmux import Window, tmux

OFFLINE = ["unshare", "-n", sys.executable, str(Path(__file__).parent / "offline_model.py")]
CLAUDE, CODEX = (os.environ.get(f"ROOST_TEST_{name}", "") for name in ("CLAUDE", "CODEX"))
START_S = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.root]


def claude(home: Path) -> list[str]:
    return [*OFFLINE, str(home), "claude", CLAUDE]


def codex(home: Path) -> list[str]:
    return [*OFFLINE, str(home), "codex", CODEX, "--no-daemon"]


def converse(machine: Machine, window: Window, quit_with: tuple[str, ...]) -> None:
    """Type, paste, resize, leave, come back and end it."""
    window.type("hello äöü 漢字")
    window.shows("hello äöü 漢字")
    window.press("Enter")
    window.shows("HELLO ÄÖÜ 漢字")
    window.paste("first line\nsecond line")
    window.shows("second line")
    assert "FIRST LINE" not in window.text
    window.press("Enter")
    window.shows("SECOND LINE")
    window.resize(80, 24)
    window.type("mad")
    window.press("Left", "Left")
    window.type("X")
    window.shows("mXad")
    before = window.state
    assert before.alternate and before.mouse
    detach(window)
    window = machine.roost("attach", "one")
    window.shows("mXad")
    assert (window.state.alternate, window.state.mouse) == (True, True)
    window.press("Enter")
    window.shows("MXAD")
    assert "rgb:" not in window.text and "[?" not in window.text and ";1R" not in window.text
    window.press(*quit_with)
    assert window.ends() == 0
    state = window.state
    assert not (state.alternate or state.mouse or state.application_cursor) and state.cursor_shown


@pytest.mark.skipif(not CLAUDE, reason="needs ROOST_TEST_CLAUDE, the path of claude")
@pytest.mark.timeout(300)
def test_claude(anywhere: DataDirectory, tmp_path: Path) -> None:
    with tmux() as terminals:
        machine = Machine(terminals, tmp_path)
        window = machine.roost("run", "one", "--", *claude(tmp_path / "home"))
        window.shows("❯", START_S)
        converse(machine, window, ("C-c", "C-c"))


@pytest.mark.skipif(not CODEX, reason="needs ROOST_TEST_CODEX, the path of codex")
@pytest.mark.timeout(300)
def test_codex(anywhere: DataDirectory, tmp_path: Path) -> None:
    with tmux() as terminals:
        machine = Machine(terminals, tmp_path)
        window = machine.roost("run", "one", "--", *codex(tmp_path / "home"))
        window.shows("2. Use existing model", START_S)
        window.press("Down", "Enter")
        window.shows("Ask Codex to do anything", START_S)
        converse(machine, window, ("C-c",))
