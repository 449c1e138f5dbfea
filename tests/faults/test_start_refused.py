"""What a server refuses to start on, and how it says so."""

import json
import os
import socket
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from roost.testing.server import RunningServer, run_server
from tests.waiting import scaled


def serve(data: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """`roost serve` that is expected to refuse."""
    command = [sys.executable, "-m", "roost", "serve", "--data", str(data), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=scaled(30))


def test_a_second_server_on_one_data_directory_is_refused(server: RunningServer) -> None:
    refused = serve(server.data.root, "--port", "0")
    assert refused.returncode != 0
    assert "already runs" in refused.stderr and "Traceback" not in refused.stderr
    assert server.call("GET", "/api/health")["ready"]


def test_a_port_in_use_is_refused(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        refused = serve(data, "--port", str(taken.getsockname()[1]))
    assert refused.returncode != 0
    assert "cannot listen" in refused.stderr and "--port" in refused.stderr and "Traceback" not in refused.stderr


def test_a_port_is_free_at_once_after_a_kill(server: RunningServer) -> None:
    port = server.port
    server.call("GET", "/api/agents")
    server.kill9()
    server.restart()
    assert server.port == port


def test_data_of_a_newer_version_is_refused_and_left_alone(data: Path) -> None:
    with run_server(data) as server:
        database = server.data.database
        assert server.terminate() == 0
    _age(database)
    before = database.read_bytes()
    refused = serve(data, "--port", "0")
    assert refused.returncode != 0
    assert "schema ffff" in refused.stderr and "another data directory" in refused.stderr
    assert database.read_bytes() == before


def test_a_damaged_database_is_refused_with_what_to_do(data: Path) -> None:
    data.mkdir(parents=True)
    (data / "roost.db").write_bytes(b"this is no database" * 1000)
    refused = serve(data, "--port", "0")
    assert refused.returncode != 0
    assert "Traceback" not in refused.stderr and "roost.db" in refused.stderr


@pytest.mark.parametrize("arguments", [("--host", "0.0.0.0"), ("--host", "256.1.1.1"), ("--server-ping", "1")])
def test_bad_settings_are_refused(data: Path, arguments: tuple[str, ...]) -> None:
    refused = serve(data, "--port", "0", *arguments)
    assert refused.returncode != 0
    assert refused.stderr and "Traceback" not in refused.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_an_unwritable_data_directory_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    refused = serve(tmp_path / "data", "--port", "0")
    assert refused.returncode != 0 and "Traceback" not in refused.stderr


def test_a_data_directory_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    refused = serve(tmp_path / "data", "--port", "0")
    assert refused.returncode != 0
    assert str(tmp_path / "data") in refused.stderr and "Traceback" not in refused.stderr


def test_a_server_file_left_by_a_killed_server_does_no_harm(server: RunningServer) -> None:
    server.kill9()
    left = json.loads(server.data.server_info.read_text())
    server.restart()
    assert json.loads(server.data.server_info.read_text())["pid"] != left["pid"]


def _age(database: Path) -> None:
    """Make a database look as if a later release had migrated it."""
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffff'")
    connection.close()
