"""A data directory for every test, and servers over it."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.errors import RoostError
from roost.paths import DataDirectory
from roost.testing.server import RunningServer, end_keeper, run_server


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[DataDirectory]:
    """A data directory that `roost` uses; its keeper is ended afterwards."""
    directory = DataDirectory(tmp_path / "data")
    _use(directory, tmp_path, monkeypatch)
    yield directory
    assert end_keeper(directory) == set()


@pytest.fixture
def server(shared_server: RunningServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RunningServer]:
    """A server that `roost` uses, with no agents; it is not to be stopped."""
    _use(shared_server.data, tmp_path, monkeypatch)
    yield shared_server
    for view in shared_server.agents():
        with contextlib.suppress(RoostError):
            shared_server.call("POST", f"/api/agents/{view['name']}/kill")
        shared_server.call("DELETE", f"/api/agents/{view['name']}?purge=true")


@pytest.fixture
def own_server(data: DataDirectory) -> Iterator[RunningServer]:
    """A server for this test alone, which may kill it."""
    with run_server(data.root) as running:
        yield running


@pytest.fixture(scope="session")
def shared_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """One server for many tests: starting one takes longer than all that most of them do."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("ROOST_DATA", "ROOST_PORT"):
            patch.delenv(name, raising=False)
        with run_server(tmp_path_factory.mktemp("shared") / "data") as running:
            yield running


@pytest.fixture(params=["keeper", "server"])
def anywhere(request: pytest.FixtureRequest) -> DataDirectory:
    """The same test twice: with no server, and with one."""
    if request.param == "keeper":
        found: DataDirectory = request.getfixturevalue("data")
        return found
    server: RunningServer = request.getfixturevalue("server")
    return server.data


def _use(directory: DataDirectory, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ROOST_DATA", str(directory.root))
    monkeypatch.setenv("ROOST_PORT", "0")
    monkeypatch.chdir(here)
