"""Paths find what serves them."""

import pytest

from roost.core.addresses import Addresses, Found

TABLE = Addresses(
    {
        "/": "root",
        "/api/agents": "agents",
        "/api/agents/{name}": "agent",
        "/api/agents/{name}/kill": "kill",
        "/api/{what}/all/kill": "all",
        "/assets/{path:path}": "asset",
        "/{file}": "file",
        "/login": "login",
    }
)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", Found("root", {})),
        ("/api/agents", Found("agents", {})),
        ("/api/agents/demo", Found("agent", {"name": "demo"})),
        ("/api/agents/kill", Found("agent", {"name": "kill"})),
        ("/api/agents/a.b/kill", Found("kill", {"name": "a.b"})),
        ("/api/agents/../kill", Found("kill", {"name": ".."})),
        ("/api/tasks/all/kill", Found("all", {"what": "tasks"})),
        ("/assets/a/b.js", Found("asset", {"path": "a/b.js"})),
        ("/assets/", Found("asset", {"path": ""})),
        ("/login", Found("login", {})),
        ("/favicon.svg", Found("file", {"file": "favicon.svg"})),
    ],
)
def test_a_path_is_found(path: str, expected: Found[str]) -> None:
    assert TABLE.find(path) == expected


@pytest.mark.parametrize(
    "path",
    ["", "//", "/api/agents/", "/api/agents//kill", "/api/agents/a/b", "/api/agents/a/kill/", "/api//x", "api"],
)
def test_nothing_else_is(path: str) -> None:
    assert TABLE.find(path) is None


def test_several_parts_may_vary() -> None:
    addresses = Addresses({"/a/{name}/t": "list", "/a/{name}/t/{turn}": "one", "/a/{name}/{what}/x": "x"})
    assert addresses.find("/a/n/t/7") == ("one", {"name": "n", "turn": "7"})
    assert addresses.find("/a/n/y/x") == ("x", {"name": "n", "what": "y"})
    assert addresses.find("/a/n/t/") is None
