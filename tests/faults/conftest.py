"""A server of its own for each test, in a directory of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.testing.server import RunningServer, run_server


@pytest.fixture
def data(tmp_path: Path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def server(data: Path) -> Iterator[RunningServer]:
    with run_server(data) as running:
        yield running
