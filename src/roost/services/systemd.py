"""Telling systemd that the server is ready, stopping, alive (sd_notify(3): one datagram to `$NOTIFY_SOCKET`)."""

from __future__ import annotations

import socket
from collections.abc import Mapping


class Notifier:
    """Says nothing where no service manager listens."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._address = environ.get("NOTIFY_SOCKET", "")
        self._watchdog_us = environ.get("WATCHDOG_USEC", "")

    @property
    def watchdog_s(self) -> float | None:
        """How often to say `alive`, half of what the service manager allows; null when it does not ask."""
        if not self._address or not self._watchdog_us.isdigit() or self._watchdog_us == "0":
            return None
        return int(self._watchdog_us) / 2e6

    def ready(self, status: str) -> None:
        self._send(f"READY=1\nSTATUS={status}")

    def stopping(self) -> None:
        self._send("STOPPING=1")

    def alive(self) -> None:
        self._send("WATCHDOG=1")

    def _send(self, message: str) -> None:
        if not self._address:
            return
        # A leading @ means the abstract namespace, written as a NUL.
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as datagram:
                datagram.sendto(message.encode(), address)
        except OSError:
            # Being ready does not depend on somebody hearing it.
            return
