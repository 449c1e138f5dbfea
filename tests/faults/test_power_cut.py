"""A power cut corrupts nothing, and costs at most the output of the last second."""

import contextlib
import fcntl
import os
import shutil
import signal
import sqlite3
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from roost.testing import processes
from roost.testing.script import program
from roost.testing.server import RunningServer
from tests.faults.outcomes import tally_of, wait_lines
from tests.faults.test_keeper_gone import pretend_another_boot
from tests.waiting import SCALE, scaled, until

EXT4_SHUTDOWN = 0x8004587D
WITHOUT_FLUSHING_THE_LOG = struct.pack("I", 2)
RATE = 200
AGENTS = ("a", "b", "c", "d")
SYNCED_EVERY_S = 1.0
SLACK_S = 0.5

pytestmark = [
    pytest.mark.root,
    pytest.mark.skipif(not shutil.which("mkfs.ext4"), reason="needs mkfs.ext4"),
    pytest.mark.skipif(not Path("/dev/loop-control").exists(), reason="needs loop devices"),
]


@pytest.mark.slow
@pytest.mark.parametrize("cut", [1])
def test_a_power_cut_loses_at_most_a_second(tmp_path: Path, cut: int) -> None:
    lost = cut_the_power(tmp_path, after_lines=RATE * (1 + cut))
    assert max(lost.values()) <= RATE * (SYNCED_EVERY_S + SLACK_S) * SCALE, lost


def cut_the_power(directory: Path, *, after_lines: int) -> dict[str, int]:
    """Cut the power of a disk under a working server, then start again; how many lines each agent lost.

    What is left must be lines 1 to n, each once, the database whole, and every session lost with the restart as reason.
    """
    with loop_disk(directory) as disk:
        server = RunningServer(disk.mounted_at / "data", {"keeper_sync_s": SYNCED_EVERY_S})
        server.output = directory / "output"
        try:
            server.start()
            for name in AGENTS:
                server.start_agent(name, *program(), "--prefix", name, "--rate", str(RATE), "--lines", "100000")
            for name in AGENTS:
                wait_lines(server, name, after_lines, 60)
            said = {name: int(server.agent(name)["lines"]) for name in AGENTS}
            disk.cut()
            _kill_everything(server)
            disk.come_back()
            for recording in server.data.recordings.iterdir():
                pretend_another_boot(recording)
            server.start()
            return {name: said[name] - _left(server, name) for name in AGENTS}
        finally:
            server.close()


class LoopDisk:
    """An ext4 file system in a file, whose power can be cut."""

    def __init__(self, image: Path, mounted_at: Path) -> None:
        self._image = image
        self.mounted_at = mounted_at

    def come_up(self) -> None:
        subprocess.run(["mount", "-o", "loop", str(self._image), str(self.mounted_at)], check=True)

    def cut(self) -> None:
        """Nothing that is not on the disk by now will ever be."""
        fd = os.open(self.mounted_at, os.O_RDONLY | os.O_DIRECTORY)
        try:
            fcntl.ioctl(fd, EXT4_SHUTDOWN, WITHOUT_FLUSHING_THE_LOG)
        finally:
            os.close(fd)

    def go_down(self) -> None:
        until(
            lambda: (
                subprocess.run(["umount", str(self.mounted_at)], check=False, stderr=subprocess.DEVNULL).returncode == 0
            ),
            10,
        )

    def come_back(self) -> None:
        self.go_down()
        self.come_up()


@contextlib.contextmanager
def loop_disk(directory: Path) -> Iterator[LoopDisk]:
    """A mounted disk of 96 MB; skips the test where this machine lets nobody mount one."""
    image, mounted_at = directory / "disk.img", directory / "disk"
    mounted_at.mkdir()
    subprocess.run(["truncate", "-s", "96M", str(image)], check=True)
    subprocess.run(["mkfs.ext4", "-q", str(image)], check=True, capture_output=True)
    disk = LoopDisk(image, mounted_at)
    try:
        disk.come_up()
    except subprocess.CalledProcessError:
        pytest.skip("no loop device can be mounted here")
    try:
        yield disk
    finally:
        disk.go_down()


def _kill_everything(server: RunningServer) -> None:
    pid = server.keeper_pid
    everyone = {processes.process(pid), *processes.descendants(pid)}
    server.kill9()
    os.kill(pid, signal.SIGKILL)
    processes.wait_gone(everyone, 2)
    for one in everyone:
        one.end()
    assert processes.wait_gone(everyone, scaled(5)) == set()


def _left(server: RunningServer, name: str) -> int:
    agent = until(lambda: _if_lost(server, name))
    assert agent["reason"] == "host restarted"
    with contextlib.closing(sqlite3.connect(server.data.database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    lines = int(agent["lines"])
    tally = tally_of(server, name, lines - 1)
    assert (tally.lost, tally.twice, tally.disordered) == (0, 0, 0)
    return lines


def _if_lost(server: RunningServer, name: str) -> dict[str, object] | None:
    agent = server.agent(name)
    return agent if agent["state"] == "lost" else None
