"""schemathesis over our OpenAPI document: all its checks, against a live server."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from roost.testing.server import run_server
from tests.waiting import SCALE

EXAMPLES = 20
CONFIGURATION = """
# What a schema cannot say, such as whether a program exists, may be refused as invalid too.
[checks.positive_data_acceptance]
expected-statuses = ["2xx", "3xx", "400", "401", "403", "404", "409", "422", "429", "5xx"]
"""


def schemathesis() -> str | None:
    """The program, beside our Python or on the path."""
    beside = Path(sys.executable).with_name("schemathesis")
    return str(beside) if beside.exists() else shutil.which("schemathesis")


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(schemathesis() is None, reason="needs schemathesis (pip install schemathesis)")
def test_schemathesis_finds_nothing(tmp_path: Path) -> None:
    configuration = tmp_path / "schemathesis.toml"
    configuration.write_text(CONFIGURATION)
    with run_server(tmp_path / "data", agents_max_running=20) as server:
        server.start_agent("demo", "sleep", "1000")
        command = [str(schemathesis()), "--no-color", "--config-file", str(configuration), "run"]
        command += [f"{server.url}/api/openapi.json", "--header", f"Authorization: Bearer {server.token}"]
        command += ["--checks", "all", "--phases", "examples,coverage,fuzzing,stateful"]
        # Streams of events have no end.
        command += ["--exclude-path-regex", "/stream$", "--request-timeout", str(20 * SCALE)]
        command += ["--max-examples", str(EXAMPLES), "--continue-on-failure"]
        found = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert found.returncode == 0, found.stdout[-8000:] + found.stderr[-2000:]
        assert "Traceback" not in server.output.read_text()
