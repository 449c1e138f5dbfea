"""Imports go down only, the core is pure, nothing heavy is loaded before it is needed."""

import ast
import functools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).resolve().parent.parent / "src"
ANYTHING = {"*"}

# Part of roost → what of roost it may import besides itself. A part is a folder or a module directly in `roost`.
MAY_IMPORT = {
    "errors": set(),
    "paths": set(),
    "config": {"errors", "paths"},
    "log": {"config"},
    "follow": set(),
    "rollouts": set(),
    "model": {"errors"},
    "core": {"model", "errors"},
    "keeper": {"core.recording", "errors", "paths"},
    "agents": {"core", "model", "errors"},
    "store": {"core", "model", "errors", "paths"},
    "projection": {"store", "agents", "core", "model", "errors", "paths", "config"},
    "services": {"projection", "store", "agents", "core", "model", "errors", "paths", "config", "keeper", "rollouts"},
    "web": {"services", "core", "model", "errors", "config", "paths"},
    "client": {"model", "errors", "paths", "core", "keeper", "agents", "rollouts"},
    "cli": {"client", "model", "errors", "paths", "config", "core", "keeper", "testing"},
    "app": ANYTHING,
    "server": ANYTHING,
    "testing": ANYTHING,
    "__main__": {"cli"},
    "__init__": set(),
}
# The few modules of a part that may reach further, each for one reason.
MAY_ALSO_IMPORT = {
    "cli.serve": {"app", "server"},
    "web.context": {"projection", "store"},
    "cli.recording": {"projection"},
    "cli.reproject": {"projection"},
}
NEVER_IMPORT = {"testing": {"cli"}}

PURE = ("model", "core", "agents")
IMPURE_MODULES = {"asyncio", "socket", "subprocess", "threading", "multiprocessing", "time", "select", "selectors"}
IMPURE_NAMES = {"os.environ", "os.getenv", "os.open", "os.read", "os.write", "datetime.now", "date.today"}
IMPURE_CALLS = {"open", "input", "print"}
IMPURE_METHODS = {"read_text", "read_bytes", "write_text", "write_bytes", "utcnow", "now"}

STANDARD_LIBRARY_ONLY = ("keeper", "errors", "paths", "config", "core.recording")
HEAVY = {
    "sqlalchemy",
    "alembic",
    "starlette",
    "uvicorn",
    "uvloop",
    "pyghostty",
    "pyte",
    "structlog",
    "msgspec",
    "psutil",
}
STARTS_LIGHT = ("roost", "roost.cli", "roost.keeper", "roost.client", "roost.testing.fake_agent")


class Module(NamedTuple):
    """`name` is relative to roost, such as `keeper.loop`; `__init__` stands for roost itself."""

    name: str
    source: str
    is_package: bool = False

    @property
    def part(self) -> str:
        return self.name.partition(".")[0]


class Import(NamedTuple):
    """`target` is relative to roost when it is `ours`, such as `store.database`; else it is the whole name."""

    target: str
    line: int
    ours: bool
    at_import_time: bool


def test_every_part_has_its_rule() -> None:
    assert {module.part for module in _modules()} <= set(MAY_IMPORT)


def test_imports_go_down_only() -> None:
    assert [breach for module in _modules() for breach in breaches_of_direction(module)] == []


def test_model_and_core_are_pure() -> None:
    assert [breach for module in _modules() for breach in breaches_of_purity(module)] == []


def test_no_import_cycles() -> None:
    graph = {
        module.name: {item.target for item in imports(module) if item.at_import_time and item.ours}
        for module in _modules()
    }
    assert find_cycle({name: _known(targets, graph) for name, targets in graph.items()}) == []


def test_keeper_and_what_it_needs_import_the_standard_library_only() -> None:
    strangers = [
        f"{module.name}:{item.line} imports {item.target}"
        for module in _modules()
        if _is_under(module.name, STANDARD_LIBRARY_ONLY)
        for item in imports(module)
        if not item.ours and item.target.partition(".")[0] not in {*sys.stdlib_module_names, "__version__"}
    ]
    assert strangers == []


@pytest.mark.parametrize("module", STARTS_LIGHT)
def test_importing_loads_nothing_heavy(module: str) -> None:
    assert _loaded_by(module) & HEAVY == set()


@pytest.mark.parametrize("module", ["roost.keeper", "roost.testing.fake_agent"])
def test_importing_loads_the_standard_library_only(module: str) -> None:
    ours = {name for name in _loaded_by(module) if name not in sys.stdlib_module_names}
    assert ours == {"roost"}


PLANTED = [
    Module("core.text", "import asyncio"),
    Module("core.text", "def f():\n    import socket"),
    Module("model.agents", "from os import environ\nfrom time import monotonic"),
    Module("core.text", "import os\nvalue = os.environ['HOME']"),
    Module("core.text", "from pathlib import Path\nPath('x').read_text()"),
    Module("core.text", "with open('x') as f: pass"),
    Module("core.text", "from datetime import datetime\ndatetime.now()"),
]


@pytest.mark.parametrize("planted", PLANTED, ids=lambda module: module.source.splitlines()[-1].strip())
def test_impure_code_in_the_core_is_found(planted: Module) -> None:
    assert breaches_of_purity(planted)


@pytest.mark.parametrize(
    "planted",
    [
        Module("core.text", "from roost.store import database"),
        Module("core.text", "from roost import store"),
        Module("model.agents", "from roost.core import text"),
        Module("web.rest", "import roost.store.database"),
        Module("keeper.loop", "from roost.core import text"),
        Module("services.hub", "from ..web import rest"),
        Module("testing.server", "import roost.cli.main"),
        Module("cli.ps", "from roost import app"),
    ],
    ids=lambda module: f"{module.name}: {module.source}",
)
def test_imports_that_go_up_are_found(planted: Module) -> None:
    assert breaches_of_direction(planted)


