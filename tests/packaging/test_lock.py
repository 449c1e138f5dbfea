"""The lock file of the page's packages can be used by anybody, anywhere."""

import json
from pathlib import Path

UI = Path(__file__).parents[2] / "ui"
LOCK = json.loads((UI / "package-lock.json").read_text())["packages"]
PACKAGE = json.loads((UI / "package.json").read_text())


def test_no_package_is_tied_to_a_host() -> None:
    assert [name for name, entry in LOCK.items() if "resolved" in entry] == []


def test_every_package_is_held_to_its_hash() -> None:
    assert [name for name, entry in LOCK.items() if name and "integrity" not in entry] == []


def test_every_optional_package_of_every_platform_is_in_the_lock() -> None:
    """`npm ci` refuses a lock that leaves one out, and `npm install` leaves out what its registry lacks."""
    present = {name.rpartition("node_modules/")[2] for name in LOCK}
    wanted = {optional for entry in LOCK.values() for optional in entry.get("optionalDependencies", {})}
    assert wanted <= present


def test_no_package_runs_a_script_when_installed() -> None:
    assert [name for name, entry in LOCK.items() if entry.get("hasInstallScript")] == []


def test_versions_are_exact() -> None:
    asked = PACKAGE["dependencies"] | PACKAGE["devDependencies"]
    assert [version for version in asked.values() if not version[0].isdigit()] == []


def test_the_page_needs_few_packages() -> None:
    assert set(PACKAGE["dependencies"]) == {
        "react",
        "react-dom",
        "@xterm/xterm",
        "@xterm/addon-unicode11",
        "vite",
        "@vitejs/plugin-react",
    }
