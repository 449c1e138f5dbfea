"""`roost serve`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roost.cli.settings import add_setting_flags, load

if TYPE_CHECKING:
    import argparse


def configure_serve(parser: argparse.ArgumentParser) -> None:
    add_setting_flags(parser)


def serve(options: argparse.Namespace) -> int:
    """Serve in the foreground until SIGTERM or Ctrl-C."""
    settings, _ = load(options)
    from roost.server import main

    return main(settings)
