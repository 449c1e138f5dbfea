"""What the doctor says of machines that are not this one."""

import os
import socket
from collections import namedtuple
from pathlib import Path

import pytest

from roost import config
from roost.cli import machine, running
from roost.cli.machine import MISSING, NOTE, OK, WEAK
from roost.config import Settings


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return with_flags(tmp_path)


def with_flags(tmp_path: Path, **flags: str) -> Settings:
    named = {key.replace("__", "."): value for key, value in flags.items()}
    return config.load({}, {"data": str(tmp_path / "data"), **named})[0]


def only(findings: list[machine.Finding]) -> machine.Finding:
    (found,) = findings
    return found


def test_another_system_is_not_supported(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("sys.platform", "darwin")
    assert only(machine.check_kernel(settings)).status == MISSING


def test_a_kernel_without_pidfd(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    def refuse(_: int) -> int:
        raise OSError("not implemented")

    monkeypatch.setattr(os, "pidfd_open", refuse)
    found = {each.check: each for each in machine.check_kernel(settings)}
    assert found["pidfd"].status == MISSING
    assert found["subreaper"].status == OK


def test_cgroups(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    assert only(machine.check_cgroup(with_flags(tmp_path, keeper__cgroup="false"))).status == NOTE
    monkeypatch.setattr("roost.keeper.cgroup.own_directory", str)
    assert only(machine.check_cgroup(settings)).status == WEAK
    monkeypatch.setattr("roost.keeper.cgroup.own_directory", lambda: str(tmp_path))
    assert "Delegate" in only(machine.check_cgroup(settings)).advice
    (tmp_path / "cgroup.procs").touch()
    assert only(machine.check_cgroup(settings)).status == OK


@pytest.mark.parametrize(("hard", "status"), [(1024, WEAK), (4096, OK), (-1, OK)])
def test_open_files(settings: Settings, monkeypatch: pytest.MonkeyPatch, hard: int, status: str):
    monkeypatch.setattr("resource.getrlimit", lambda _: (256, hard))
    assert only(machine.check_open_files(settings)).status == status


@pytest.mark.parametrize(("version", "status"), [((3, 40, 1), NOTE), ((3, 51, 3), OK), ((4, 0, 0), OK)])
def test_sqlite(settings: Settings, monkeypatch: pytest.MonkeyPatch, version: tuple[int, ...], status: str):
    monkeypatch.setattr("sqlite3.sqlite_version_info", version)
    assert only(machine.check_sqlite(settings)).status == status


def test_another_database_needs_no_sqlite(tmp_path: Path):
    assert machine.check_sqlite(with_flags(tmp_path, db="postgresql://x")) == []


@pytest.mark.parametrize(("known", "status"), [({"pyghostty", "pyte"}, OK), ({"pyte"}, WEAK), (set(), MISSING)])
def test_emulators(settings: Settings, monkeypatch: pytest.MonkeyPatch, known: set[str], status: str):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name in known or None)
    assert machine.check_parts(settings)[0].status == status


def test_a_page_that_was_not_built(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("roost.__file__", str(tmp_path / "roost" / "__init__.py"))
    assert machine.check_parts(settings)[1].status == WEAK


def test_a_data_directory_that_is_not_there_yet(settings: Settings):
    assert only(machine.check_data_directory(settings)).status == NOTE


def test_somebody_elses_data_directory(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    settings.data.mkdir()
    monkeypatch.setattr(os, "getuid", lambda: settings.data.stat().st_uid + 1)
    assert machine.check_data_directory(settings)[0].status == MISSING


def test_a_data_directory_that_cannot_be_written(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    settings.data.mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert machine.check_data_directory(settings)[0].status == MISSING


@pytest.mark.parametrize(("kind", "status"), [("nfs4", MISSING), ("tmpfs", WEAK), ("ext4", OK)])
def test_file_systems(settings: Settings, monkeypatch: pytest.MonkeyPatch, kind: str, status: str):
    settings.data.mkdir(mode=0o700)
    monkeypatch.setattr(machine, "file_system", lambda _: kind)
    found = {each.check: each for each in machine.check_data_directory(settings)}
    assert found["file system"].status == status


def test_the_file_system_of_a_path():
    assert machine.file_system(Path("/proc/self")) == "proc"
    assert machine.file_system(Path("/"))


def test_little_space(tmp_path: Path):
    settings = with_flags(tmp_path, health__disk_low_bytes=str(1 << 60))
    settings.data.mkdir(mode=0o700)
    assert machine.check_data_directory(settings)[-1].status == WEAK


@pytest.mark.parametrize(("term", "status"), [("dumb", WEAK), ("", WEAK), ("xterm-256color", OK)])
def test_terminals(settings: Settings, monkeypatch: pytest.MonkeyPatch, term: str, status: str):
    monkeypatch.setattr("sys.stdout", namedtuple("Out", "isatty")(lambda: True))
    monkeypatch.setenv("TERM", term)
    monkeypatch.setenv("TMUX", "yes")
    monkeypatch.delenv("ROOST_AGENT", raising=False)
    assert only(machine.check_terminal(settings)).status == status
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("ROOST_AGENT", "one")
    assert machine.check_terminal(settings)[1].status == NOTE


def test_ports(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert only(running.check_server(with_flags(tmp_path, server__port=port))).status == MISSING
    assert only(running.check_server(with_flags(tmp_path, server__port=port))).status == OK
    assert only(running.check_server(with_flags(tmp_path, server__host="192.0.2.1"))).status == MISSING


@pytest.mark.parametrize(
    ("keeper", "status"),
    [
        (None, OK),
        ({"error": {"message": "it speaks another protocol"}}, MISSING),
        ({"disk_full": True}, MISSING),
        ({"version": "0.0.1"}, NOTE),
    ],
)
def test_keepers(settings: Settings, monkeypatch: pytest.MonkeyPatch, keeper: object, status: str):
    monkeypatch.setattr(running, "keeper_status", lambda _: keeper)
    assert only(running.check_keeper(settings)).status == status
