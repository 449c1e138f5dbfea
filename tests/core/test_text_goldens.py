"""What real programs wrote to a real terminal, and the lines that come of it."""

import difflib
from pathlib import Path

import pytest

from tests.core.terminal_goldens import GOLDENS, clean, read_cast, shown_lines

CASTS = sorted(GOLDENS.glob("*.cast"))
REPAINTED = {"top": 2}
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
    pytest.importorskip("pyghostty")
    cast = read_cast(path)
    shown, given = shown_lines(cast), [line for line in clean(cast) if line]
    matcher = difflib.SequenceMatcher(None, shown, given, autojunk=False)
    matched = sum(block.size for block in matcher.get_matching_blocks())
    assert len(shown) - matched == REPAINTED.get(path.stem, 0)
    assert set(shown) <= set(given)
