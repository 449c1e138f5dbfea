"""The tables in the reference that are made from code: routes, errors, metrics, drivers.

A page holds `<!-- made by scripts/generate-types: NAME -->`, the table, and `<!-- end -->`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from prometheus_client.core import Metric
from scripts import driver_tables

from roost import errors
from roost.errors import RoostError, by_code
from roost.services.metrics import Metrics, ServerCollector, names
from roost.web import openapi
from roost.web.dispatch import Entry
from roost.web.problems import status_of
from roost.web.routes import ROUTES

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs" / "reference"
BLOCK = re.compile(r"(<!-- made by scripts/generate-types: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def pages() -> dict[Path, str]:
    """The pages of the reference with their tables made anew."""
    found = {}
    for path in sorted(REFERENCE.glob("*.md")):
        text = path.read_text()
        if BLOCK.search(text):
            found[path] = BLOCK.sub(lambda match: f"{match[1]}{TABLES[match[2]]()}{match[3]}", text)
    return found


def routes() -> str:
    """Every route with its least role, what it takes and answers, and its errors."""
    rows = [_route(entry) for entry in ROUTES]
    return _table(("method and path", "least role", "takes", "answers", "errors of its own"), rows)


def _route(entry: Entry) -> tuple[str, ...]:
    method = "WebSocket" if entry.method == "WEBSOCKET" else entry.method
    takes = [kind.__name__ for kind in (entry.body, entry.query) if kind is not None]
    answers = [kind.partition(";")[0] if isinstance(kind, str) else kind.__name__ for kind in openapi.answers_of(entry)]
    status = "101" if entry.method == "WEBSOCKET" else str(entry.status)
    codes = [f"`{code}`" for code in dict.fromkeys(cls.code for cls in entry.errors)]
    path = entry.path.replace(":path}", "}")
    answer = f"{status} {' or '.join(answers)}".strip()
    return (f"`{method} {path}`<br>{entry.summary}", entry.least, ", ".join(takes), answer, " ".join(codes))


def error_codes() -> str:
    """Every code with its status and meaning, in the order of the statuses."""
    classes = sorted(by_code().items(), key=lambda pair: (status_of(pair[1]), pair[0]))
    return _table(("code", "status", "meaning"), [_error(code, cls) for code, cls in classes])


def _error(code: str, cls: type[RoostError]) -> tuple[str, ...]:
    meaning = (cls.__doc__ or "").partition("\n")[0]
    status = "–" if cls in NEVER_ANSWERED else str(status_of(cls))
    return (f"`{code}`", status, meaning)


NEVER_ANSWERED = (errors.ServerUnavailable, errors.DataNewer, errors.DataLocked, errors.PortInUse)
"""Said by the command line only."""


def metrics() -> str:
    """Every metric of ours with its type, labels and meaning."""
    found = {family.name: family for family in _families()}
    return _table(("metric", "type", "labels", "meaning"), [_metric(name, found) for name in names()])


def _families() -> list[Metric]:
    registry = Metrics()
    registry.served("GET", "/", 200, 0)
    return [*registry.registry.collect(), *ServerCollector(_Idle()).collect()]  # type: ignore[arg-type]


def _metric(name: str, found: dict[str, Metric]) -> tuple[str, ...]:
    family = found[name.removesuffix("_total")]
    labels = {label for sample in family.samples for label in sample.labels} - {"le"}
    return (f"`{name}`", family.type, ", ".join(sorted(labels)), family.documentation)


class _Idle:
    """Parts of a server that has nothing to do."""

    version = "0"

    def __getattr__(self, name: str) -> _Idle:
        return self

    def __call__(self) -> _Idle:
        return self

    def __iter__(self) -> object:
        return iter(())

    def __float__(self) -> float:
        return 0.0

    def __bool__(self) -> bool:
        return False


def _table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |\n" for row in lines)


TABLES: dict[str, Callable[[], str]] = {
    "routes": routes,
    "errors": error_codes,
    "metrics": metrics,
    "abilities": lambda: _table(*driver_tables.abilities()),
    "options": lambda: _table(*driver_tables.options()),
}
