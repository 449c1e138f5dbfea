"""Installs the real programs of agents into `.agents`, for the tests that use them: `scripts/setup --agents [NAME…]`.

claude and codex come from PyPI, where packages carry their whole programs; gemini and opencode come by npm, which needs
Node 20. What stands there already in the right version is left as it is.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent / ".agents"


class Source(NamedTuple):
    """Where a program comes from: a package, its version, and the program's path in it."""

    origin: str
    package: str
    version: str
    program: str


# The versions that the tests were written against.
SOURCES = {
    "claude": Source("pip", "claude-agent-sdk", "0.2.186", "claude_agent_sdk/_bundled/claude"),
    "codex": Source("pip", "openai-codex-cli-bin", "0.163.0", "codex_cli_bin/bin/codex"),
    "gemini": Source("npm", "@google/gemini-cli", "0.61.0", "node_modules/.bin/gemini"),
    "opencode": Source("npm", "opencode-ai", "1.18.33", "node_modules/.bin/opencode"),
}


def main(names: list[str]) -> int:
    """Install what is named, or all; 1 when something could not be had."""
    unknown = [name for name in names if name not in SOURCES]
    if unknown:
        print(f"setup: there is no agent {unknown[0]}; there are {', '.join(SOURCES)}", file=sys.stderr)
        return 1
    failed = [name for name in names or SOURCES if not _is_there(name) and not _install(name)]
    return int(bool(failed))


def _is_there(name: str) -> bool:
    stamp = ROOT / f"{name}.version"
    return stamp.exists() and stamp.read_text() == SOURCES[name].version and (ROOT / "bin" / name).exists()


def _install(name: str) -> bool:
    source, target = SOURCES[name], ROOT / name
    started = time.monotonic()
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    try:
        {"pip": _by_pip, "npm": _by_npm}[source.origin](source, target)
    except (OSError, subprocess.CalledProcessError) as exc:
        print(f"setup: {name} cannot be had: {exc}", file=sys.stderr)
        return False
    _link(name, target / source.program)
    (ROOT / f"{name}.version").write_text(source.version)
    size = sum(path.stat().st_size for path in target.rglob("*") if path.is_file() and not path.is_symlink())
    print(
        f"setup: {name} {source.version} from {source.origin}, {size / 1e6:.0f} MB, {time.monotonic() - started:.0f} s"
    )
    return True


def _by_pip(source: Source, target: Path) -> None:
    installer = [sys.executable, "-m", "pip"] if find_spec("pip") else ["uv", "pip"]
    options = ["install", "--quiet", "--no-deps", "--target", str(target)]
    subprocess.run([*installer, *options, f"{source.package}=={source.version}"], check=True)
    for path in target.rglob("*"):
        if path.is_file() and not path.suffix:
            path.chmod(0o755)


def _by_npm(source: Source, target: Path) -> None:
    node = subprocess.run(["node", "--version"], check=True, capture_output=True, text=True).stdout.strip()
    if int(node.removeprefix("v").partition(".")[0]) < 20:
        raise OSError(f"it needs Node 20 or newer, and this is {node}")
    (target / "package.json").write_text(json.dumps({"private": True}))
    wanted = f"{source.package}@{source.version}"
    subprocess.run(["npm", "install", "--silent", "--no-audit", "--no-fund", wanted], cwd=target, check=True)


def _link(name: str, program: Path) -> None:
    link = ROOT / "bin" / name
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(os.path.relpath(program, link.parent))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
