"""A data directory for every test, and servers over it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.paths import DataDirectory
from roost.testing.server import RunningServer, end_keeper, run_server


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataDirectory]:
    """A data directory that `roost` uses; its keeper is ended afterwards."""
    directory = DataDirectory(tmp_path / "data")
    monkeypatch.setenv("ROOST_DATA", str(directory.root))
    monkeypatch.setenv("ROOST_PORT", "0")
    monkeypatch.chdir(tmp_path)
    yield directory
    assert end_keeper(directory) == set()


@pytest.fixture
def server(data: DataDirectory) -> Iterator[RunningServer]:
    """A server over the data directory."""
    with run_server(data.root) as running:
        yield running


@pytest.fixture(params=["keeper", "server"])
def anywhere(request: pytest.FixtureRequest, data: DataDirectory) -> str:
    """The same test twice: with no server, and with one."""
    if request.param == "server":
        request.getfixturevalue("server")
    return str(request.param)