@pytest.mark.parametrize(
    "allowed",
    [
        Module("keeper.loop", "from roost.core import recording\nfrom roost.core.recording import Kind"),
        Module("cli.serve", "from roost.app import build"),
        Module("web.rest", "from roost.services.hub import Hub"),
        Module("core.text", "from . import screen"),
        Module("cli.ps", "from roost import __version__"),
    ],
    ids=lambda module: f"{module.name}: {module.source}",
)
def test_imports_that_go_down_are_allowed(allowed: Module) -> None:
    assert breaches_of_direction(allowed) == []


def test_cycles_are_found() -> None:
    assert find_cycle({"a": {"b"}, "b": {"c"}, "c": {"a"}}) == ["a", "b", "c", "a"]
    assert find_cycle({"a": {"b", "c"}, "b": {"c"}, "c": set()}) == []


def breaches_of_direction(module: Module) -> list[str]:
    """What the module imports of roost and may not."""
    allowed = MAY_IMPORT[module.part] | MAY_ALSO_IMPORT.get(module.name, set()) | {module.part}
    refused = NEVER_IMPORT.get(module.part, set())
    return [
        f"{module.name}:{item.line} may not import {item.target}"
        for item in imports(module)
        if item.ours and (_is_under(item.target, refused) or not _is_allowed(item.target, allowed))
    ]


def breaches_of_purity(module: Module) -> list[str]:
    """Where a module that must be pure waits, opens, or asks for the time or the environment."""
    if module.part not in PURE:
        return []
    found = [
        f"{module.name}:{item.line} imports {item.target}"
        for item in imports(module)
        if item.target.partition(".")[0] in IMPURE_MODULES or item.target in IMPURE_NAMES
    ]
    for node in ast.walk(ast.parse(module.source)):
        name = _impure_use(node)
        if name:
            found.append(f"{module.name}:{node.lineno} uses {name}")  # type: ignore[attr-defined]
    return found


def imports(module: Module) -> list[Import]:
    """All imports of a module: ours as `store.database`, others with their whole name."""
    tree = ast.parse(module.source)
    late = {id(node) for scope in _late_scopes(tree) for node in ast.walk(scope)}
    return [
        Import(target.removeprefix("roost."), node.lineno, _is_ours(target), id(node) not in late)
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for target in _targets(node, module)
    ]


def find_cycle(graph: dict[str, set[str]]) -> list[str]:
    """One cycle of a graph as the names along it, the first again at its end; empty where there is none."""
    done: set[str] = set()

    def visit(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for following in sorted(graph.get(name, ())):
            cycle = visit(following, [*path, name])
            if cycle:
                return cycle
        done.add(name)
        return []

    return next((cycle for name in graph if (cycle := visit(name, []))), [])


@functools.cache
def _modules() -> list[Module]:
    found = []
    for path in sorted((ROOT / "roost").rglob("*.py")):
        parts = path.relative_to(ROOT / "roost").with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package and len(parts) > 1 else parts)
        found.append(Module(name, path.read_text(), is_package))
    return found


def _late_scopes(tree: ast.Module) -> Iterator[ast.AST]:
    """What does not run while the module is imported: functions, and what only a type checker reads."""
    for node in ast.walk(tree):
        is_function = isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        if is_function or (isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)):
            yield node


def _targets(node: ast.Import | ast.ImportFrom, module: Module) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    origin = node.module or ""
    if node.level:
        package = ["roost", *module.name.split(".")]
        up = node.level - 1 if module.is_package else node.level
        origin = ".".join([*package[: len(package) - up], *([node.module] if node.module else [])])
    return [f"{origin}.{alias.name}" for alias in node.names]


def _is_ours(target: str) -> bool:
    """`from roost import __version__` counts as nobody's: the package's root is below everything."""
    return target.startswith("roost.") and target.split(".")[1] in MAY_IMPORT


def _is_under(name: str, parts: tuple[str, ...] | set[str]) -> bool:
    return any(name == part or name.startswith(part + ".") for part in parts)


def _is_allowed(target: str, allowed: set[str]) -> bool:
    return "*" in allowed or _is_under(target, allowed)


def _known(targets: set[str], graph: dict[str, set[str]]) -> set[str]:
    """Targets cut down to the modules that they are, or that they are names in."""
    prefixes = [[target.rsplit(".", cut)[0] for cut in range(target.count(".") + 1)] for target in targets]
    return {next((name for name in names if name in graph), "") for names in prefixes} - {""}


def _impure_use(node: ast.AST) -> str:
    if isinstance(node, ast.Attribute) and ast.unparse(node) in IMPURE_NAMES:
        return ast.unparse(node)
    if not isinstance(node, ast.Call):
        return ""
    if isinstance(node.func, ast.Name) and node.func.id in IMPURE_CALLS:
        return node.func.id
    if isinstance(node.func, ast.Attribute) and node.func.attr in IMPURE_METHODS:
        return node.func.attr
    return ""


@functools.cache
def _loaded_by(module: str) -> frozenset[str]:
    """Top-level names of the modules that a fresh interpreter holds after importing `module`, beyond its own start."""
    code = f"import sys; before = set(sys.modules); import {module}; print(*(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return frozenset(name.partition(".")[0] for name in done.stdout.split())
