"""What real programs wrote to a real terminal, and the lines that come of it."""

import difflib
from pathlib import Path

import pytest

from tests.core.terminal_goldens import GOLDENS, Cast, clean, read_cast

CASTS = sorted(GOLDENS.glob("*.cast"))
REPAINTED = {"top": 2, "bash": 0}
"""Lines that come in another order, because the program painted over earlier ones."""


@pytest.fixture(params=CASTS, ids=lambda path: path.stem)
def path(request: pytest.FixtureRequest) -> Path:
    return Path(request.param)


def test_the_lines_are_those_reviewed(path: Path) -> None:
    assert clean(read_cast(path)) == path.with_suffix(".lines").read_text().split("\n")[:-1]


def test_cutting_and_checkpoints_change_nothing(path: Path) -> None:
    cast = read_cast(path)
    assert clean(cast, step=7) == clean(cast)


def test_every_line_that_a_terminal_shows_in_the_end_is_given(path: Path) -> None:
    cast = read_cast(path)
    shown, given = shown_lines(cast), [line for line in clean(cast) if line]
    matcher = difflib.SequenceMatcher(None, shown, given, autojunk=False)
    matched = sum(block.size for block in matcher.get_matching_blocks())
    assert len(shown) - matched == REPAINTED.get(path.stem, 0)
    assert set(shown) <= set(given)


def shown_lines(cast: Cast) -> list[str]:
    """Scroll-back and screen of an emulator, soft-wrapped rows joined, without empty lines."""
    pyghostty = pytest.importorskip("pyghostty")
    with pyghostty.Terminal(cols=cast.cols, rows=cast.rows, scrollback=100_000) as terminal:
        terminal.feed(b"." + b"\r\n" + cast.data if b"\x1b[H" not in cast.data else cast.data)
        lines = [line.rstrip() for line in terminal.contents().split("\n")]
    return [line for line in lines if line and line != "."]
