"""What a keeper can be told by its environment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from roost.errors import InvalidSetting


class Settings(NamedTuple):
    """The keeper's settings; times in seconds."""

    idle_exit_s: float = 300.0
    cgroup: bool = True
    sync_s: float = 1.0
    ballast_bytes: int = 8 << 20
    faults: str = ""
    """Faults to inject, for tests: see `roost.keeper.storage`."""


def from_environment(environ: Mapping[str, str], idle_exit_s: float) -> Settings:
    """The settings that `ROOST_KEEPER_*` name.

    Raises:
        InvalidSetting: a number is none, or is negative.
    """
    default = Settings()
    return Settings(
        idle_exit_s=idle_exit_s,
        cgroup=environ.get("ROOST_KEEPER_CGROUP", "on").lower() not in ("off", "0", "false", "no"),
        sync_s=_number(environ, "ROOST_KEEPER_SYNC_S", default.sync_s),
        ballast_bytes=int(_number(environ, "ROOST_KEEPER_BALLAST_BYTES", default.ballast_bytes)),
        faults=environ.get("ROOST_KEEPER_FAULTS", ""),
    )


def _number(environ: Mapping[str, str], name: str, default: float) -> float:
    given = environ.get(name)
    if not given:
        return default
    try:
        value = float(given)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e18:
        raise InvalidSetting(f"{name} must be a number that is not negative, not {given!r}", setting=name)
    return value
