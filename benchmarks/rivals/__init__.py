"""Rival programs in C and Go, compiled on the spot where the toolchain is there."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

SOURCES = Path(__file__).parent
_built = Path(tempfile.gettempdir()) / f"roost-rivals-{os.getuid()}"


@functools.cache
def compiled(source: str) -> Path | None:
    """The program of a source file in this folder, or null with a word on standard error when it cannot be built."""
    path = SOURCES / source
    compiler = "gcc" if path.suffix == ".c" else "go"
    if shutil.which(compiler) is None:
        print(f"{source}: there is no {compiler} here, so it is left out", file=sys.stderr)
        return None
    _built.mkdir(mode=0o700, exist_ok=True)
    program = _built / path.stem
    if program.exists() and program.stat().st_mtime > path.stat().st_mtime:
        return program
    command = ["gcc", "-O2", "-o", str(program), str(path), "-lutil"]
    if compiler == "go":
        command = ["go", "build", "-o", str(program), str(path)]
    environment = {**os.environ, "GOFLAGS": "-mod=mod", "GO111MODULE": "off", "GOCACHE": str(_built / "go-cache")}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        print(f"{source} does not compile, so it is left out:\n{done.stderr[-800:]}", file=sys.stderr)
        return None
    return program
