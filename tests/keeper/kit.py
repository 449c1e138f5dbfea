"""A keeper process for a test, and short ways to ask it and to read what it recorded."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from roost.core.recording import Damage, Frame, Input, Kind, Reader, decode_input, decode_json
from roost.errors import KeeperUnavailable, RoostError
from roost.keeper.client import KeeperClient
from tests.waiting import scaled, until

Json = dict[str, Any]
PATH = os.environ.get("PATH", "/usr/bin:/bin")


class RunningKeeper:
    """A keeper in the foreground, with a client."""

    def __init__(self, data: Path, *, idle_exit_s: float = 300, **settings: str) -> None:
        self.data = data
        self._idle_exit_s = idle_exit_s
        self._settings = settings
        self._clients: list[KeeperClient] = []
        self._numbers = itertools.count(1)
        self._inputs = itertools.count(1)
        self.process = self._start()
        self.client = until(self._try_connect, 15, what="the keeper listens")

    def connect(self) -> KeeperClient:
        """Another connection."""
        client = KeeperClient.connect(self.data, timeout_s=scaled(20))
        self._clients.append(client)
        return client

    def call(self, op: str, **fields: Any) -> Json:
        return self.client.call(op, **fields)

    def start(self, *argv: str, **fields: Any) -> str:
        """Start an agent; its session's id."""
        return str(self.begin(*argv, **fields)["session_id"])

    def begin(self, *argv: str, **fields: Any) -> Json:
        """Start an agent; its session."""
        name = f"a{next(self._numbers)}"
        request = {"session_id": f"s-{name}", "agent": name, "argv": list(argv), "cwd": str(self.data)} | fields
        request["env"] = {"PATH": PATH, "TERM": "xterm"} | fields.get("env", {})
        return self.call("start", **request)

    def shell(self, script: str, **fields: Any) -> str:
        """Start `sh -c script`; its session's id."""
        return self.start("sh", "-c", script, **fields)

    def type(self, session_id: str, text: str) -> Json:
        """Type into an agent."""
        seq = next(self._inputs)
        return self.call("input", session_id=session_id, source="test", seq=seq, blob=text.encode())

    def session(self, session_id: str) -> Json:
        return self.call("describe", session_id=session_id)

    def ended(self, session_id: str, timeout_s: float = 15) -> Json:
        """Wait until the session has ended; what is known of it."""
        return until(
            lambda: (one := self.session(session_id))["state"] == "exited" and one, timeout_s, what=f"{session_id} ends"
        )

    def recording(self, session_id: str) -> Path:
        return self.data / "recordings" / f"{session_id}.rec"

    def items(self, session_id: str) -> list[Frame | Damage]:
        """All frames, and damage if there is any."""
        reader = Reader()
        return reader.feed(self.recording(session_id).read_bytes()) + reader.finish()

    def frames(self, session_id: str, *kinds: Kind) -> list[Frame]:
        """The frames so far of these kinds, or of all; a torn end is not looked at."""
        found = Reader().feed(self.recording(session_id).read_bytes())
        return [one for one in found if isinstance(one, Frame) and (not kinds or one.kind in kinds)]

    def output(self, session_id: str, kind: Kind = Kind.OUT) -> str:
        """What the agent wrote so far, a terminal's line ends made plain."""
        data = b"".join(one.payload for one in self.frames(session_id, kind))
        return data.decode("utf-8", "replace").replace("\r\n", "\n")

    def said(self, session_id: str, text: str, timeout_s: float = 15) -> str:
        """Wait until the agent has written `text`; all that it wrote."""
        return until(
            lambda: (said := self.output(session_id)) and text in said and said, timeout_s, what=f"{text!r} is written"
        )

    def marks(self, session_id: str, kind: Kind = Kind.MARK) -> list[Json]:
        return [decode_json(one.payload) for one in self.frames(session_id, kind)]

    def inputs(self, session_id: str) -> list[Input]:
        return [decode_input(one.payload) for one in self.frames(session_id, Kind.IN)]

    @property
    def log(self) -> str:
        return (self.data / "keeper.log").read_text()

    def stop(self) -> None:
        """End the keeper and all its agents."""
        for one in self._clients:
            one.close()
        if self.process.poll() is None:
            with contextlib.suppress(KeeperUnavailable), self.connect() as client:
                client.call("shutdown", force=True)
                until(lambda: self.process.poll() is not None, 15, what="the keeper goes")
        self.process.kill()
        self.process.wait()
        assert (self.data / "keeper.log").exists(), f"{self.data} holds {list(self.data.glob('*'))}"
        assert "mistake" not in self.log, self.log

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-P", "-m", "roost.keeper", str(self.data), "--foreground"]
        return subprocess.Popen(
            [*command, "--idle-exit", str(self._idle_exit_s)],
            env=os.environ | self._settings,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def _try_connect(self) -> KeeperClient | None:
        assert self.process.poll() is None, f"the keeper ended with status {self.process.returncode}"
        with contextlib.suppress(KeeperUnavailable):
            return self.connect()
        return None


def refusal(call: Callable[[], object]) -> RoostError:
    """The error that a call is refused with."""
    try:
        call()
    except RoostError as exc:
        return exc
    raise AssertionError("it was not refused")
