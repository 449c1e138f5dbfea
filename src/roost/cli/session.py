"""From options to a back end: the data directory, and what its settings say of agents."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING

from roost.paths import DataDirectory, default_data_directory

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from roost.client.backend import Backend, Defaults


def data_directory(options: argparse.Namespace) -> DataDirectory:
    """The data directory that is meant."""
    given = getattr(options, "data", None)
    return DataDirectory(Path(given).expanduser().absolute() if given else default_data_directory(os.environ))


@contextlib.contextmanager
def backend(options: argparse.Namespace) -> Iterator[Backend]:
    """The server where one runs, else the keeper, for commands that read."""
    from roost.client.backend import connect

    found = connect(data_directory(options))
    try:
        yield found
    finally:
        found.close()


@contextlib.contextmanager
def starting_backend(options: argparse.Namespace) -> Iterator[Backend]:
    """The same for commands that start agents: the settings hold for the keeper that may be started."""
    from roost.client.backend import connect

    found = connect(data_directory(options), defaults=defaults(options))
    try:
        yield found
    finally:
        found.close()


def defaults(options: argparse.Namespace) -> Defaults:
    """What the settings say that agents and the keeper get; the keeper reads some of it from the environment."""
    from roost import config
    from roost.client.backend import Defaults

    data = data_directory(options).root
    settings, _ = config.load(os.environ, {"data": str(data)})
    keeper, agents = settings.keeper, settings.agents
    os.environ["ROOST_KEEPER_CGROUP"] = "on" if keeper.cgroup else "off"
    os.environ["ROOST_KEEPER_SYNC_S"] = str(keeper.sync_s)
    os.environ["ROOST_KEEPER_BALLAST_BYTES"] = str(keeper.ballast_bytes)
    return Defaults(
        env_allow=agents.env_allow,
        oom_score_adj=agents.oom_score_adj,
        grace_s=agents.grace_s,
        idle_exit_s=keeper.idle_exit_s,
        start_timeout_s=keeper.start_timeout_s,
    )
