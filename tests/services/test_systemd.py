"""What the service manager is told."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from roost.services.systemd import Notifier


@pytest.mark.parametrize("abstract", [False, True])
def test_the_manager_hears_ready_alive_and_stopping(tmp_path: Path, abstract: bool) -> None:
    name = f"\0roost-test-{tmp_path.name}" if abstract else str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(name)
        notifier = Notifier({"NOTIFY_SOCKET": name.replace("\0", "@"), "WATCHDOG_USEC": "3000000"})
        notifier.ready("Serving")
        notifier.alive()
        notifier.stopping()
        assert [manager.recv(100) for _ in range(3)] == [b"READY=1\nSTATUS=Serving", b"WATCHDOG=1", b"STOPPING=1"]
        assert notifier.watchdog_s == 1.5


def test_nobody_listening_is_no_trouble(tmp_path: Path) -> None:
    Notifier({}).ready("x")
    Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone")}).alive()
    assert Notifier({}).watchdog_s is None
    assert Notifier({"NOTIFY_SOCKET": "x", "WATCHDOG_USEC": "0"}).watchdog_s is None
