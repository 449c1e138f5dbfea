"""The real agents are used through roost as in a local terminal; see `docs/howto/test-with-real-clis.md`.

They run offline: with a model of our own on loopback, in a network namespace that holds nothing else.
"""

from contextlib import suppress
from pathlib import Path

import pytest

from roost.paths import DataDirectory
from tests.agents import real
from tests.terminal.conftest import Machine, detach
from tests.terminal.tmux import Window, tmux

START_S = 60.0

pytestmark = [pytest.mark.slow, pytest.mark.root]


def answer_announcement(window: Window) -> None:
    """Keep the model. Codex may not listen yet when it shows the question, so it is answered until that is heard."""
    for _ in range(5):
        window.press("Down", "Enter")
        with suppress(AssertionError):
            window.shows("Ask Codex to do anything", 3)
            return
    window.shows("Ask Codex to do anything", START_S)


def converse(machine: Machine, window: Window, quit_with: tuple[str, ...]) -> None:
    """Type, paste, resize, leave, come back and end it."""
    window.type("hello äöü 漢字")
    window.shows("hello äöü 漢字")
    window.press("Enter")
    window.shows("You said: hello äöü 漢字")
    window.paste("first line\nsecond line")
    window.shows("second line")
    assert "You said: first line" not in window.text
    window.press("Enter")
    window.shows("You said: first line")
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
    window.shows("You said: mXad")
    assert "rgb:" not in window.text and "[?" not in window.text and ";1R" not in window.text
    window.press(*quit_with)
    assert window.ends() == 0
    state = window.state
    assert not (state.alternate or state.mouse or state.application_cursor) and state.cursor_shown


@real.needs("claude")
@pytest.mark.timeout(300)
def test_claude(anywhere: DataDirectory, tmp_path: Path) -> None:
    with tmux() as terminals:
        machine = Machine(terminals, tmp_path)
        window = machine.roost("run", "one", "--", *real.command("claude", tmp_path / "home"))
        window.shows("❯", START_S)
        converse(machine, window, ("C-c", "C-c"))


@real.needs("codex")
@pytest.mark.timeout(300)
def test_codex(anywhere: DataDirectory, tmp_path: Path) -> None:
    with tmux() as terminals:
        machine = Machine(terminals, tmp_path)
        window = machine.roost("run", "one", "--", *real.command("codex", tmp_path / "home"), "--no-daemon")
        window.shows("2. Use existing model", START_S)
        answer_announcement(window)
        converse(machine, window, ("C-c",))
