"""roost is installed from its sources on machines without Node, by real runs of pip in fresh environments."""

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.waiting import scaled

ROOT = Path(__file__).parents[2]
PARTS = ("src", "ui", "hatch_build.py", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md")
LEFT_OUT = shutil.ignore_patterns("node_modules", "static", "__pycache__", "*.egg-info")
NODE = {"node", "nodejs", "npm", "npx", "corepack"}
NOWHERE = "http://127.0.0.1:9/"

pytestmark = [pytest.mark.slow, pytest.mark.timeout(scaled(600))]


class Machine:
    """A fresh environment on a machine whose PATH holds everything but Node."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        programs = folder / "programs"
        programs.mkdir()
        for place in ("/usr/bin", "/bin"):
            for program in Path(place).iterdir():
                link = programs / program.name
                if program.name not in NODE and not link.is_symlink():
                    link.symlink_to(program)
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        self.path = f"{folder / 'venv' / 'bin'}{os.pathsep}{programs}"

    def run(self, *command: object, **environment: str) -> subprocess.CompletedProcess[str]:
        given = os.environ | {"PATH": self.path, "PIP_DISABLE_PIP_VERSION_CHECK": "1"} | environment
        given.pop("VIRTUAL_ENV", None)
        return subprocess.run([str(part) for part in command], env=given, capture_output=True, text=True, check=False)

    def wheel(self, source: Path, into: Path, **environment: str) -> Path:
        """The wheel that pip makes of `source`."""
        done = self.run("pip", "wheel", "--no-deps", "--no-cache-dir", "-w", into, source, **environment)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        return next(into.glob("*.whl"))


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    machine = Machine(tmp_path_factory.mktemp("machine"))
    assert not any(shutil.which(program, path=machine.path) for program in NODE)
    asked = machine.run("pip", "download", "--no-deps", "-d", machine.folder / "probe", "hatchling")
    if asked.returncode:
        pytest.skip("needs a package index")
    return machine


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources as git has them: without anything built."""
    return copy_sources(tmp_path_factory.mktemp("clone"))


@pytest.fixture(scope="module")
def wheel(machine: Machine, clone: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return machine.wheel(clone, tmp_path_factory.mktemp("wheel"))


def copy_sources(folder: Path) -> Path:
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=LEFT_OUT)
        else:
            shutil.copy(ROOT / part, folder)
    return folder


def page_of(wheel: Path) -> dict[str, bytes]:
    """The page's files in a wheel, by their name under the page's folder."""
    folder = "roost/web/static/"
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if name.startswith(folder)]
        return {name.removeprefix(folder): archive.read(name) for name in names}


def test_a_clone_gives_a_wheel_with_the_page_where_there_is_no_node(wheel: Path) -> None:
    page = page_of(wheel)
    kinds = {Path(name).suffix for name in page if name.startswith("assets/")}
    assert b'<div id="root">' in page["index.html"]
    assert kinds == {".js", ".css", ".gz"}
    assert {name for name in page if name.endswith(".map")} == set()


def test_every_asset_has_its_compressed_twin(wheel: Path) -> None:
    page = page_of(wheel)
    assert {f"{name}.gz" for name in page if name.endswith((".js", ".css", ".html"))} <= set(page)


def test_the_first_load_is_small(wheel: Path) -> None:
    """All but the terminal, which comes when one is opened: at most 150 KiB as sent."""
    page = page_of(wheel)
    first = [name for name in page if name.endswith(".gz") and "TerminalPane" not in name]
    assert sum(len(page[name]) for name in first) <= 150 * 1024


def test_the_build_leaves_no_packages_behind(wheel: Path, clone: Path) -> None:
    assert not (clone / "ui" / "node_modules").exists()


def test_a_second_build_elsewhere_is_the_same_to_the_byte(machine: Machine, wheel: Path, tmp_path: Path) -> None:
    again = machine.wheel(copy_sources(tmp_path / "elsewhere"), tmp_path / "out")
    assert page_of(again) == page_of(wheel)


@pytest.fixture
def sdist(wheel: Path, clone: Path, tmp_path: Path) -> Iterator[Path]:
    """An sdist of a tree that has its page, as a release has it."""
    pytest.importorskip("hatchling", reason="needs hatchling")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "sdist", "-d", tmp_path], cwd=clone, check=True)
    yield next(tmp_path.glob("*.tar.gz"))


def test_an_sdist_carries_the_page_and_needs_no_registry(
    machine: Machine, wheel: Path, sdist: Path, tmp_path: Path
) -> None:
    again = machine.wheel(sdist, tmp_path / "out", npm_config_registry=NOWHERE, npm_config_cache=str(tmp_path / "npm"))
    assert page_of(again) == page_of(wheel)


def test_the_page_can_be_left_out(machine: Machine, tmp_path: Path) -> None:
    wheel = machine.wheel(copy_sources(tmp_path / "clone"), tmp_path / "out", ROOST_UI="skip")
    assert page_of(wheel) == {}


def test_a_registry_that_is_down_is_said_with_what_to_do(machine: Machine, tmp_path: Path) -> None:
    source = copy_sources(tmp_path / "clone")
    down = {"npm_config_registry": NOWHERE, "npm_config_cache": str(tmp_path / "npm")}
    done = machine.run("pip", "wheel", "--no-deps", "-w", tmp_path, source, **down)
    assert done.returncode != 0
    assert "ROOST_UI=skip pip install ." in done.stdout + done.stderr
