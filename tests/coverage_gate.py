"""How much of the code the tests reach, and whether that is enough: run by `scripts/check --coverage`.

The pure layers must be covered wholly, branches included, the rest to 95 %. Files are listed that are below.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PURE = ("src/roost/model/", "src/roost/core/")
ENOUGH_PURE = 100.0
ENOUGH = 95.0
COVERAGE = [sys.executable, "-m", "coverage"]


def main() -> int:
    """Run the tests under coverage, tell what is missing, and judge."""
    with tempfile.TemporaryDirectory() as directory:
        data = Path(directory) / "coverage"
        command = [*COVERAGE, "run", f"--data-file={data}", "-m", "pytest", "-q", *sys.argv[1:]]
        tests = subprocess.run(command, cwd=ROOT, check=False)
        subprocess.run([*COVERAGE, "combine", "-q", f"--data-file={data}", directory], cwd=ROOT, check=False)
        report = Path(directory) / "report.json"
        subprocess.run([*COVERAGE, "json", "-q", f"--data-file={data}", "-o", str(report)], cwd=ROOT, check=True)
        files: dict[str, Any] = json.loads(report.read_text())["files"]
    faults = judge(files)
    sys.stdout.write("".join(f"{fault}\n" for fault in faults))
    return 1 if faults or tests.returncode else 0


def judge(files: dict[str, Any]) -> list[str]:
    """What is covered too little: each pure file for itself, all others together with the worst of them named."""
    pure = {name: file for name, file in files.items() if name.startswith(PURE)}
    rest = {name: file for name, file in files.items() if name not in pure}
    faults = [
        f"{name}: {file['summary']['percent_covered']:.1f} %, lines {_missing(file)}"
        for name, file in sorted(pure.items())
        if file["summary"]["percent_covered"] < ENOUGH_PURE
    ]
    covered = _percent(rest)
    if covered < ENOUGH:
        worst = sorted(rest, key=lambda name: _uncovered(rest[name]), reverse=True)
        faults.append(f"all but model and core: {covered:.1f} %")
        faults += [
            f"{name}: {rest[name]['summary']['percent_covered']:.1f} %, lines {_missing(rest[name])}"
            for name in worst
            if rest[name]["summary"]["percent_covered"] < ENOUGH
        ]
    return faults


def _percent(files: dict[str, Any]) -> float:
    summaries = [file["summary"] for file in files.values()]
    total = sum(each["num_statements"] + each["num_branches"] for each in summaries)
    covered = sum(each["covered_lines"] + each["covered_branches"] for each in summaries)
    return 100.0 * covered / total if total else 100.0


def _uncovered(file: dict[str, Any]) -> int:
    return int(file["summary"]["missing_lines"]) + int(file["summary"]["missing_branches"])


def _missing(file: dict[str, Any]) -> str:
    lines = [str(line) for line in file["missing_lines"]]
    branches = [f"{start}→{end}" for start, end in file["missing_branches"] if start not in file["missing_lines"]]
    return ", ".join([*lines, *branches][:25])


if __name__ == "__main__":
    sys.exit(main())
