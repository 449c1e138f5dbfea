"""The reference pages that are written from the code are as the code has it."""

from pathlib import Path

import pytest

from roost.cli.reference import pages

REFERENCE = Path(__file__).resolve().parents[2] / "docs" / "reference"


@pytest.mark.parametrize("name", sorted(pages()))
def test_the_page_is_as_the_code_has_it(name: str) -> None:
    assert (REFERENCE / name).read_text() == pages()[name], "run scripts/generate-cli-reference"


def test_settings_stand_on_their_own_page_only() -> None:
    assert "--server-port" not in pages()["cli.md"]
    assert "--server-port" in pages()["settings.md"]
