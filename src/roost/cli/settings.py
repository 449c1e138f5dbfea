"""Flags that are settings: derived from their declarations, given to `roost.config.load` as text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from roost import config

if TYPE_CHECKING:
    import argparse

    from roost.config import Origin, Settings


def add_setting_flags(parser: argparse.ArgumentParser) -> None:
    """`--data`, `--db`, `--config`, and a flag for every setting; the common ones have a short form."""
    parser.add_argument("--data", metavar="DIR", help="the data directory (default: $ROOST_DATA, or the user's)")
    parser.add_argument("--db", metavar="URL", help="the database (default: SQLite in the data directory)")
    parser.add_argument(
        "--config", metavar="FILE", help="the settings file (default: config.toml in the data directory)"
    )
    text = "ask for no token; works on loopback only"
    parser.add_argument("--no-auth", dest="server.auth", action="store_const", const="false", help=text)
    group = parser.add_argument_group("settings", "docs/reference/settings.md describes them")
    for item in config.declared():
        names = [f"--{item.short.lower()}", item.flag] if item.short else [item.flag]
        kind = getattr(item.type, "__name__", "list")
        metavar = {"int": "N", "float": "N", "bool": "BOOL", "str": "TEXT"}.get(kind, "LIST")
        group.add_argument(*names, dest=item.key, metavar=metavar, help=item.doc.replace("%", "%%"))


def given_flags(options: argparse.Namespace) -> dict[str, str]:
    """The settings that were given as flags, by their keys."""
    keys = ["db", *(item.key for item in config.declared())]
    found = {key: value for key in keys if (value := vars(options).get(key)) is not None}
    if options.data:
        found["data"] = options.data
    return found


def load(options: argparse.Namespace) -> tuple[Settings, dict[str, Origin]]:
    """The settings as flags, environment, file and defaults have them.

    Raises:
        InvalidSetting: one of them cannot be used.
    """
    return config.load(os.environ, given_flags(options), Path(options.config) if options.config else None)


def as_arguments(options: argparse.Namespace) -> list[str]:
    """The same flags once more, for a process of its own."""
    arguments = [f"--{key.replace('.', '-').replace('_', '-')}={value}" for key, value in given_flags(options).items()]
    return arguments + ([f"--config={options.config}"] if options.config else [])
