"""Both screens and both client back ends keep their contract."""

import contextlib
import os
from collections.abc import Iterator

import pytest

from roost.client.backend import Backend, connect
from roost.core.screen import Screen
from roost.errors import AgentNotRunning
from roost.paths import DataDirectory
from roost.testing import contracts
from roost.testing.server import end_keeper, run_server


@pytest.mark.parametrize("emulator", ["ghostty", "pyte"])
@pytest.mark.parametrize("check", contracts.SCREEN, ids=str)
def test_screen(check: contracts.Check, emulator: str) -> None:
    made: list[Screen] = []

    def make(cols: int, rows: int, on_reply=None) -> Screen:
        made.append(Screen(cols, rows, on_reply, emulator=emulator))
        return made[-1]

    try:
        check(make)
    finally:
        for screen in made:
            screen.close()


@pytest.fixture(scope="module", params=["server", "keeper"])
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    data = DataDirectory(tmp_path_factory.mktemp(request.param) / "data")
    if request.param == "server":
        with run_server(data.root):
            yield from _connected(data, "server")
        return
    try:
        yield from _connected(data, "keeper")
    finally:
        assert end_keeper(data) == set()


@pytest.fixture
def backend(shared: Backend) -> Iterator[Backend]:
    """The shared back end, with all agents forgotten after."""
    yield shared
    for agent in shared.agents():
        with contextlib.suppress(AgentNotRunning):
            shared.kill(agent["name"])
        shared.remove(agent["name"])


def _connected(data: DataDirectory, kind: str) -> Iterator[Backend]:
    backend = connect(data, dict(os.environ))
    try:
        assert backend.kind == kind
        yield backend
    finally:
        backend.close()


@pytest.mark.parametrize("check", contracts.BACKEND, ids=str)
def test_backend(check: contracts.Check, backend: Backend) -> None:
    check(backend)


def test_a_check_says_what_is_wrong() -> None:
    with pytest.raises(AssertionError, match="should have been refused as ValueError"):
        contracts._refuses(ValueError, lambda: None)  # type: ignore[type-var]
