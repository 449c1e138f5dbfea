"""`roost config show` and `roost config path`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roost.cli import exits
from roost.cli.output import write_json, write_table
from roost.cli.settings import add_setting_flags, load

if TYPE_CHECKING:
    import argparse

    from roost.config import Value


def configure_config(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    show = actions.add_parser("show", help="print every setting and where its value came from")
    show.add_argument("key", nargs="?", metavar="KEY", help="one setting, such as server.port: only its value")
    show.add_argument("--json", action="store_true", help="print one JSON document")
    add_setting_flags(show)
    path = actions.add_parser("path", help="print where the settings file is looked for")
    add_setting_flags(path)


def config(options: argparse.Namespace) -> int:
    """Show settings."""
    settings, origins = load(options)
    if options.action == "path":
        print(options.config or settings.data / "config.toml")
        return exits.OK
    if options.key:
        return _show_one(options)
    if options.json:
        write_json({key: {"value": item.value, "source": item.source} for key, item in origins.items()})
    else:
        rows = [(key, _written(item.value), item.source) for key, item in origins.items()]
        colours = [("", "bold" if row[2] != "default" else "", "dim") for row in rows]
        write_table(("SETTING", "VALUE", "FROM"), rows, colours=colours)
    return exits.OK


def _show_one(options: argparse.Namespace) -> int:
    from roost.cli.parser import nearest
    from roost.errors import NotFound

    _, origins = load(options)
    if options.key not in origins:
        hint = nearest(options.key, origins) or "'roost config show' lists them"
        raise NotFound(f"there is no setting {options.key!r}", hint=hint)
    item = origins[options.key]
    if options.json:
        write_json({options.key: {"value": item.value, "source": item.source}})
    else:
        print(_written(item.value))
    return exits.OK


def _written(value: Value) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ",".join(value) if isinstance(value, tuple) else str(value)
