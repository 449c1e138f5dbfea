"""`python -m benchmarks [--quick] [--json FILE] [NAME…]` runs benchmarks and prints one table."""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys

import benchmarks
from benchmarks.results import Result, machine, table


def names() -> list[str]:
    """Modules that are benchmarks."""
    found = []
    for module in pkgutil.iter_modules(benchmarks.__path__):
        if not module.name.startswith("_") and hasattr(importlib.import_module(f"benchmarks.{module.name}"), "run"):
            found.append(module.name)
    return found


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measure roost beside its rivals.")
    parser.add_argument("name", nargs="*", help="benchmarks to run; all when none is named")
    parser.add_argument("--quick", action="store_true", help="shorter runs, rougher figures")
    parser.add_argument("--list", action="store_true", help="say which benchmarks there are")
    parser.add_argument("--json", metavar="FILE", help="write the figures there too")
    arguments = parser.parse_args()
    known = names()
    if arguments.list:
        for name in known:
            summary = (importlib.import_module(f"benchmarks.{name}").__doc__ or "").partition("\n")[0]
            print(f"{name:16} {summary}")
        return 0
    unknown = [name for name in arguments.name if name not in known]
    if unknown:
        print(f"there is no benchmark {unknown[0]}; there are: {', '.join(known)}", file=sys.stderr)
        return 2
    results: list[Result] = []
    for name in arguments.name or known:
        print(f"running {name} …", file=sys.stderr, flush=True)
        found = importlib.import_module(f"benchmarks.{name}").run(arguments.quick)
        results += found
        print(table(found), file=sys.stderr, flush=True)
    print(machine())
    print(table(results))
    if arguments.json:
        with open(arguments.json, "w") as file:
            json.dump([result._asdict() for result in results], file, indent=1)
    return 0


sys.exit(main())
