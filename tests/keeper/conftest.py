"""Keepers for tests: each in a data directory of its own, and ended with all its agents."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.keeper.kit import RunningKeeper

StartKeeper = Callable[..., RunningKeeper]


@pytest.fixture
def start_keeper(tmp_path: Path) -> Iterator[StartKeeper]:
    """Start keepers; without more said they walk process trees, which works everywhere."""
    started: list[RunningKeeper] = []

    def start(
        data: Path | None = None, *, cgroup: bool = False, idle_exit_s: float = 300, **more: str
    ) -> RunningKeeper:
        more.setdefault("ROOST_KEEPER_BALLAST_BYTES", "65536")
        more["ROOST_KEEPER_CGROUP"] = "on" if cgroup else "off"
        keeper = RunningKeeper(data or tmp_path / "data", idle_exit_s=idle_exit_s, **more)
        started.append(keeper)
        return keeper

    yield start
    for keeper in started:
        keeper.stop()


@pytest.fixture
def keeper(start_keeper: StartKeeper) -> RunningKeeper:
    return start_keeper()
